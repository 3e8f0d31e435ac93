//! Where rounds are played: one stack with relays before the hub and the API, three accounts, and
//! whatever can be taken away from under it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use storm_protocol::{
    api::TrustBundle,
    envelope::VerifyKey,
    ident::{AccountId, OperationId},
    receipt::Chain,
    trust::{AgentStatement, TrustDocument},
};
use test_postgres::Postgres;

use super::{model::Model, plan::Possible, relay::Relay};
use crate::harness::{
    api::Api, cli::Cli, clock_shift, garage::Cluster, mails::link_to, small_disk::SmallDisk,
    stack::Stack, wait,
};

const PASSWORD: &str = "a fine long password";
/// Bytes of the disks that are filled, in mebibytes.
const DISK_MEBIBYTES: u32 = 96;
/// Lines of a log that are printed after a loss.
const LOG_LINES: usize = 60;
/// Lines of what was done that are shown then.
const HISTORY_LINES: usize = 400;
/// The customers, after the operator's own account.
const CUSTOMERS: &[&str] = &["ann", "ben"];

/// Which programs a stage is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cast {
    /// Three nodes of Garage instead of one.
    pub three_nodes: bool,
    /// PostgreSQL instead of SQLite.
    pub postgres: bool,
}

/// Somebody who asks.
pub struct Person {
    /// Through the relay.
    pub api: Api,
    /// Whose things they are.
    pub account: AccountId,
    /// `storm` as this person.
    pub cli: Cli,
}

/// What faults act on.
pub struct Parts {
    /// The disks that can be filled: the agent's, the control plane's. Dropped first.
    pub disks: Option<(SmallDisk, SmallDisk)>,
    /// Garage, control plane, agent.
    pub stack: Stack,
    /// PostgreSQL.
    pub postgres: Option<Postgres>,
    /// Before the hub.
    pub hub: Relay,
    /// Before the API.
    pub web: Relay,
}

/// A stage.
pub struct Stage {
    /// What faults act on.
    pub parts: Parts,
    /// The accounts: first the operator's.
    pub people: Vec<Person>,
    /// What there has to be.
    pub model: Model,
    /// What can go wrong here.
    pub possible: Possible,
    /// With what the agent signs.
    pub receipt_key: VerifyKey,
    /// Why something cannot be tried.
    pub skipped: Vec<String>,
    /// The operations of the receipts so far, in their order.
    pub receipts: Vec<OperationId>,
    /// The receipts in words, for whoever looks for a loss.
    pub history: Vec<String>,
    /// Operations that were done.
    pub done: BTreeSet<OperationId>,
    /// The agent's chain so far.
    pub chain: Chain,
    /// How far each account's own chain is.
    pub account_chains: BTreeMap<AccountId, u64>,
}

impl Stage {
    /// Starts everything.
    pub async fn set(cast: Cast) -> Result<Self> {
        let mut skipped = Vec::new();
        let cluster = if cast.three_nodes {
            Cluster::three().await?
        } else {
            Cluster::single().await?
        };
        let postgres = if cast.postgres {
            Some(Postgres::start()?)
        } else {
            None
        };
        let mut disks = None;
        let mut relays = None;
        let mut stack = Stack::around_with(cluster, async |directory, server| {
            disks = small_disks(directory, &mut skipped);
            server.log_only("info");
            let hub = Relay::start(address(&server.hub_url)?).await?;
            let web = Relay::start(address(&server.web_url)?).await?;
            let text = fs::read_to_string(&server.config)?;
            let through = format!("https://{}", hub.address);
            let mut text = text.replace(
                &format!("public_url = \"{}\"", server.hub_url),
                &format!("public_url = \"{through}\""),
            );
            if let Some(postgres) = &postgres {
                text.push_str(&format!("[database]\nurl = \"{}\"\n", postgres.url()));
            }
            fs::write(&server.config, text)?;
            relays = Some((hub, web));
            Ok(())
        })
        .await?;
        let (hub, web) = relays.context("the stack was not prepared")?;
        let clocks = move_clocks(&mut stack).await;
        if let Err(error) = &clocks {
            skipped.push(format!("clocks ({error:#})"));
        }
        let people = people(&stack, &web).await?;
        let possible = Possible {
            nodes: stack.cluster.nodes.len().try_into()?,
            postgres: cast.postgres,
            disks: disks.is_some(),
            clocks: clocks.is_ok(),
        };
        Ok(Self {
            receipt_key: receipt_key(&stack).await?,
            parts: Parts {
                disks,
                stack,
                postgres,
                hub,
                web,
            },
            people,
            model: Model::default(),
            possible,
            skipped,
            receipts: Vec::new(),
            history: Vec::new(),
            done: BTreeSet::new(),
            chain: Chain::default(),
            account_chains: BTreeMap::new(),
        })
    }

    /// Prints the end of what the programs wrote, after a loss.
    pub fn keep_logs(&self) {
        let from = self.history.len().saturating_sub(HISTORY_LINES);
        println!("--- receipts");
        for line in self.history.iter().skip(from) {
            println!("{line}");
        }
        let stack = &self.parts.stack;
        let server = stack.server.log().unwrap_or_default();
        let agent = stack.agent.log().unwrap_or_default();
        for (name, text) in [
            (
                "control plane",
                String::from_utf8_lossy(&server).into_owned(),
            ),
            ("agent", agent),
        ] {
            let lines: Vec<_> = text.lines().rev().take(LOG_LINES).collect();
            println!("--- {name}");
            for line in lines.iter().rev() {
                println!("{line}");
            }
        }
    }
}

fn small_disks(directory: &Path, skipped: &mut Vec<String>) -> Option<(SmallDisk, SmallDisk)> {
    let mount = |place: &str| SmallDisk::mount_of(&directory.join(place), DISK_MEBIBYTES);
    match mount("agent/state").and_then(|agent| Ok((agent, mount("server/data")?))) {
        Ok(disks) => Some(disks),
        Err(_) => {
            skipped.push("full disks (nothing can be mounted here)".to_owned());
            None
        }
    }
}

/// Gives both programs clocks that jump when told to.
async fn move_clocks(stack: &mut Stack) -> Result<()> {
    let library = clock_shift::build(stack.directory())?;
    stack.server.shift_clock(&library, 0);
    stack.agent.shift_clock(&library, 0);
    stack.server.kill()?;
    stack.server.start().await?;
    stack.restart_agent(&Default::default()).await
}

fn address(url: &str) -> Result<SocketAddr> {
    let (_, address) = url.split_once("://").context("a URL has a scheme")?;
    Ok(address.parse()?)
}

async fn people(stack: &Stack, web: &Relay) -> Result<Vec<Person>> {
    let mut people = vec![person(stack, web, "operator", &stack.api).await?];
    for name in CUSTOMERS {
        let email = format!("{name}@example.org");
        let request = json!({ "name": name, "owner": email });
        let made = stack.api.post("/accounts", &request).await?;
        ensure!(made.status == 201, "{made:?}");
        made.read::<Value>()?;
        let mails = stack.server.data().join("mail");
        let link = wait::until("the e-mail", async || link_to(&mails, &email)).await?;
        let file = secret_file(
            &stack.directory().join(format!("{name}.password")),
            PASSWORD,
        )?;
        let home = stack.directory().join(name);
        fs::create_dir(&home)?;
        let cli = Cli::new(&home.join("config.toml"), &home);
        let file = file.to_str().context("a path in UTF-8")?;
        cli.text(&["invitation", "accept", &link, "--password-file", file])?;
        let api = Api::sign_in(&stack.server.web_url, &email, PASSWORD).await?;
        people.push(person(stack, web, name, &api).await?);
    }
    Ok(people)
}

async fn person(stack: &Stack, web: &Relay, name: &str, api: &Api) -> Result<Person> {
    let home = stack.directory().join(format!("home-{name}"));
    fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    Ok(Person {
        account: api.whoami().await?.account,
        api: Api::with_token(&format!("http://{}", web.address), api.token())?,
        cli,
    })
}

fn secret_file(path: &Path, secret: &str) -> Result<PathBuf> {
    fs::write(path, secret)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(path.to_owned())
}

async fn receipt_key(stack: &Stack) -> Result<VerifyKey> {
    let bundle: TrustBundle = stack.api.get("/trust").await?;
    let trust = TrustDocument::open(&bundle.trust, bundle.root_key)?;
    let statement = bundle.agents.first().context("no agent has a statement")?;
    Ok(AgentStatement::open(statement, &trust)?.receipt_key)
}
