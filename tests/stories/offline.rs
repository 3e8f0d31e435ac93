//! A command signed on a machine of one's own runs on the node with no control plane at all, and the
//! receipt is there when the control plane is back.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::{Agent, Start},
    cli::Cli,
    garage::Cluster,
    hostile_hub::HostileHub,
    stack::{REGION, Stack},
    tools::{Tools, said},
    wait,
};
use serde_json::Value;
use storm_protocol::{
    api::{TrustBundle, Whoami},
    command::{AgentPing, Command},
    envelope::{Envelope, PayloadType, Via},
    receipt::{Outcome, Receipt},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_file_runs_with_the_control_plane_stopped() -> Result<()> {
    let mut stack = Stack::single().await?;
    let home = stack.directory().join("home");
    fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    cli.text(&[
        "login",
        "--url",
        &stack.server.web_url,
        "--token",
        stack.api.token(),
    ])?;
    let bundle: TrustBundle = stack.api.get("/trust").await?;
    fs::write(home.join("trust.json"), serde_json::to_vec(&bundle)?)?;

    // The key is made here and trusted there; the document reaches the node by hand.
    let key = path(&home, "offline.pem")?;
    let made = cli.json(&["offline", "keygen", &key])?;
    let public = made["public_key"].as_str().context("no public_key")?;
    let added = stack.server.run(&["trust", "add-offline-key", public])?;
    ensure!(added.status.success(), "{}", said(&added));
    let signer = Signer::new(&stack, &cli, &home, &key).await?;
    stack.server.stop().await?;
    let document = path(&home, "document.json")?;
    let exported = stack.server.run(&["trust", "export", &document])?;
    ensure!(exported.status.success(), "{}", said(&exported));
    stack.agent.expect(&["trust", "add", &document])?;

    // With the agent running, and with it stopped.
    let running = signer.sign_bucket("running")?;
    signer.run_and_use(&stack, &running, "running")?;
    stack.agent.stop().await?;
    let stopped = signer.sign_bucket("stopped")?;
    signer.run_and_use(&stack, &stopped, "stopped")?;
    // Run again, the same file gives the same receipt and makes nothing.
    let calls = stack.cluster.admin.calls_for_commands().await?;
    signer.run_and_use(&stack, &stopped, "stopped")?;
    ensure!(
        stack.cluster.admin.calls_for_commands().await? == calls,
        "Garage was called"
    );
    let contents = stack.cluster.admin.contents().await?;
    contents.check_whole()?;
    ensure!(
        contents.buckets.len() == 2 && contents.keys.len() == 2,
        "{contents:?}"
    );

    // The control plane comes back, and so do the receipts and buckets.
    stack.server.start().await?;
    stack.agent.start(&Start::default())?;
    stack.api = stack.server.api().await?;
    let names = wait::until("both buckets at the control plane", async || {
        let buckets = stack.api.buckets().await?.items;
        let mut names: Vec<_> = buckets
            .into_iter()
            .filter_map(|bucket| bucket.name)
            .collect();
        names.sort();
        Ok((names.len() == 2).then_some(names))
    })
    .await?;
    ensure!(
        names[0].as_str() == "running" && names[1].as_str() == "stopped",
        "{names:?}"
    );
    let receipts = stack.api.receipts("").await?.items;
    ensure!(receipts.len() == 2, "{receipts:?}");
    cli.text(&["audit", "verify"])?;
    stack.agent.expect(&["audit", "verify"])?;
    Ok(())
}

/// A person with an offline key, and what they have to know.
struct Signer<'a> {
    cli: &'a Cli,
    home: &'a Path,
    key: &'a str,
    agent: String,
    epoch: String,
    who: Whoami,
    root_key: String,
}

impl<'a> Signer<'a> {
    async fn new(stack: &Stack, cli: &'a Cli, home: &'a Path, key: &'a str) -> Result<Self> {
        let agents = stack.api.agents().await?.items;
        let region: Value = stack.api.get(&format!("/regions/{REGION}")).await?;
        Ok(Self {
            cli,
            home,
            key,
            agent: agents.first().context("no agent")?.id.to_string(),
            epoch: region["epoch"].to_string(),
            who: stack.api.whoami().await?,
            root_key: stack.root_key.to_string(),
        })
    }

    /// Signs a `bucket.create`; gives the file.
    fn sign_bucket(&self, name: &str) -> Result<String> {
        let file = path(self.home, &format!("{name}.json"))?;
        let seal = path(self.home, &format!("{name}.seal"))?;
        let (account, user) = (self.who.account.to_string(), self.who.user.to_string());
        let parameters = format!(
            "{{\"bucket\":\"{name}\",\"quota_bytes\":null,\"quota_objects\":null,\
             \"abort_uploads_after_days\":7,\"key\":\"{name}\"}}"
        );
        let arguments = [
            "offline",
            "sign",
            "--key",
            self.key,
            "--agent",
            &self.agent,
            "--region",
            REGION,
            "--epoch",
            &self.epoch,
            "--account",
            &account,
            "--user",
            &user,
            "--seal-key-file",
            &seal,
            "--output",
            &file,
            "bucket.create",
            &parameters,
        ];
        self.cli.text(&arguments)?;
        Ok(file)
    }

    /// Runs the file on the node, opens the secret at home, and uses it.
    fn run_and_use(&self, stack: &Stack, file: &str, name: &str) -> Result<()> {
        let receipt = path(self.home, &format!("{name}.receipt"))?;
        fs::write(&receipt, stack.agent.expect(&["exec", "--json", file])?)?;
        let seal = path(self.home, &format!("{name}.seal"))?;
        let trust = path(self.home, "trust.json")?;
        let opened = self.cli.json(&[
            "offline",
            "open",
            "--seal-key-file",
            &seal,
            "--receipt",
            &receipt,
            "--trust",
            &trust,
            "--root-key",
            &self.root_key,
        ])?;
        let id = opened["access_key_id"]
            .as_str()
            .context("no access_key_id")?;
        let secret = opened["secret_access_key"]
            .as_str()
            .context("no secret_access_key")?;
        let tools = Tools::new(self.home, &stack.cluster.s3_endpoint()?, id, secret)?;
        let status = tools.status("GET", &format!("{name}?list-type=2"), None)?;
        ensure!(status == 200, "the key of {name} answers {status}");
        Ok(())
    }
}

fn path(directory: &Path, name: &str) -> Result<String> {
    let path = directory.join(name);
    Ok(path.to_str().context("the path is no text")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_counts_in_its_own_place_alone() -> Result<()> {
    let cluster = Cluster::single().await?;
    let directory = tempfile::Builder::new()
        .prefix("storm-offline-")
        .tempdir()?;
    let mut hub = HostileHub::start().await?;
    let mut agent = Agent::prepare(&directory.path().join("agent"), cluster.first()?, &[])?;
    agent.enrol(&hub.url(), &hub.token().expose())?;
    agent.start(&Start::default())?;
    let mut connection = hub.connection().await?;

    let mut ping = hub.payload(&Command::AgentPing(AgentPing {}), None)?;
    ping.actor.via = Via::Offline;
    let file = directory.path().join("command.json");
    let dispatch = hub.sign(&ping)?;
    fs::write(&file, serde_json::to_vec(&dispatch)?)?;
    let argument = file.to_str().context("the path is no text")?;
    let refused = agent.run(&["exec", argument])?;
    ensure!(
        !refused.status.success(),
        "a dispatch key is taken in the spool"
    );
    ensure!(
        said(&refused).contains("bad_signature"),
        "{}",
        said(&refused)
    );

    // The same words, signed by the offline key: taken in the spool, and told on the channel. (That
    // the channel refuses it is told with the hostile envelopes.)
    let offline = Envelope::sign_json(PayloadType::Command, &ping, &hub.offline)?;
    fs::write(&file, serde_json::to_vec(&offline)?)?;
    let frame: Value = serde_json::from_str(&agent.expect(&["exec", "--json", argument])?)?;
    let (receipt, told) = connection.receipt(ping.operation).await?;
    ensure!(
        matches!(receipt.outcome, Outcome::Done(_)),
        "{:?}",
        receipt.outcome
    );
    ensure!(
        frame["receipt"] == serde_json::to_value(&told.receipt)?,
        "two receipts"
    );
    let receipt: Receipt = serde_json::from_slice(&told.receipt.payload.0)?;
    ensure!(receipt.operation == ping.operation);
    Ok(())
}
