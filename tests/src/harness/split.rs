//! A control plane whose roles are processes of their own, on one PostgreSQL.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};

use super::{databases::Kind, process::Process, server::Server, wait};

/// What a web process has of the signer's data directory.
pub const WEB_FILES: [&str; 3] = ["trust.json", "root.pub", "keys/second-factor.key"];
/// What a hub has of it.
pub const HUB_FILES: [&str; 2] = ["trust.json", "root.pub"];

/// One process of one role.
pub struct Part {
    role: &'static str,
    process: Option<Process>,
    /// Its directory, configuration and addresses.
    pub server: Server,
}

impl Part {
    /// Writes a configuration below `directory`; starts nothing. Hubs share one address, which leads to
    /// whichever of them is active.
    pub fn prepare(
        directory: &Path,
        role: &'static str,
        database: &str,
        hub: &str,
    ) -> Result<Self> {
        let server = Server::prepare_on(Kind::Sqlite, directory)?;
        let own = server.hub_url.trim_start_matches("https://").to_owned();
        let text = fs::read_to_string(&server.config)?.replace(&own, hub);
        let text = format!("{text}[database]\nurl = \"{database}\"\n");
        fs::write(&server.config, text)?;
        Ok(Self {
            role,
            process: None,
            server,
        })
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
        let mut command = self.server.command(&["serve", "--role", self.role])?;
        let log = self.server.directory.join("server.log");
        self.process = Some(Process::spawn(self.role, &mut command, &log)?);
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

    /// SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        self.process
            .take()
            .map_or(Ok(()), |mut process| process.kill())
    }
}
