//! What a person is told, and what is left behind, when Garage or the agent is away.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::Start,
    cli::Cli,
    stack::{REGION, Stack},
    tools::said,
    wait,
};
use reqwest::Method;
use serde_json::json;
use storm_protocol::{
    api::{OperationAnswer, OperationStatus},
    seal::OpenKey,
};

fn bucket(name: &str, seal: &OpenKey) -> serde_json::Value {
    json!({
        "region": REGION, "name": name, "quota_bytes": null, "quota_objects": null, "key": "first",
        "seal_to": seal.seal_key(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn without_garage_a_command_fails_and_leaves_nothing() -> Result<()> {
    let mut stack = Stack::single().await?;
    let home = stack.directory().join("home");
    std::fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    cli.text(&[
        "login",
        "--url",
        &stack.server.web_url,
        "--token",
        stack.api.token(),
    ])?;
    stack.cluster.nodes[0].kill()?;
    let failed = cli.run(&["bucket", "create", "photos"])?;
    ensure!(
        failed.status.code() == Some(1),
        "{}: {}",
        failed.status,
        said(&failed)
    );
    ensure!(
        said(&failed).contains("storage engine cannot be reached"),
        "{}",
        said(&failed)
    );
    stack.agent.expect(&["audit", "verify"])?;

    stack.cluster.nodes[0].restart()?;
    wait::until("Garage to be back", async || {
        Ok(stack.cluster.admin.is_healthy().await?.then_some(()))
    })
    .await?;
    let contents = stack.cluster.admin.contents().await?;
    ensure!(
        contents.buckets.is_empty() && contents.keys.is_empty(),
        "{contents:?}"
    );
    // The way out was to ask again.
    cli.text(&["bucket", "create", "photos"])?;
    let contents = stack.cluster.admin.contents().await?;
    ensure!(
        contents.buckets.len() == 1 && contents.keys.len() == 1,
        "{contents:?}"
    );
    contents.check_whole()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_agent_a_request_waits_and_can_be_cancelled() -> Result<()> {
    let mut stack = Stack::single().await?;
    stack.agent.kill()?;
    stack.disconnected().await?;
    let seal = OpenKey::generate();
    let mut asked = Vec::new();
    for name in ["cancelled", "waiting"] {
        let body = bucket(name, &seal);
        let answer = stack
            .api
            .send(Method::POST, "/buckets", Some(&body), Some(name))
            .await?;
        ensure!(answer.status == 202, "{answer:?}");
        let answer: OperationAnswer = answer.read()?;
        ensure!(!answer.operation.state.is_final(), "{:?}", answer.operation);
        asked.push(answer.operation.id);
    }
    let [cancelled, waiting] = asked[..] else {
        anyhow::bail!("two were asked")
    };
    let path = format!("/operations/{cancelled}/cancel");
    let cancel = stack.api.send(Method::POST, &path, None, None).await?;
    let answer: OperationAnswer = cancel.read()?;
    let operation = answer.operation;
    ensure!(
        operation.state == OperationStatus::Cancelled,
        "{operation:?}"
    );

    stack.agent.start(&Start::default())?;
    let answer = wait::until("the other to be done", async || {
        let answer = stack.api.operation(waiting).await?;
        Ok((answer.operation.state == OperationStatus::Done).then_some(answer))
    })
    .await?;
    stack.api.open(&answer, &seal, stack.root_key).await?;
    let path = format!("/operations/{waiting}/cancel");
    let late = stack.api.send(Method::POST, &path, None, None).await?;
    ensure!(late.status == 409, "{late:?}");
    let contents = stack.cluster.admin.contents().await?;
    contents.bucket_named("waiting").context("no bucket")?;
    ensure!(
        contents.buckets.len() == 1 && contents.keys.len() == 1,
        "{contents:?}"
    );
    let state = stack.api.operation(cancelled).await?.operation.state;
    ensure!(state == OperationStatus::Cancelled, "{state:?}");
    Ok(())
}
