//! A viewer who tries everything: each command of `storm` that changes something is refused, and nothing
//! has changed in Garage, nor in the account.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{cli::Cli, stack::Stack, tools::said, word};
use serde_json::{Value, json};
use storm_protocol::api::MemberPage;

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
async fn viewer(stack: &Stack, owner: &Cli) -> Result<Cli> {
    owner.text(&[
        "invitation",
        "create",
        "vic@example.org",
        "--role",
        "viewer",
    ])?;
    let mails = stack.server.data().join("mail");
    let secret = e2e::harness::wait::until("the e-mail", async || {
        for entry in fs::read_dir(&mails).into_iter().flatten() {
            let text = fs::read_to_string(entry?.path())?;
            let text = text.replace("=\r\n", "").replace("=3D", "=");
            if let Some((_, rest)) = text.split_once("/invitation#") {
                return Ok(rest.split_whitespace().next().map(str::to_owned));
            }
        }
        Ok(None)
    })
    .await?;
    let password = "a fine long password";
    let body = json!({ "token": secret, "password": password });
    let accepted = stack.api.post("/invitations/accept", &body).await?;
    ensure!(accepted.status == 204, "{accepted:?}");
    let url = &stack.server.web_url;
    let api = e2e::harness::api::Api::sign_in(url, "vic@example.org", password).await?;
    cli(stack, "viewer", api.token())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_who_tries_everything_changes_nothing() -> Result<()> {
    let stack = Stack::single().await?;
    let owner = cli(&stack, "owner", stack.api.token())?;
    let name = format!("photos-{}", word()?);
    let (_, key) = stack.create_bucket(&name, None).await?;
    let viewer = viewer(&stack, &owner).await?;
    let key = key.id.as_str();
    let rules = stack.directory().join("rules.json");
    fs::write(&rules, "[]")?;
    let rules = rules.to_str().context("a path in UTF-8")?;
    let me: Value = owner.json(&["whoami"])?;
    let account = me["account"].as_str().context("an account")?;
    let agent = stack.api.agents().await?.items[0].id.to_string();
    let before = stack.cluster.admin.contents().await?;
    let mut others = vec![];

    for change in [
        vec!["bucket", "create", "another", "--no-key"],
        vec!["bucket", "delete", &name, "--yes"],
        vec!["bucket", "clear", &name, "--yes"],
        vec!["bucket", "measure", &name],
        vec!["bucket", "set-quota", &name, "--quota", "1GB"],
        vec!["bucket", "set-cors", &name, rules],
        vec!["bucket", "set-lifecycle", &name, rules],
        vec!["bucket", "set-website", &name, "--off"],
        vec!["bucket", "add-alias", &name, "other-name"],
        vec!["bucket", "remove-alias", &name, &name, "--yes"],
        vec!["bucket", "cleanup-uploads", &name],
        vec!["bucket", "restore", &name, "--yes"],
        vec!["bucket", "accept", &name, "--yes"],
        vec!["key", "create", "mine"],
        vec!["key", "delete", key, "--yes"],
        vec!["key", "rename", key, "mine"],
        vec!["key", "extend", key, "30d"],
        vec!["key", "suspend", key, "--yes"],
        vec!["key", "resume", key],
        vec!["grant", "set", key, &name, "--read"],
        vec!["grant", "remove", key, &name, "--yes"],
        vec!["member", "set-role", "operator@example.org", "viewer"],
        vec!["member", "remove", "operator@example.org", "--yes"],
        vec!["invitation", "create", "friend@example.org"],
        vec!["account", "transfer", "vic@example.org", "--yes"],
        vec!["account", "rename", "Mine"],
        vec!["account", "close", "--yes"],
        vec!["account", "cancel-close"],
        vec!["account", "create", "Mine", "--owner", "vic@example.org"],
        vec!["account", "set-limits", account, "--buckets", "1"],
        vec!["account", "suspend", account, "--reason", "x"],
        vec!["account", "resume", account],
        vec!["account", "close", account, "--yes"],
        vec!["agent", "revoke", &agent, "--yes"],
        vec!["agent", "lost", &agent, "--yes"],
    ] {
        let refused = viewer.run(&change)?;
        if refused.status.code() != Some(REFUSED) {
            let code = refused.status.code();
            others.push(format!(
                "{change:?} ended with {code:?}: {}",
                said(&refused)
            ));
        }
    }
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
