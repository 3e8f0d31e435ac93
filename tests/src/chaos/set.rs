//! Sets a stage up: programs, relays, small disks, clocks that can be moved.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use storm_protocol::{
    api::TrustBundle,
    envelope::VerifyKey,
    trust::{AgentStatement, TrustDocument},
};
use test_postgres::Postgres;

use super::{
    control::{CAST, Control},
    fault::Possible,
    people::people,
    stage::{Cast, Parts, Roles, Stage},
};
use crate::harness::{
    api::Api,
    clock_shift,
    databases::{Database, Kind},
    garage::Cluster,
    relay::Relay,
    server::{self, Server},
    small_disk::SmallDisk,
    split::Split,
    stack::Stack,
};

/// Bytes of the disks that are filled, in mebibytes.
const DISK_MEBIBYTES: u32 = 96;

/// What is there before the programs, and stands between them.
struct Ground {
    directory: PathBuf,
    /// Moves clocks, where one can.
    clocks: Option<PathBuf>,
    disks: Option<(SmallDisk, SmallDisk)>,
    hubs: Vec<Relay>,
    webs: Vec<Relay>,
    skipped: Vec<String>,
}

impl Stage {
    /// Starts everything.
    pub async fn set(cast: Cast) -> Result<Self> {
        let cluster = if cast.three_nodes {
            Cluster::three().await?
        } else {
            Cluster::single().await?
        };
        let postgres = match cast.roles {
            Roles::Sqlite => None,
            Roles::Postgres | Roles::Apart => Some(Postgres::start()?),
        };
        let directory = tempfile::Builder::new().prefix("storm-stack-").tempdir()?;
        let mut ground = Ground::prepare(directory.path());
        let control = match (&postgres, cast.roles) {
            (Some(postgres), Roles::Apart) => ground.apart(postgres).await?,
            (postgres, _) => ground.one(postgres.as_ref()).await?,
        };
        let api = Api::sign_in(control.web_url()?, server::EMAIL, server::PASSWORD).await?;
        let hubs: Vec<_> = ground.hubs.iter().map(Relay::https).collect();
        let hubs: Vec<_> = hubs.iter().map(String::as_str).collect();
        let mut stack = Stack::beside(directory, cluster, control, api, &hubs).await?;
        if let Some(library) = &ground.clocks {
            stack.agent.shift_clock(library, 0);
            stack.restart_agent(&Default::default()).await?;
        }
        let people = people(&stack, &ground.webs).await?;
        let possible = Possible {
            nodes: stack.cluster.nodes.len().try_into()?,
            postgres: postgres.is_some(),
            disks: ground.disks.is_some(),
            clocks: ground.clocks.is_some(),
            apart: cast.roles == Roles::Apart,
        };
        Ok(Self {
            receipt_key: receipt_key(&stack).await?,
            parts: Parts {
                disks: ground.disks,
                stack,
                postgres,
                hubs: ground.hubs,
                webs: ground.webs,
            },
            people,
            model: Default::default(),
            possible,
            skipped: ground.skipped,
            receipts: Vec::new(),
            history: Vec::new(),
            done: Default::default(),
            chain: Default::default(),
            account_chains: Default::default(),
        })
    }
}

impl Ground {
    fn prepare(directory: &Path) -> Self {
        let mut skipped = Vec::new();
        let clocks = clock_shift::build(directory);
        if let Err(error) = &clocks {
            skipped.push(format!("clocks ({error:#})"));
        }
        Self {
            directory: directory.to_owned(),
            clocks: clocks.ok(),
            disks: None,
            hubs: vec![],
            webs: vec![],
            skipped,
        }
    }

    /// One process on SQLite, or on PostgreSQL.
    async fn one(&mut self, postgres: Option<&Postgres>) -> Result<Control> {
        let mut server = Server::prepare_on(Kind::Sqlite, &self.directory.join("server"))?;
        self.mount_disks(&server.data());
        self.adjust(&mut server);
        self.before_hub(&mut server).await?;
        self.before_web(&server).await?;
        if let Some(postgres) = postgres {
            let text = fs::read_to_string(&server.config)?;
            let text = format!("{text}[database]\nurl = \"{}\"\n", postgres.url());
            fs::write(&server.config, text)?;
        }
        server.start().await?;
        Ok(Control::One(Box::new(server)))
    }

    /// Some processes of each role.
    async fn apart(&mut self, postgres: &Postgres) -> Result<Control> {
        let database = Database::on(&postgres.url()).await?;
        let directory = self.directory.clone();
        let split = Split::start_with(&directory, database, &CAST, async |split| {
            let signer = split.signers.first().context("a signer")?;
            self.mount_disks(&signer.server.data());
            for part in split.parts_mut() {
                self.adjust(&mut part.server);
            }
            for hub in &mut split.hubs {
                self.before_hub(&mut hub.server).await?;
            }
            for web in &mut split.webs {
                self.before_web(&web.server).await?;
            }
            let web = split.webs.first().context("a web")?.server.web_url.clone();
            for part in split.parts_mut() {
                let own = part.server.web_url.clone();
                replace(&part.server, &public(&own), &public(&web))?;
            }
            Ok(())
        });
        Ok(Control::Apart(Box::new(split.await?)))
    }

    fn adjust(&self, server: &mut Server) {
        server.log_only("info");
        if let Some(library) = &self.clocks {
            server.shift_clock(library, 0);
        }
    }

    /// Puts a relay before a hub; agents hear of that one alone.
    async fn before_hub(&mut self, server: &mut Server) -> Result<()> {
        let relay = Relay::start(address(&server.hub_url)?).await?;
        replace(server, &public(&server.hub_url), &public(&relay.https()))?;
        server.hub_url = relay.https();
        self.hubs.push(relay);
        Ok(())
    }

    /// Puts a relay before a web, which knows nothing of it.
    async fn before_web(&mut self, server: &Server) -> Result<()> {
        self.webs
            .push(Relay::start(address(&server.web_url)?).await?);
        Ok(())
    }

    /// The agent's disk, and that of a control plane's keys.
    fn mount_disks(&mut self, data: &Path) {
        let agent = self.directory.join("agent/state");
        let mount = |place: &Path| SmallDisk::mount_of(place, DISK_MEBIBYTES);
        match mount(&agent).and_then(|agent| Ok((agent, mount(data)?))) {
            Ok(disks) => self.disks = Some(disks),
            Err(_) => {
                let words = "full disks (nothing can be mounted here)";
                self.skipped.push(words.to_owned());
            }
        }
    }
}

fn public(url: &str) -> String {
    format!("public_url = \"{url}\"")
}

/// Changes a line of a configuration.
fn replace(server: &Server, line: &str, other: &str) -> Result<()> {
    let text = fs::read_to_string(&server.config)?;
    if !text.contains(line) {
        bail!("the configuration has no {line}");
    }
    Ok(fs::write(&server.config, text.replace(line, other))?)
}

fn address(url: &str) -> Result<SocketAddr> {
    let (_, address) = url.split_once("://").context("a URL has a scheme")?;
    Ok(address.parse()?)
}

async fn receipt_key(stack: &Stack<Control>) -> Result<VerifyKey> {
    let bundle: TrustBundle = stack.api.get("/trust").await?;
    let trust = TrustDocument::open(&bundle.trust, bundle.root_key)?;
    let statement = bundle.agents.first().context("no agent has a statement")?;
    Ok(AgentStatement::open(statement, &trust)?.receipt_key)
}
