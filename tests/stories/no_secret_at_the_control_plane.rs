//! The control plane holds no S3 secret and no Garage token: not in its files, not in its logs, not
//! in its memory, in any spelling.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    memory::{self, Needle},
    stack::{REGION, Stack},
};
use reqwest::Method;
use serde_json::json;
use storm_protocol::seal::OpenKey;

#[tokio::test(flavor = "multi_thread")]
async fn its_files_logs_and_memory_hold_none() -> Result<()> {
    let stack = Stack::single().await?;
    let mut needles = Vec::new();

    let (_, first) = stack.create_bucket("photos", None).await?;
    needles.push(Needle::new("the first key's secret", &first.secret));
    let seal = OpenKey::generate();
    let body = json!({ "region": REGION, "label": "second", "grants": [], "expires_at": null, "seal_to": seal.seal_key() });
    let answer = stack.settle_post("/keys", &body).await?;
    let second = stack.api.open(&answer, &seal, stack.root_key).await?;
    needles.push(Needle::new("the second key's secret", &second.secret));
    let seal = OpenKey::generate();
    let body = json!({ "label": null, "grace_seconds": 60, "seal_to": seal.seal_key() });
    let path = format!("/keys/{}/rotate", first.id);
    let answer = stack
        .api
        .settle(Method::POST, &path, Some(&body), "rotate")
        .await?;
    let third = stack.api.open(&answer, &seal, stack.root_key).await?;
    needles.push(Needle::new("the third key's secret", &third.secret));
    stack.api.acknowledge(answer.operation.id).await?;

    let token = fs::read_to_string(stack.agent.state().join("garage-token"))?;
    needles.push(Needle::new("Garage's admin token", token.trim()));
    // A token is a name and a secret with a dot between.
    let (_, half) = token
        .trim()
        .split_once('.')
        .context("Garage's token has two parts")?;
    needles.push(Needle::new("the secret half of Garage's admin token", half));

    // What is surely there is found in each place, so the search is no idle one.
    let id = [Needle::new("the key's id", second.id.as_str())];
    let url = [Needle::new("its own address", &stack.server.web_url)];
    let server = stack.server.id()?;
    stack.server.dump_database()?;
    ensure!(!memory::in_files(&stack.server.data(), &id)?.is_empty());
    ensure!(!memory::in_process(server, &id)?.is_empty());
    ensure!(!memory::in_process(server, &url)?.is_empty());
    let log = fs::read(stack.server.directory.join("server.log"))?;
    ensure!(!log.is_empty(), "there is no log to search");
    ensure!(memory::in_process(std::process::id(), &needles)?.len() == needles.len());
    ensure!(!memory::in_files(&stack.agent.state(), &needles[3..])?.is_empty());

    // Its directory holds configuration, keys, database and log.
    ensure!(memory::in_files(&stack.server.directory, &needles)? == [""; 0]);
    for process in stack.server.ids() {
        ensure!(memory::in_process(process, &needles)? == [""; 0]);
    }
    // The agent keeps no S3 secret in the open either.
    ensure!(memory::in_files(&stack.agent.state(), &needles[..3])? == [""; 0]);
    Ok(())
}
