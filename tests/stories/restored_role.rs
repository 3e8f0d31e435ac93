//! A backup is older than a move of the executor's role, so the agents have seen epochs that the restored
//! database has not. It passes them, and the region works.

use std::{fs, os::unix::fs::PermissionsExt as _};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{tools::said, wait};
use serde_json::Value;

use crate::executor::{executor, move_to, two_agents};

/// Moves of the role that the backup knows nothing of: there and back, and there again.
const MOVES: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_from_before_the_role_moved_is_restored() -> Result<()> {
    let (mut stack, mut other, first, second) = two_agents().await?;
    let (had, before) = executor(&stack).await?;
    ensure!(had == Some(first), "{had:?}");
    let passphrase = stack.directory().join("passphrase");
    fs::write(&passphrase, "correct horse battery staple\n")?;
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600))?;
    let passphrase = passphrase.to_str().context("not UTF-8")?;
    let file = stack.directory().join("backup.age");
    let backup = file.to_str().context("not UTF-8")?;
    let made = stack
        .server
        .run(&["backup", "--to", backup, "--passphrase-file", passphrase])?;
    ensure!(made.status.success(), "{}", said(&made));

    for (number, agent) in [second, first, second].into_iter().enumerate() {
        ensure!(move_to(&stack, agent).await? == 200);
        // Each has worked in its epoch.
        stack
            .create_bucket(&format!("epoch-{number}"), None)
            .await?;
    }
    ensure!(executor(&stack).await? == (Some(second), before + MOVES));

    stack.server.kill()?;
    stack.server.lose_data(&stack.directory().join("lost"))?;
    stack.server.restore(backup, passphrase)?;
    stack.server.start().await?;
    stack.api = stack.server.api().await?;
    wait::until("both agents to connect", async || {
        let agents = stack.api.agents().await?.items;
        let there = agents.iter().filter(|agent| agent.connected).count();
        Ok((there == 2).then_some(()))
    })
    .await?;
    stack.create_bucket("later", None).await?;
    let (_, epoch) = executor(&stack).await?;
    ensure!(
        epoch > before + MOVES,
        "epoch {epoch} was an executor's before"
    );
    wait::until("what was made since to be known", async || {
        let page: Value = stack.api.get("/operations?limit=100").await?;
        let items = page["items"].as_array().context("no items")?;
        let made = items
            .iter()
            .filter(|one| one["command"] == "bucket.create" && one["state"] == "done");
        Ok((made.count() as u64 == MOVES + 1).then_some(()))
    })
    .await?;

    stack.agent.expect(&["audit", "verify"])?;
    other.expect(&["audit", "verify"])?;
    stack.cluster.admin.contents().await?.check_whole()?;
    other.stop().await
}
