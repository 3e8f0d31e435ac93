//! An account of one's own: closed unless an operator opens it, confirmed from the e-mail, and within the
//! limits that such accounts have.

use std::{fs, os::unix::fs::PermissionsExt as _};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{cli::Cli, mails::link_to, stack::Stack, tools::said, wait, word};
use serde_json::Value;

const PASSWORD: &str = "a fine long password";
const OPEN: &str =
    "[sign_up]\nopen = true\n[sign_up.limits]\nstorage_bytes = 1000000\nbuckets = 1\n";

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_the_first_bucket_where_sign_up_is_open() -> Result<()> {
    let mut stack = Stack::single().await?;
    let home = stack.directory().join("nora");
    fs::create_dir(&home)?;
    let nora = Cli::new(&home.join("config.toml"), &home);
    let url = stack.server.web_url.clone();
    let ask = |email: &str| {
        nora.run(&[
            "sign-up", "request", email, "--name", "Nora's", "--url", &url,
        ])
    };
    let closed = ask("nora@example.org")?;
    ensure!(closed.status.code() == Some(3), "{}", said(&closed));

    stack.server.kill()?;
    let text = fs::read_to_string(&stack.server.config)? + OPEN;
    fs::write(&stack.server.config, text)?;
    stack.server.start().await?;
    stack.connected().await?;
    let mails = stack.server.data().join("mail");
    ensure!(
        link_to(&mails, "nora@example.org")?.is_none(),
        "it was kept for later"
    );

    // Somebody who is here already is asked nothing, and told so in the e-mail alone.
    for email in ["nora@example.org", "operator@example.org"] {
        let asked = ask(email)?;
        ensure!(asked.status.success(), "{}", said(&asked));
    }
    let link = wait::until("the e-mail", async || link_to(&mails, "nora@example.org")).await?;
    let other = wait::until("the other e-mail", async || {
        link_to(&mails, "operator@example.org")
    })
    .await?;
    ensure!(
        link.contains("/sign-up#") && !other.contains('#'),
        "{other}"
    );

    let file = stack.directory().join("nora.password");
    fs::write(&file, PASSWORD)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    let file = file.to_str().context("a path in UTF-8")?;
    let login = [
        "login",
        "--url",
        &url,
        "--email",
        "nora@example.org",
        "--password-file",
        file,
    ];
    let early = nora.run(&login)?;
    ensure!(early.status.code() == Some(3), "{}", said(&early));
    let confirm = ["sign-up", "confirm", &link, "--password-file", file];
    nora.text(&confirm)?;
    let again = nora.run(&confirm)?;
    ensure!(again.status.code() == Some(4), "{}", said(&again));
    nora.text(&login)?;
    let me = nora.json(&["whoami"])?;
    ensure!(
        me["account_name"] == "Nora's" && me["role"] == "owner",
        "{me}"
    );
    ensure!(me["operator"] == false, "{me}");

    let (name, kept) = (format!("nora-{}", word()?), home.join("nora.conf"));
    let kept = kept.to_str().context("a path in UTF-8")?;
    nora.text(&["bucket", "create", &name, "--save-to", kept])?;
    let object = home.join("object");
    fs::write(&object, "hello")?;
    let put = std::process::Command::new("rclone")
        .args(["--config", kept, "copy"])
        .arg(&object)
        .arg(format!("storm-{name}:{name}"))
        .env_remove("AWS_CA_BUNDLE")
        .output()?;
    ensure!(put.status.success(), "{}", said(&put));
    // No more than such accounts may have, and nothing of anybody else's.
    let second = nora.run(&["bucket", "create", &format!("more-{}", word()?), "--no-key"])?;
    ensure!(!second.status.success(), "a second bucket was made");
    let mine: Value = nora.json(&["bucket", "list"])?;
    ensure!(mine.as_array().is_some_and(|all| all.len() == 1), "{mine}");
    let refused = nora.run(&["account", "list"])?;
    ensure!(refused.status.code() == Some(3), "{}", said(&refused));
    Ok(())
}
