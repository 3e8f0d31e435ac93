//! The client dies after its request has been sent. The answer comes to nobody, and still the
//! secret is not lost: the one-time key was kept, and the next command goes on.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{agent::Start, cli::Cli, process::Process, stack::Stack, tools::Tools, wait};
use serde_json::Value;
use storm_protocol::api::OperationStatus;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_client_still_gets_its_secret() -> Result<()> {
    let mut stack = Stack::single().await?;
    let home = stack.directory().join("home");
    std::fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let login = [
        "login",
        "--url",
        &stack.server.web_url,
        "--token",
        stack.api.token(),
    ];
    cli.text(&login)?;

    // Without an agent the request is taken and cannot end.
    stack.agent.kill()?;
    stack.disconnected().await?;
    let mut create = cli.command(&["bucket", "create", "photos", "--json"])?;
    let mut client = Process::spawn("storm", &mut create, &home.join("storm.log"))?;
    let operation = wait::until("the request to arrive", async || {
        let page: Value = stack.api.get("/operations?limit=1").await?;
        Ok(page["items"][0]["id"].as_str().map(str::to_owned))
    })
    .await?;
    client.kill()?;
    stack.agent.start(&Start::default())?;
    let id = operation.parse()?;
    wait::until("the operation to end", async || {
        let state = stack.api.operation(id).await?.operation.state;
        Ok((state == OperationStatus::Done).then_some(()))
    })
    .await?;

    // The same command again is the same request.
    let made = cli.json(&["bucket", "create", "photos"])?;
    ensure!(made["operation"] == operation, "{made}");
    let id = made["access_key_id"].as_str().context("no access_key_id")?;
    let secret = made["secret_access_key"]
        .as_str()
        .context("no secret_access_key")?;
    let endpoint = stack.cluster.s3_endpoint()?;
    let tools = Tools::new(stack.directory(), &endpoint, id, secret)?;
    ensure!(tools.status("GET", "photos?list-type=2", None)? == 200);
    let contents = stack.cluster.admin.contents().await?;
    contents.check_whole()?;
    ensure!(
        contents.buckets.len() == 1 && contents.keys.len() == 1,
        "{contents:?}"
    );
    // The key that opened it is gone with it.
    let pending = cli.json(&["op", "resume"])?;
    ensure!(pending.as_array().is_some_and(Vec::is_empty), "{pending}");
    Ok(())
}
