//! One region, two agents, one executor. The role moves by an operator's command: handed over by the
//! old executor, or taken from one that is gone. Whatever it had in its hands ends once.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::{Agent, Start},
    cli::Cli,
    clock_shift,
    garage::Cluster,
    process::signal_id,
    stack::{REGION, Stack},
    tools::said,
    wait, word,
};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use storm_protocol::{
    api::{OperationAnswer, OperationStatus},
    ident::AgentId,
    seal::OpenKey,
};

/// Seconds that the role rests after its executor was revoked; the clocks are moved over them.
const REST_SECONDS: i64 = 121;
/// How long an executor goes on starting admin calls without a word from the hub. This one the
/// kernel's own clock measures, which no library moves.
const SILENCE: Duration = Duration::from_secs(32);

/// A stack with a second agent beside the cluster's second node.
pub(crate) async fn two_agents() -> Result<(Stack, Agent, AgentId, AgentId)> {
    let stack = Stack::around(Cluster::three().await?).await?;
    let first = stack.api.agents().await?.items[0].id;
    let token = stack.api.enrol_token(REGION).await?;
    let node = stack.cluster.nodes.get(1).context("a second node")?;
    let mut agent = Agent::prepare(&stack.directory().join("second"), node, &[])?;
    agent.enrol(&token.url, &token.secret)?;
    agent.start(&Start::default())?;
    let second = wait::until("the second agent to connect", async || {
        let agents = stack.api.agents().await?.items;
        let second = agents
            .iter()
            .find(|agent| agent.id != first && agent.connected);
        Ok(second.map(|agent| agent.id))
    })
    .await?;
    Ok((stack, agent, first, second))
}

pub(crate) async fn executor(stack: &Stack) -> Result<(Option<AgentId>, u64)> {
    let region: Value = stack.api.get(&format!("/regions/{REGION}")).await?;
    let executor = region["executor"].as_str().map(str::parse).transpose()?;
    Ok((executor, region["epoch"].as_u64().context("no epoch")?))
}

pub(crate) async fn move_to(stack: &Stack, agent: AgentId) -> Result<u16> {
    let body = json!({ "agent": agent });
    let path = format!("/regions/{REGION}/executor");
    let answer = stack
        .api
        .send(Method::POST, &path, Some(&body), None)
        .await?;
    Ok(answer.status.as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_is_handed_over() -> Result<()> {
    let (stack, mut other, first, second) = two_agents().await?;
    let before = executor(&stack).await?;
    ensure!(before.0 == Some(first), "{before:?}");
    ensure!(move_to(&stack, second).await? == 200);
    ensure!(executor(&stack).await? == (Some(second), before.1 + 1));
    let (answer, key) = stack.create_bucket("photos", None).await?;
    ensure!(answer.operation.agent == Some(second), "{answer:?}");
    ensure!(
        stack
            .tools(&key)?
            .status("GET", "photos?list-type=2", None)?
            == 200
    );
    // It has it already.
    ensure!(move_to(&stack, second).await? == 409);
    // And back, by the command line, which verifies the old one's receipt.
    let home = stack.directory().join("home");
    std::fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let (url, token) = (&stack.server.web_url, stack.api.token());
    cli.text(&["login", "--url", url, "--token", token])?;
    let id = first.to_string();
    let unsure = cli.run(&["region", "move-executor", REGION, &id])?;
    ensure!(said(&unsure).contains("--yes"), "{}", said(&unsure));
    let moved = cli.text(&["region", "move-executor", REGION, &id, "--yes"])?;
    ensure!(moved.contains("is the executor"), "{moved}");
    let refused = cli.run(&["agent", "lost", &id, "--yes"])?;
    ensure!(said(&refused).contains("not revoked"), "{}", said(&refused));
    let (answer, _) = stack.create_bucket("films", None).await?;
    ensure!(answer.operation.agent == Some(first), "{answer:?}");
    stack.agent.expect(&["audit", "verify"])?;
    other.expect(&["audit", "verify"])?;
    other.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_executor_wakes_and_does_nothing_twice() -> Result<()> {
    let (mut stack, mut other, first, second) = two_agents().await?;
    let name = format!("photos-{}", word()?);
    let seal = OpenKey::generate();
    let body = json!({
        "region": REGION, "name": name, "quota_bytes": 50_000_000, "quota_objects": null,
        "key": "first", "seal_to": seal.seal_key(),
    });
    // Stopped with the key made and the bucket not yet named, or thereabouts.
    let sleeper = stack.agent.id()?;
    let last = stack.cluster.admin.table_updates().await? + 2;
    let stopped = async {
        while stack.cluster.admin.table_updates().await? < last {}
        signal_id(sleeper, Signal::STOP)
    };
    let asked = stack
        .api
        .send(Method::POST, "/buckets", Some(&body), Some("photos"));
    let (answer, ()) = tokio::try_join!(asked, stopped)?;
    let id = match answer.read::<OperationAnswer>() {
        Ok(answer) => answer.operation.id,
        Err(error) => return Err(error.context("the request was not taken")),
    };
    let state = stack.api.operation(id).await?.operation.state;
    ensure!(
        !state.is_final(),
        "it had ended before the agent was stopped: {state:?}"
    );

    // It still seems to be there, and does not answer: nobody takes the role from it by a slip.
    ensure!(move_to(&stack, second).await? == 202);
    ensure!(executor(&stack).await?.0 == Some(first));
    let revoke = format!("/agents/{first}/revoke");
    let revoked = stack.api.send(Method::POST, &revoke, None, None).await?;
    ensure!(revoked.status.is_success(), "{revoked:?}");
    ensure!(stack.api.operation(id).await?.operation.state == OperationStatus::Unknown);
    tokio::time::sleep(SILENCE).await;

    let library = clock_shift::build(stack.directory())?;
    other.stop().await?;
    stack.server.stop().await?;
    stack.server.shift_clock(&library, REST_SECONDS);
    stack.server.start().await?;
    stack.api = stack.server.api().await?;
    other.shift_clock(&library, REST_SECONDS);
    other.start(&Start::default())?;
    wait::until("the role to move", async || {
        Ok((executor(&stack).await?.0 == Some(second)).then_some(()))
    })
    .await?;
    // What the lost one had in its hands is nobody's until an operator says that it is lost.
    ensure!(stack.api.operation(id).await?.operation.state == OperationStatus::Unknown);
    let lost = format!("/agents/{first}/lost");
    let answer = stack.api.send(Method::POST, &lost, None, None).await?;
    let lost: Value = answer.read()?;
    ensure!(lost["asked_again"] == 1 && lost["ended"] == 1, "{lost}");
    let answer = wait::until("the operation to end", async || {
        let answer = stack.api.operation(id).await?;
        Ok(answer.operation.state.is_final().then_some(answer))
    })
    .await?;
    ensure!(
        answer.operation.state == OperationStatus::Done,
        "{answer:?}"
    );
    ensure!(answer.operation.agent == Some(second), "{answer:?}");
    let key = stack.api.open(&answer, &seal, stack.root_key).await?;

    // The old one wakes, and is nobody.
    signal_id(sleeper, Signal::CONT)?;
    wait::until("the old executor to be turned away", async || {
        stack.agent.ended()
    })
    .await?;
    let contents = stack.cluster.admin.contents().await?;
    contents.check_whole()?;
    ensure!(
        contents.buckets.len() == 1 && contents.keys.len() == 1,
        "{contents:?}"
    );
    let (_, seen) = contents.bucket_named(&name).context("no bucket")?;
    ensure!(
        seen.quota_bytes == Some(50_000_000) && seen.keys.contains_key(key.id.as_str()),
        "{seen:?}"
    );
    ensure!(
        stack
            .tools(&key)?
            .status("GET", &format!("{name}?list-type=2"), None)?
            == 200
    );
    other.stop().await
}
