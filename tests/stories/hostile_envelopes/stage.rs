//! A real agent beside a real Garage, enrolled with a hub that is the test's.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use e2e::harness::{
    agent::{Agent, Start},
    clock_shift,
    garage::Cluster,
    hostile_hub::{Connection, HostileHub},
};
use serde::Deserialize;
use storm_protocol::{
    command::{AgentPing, BucketCreate, Command},
    envelope::CommandPayload,
    error::Refusal,
    receipt::{Outcome, Receipt},
};
use tempfile::TempDir;

/// A command that is switched off in this story's agent.
pub(super) const DISABLED: &str = "key.delete";
pub(super) const DAY_SECONDS: i64 = 24 * 3600;

pub(super) struct Stage {
    pub(super) connection: Connection,
    pub(super) agent: Agent,
    pub(super) hub: HostileHub,
    pub(super) cluster: Cluster,
    directory: TempDir,
}

/// One line of `refused` in the agent's status: a minute may have one for each code.
#[derive(Deserialize)]
struct RefusedCount {
    code: String,
    count: u64,
}

impl Stage {
    pub(super) async fn set() -> Result<Self> {
        let cluster = Cluster::single().await?;
        let directory = tempfile::Builder::new()
            .prefix("storm-hostile-")
            .tempdir()?;
        let mut hub = HostileHub::start().await?;
        let mut agent = Agent::prepare(
            &directory.path().join("agent"),
            cluster.first()?,
            &[DISABLED],
        )?;
        agent.enrol(&hub.url(), &hub.token().expose())?;
        agent.start(&Start::default())?;
        let connection = hub.connection().await?;
        let mut stage = Self {
            connection,
            agent,
            hub,
            cluster,
            directory,
        };
        stage.breathe().await?;
        Ok(stage)
    }

    /// Sees that the agent is there and answers; takes its next connection when it has hung up.
    pub(super) async fn breathe(&mut self) -> Result<()> {
        let ping = self.hub.payload(&Command::AgentPing(AgentPing {}), None)?;
        let ping = (ping.operation, self.hub.sign(&ping)?);
        loop {
            if self.connection.command(&ping.1).is_ok()
                && self.connection.receipt(ping.0).await.is_ok()
            {
                return Ok(());
            }
            self.connection = self.hub.connection().await?;
        }
    }

    /// Sends a command and reads its receipt.
    pub(super) async fn ask(&mut self, payload: &CommandPayload) -> Result<Receipt> {
        let envelope = self.hub.sign(payload)?;
        self.connection.command(&envelope)?;
        Ok(self.connection.receipt(payload.operation).await?.0)
    }

    /// How often each refusal was counted, as `storm-pulse status` tells.
    pub(super) fn counted(&self) -> Result<BTreeMap<String, u64>> {
        let status = self.agent.status()?;
        // What was not even a frame, and what was an envelope.
        let mut counted: BTreeMap<String, u64> =
            serde_json::from_value(status["frames_refused"].clone())?;
        let refused: Vec<RefusedCount> = serde_json::from_value(status["refused"].clone())
            .with_context(|| format!("no refusals in {status}"))?;
        for entry in refused {
            *counted.entry(entry.code).or_default() += entry.count;
        }
        Ok(counted)
    }

    pub(super) async fn restart(&mut self, shift_seconds: i64) -> Result<()> {
        self.agent.kill()?;
        let library = clock_shift::build(self.directory.path())?;
        self.agent.shift_clock(&library, shift_seconds);
        self.agent.start(&Start::default())?;
        self.connection = self.hub.connection().await?;
        Ok(())
    }
}

/// Asks for a bucket without a key.
pub(super) fn bucket_create(name: &str) -> Result<Command> {
    Ok(Command::BucketCreate(BucketCreate {
        bucket: name.parse()?,
        quota_bytes: None,
        quota_objects: None,
        abort_uploads_after_days: None,
        key: None,
    }))
}

/// The code under which a command was refused, if it was.
pub(super) fn refusal(receipt: &Receipt) -> Option<Refusal> {
    match &receipt.outcome {
        Outcome::Refused { code, .. } => Some(*code),
        Outcome::Done(_) | Outcome::Failed { .. } => None,
    }
}
