//! What a person is told, and what is left behind, when Garage or the agent is away.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::Start,
    cli::Cli,
    clock_shift,
    process::Process,
    stack::{REGION, Stack},
    tools::said,
    wait,
};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use storm_protocol::{
    api::{OperationAnswer, OperationStatus},
    seal::OpenKey,
};

/// How `storm` ends when the work was not done, and when it is not finished yet.
const FAILED: i32 = 1;
const UNFINISHED: i32 = 6;
/// An operation waits ten minutes for its agent.
const LONGER_THAN_IT_WAITS_SECONDS: i64 = 601;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_told_what_waits_and_leaves_it_or_sees_its_end() -> Result<()> {
    let mut stack = Stack::single().await?;
    let home = stack.directory().join("home");
    std::fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let url = stack.server.web_url.clone();
    cli.text(&["login", "--url", &url, "--token", stack.api.token()])?;
    stack.agent.kill()?;
    stack.disconnected().await?;
    let ask = async |name: &str| {
        let log = home.join(name);
        let mut command = cli.command(&["bucket", "create", name])?;
        let process = Process::spawn("storm", &mut command, &log)?;
        wait::until("the person to be told", async || {
            let told = process
                .output()
                .contains("agent is away. The operation waits");
            Ok(told.then_some(()))
        })
        .await?;
        anyhow::Ok(process)
    };

    // Left with Ctrl-C it goes on, and can be cancelled.
    let mut left = ask("left").await?;
    left.signal(Signal::INT)?;
    let status = left.wait().await?;
    ensure!(status.code() == Some(UNFINISHED), "{}", left.output());
    let waiting = cli.json(&["op", "list", "--state", "requested"])?;
    let id = waiting[0]["id"].as_str().context("nothing waits")?;
    for way in ["storm op wait", "storm op cancel"] {
        ensure!(left.output().contains(&format!("{way} {id}")), "{way}");
    }
    let cancelled = cli.text(&["op", "cancel", id])?;
    ensure!(cancelled.contains("is cancelled"), "{cancelled}");

    // Waited for, it ends as expired, over a restart of the control plane too.
    let mut late = ask("late").await?;
    let library = clock_shift::build(stack.directory())?;
    stack.server.stop().await?;
    stack
        .server
        .shift_clock(&library, LONGER_THAN_IT_WAITS_SECONDS);
    stack.server.start().await?;
    let status = late.wait().await?;
    ensure!(
        status.code() == Some(FAILED) && late.output().contains("Expired"),
        "{}",
        late.output()
    );
    let contents = stack.cluster.admin.contents().await?;
    ensure!(
        contents.buckets.is_empty() && contents.keys.is_empty(),
        "{contents:?}"
    );
    Ok(())
}
