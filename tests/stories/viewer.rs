//! A viewer who tries everything: each command of `storm` that changes something is refused, and nothing
//! has changed in Garage, nor in the account.

use std::{collections::BTreeSet, fs, process::Command};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    api::Api,
    cli::Cli,
    mails::link_to,
    program,
    stack::{REGION, Stack},
    tools::said,
    wait, word,
};
use serde_json::{Value, json};
use storm_protocol::api::{MemberPage, OperationPage};

const REFUSED: i32 = 3;

fn cli(stack: &Stack, name: &str, token: &str) -> Result<Cli> {
    let home = stack.directory().join(name);
    fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let url = stack.server.web_url.as_str();
    cli.text(&["login", "--url", url, "--token", token])?;
    Ok(cli)
}

/// Somebody in the operator's account, with an API token of theirs.
async fn viewer(stack: &Stack, owner: &Cli) -> Result<(Cli, Api)> {
    owner.text(&[
        "invitation",
        "create",
        "vic@example.org",
        "--role",
        "viewer",
    ])?;
    let mails = stack.server.data().join("mail");
    let link = wait::until("the e-mail", async || link_to(&mails, "vic@example.org")).await?;
    let (_, secret) = link.split_once('#').context("a secret in the link")?;
    let password = "a fine long password";
    let body = json!({ "token": secret, "password": password });
    let accepted = stack.api.post("/invitations/accept", &body).await?;
    ensure!(accepted.status == 204, "{accepted:?}");
    let url = &stack.server.web_url;
    let api = Api::sign_in(url, "vic@example.org", password).await?;
    Ok((cli(stack, "viewer", api.token())?, api))
}

/// What no route does by itself, and what asks for it.
const ASKED_BY_OTHERS: [(&str, &str); 3] = [
    ("account.set_quotas", "the platform itself"),
    ("executor.release", "region.move_executor"),
    ("job.cancel", "operation.cancel"),
];

/// What a viewer may not, by the server's own table.
fn forbidden() -> Result<BTreeSet<String>> {
    let printed = Command::new(program("storm-buckets")?)
        .arg("access")
        .output()?;
    ensure!(printed.status.success(), "{}", said(&printed));
    let text = String::from_utf8(printed.stdout)?;
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let closed = rows.filter_map(|row| {
        let (name, rest) = row.split_once("` |")?;
        let viewer = rest.split('|').next()?;
        viewer.trim().is_empty().then(|| name.to_owned())
    });
    Ok(closed.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_who_tries_everything_changes_nothing() -> Result<()> {
    let stack = Stack::single().await?;
    let owner = cli(&stack, "owner", stack.api.token())?;
    let name = format!("photos-{}", word()?);
    let (_, key) = stack.create_bucket(&name, None).await?;
    let (viewer, api) = viewer(&stack, &owner).await?;
    let operations: OperationPage = stack.api.get("/operations").await?;
    let made = operations.items.first().context("an operation")?;
    let key = key.id.as_str();
    let rules = stack.directory().join("rules.json");
    fs::write(&rules, "[]")?;
    let rules = rules.to_str().context("a path in UTF-8")?;
    let me: Value = owner.json(&["whoami"])?;
    let account = me["account"].as_str().context("an account")?;
    let agent = stack.api.agents().await?.items[0].id.to_string();
    let before = stack.cluster.admin.contents().await?;
    let mut others = vec![];

    let operation = made.id.to_string();
    let (id, path) = (
        "01900000-0000-7000-8000-000000000000",
        format!("/operations/{operation}/acknowledge"),
    );
    let region = [
        "region",
        "create",
        "there",
        "--s3-endpoint",
        "https://s3.example.org",
    ];
    let mut missing = forbidden()?;
    let answer = api.post(&path, &json!({})).await?;
    ensure!(answer.status == 403, "{answer:?}");
    missing.remove("operation.acknowledge");
    for (act, change) in [
        (
            "bucket.create",
            vec!["bucket", "create", "another", "--no-key"],
        ),
        ("bucket.delete", vec!["bucket", "delete", &name]),
        ("bucket.clear", vec!["bucket", "clear", &name]),
        ("bucket.measure_prefix", vec!["bucket", "measure", &name]),
        (
            "bucket.set_quota",
            vec!["bucket", "set-quota", &name, "--quota", "1GB"],
        ),
        ("bucket.set_cors", vec!["bucket", "set-cors", &name, rules]),
        (
            "bucket.set_lifecycle",
            vec!["bucket", "set-lifecycle", &name, rules],
        ),
        (
            "bucket.set_website",
            vec!["bucket", "set-website", &name, "--off"],
        ),
        (
            "bucket.add_alias",
            vec!["bucket", "add-alias", &name, "other-name"],
        ),
        (
            "bucket.remove_alias",
            vec!["bucket", "remove-alias", &name, &name],
        ),
        (
            "bucket.cleanup_uploads",
            vec!["bucket", "cleanup-uploads", &name],
        ),
        ("bucket.restore", vec!["bucket", "restore", &name]),
        ("bucket.accept", vec!["bucket", "accept", &name]),
        ("bucket.adopt", vec!["bucket", "adopt", &name]),
        ("bucket.release", vec!["bucket", "release", &name]),
        ("key.create", vec!["key", "create", "mine"]),
        (
            "key.create_temporary",
            vec!["key", "temporary", &name, "--write"],
        ),
        ("key.delete", vec!["key", "delete", key]),
        ("key.rename", vec!["key", "rename", key, "mine"]),
        ("key.set_expiry", vec!["key", "extend", key, "30d"]),
        ("key.suspend", vec!["key", "suspend", key]),
        ("key.resume", vec!["key", "resume", key]),
        ("key.rotate", vec!["key", "rotate", key]),
        ("key.revoke_leaked", vec!["key", "revoke-leaked", key]),
        ("key.set_grant", vec!["grant", "set", key, &name, "--read"]),
        ("key.set_grant", vec!["grant", "remove", key, &name]),
        ("operation.cancel", vec!["op", "cancel", &operation]),
        (
            "member.set_role",
            vec!["member", "set-role", "operator@example.org", "viewer"],
        ),
        (
            "member.remove",
            vec!["member", "remove", "operator@example.org"],
        ),
        ("invitation.read", vec!["invitation", "list"]),
        (
            "invitation.create",
            vec!["invitation", "create", "friend@example.org"],
        ),
        ("invitation.withdraw", vec!["invitation", "withdraw", id]),
        ("account.list", vec!["account", "list"]),
        (
            "account.transfer",
            vec!["account", "transfer", "vic@example.org"],
        ),
        ("account.rename", vec!["account", "rename", "Mine"]),
        ("account.close", vec!["account", "close"]),
        ("account.cancel_close", vec!["account", "cancel-close"]),
        (
            "account.create",
            vec!["account", "create", "Mine", "--owner", "vic@example.org"],
        ),
        (
            "account.set_limits",
            vec!["account", "set-limits", account, "--buckets", "1"],
        ),
        (
            "account.suspend",
            vec!["account", "suspend", account, "--reason", "x"],
        ),
        ("account.resume", vec!["account", "resume", account]),
        ("account.close_any", vec!["account", "close", account]),
        (
            "account.cancel_close_any",
            vec!["account", "cancel-close", account],
        ),
        ("audit.read", vec!["audit", "list"]),
        ("security_event.read", vec!["audit", "security"]),
        (
            "region.create",
            [&region[..], &["--s3-region", "garage"]].concat(),
        ),
        (
            "region.move_executor",
            vec!["region", "move-executor", REGION, &agent],
        ),
        ("inventory.refresh", vec!["region", "refresh", REGION]),
        ("agent.ping", vec!["region", "ping", REGION]),
        ("agent.read", vec!["agent", "list"]),
        ("agent.revoke", vec!["agent", "revoke", &agent]),
        ("agent.declare_lost", vec!["agent", "lost", &agent]),
        (
            "agent.end_quarantine",
            vec!["agent", "end-quarantine", &agent],
        ),
        ("enrol_token.read", vec!["agent", "enrol-token", "list"]),
        ("enrol_token.create", vec!["agent", "enrol-token", "create"]),
        ("stray.read", vec!["stray", "list"]),
        ("stray.ignore", vec!["stray", "ignore", key]),
    ] {
        let refused = viewer.run(&[&change[..], &["--yes"]].concat())?;
        if refused.status.code() != Some(REFUSED) {
            let code = refused.status.code();
            others.push(format!(
                "{change:?} ended with {code:?}: {}",
                said(&refused)
            ));
        }
        missing.remove(act);
    }
    for (act, _) in ASKED_BY_OTHERS {
        missing.remove(act);
    }
    ensure!(
        missing.is_empty(),
        "nobody tried {missing:?}: add how it is asked for"
    );
    ensure!(others.is_empty(), "{}", others.join("\n"));

    let after = stack.cluster.admin.contents().await?;
    ensure!(
        format!("{:?}", before.buckets) == format!("{:?}", after.buckets)
            && format!("{:?}", before.keys) == format!("{:?}", after.keys),
        "{after:?}"
    );
    let members: MemberPage = stack.api.get("/members").await?;
    ensure!(members.items.len() == 2, "{members:?}");
    let own: Value = stack.api.get("/account").await?;
    ensure!(own["state"] == "active", "{own}");
    Ok(())
}
