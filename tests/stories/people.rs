//! An account and its people: from the e-mail of an invitation to the first bucket, and what a viewer
//! may not.

use std::{fs, os::unix::fs::PermissionsExt as _};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{cli::Cli, mails::link_to, stack::Stack, tools::said, wait, word};

const PASSWORD: &str = "a fine long password";

fn person(stack: &Stack, name: &str) -> Result<Cli> {
    let home = stack.directory().join(name);
    fs::create_dir(&home)?;
    Ok(Cli::new(&home.join("config.toml"), &home))
}

/// Somebody who is asked in under a role, answers, and signs in: all with `storm` alone.
async fn asked_in(stack: &Stack, owner: &Cli, name: &str, role: &str) -> Result<Cli> {
    owner.text(&[
        "invitation",
        "create",
        &format!("{name}@example.org"),
        "--role",
        role,
    ])?;
    answers(stack, name).await
}

/// Somebody answers the invitation in the e-mail that they got, and signs in.
async fn answers(stack: &Stack, name: &str) -> Result<Cli> {
    let email = format!("{name}@example.org");
    let mails = stack.server.data().join("mail");
    let link = wait::until("the e-mail", async || link_to(&mails, &email)).await?;
    let cli = person(stack, name)?;
    let file = stack.directory().join(format!("{name}.password"));
    fs::write(&file, PASSWORD)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    let file = file.to_str().context("a path in UTF-8")?;
    let accept = ["invitation", "accept", &link, "--password-file", file];
    cli.text(&accept)?;
    let again = cli.run(&accept)?;
    ensure!(again.status.code() == Some(4), "{}", said(&again));
    let url = stack.server.web_url.as_str();
    cli.text(&[
        "login",
        "--url",
        url,
        "--email",
        &email,
        "--password-file",
        file,
    ])?;
    Ok(cli)
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_invitation_to_the_first_bucket_and_a_viewer_changes_nothing() -> Result<()> {
    let stack = Stack::single().await?;
    let owner = person(&stack, "owner")?;
    let url = stack.server.web_url.as_str();
    owner.text(&["login", "--url", url, "--token", stack.api.token()])?;

    let member = asked_in(&stack, &owner, "mia", "member").await?;
    let (name, kept) = (
        format!("first-{}", word()?),
        stack.directory().join("first.conf"),
    );
    let kept = kept.to_str().context("a path in UTF-8")?;
    member.text(&["bucket", "create", &name, "--save-to", kept])?;
    let rclone = std::process::Command::new("rclone")
        .args(["--config", kept, "mkdir", &format!("storm-{name}:{name}")])
        .env_remove("AWS_CA_BUNDLE")
        .output()?;
    ensure!(rclone.status.success(), "{}", said(&rclone));

    // A viewer sees all of it and changes none.
    let viewer = asked_in(&stack, &owner, "vic", "viewer").await?;
    let seen = viewer.json(&["bucket", "list"])?;
    ensure!(seen[0]["name"] == name.as_str(), "{seen}");
    let mine = viewer.json(&["member", "list"])?;
    ensure!(mine.as_array().is_some_and(|all| all.len() == 3), "{mine}");
    for change in [
        vec!["bucket", "create", "another"],
        vec!["bucket", "delete", &name, "--yes"],
        vec!["bucket", "clear", &name, "--yes"],
        vec!["bucket", "set-quota", &name, "--quota", "1GB"],
        vec!["key", "create", "mine"],
        vec!["member", "set-role", "mia@example.org", "viewer"],
        vec!["member", "remove", "mia@example.org", "--yes"],
        vec!["invitation", "create", "friend@example.org"],
        vec!["account", "transfer", "vic@example.org", "--yes"],
        vec!["agent", "list"],
    ] {
        let refused = viewer.run(&change)?;
        ensure!(
            refused.status.code() == Some(3),
            "{change:?}: {}",
            said(&refused)
        );
    }
    let buckets = owner.json(&["bucket", "list"])?;
    ensure!(
        buckets.as_array().is_some_and(|all| all.len() == 1),
        "{buckets}"
    );

    // Who is taken out is out at once.
    owner.text(&["member", "set-role", "vic@example.org", "member"])?;
    owner.text(&["member", "remove", "vic@example.org", "--yes"])?;
    let out = viewer.run(&["whoami"])?;
    ensure!(out.status.code() == Some(3), "{}", said(&out));
    let last = owner.run(&["account", "leave", "--yes"])?;
    ensure!(last.status.code() == Some(5), "{}", said(&last));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_of_one_platform_see_nothing_of_each_other() -> Result<()> {
    let stack = Stack::single().await?;
    let operator = person(&stack, "operator")?;
    let url = stack.server.web_url.as_str();
    operator.text(&["login", "--url", url, "--token", stack.api.token()])?;
    operator.text(&["account", "create", "Acme", "--owner", "ann@example.org"])?;
    let ann = answers(&stack, "ann").await?;
    let me = ann.json(&["whoami"])?;
    ensure!(
        me["account_name"] == "Acme" && me["role"] == "owner",
        "{me}"
    );

    let (mine, theirs) = (format!("mine-{}", word()?), format!("theirs-{}", word()?));
    let kept = stack.directory().join("theirs.conf");
    let kept = kept.to_str().context("a path in UTF-8")?;
    ann.text(&["bucket", "create", &theirs, "--save-to", kept])?;
    operator.text(&["bucket", "create", &mine, "--no-key"])?;
    for (cli, own, other) in [(&ann, &theirs, &mine), (&operator, &mine, &theirs)] {
        let seen = cli.json(&["bucket", "list"])?;
        ensure!(seen.as_array().is_some_and(|all| all.len() == 1), "{seen}");
        ensure!(seen[0]["name"] == own.as_str(), "{seen}");
        let refused = cli.run(&["bucket", "delete", other, "--yes"])?;
        ensure!(refused.status.code() == Some(4), "{}", said(&refused));
    }
    let trail = ann.json(&["audit", "list"])?;
    let text = trail.to_string();
    ensure!(
        text.contains("bucket.create") && !text.contains(&mine),
        "{text}"
    );
    Ok(())
}
