//! A control plane whose roles are processes of their own, on one PostgreSQL.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use sqlx::{AnyConnection, Connection as _};

use super::{
    databases::{Database, Kind},
    process::Process,
    server::Server,
    tools::succeed,
    wait,
};

/// What a web process has of the signer's data directory.
pub const WEB_FILES: [&str; 3] = ["trust.json", "root.pub", "keys/second-factor.key"];
/// What a hub has of it.
pub const HUB_FILES: [&str; 2] = ["trust.json", "root.pub"];
/// The dispatch, CA and root keys.
pub const PRIVATE: [&str; 3] = ["keys/dispatch.key", "keys/ca.key", "keys/root.key"];
/// What a process says that has become the signer.
pub const HAS: &str = "this process has the role now";
/// What a signer says that is none yet.
pub const WAITS: &str = "another process has the role; this one waits";
/// What every process says that has begun.
pub const SERVES: &str = "serving";

/// All processes of a control plane; of the signers the first one is active.
pub struct Split {
    /// Their database.
    pub database: Database,
    /// At least one.
    pub signers: Vec<Part>,
    /// Each with an address of its own.
    pub hubs: Vec<Part>,
    /// The same.
    pub webs: Vec<Part>,
}

/// How many processes of each role.
pub struct Cast {
    /// Signers.
    pub signers: usize,
    /// Hubs.
    pub hubs: usize,
    /// Webs.
    pub webs: usize,
}

impl Split {
    /// Starts them below `directory`, on this empty database, each as somebody who may do what its role may.
    pub async fn start(directory: &Path, database: Database, cast: &Cast) -> Result<Self> {
        Self::start_with(directory, database, cast, async |_| Ok(())).await
    }

    /// The same with what has to be otherwise, once all are configured and before anything starts.
    pub async fn start_with(
        directory: &Path,
        database: Database,
        cast: &Cast,
        adjust: impl AsyncFnOnce(&mut Self) -> Result<()>,
    ) -> Result<Self> {
        let parts = |role, count| {
            (0..count)
                .map(|number| {
                    let own = directory.join(format!("{role}-{number}"));
                    Part::prepare(&own, role, &database.role_url(role))
                })
                .collect::<Result<Vec<_>>>()
        };
        let mut split = Self {
            signers: parts("signer", cast.signers)?,
            hubs: parts("hub", cast.hubs)?,
            webs: parts("web", cast.webs)?,
            database,
        };
        adjust(&mut split).await?;
        let (first, others) = split.signers.split_first_mut().context("a signer")?;
        set_up(&split.database, &first.server).await?;
        first.start(HAS).await?;
        for other in others {
            other.take(first, &WEB_FILES)?;
            other.take(first, &PRIVATE)?;
            other.take(first, &["keys/ca.pem"])?;
            other.start(WAITS).await?;
        }
        for hub in &mut split.hubs {
            hub.take(first, &HUB_FILES)?;
            hub.start(SERVES).await?;
        }
        for web in &mut split.webs {
            web.take(first, &WEB_FILES)?;
            // The address that enrolment tokens name.
            if let Some(hub) = split.hubs.first() {
                web.name_hub(&hub.server.hub_url)?;
            }
            web.start(SERVES).await?;
        }
        Ok(split)
    }

    /// All processes: signers, hubs, webs.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.signers.iter().chain(&self.hubs).chain(&self.webs)
    }

    /// The same, to be changed.
    pub fn parts_mut(&mut self) -> impl Iterator<Item = &mut Part> {
        let parts = self.signers.iter_mut().chain(&mut self.hubs);
        parts.chain(&mut self.webs)
    }

    /// The hubs' addresses, as an agent's configuration lists them.
    pub fn hub_urls(&self) -> Vec<&str> {
        self.hubs
            .iter()
            .map(|hub| hub.server.hub_url.as_str())
            .collect()
    }

    /// Which hub holds the only agent, once one does.
    pub async fn holder(&self) -> Result<usize> {
        let mut database = AnyConnection::connect(&self.database.url()).await?;
        wait::until("a hub that holds the agent", async || {
            let held = "SELECT h.address FROM hub_agents a JOIN hubs h ON h.id = a.hub";
            let held: Option<String> = sqlx::query_scalar(held)
                .fetch_optional(&mut database)
                .await?;
            let Some(held) = held else { return Ok(None) };
            let is = |url: &&str| url.ends_with(&held);
            Ok(self.hub_urls().iter().position(is))
        })
        .await
    }
}

/// One process of one role.
pub struct Part {
    /// Signer, hub or web.
    pub role: &'static str,
    process: Option<Process>,
    /// Its directory, configuration and addresses.
    pub server: Server,
}

/// As operations.md has it: the owner sets the database up, a superuser grants, and nobody serves as either.
async fn set_up(database: &Database, signer: &Server) -> Result<()> {
    let owner = database.owner_url();
    succeed(&mut signer.command(&["db", "migrate", "--owner", &owner])?)?;
    let grants = succeed(&mut signer.command(&["db", "roles"])?)?;
    database.grant(&grants).await
}

impl Part {
    /// Writes a configuration below `directory`; starts nothing.
    pub fn prepare(directory: &Path, role: &'static str, database: &str) -> Result<Self> {
        let server = Server::prepare_on(Kind::Sqlite, directory)?;
        let text = fs::read_to_string(&server.config)?;
        let text = format!("{text}[database]\nurl = \"{database}\"\n");
        fs::write(&server.config, text)?;
        Ok(Self {
            role,
            process: None,
            server,
        })
    }

    fn name_hub(&self, url: &str) -> Result<()> {
        let text = fs::read_to_string(&self.server.config)?;
        let (own, other) = (&self.server.hub_url, format!("public_url = \"{url}\""));
        let text = text.replace(&format!("public_url = \"{own}\""), &other);
        Ok(fs::write(&self.server.config, text)?)
    }

    /// Reaches its database at this address from its next start on.
    pub fn reach_database_at(&self, database: &Database, address: SocketAddr) -> Result<()> {
        let text = fs::read_to_string(&self.server.config)?;
        let redirected = text.replace(database.host(), &address.to_string());
        ensure!(redirected != text, "the database stands elsewhere");
        Ok(fs::write(&self.server.config, redirected)?)
    }

    /// Copies files of the signer's data directory.
    pub fn take(&self, signer: &Self, files: &[&str]) -> Result<()> {
        let (there, here) = (signer.server.data(), self.server.data());
        for directory in [&here, &here.join("keys")] {
            if !directory.exists() {
                fs::create_dir(directory)?;
                fs::set_permissions(directory, fs::metadata(&there)?.permissions())?;
            }
        }
        for file in files {
            // With its mode.
            fs::copy(there.join(file), here.join(file)).with_context(|| (*file).to_owned())?;
        }
        Ok(())
    }

    /// Starts it and waits until it has said `ready`.
    pub async fn start(&mut self, ready: &str) -> Result<()> {
        self.begin()?;
        self.says(ready).await
    }

    /// Waits until it has said that.
    pub async fn says(&mut self, words: &str) -> Result<()> {
        let process = self.process.as_mut().context("it does not run")?;
        wait::until(&format!("{} to say '{words}'", self.role), async || {
            ensure!(process.ended()?.is_none(), "it ended: {}", process.output());
            Ok(process.output().contains(words).then_some(()))
        })
        .await
    }

    /// Whether it has said that.
    pub fn has_said(&self, words: &str) -> Result<bool> {
        let process = self.process.as_ref().context("it does not run")?;
        Ok(process.output().contains(words))
    }

    /// Waits until it has ended by itself; what it said.
    pub async fn ended(&mut self) -> Result<String> {
        let mut process = self.process.take().context("it does not run")?;
        process.wait().await?;
        Ok(process.output())
    }

    /// SIGTERM; an error unless it ends with 0. What it said.
    pub async fn stop(&mut self) -> Result<String> {
        let mut process = self.process.take().context("it does not run")?;
        let status = process.terminate().await?;
        ensure!(status.success(), "{}: {status}", self.role);
        Ok(process.output())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.process
            .as_ref()
            .context("it does not run")?
            .signal(signal)
    }

    /// Whether it runs, be it asleep.
    pub fn runs(&mut self) -> Result<bool> {
        match &mut self.process {
            Some(process) => Ok(process.ended()?.is_none()),
            None => Ok(false),
        }
    }

    /// Starts it, waiting for nothing.
    pub fn begin(&mut self) -> Result<()> {
        let mut command = self.server.command(&["serve", "--role", self.role])?;
        let log = self.server.directory.join("server.log");
        self.process = Some(Process::spawn(self.role, &mut command, &log)?);
        Ok(())
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        self.process
            .take()
            .map_or(Ok(()), |mut process| process.kill())
    }
}
