//! `storm-pulse`.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    process::Command,
};

use anyhow::{Result, ensure};
use e2e::harness::{
    agent::{Agent, Start},
    garage::Cluster,
    hostile_hub::HostileHub,
    ports::free_port,
    server::Server,
    small_disk::SmallDisk,
    stack::{REGION, Stack},
    tools::succeed,
    wait,
};
use serde_json::{Value, json};
use storm_protocol::api::{OperationAnswer, OperationStatus};

use super::{refused, refused_in_a_line};

fn edited(agent: &Agent, from: &str, to: &str) -> Result<String> {
    let text = fs::read_to_string(&agent.config)?;
    ensure!(text.contains(from), "{from:?} does not stand in {text}");
    fs::write(&agent.config, text.replace(from, to))?;
    Ok(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_named() -> Result<()> {
    let cluster = Cluster::single().await?;
    let home = tempfile::tempdir()?;
    let agent = Agent::prepare(&home.path().join("agent"), cluster.first()?, &[])?;
    let cases: &[(&str, &str, &[&str])] = &[
        ("[commands]", "[command]", &["config.toml", "command"]),
        (
            "disabled = []",
            "disabled = [\"bucket.remove\"]",
            &["bucket.remove"],
        ),
        ("admin = \"unix:", "admin = \"socket:", &["admin", "unix:"]),
        (
            "state_dir = \"",
            "state_dir = \"not/absolute",
            &["state_dir", "absolute"],
        ),
    ];
    for (from, to, words) in cases {
        let before = edited(&agent, from, to)?;
        for arguments in [&["run"][..], &["status"], &["token", "create"]] {
            refused_in_a_line(home.path(), agent.command(arguments)?, words).await?;
        }
        fs::write(&agent.config, before)?;
    }
    // Not enrolled: each command that needs it says how to.
    for arguments in [
        &["run"][..],
        &["status"],
        &["trust", "show"],
        &["audit", "verify"],
    ] {
        refused_in_a_line(home.path(), agent.command(arguments)?, &["enroll"]).await?;
    }
    fs::set_permissions(agent.state(), Permissions::from_mode(0o755))?;
    let words = ["state", "chmod 700"];
    refused_in_a_line(home.path(), agent.command(&["run"])?, &words).await?;
    fs::set_permissions(agent.state(), Permissions::from_mode(0o700))?;
    refused(home.path(), agent.command(&["run", "--fast"])?, &["--fast"]).await?;
    fs::remove_file(&agent.config)?;
    refused_in_a_line(home.path(), agent.command(&["run"])?, &["config.toml"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_silent_garage_is_named() -> Result<()> {
    let mut cluster = Cluster::single().await?;
    let home = tempfile::tempdir()?;
    let agent = Agent::prepare(&home.path().join("agent"), cluster.first()?, &[])?;
    let program = e2e::harness::garage_program()?.display().to_string();
    let before = edited(&agent, &program, "/nowhere/garage")?;
    let token = ["token", "create"];
    refused_in_a_line(home.path(), agent.command(&token)?, &["/nowhere/garage"]).await?;
    fs::write(&agent.config, before)?;
    cluster.nodes[0].kill()?;
    refused_in_a_line(home.path(), agent.command(&token)?, &["Garage"]).await?;
    let file = agent.state().join("garage-token");
    ensure!(!file.exists(), "a token file without a token");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_enrolment_leaves_no_identity() -> Result<()> {
    let cluster = Cluster::single().await?;
    let home = tempfile::tempdir()?;
    let mut server = Server::prepare(&home.path().join("server"))?;
    server.start().await?;
    let api = server.api().await?;
    api.create_region(REGION, &cluster.s3_endpoint()?).await?;
    let made = api.enrol_token(REGION).await?;
    let agent = Agent::prepare(&home.path().join("agent"), cluster.first()?, &[])?;
    agent.expect(&["token", "create"])?;

    let (url, token) = (made.url.as_str(), made.secret.as_str());
    let nobody = format!("https://127.0.0.1:{}", free_port()?);
    let mut other = made.secret.clone();
    // Another secret, the same digests.
    let digit = if &other[5..6] == "0" { "1" } else { "0" };
    other.replace_range(5..6, digit);
    let imposter = HostileHub::start().await?;
    let cases: &[(&str, &str, &[&str])] = &[
        (&nobody, token, &[&nobody]),
        (url, "ste1.short", &["token"]),
        (url, &other, &["token"]),
        ("http://127.0.0.1:1", token, &["https"]),
        ("not a url", token, &["not a url"]),
        // A hub that is not the one that the token names is not told the secret.
        (&imposter.url(), token, &[]),
    ];
    for (url, token, words) in cases {
        let enrol = agent.command(&["enroll", url, token])?;
        let said = refused(home.path(), enrol, words).await?;
        ensure!(
            !said.contains(&made.secret[5..69]),
            "the token's secret is shown: {said}"
        );
        refused(home.path(), agent.command(&["run"])?, &["enroll"]).await?;
    }
    // Nothing of this has burnt the token; and taking it twice is the same as once.
    agent.expect(&["enroll", url, token])?;
    agent.expect(&["enroll", url, token])?;
    let second = api.enrol_token(REGION).await?;
    let again = agent.command(&["enroll", url, &second.secret])?;
    refused_in_a_line(home.path(), again, &["enrolled"]).await?;

    let secret = agent.state().join("garage-token");
    fs::set_permissions(&secret, Permissions::from_mode(0o644))?;
    let words = ["garage-token", "chmod 600"];
    refused_in_a_line(home.path(), agent.command(&["run"])?, &words).await?;
    fs::set_permissions(&secret, Permissions::from_mode(0o600))?;
    refused(
        home.path(),
        agent.command(&["exec", "/nowhere/file"])?,
        &["/nowhere/file"],
    )
    .await?;
    refused(
        home.path(),
        agent.command(&["trust", "add", "/nowhere/file"])?,
        &["/nowhere/file"],
    )
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_under_a_running_agent_is_told_to_whoever_waits() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can mount a disk that is full");
        return Ok(());
    }
    let mut stack = Stack::single().await?;
    stack.agent.stop().await?;
    stack.disconnected().await?;
    let (state, aside) = (stack.agent.state(), stack.directory().join("aside"));
    succeed(Command::new("cp").arg("-a").arg(&state).arg(&aside))?;
    let disk = SmallDisk::mount(&state)?;
    succeed(
        Command::new("cp")
            .arg("-a")
            .arg(aside.join("."))
            .arg(&state),
    )?;
    stack.agent.start(&Start::default())?;
    stack.connected().await?;
    disk.fill();

    let body =
        json!({ "region": REGION, "name": "photos", "quota_bytes": null, "quota_objects": null });
    let asked = stack.api.post("/buckets", &body).await?;
    let asked: OperationAnswer = asked.read()?;
    ensure!(!asked.operation.state.is_final(), "{asked:?}");
    let region = format!("/regions/{REGION}");
    wait::until("the agent's trouble to be told", async || {
        let region: Value = stack.api.get(&region).await?;
        let trouble = region["trouble"].as_str();
        Ok(trouble
            .is_some_and(|words| words.contains("cannot be written"))
            .then_some(()))
    })
    .await?;
    let status = stack.agent.expect(&["status"])?;
    ensure!(
        status.contains("full") && status.contains("no change is taken"),
        "{status}"
    );

    disk.empty()?;
    wait::until("what waited to be done", async || {
        let answer = stack.api.operation(asked.operation.id).await?;
        Ok((answer.operation.state == OperationStatus::Done).then_some(()))
    })
    .await?;
    wait::until("the trouble to be over", async || {
        let region: Value = stack.api.get(&region).await?;
        Ok(region["trouble"].is_null().then_some(()))
    })
    .await?;
    stack.agent.stop().await
}
