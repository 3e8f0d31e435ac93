//! The machine of the control plane is lost while commands are under way, and what was backed up an
//! hour ago takes its place: what happened since comes back from the agent, and nothing happens twice.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    cli::Cli,
    process::signal_id,
    stack::{REGION, Stack},
    tools::said,
    wait,
};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use storm_protocol::{api::OperationStatus, seal::OpenKey};

/// Buckets that are made while the backup is.
const LOAD: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_since_comes_back_from_the_agent() -> Result<()> {
    let mut stack = Stack::single().await?;
    let (_, first) = stack.create_bucket("before", None).await?;
    let passphrase = secret(
        stack.directory(),
        "passphrase",
        "correct horse battery staple",
    )?;
    let passphrase = passphrase.to_str().context("not UTF-8")?;
    let file = stack.directory().join("backup.age");
    let backup = file.to_str().context("not UTF-8")?;

    // Under way: handed to an agent that does not answer.
    signal_id(stack.agent.id()?, Signal::STOP)?;
    let seal = OpenKey::generate();
    let body = json!({
        "region": REGION, "name": "under-way", "quota_bytes": null, "quota_objects": null,
        "key": "first", "seal_to": seal.seal_key(),
    });
    let asked = stack
        .api
        .send(Method::POST, "/buckets", Some(&body), Some("under-way"));
    let made = async {
        wait::until("the command to be sent", async || {
            let page: Value = stack.api.get("/operations?limit=100").await?;
            let items = page["items"].as_array().context("no items")?;
            let sent = |operation: &Value| {
                operation["command"] == "bucket.create" && operation["state"] == "sent"
            };
            Ok(items.iter().any(sent).then_some(()))
        })
        .await?;
        let arguments = ["backup", "--to", backup, "--passphrase-file", passphrase];
        let mut command = stack.server.command(&arguments)?;
        tokio::task::spawn_blocking(move || Ok::<_, anyhow::Error>(command.output()?)).await?
    };
    let (asked, made) = tokio::join!(asked, made);
    let made = made?;
    ensure!(made.status.success(), "{}", said(&made));
    ensure!(asked?.status == 202, "it was not under way");
    signal_id(stack.agent.id()?, Signal::CONT)?;
    let under_way = stack
        .api
        .settle(Method::POST, "/buckets", Some(&body), "under-way")
        .await?;
    ensure!(
        under_way.operation.state == OperationStatus::Done,
        "{under_way:?}"
    );

    // Never heard of.
    let (after, key) = stack.create_bucket("after", Some(1_000_000)).await?;
    stack
        .done(Method::DELETE, &format!("/keys/{}", first.id), None)
        .await?;

    stack.server.kill()?;
    stack.server.lose_data(&stack.directory().join("lost"))?;
    let said = stack.server.restore(backup, passphrase)?;
    ensure!(said.contains(&stack.root_key.to_string()), "{said}");
    stack.server.start().await?;
    stack.api = stack.server.api().await?;
    stack.connected().await?;

    // The one and the other, as their receipts say.
    for (id, name) in [
        (under_way.operation.id, "under-way"),
        (after.operation.id, "after"),
    ] {
        wait::until(&format!("the operation of {name}"), async || {
            let answer = stack
                .api
                .send(Method::GET, &format!("/operations/{id}"), None, None)
                .await?;
            if answer.status == 404 {
                return Ok(None);
            }
            let state = answer.body["state"]
                .as_str()
                .or(answer.body["operation"]["state"].as_str());
            Ok((state == Some("done")).then_some(()))
        })
        .await?;
    }
    let cli = cli(&stack)?;
    wait::until("every bucket to be known", async || {
        let page = stack.api.buckets().await?;
        let known = |name: &str| {
            page.items
                .iter()
                .any(|bucket| bucket.name.as_ref().is_some_and(|it| it.as_str() == name))
        };
        Ok((known("before") && known("under-way") && known("after")).then_some(()))
    })
    .await?;
    wait::until("the key that was deleted to be gone", async || {
        let page = stack.api.keys().await?;
        Ok((!page.items.iter().any(|key| key.id == first.id)).then_some(()))
    })
    .await?;
    cli.text(&["audit", "verify"])?;
    let agents = stack.api.agents().await?.items;
    let agent = agents.first().context("no agent")?;
    ensure!(agent.quarantined.is_none() && agent.executor, "{agent:?}");

    // It goes on, in the same chain; what was made since still works.
    stack.create_bucket("later", None).await?;
    ensure!(
        stack
            .tools(&key)?
            .status("GET", "after?list-type=2", None)?
            == 200
    );
    cli.text(&["audit", "verify"])?;
    stack.agent.expect(&["audit", "verify"])?;
    let contents = stack.cluster.admin.contents().await?;
    contents.check_whole()?;
    ensure!(contents.buckets.len() == 4, "{contents:?}");
    // What is not encrypted to be read by everybody is for its owner alone.
    ensure!(fs::metadata(&file)?.permissions().mode() & 0o777 == 0o600);
    Ok(())
}

/// While commands run, each is in the backup or is not, and is told by the agent in any case.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_whole() -> Result<()> {
    let mut stack = Stack::single().await?;
    let passphrase = secret(
        stack.directory(),
        "passphrase",
        "correct horse battery staple",
    )?;
    let passphrase = passphrase.to_str().context("not UTF-8")?;
    let file = stack.directory().join("backup.age");
    let backup = file.to_str().context("not UTF-8")?;
    let mut command =
        stack
            .server
            .command(&["backup", "--to", backup, "--passphrase-file", passphrase])?;
    let load = async {
        for number in 0..LOAD {
            stack.create_bucket(&format!("load-{number}"), None).await?;
        }
        Ok::<_, anyhow::Error>(())
    };
    let made = tokio::task::spawn_blocking(move || command.output());
    let (load, made) = tokio::join!(load, made);
    load?;
    let made = made??;
    ensure!(made.status.success(), "{}", said(&made));
    stack.server.kill()?;
    stack.server.lose_data(&stack.directory().join("lost"))?;
    stack.server.restore(backup, passphrase)?;
    stack.server.start().await?;
    stack.api = stack.server.api().await?;
    stack.connected().await?;
    wait::until("every operation to have ended", async || {
        let page: Value = stack.api.get("/operations?limit=1000").await?;
        let items = page["items"].as_array().context("no items")?;
        let made = items
            .iter()
            .filter(|operation| operation["command"] == "bucket.create");
        let done = made
            .filter(|operation| operation["state"] == "done")
            .count();
        Ok((done == LOAD).then_some(()))
    })
    .await?;
    cli(&stack)?.text(&["audit", "verify"])?;
    stack.cluster.admin.contents().await?.check_whole()
}

fn cli(stack: &Stack) -> Result<Cli> {
    let home = stack.directory().join("home");
    fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let url = stack.server.web_url.as_str();
    cli.text(&["login", "--url", url, "--token", stack.api.token()])?;
    Ok(cli)
}

fn secret(directory: &Path, name: &str, text: &str) -> Result<std::path::PathBuf> {
    let file = directory.join(name);
    fs::write(&file, format!("{text}\n"))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    Ok(file)
}
