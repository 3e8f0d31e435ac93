//! An agent that an operator removes is turned away at once and for good, and its server may come
//! back as another one.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::{Agent, Start},
    cli::Cli,
    clock_shift,
    process::Process,
    stack::{REGION, Stack},
    tools::said,
    wait,
};

/// How `storm-pulse` ends when the control plane refuses it.
const REFUSED: i32 = 3;
/// Seconds that the role rests after its executor was revoked; the clocks are moved over them.
const REST_SECONDS: i64 = 121;

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_agent_is_turned_away() -> Result<()> {
    let mut stack = Stack::single().await?;
    stack.create_bucket("photos", None).await?;
    let home = stack.directory().join("home");
    std::fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let url = stack.server.web_url.as_str();
    cli.text(&["login", "--url", url, "--token", stack.api.token()])?;

    let agents = stack.api.agents().await?.items;
    let id = agents.first().context("no agent")?.id.to_string();
    // It is no decision that a slip makes, and it has to be about somebody.
    let unsure = cli.run(&["agent", "revoke", &id])?;
    ensure!(said(&unsure).contains("--yes"), "{}", said(&unsure));
    let stranger = "01890a5d-ac96-774b-bcce-b302099a8057";
    let nobody = cli.run(&["agent", "revoke", stranger, "--yes"])?;
    ensure!(nobody.status.code() == Some(4), "{}", said(&nobody));
    ensure!(
        said(&nobody).contains("storm agent list"),
        "{}",
        said(&nobody)
    );
    let free = cli.run(&["agent", "end-quarantine", &id, "--yes"])?;
    ensure!(free.status.code() == Some(5), "{}", said(&free));
    cli.text(&["region", "ping"])?;

    cli.text(&["agent", "revoke", &id, "--yes"])?;
    cli.text(&["agent", "revoke", &id, "--yes"])?;
    let status = wait::until("the agent to be turned away", async || stack.agent.ended()).await?;
    ensure!(status.code() == Some(REFUSED), "it ended with {status}");
    ensure!(
        stack.agent.log()?.contains("revoked"),
        "it does not say why"
    );
    // Nor does it come back.
    stack.agent.start(&Start::default())?;
    let status = wait::until("the agent to be turned away", async || stack.agent.ended()).await?;
    ensure!(status.code() == Some(REFUSED), "it ended with {status}");

    // What is asked while the role rests waits for the next agent.
    let region = cli.json(&["region", "show"])?;
    ensure!(region["executor"].is_null(), "{region}");
    let log = stack.directory().join("films.log");
    let mut asked = cli.command(&["bucket", "create", "films"])?;
    let mut waiting = Process::spawn("storm", &mut asked, &log)?;
    wait::until("the person to be told", async || {
        let told = waiting.output().contains("has no agent at the moment");
        Ok(told.then_some(()))
    })
    .await?;
    let contents = stack.cluster.admin.contents().await?;
    ensure!(contents.buckets.len() == 1, "{contents:?}");

    // What it did while it was trusted stays proven.
    cli.text(&["audit", "verify"])?;

    // The same server as a new agent, once the role has rested.
    let library = clock_shift::build(stack.directory())?;
    stack.server.stop().await?;
    stack.server.shift_clock(&library, REST_SECONDS);
    stack.server.start().await?;
    stack.api = stack.server.api().await?;
    let token = stack.api.enrol_token(REGION).await?;
    let directory = stack.directory().join("second");
    let mut second = Agent::prepare(&directory, stack.cluster.first()?, &[])?;
    second.shift_clock(&library, REST_SECONDS);
    second.enrol(&token.url, &token.secret)?;
    second.start(&Start::default())?;
    wait::until("the new agent to connect", async || {
        let agents = stack.api.agents().await?.items;
        let known: Vec<_> = agents
            .iter()
            .map(|a| (a.id.to_string(), a.connected))
            .collect();
        Ok(matches!(known.as_slice(), [(new, true)] if *new != id).then_some(()))
    })
    .await?;
    let status = waiting.wait().await?;
    ensure!(status.success(), "{}", waiting.output());
    let contents = stack.cluster.admin.contents().await?;
    contents.bucket_named("films").context("no bucket")?;
    contents.check_whole()?;
    cli.text(&["audit", "verify"])?;
    second.stop().await
}
