//! What can go wrong in a round, besides the agent's deaths at its points.

use std::collections::BTreeSet;

use super::point::{Need, Point};

const HOUR_SECONDS: i64 = 3600;

/// What else a round does to the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// SIGKILL to the agent.
    AgentKill,
    /// SIGKILL to all processes of the control plane at once, or to the one that it is.
    ServerKill,
    /// SIGKILL to the active signer; another one waits.
    SignerKill,
    /// SIGKILL to the hub that holds the agent.
    HubKill,
    /// SIGKILL to a web.
    WebKill(u32),
    /// The active signer stands still, and wakes.
    SignerSleep,
    /// The hub that holds the agent stands still, and wakes.
    HubSleep,
    /// SIGKILL to a node of Garage.
    GarageKill(u32),
    /// An immediate stop of PostgreSQL, which recovers at its next start.
    PostgresKill,
    /// The agent's connections are cut.
    HubCut,
    /// The clients' connections are cut.
    WebCut,
    /// Frames between agent and hub are late.
    HubHold,
    /// Requests and answers are late.
    WebHold,
    /// The agent's disk is full.
    AgentDisk,
    /// The control plane's disk is full.
    ServerDisk,
    /// The agent's clock jumps by so many seconds, and back.
    AgentClock(i64),
    /// The control plane's clock jumps by so many seconds, and back.
    ServerClock(i64),
}

impl Fault {
    /// Its name in the verdict.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AgentKill => "agent killed",
            Self::ServerKill => "control plane killed",
            Self::SignerKill => "signer killed",
            Self::HubKill => "hub killed",
            Self::WebKill(_) => "web killed",
            Self::SignerSleep => "signer asleep",
            Self::HubSleep => "hub asleep",
            Self::GarageKill(_) => "Garage killed",
            Self::PostgresKill => "PostgreSQL killed",
            Self::HubCut => "agent cut off",
            Self::WebCut => "clients cut off",
            Self::HubHold => "frames late",
            Self::WebHold => "requests late",
            Self::AgentDisk => "agent's disk full",
            Self::ServerDisk => "control plane's disk full",
            Self::AgentClock(_) => "agent's clock jumped",
            Self::ServerClock(_) => "control plane's clock jumped",
        }
    }

    /// Those that take a process of one role away; `which` is of the webs.
    pub const fn takings(which: u32) -> [Self; 5] {
        [
            Self::SignerKill,
            Self::HubKill,
            Self::WebKill(which),
            Self::SignerSleep,
            Self::HubSleep,
        ]
    }

    /// Whether processes of the control plane stand still, instead of ending.
    pub const fn is_sleep(self) -> bool {
        matches!(self, Self::SignerSleep | Self::HubSleep)
    }

    /// Whether another process can do the work meanwhile that this one did alone.
    pub const fn takes_a_role(self) -> bool {
        self.is_sleep() || matches!(self, Self::SignerKill | Self::HubKill)
    }
}

/// What can go wrong where the rounds run.
#[derive(Debug, Clone)]
pub struct Possible {
    /// Nodes of Garage.
    pub nodes: u32,
    /// Whether the control plane's data is in PostgreSQL.
    pub postgres: bool,
    /// Whether disks can be filled.
    pub disks: bool,
    /// Whether clocks can be moved.
    pub clocks: bool,
    /// Whether the roles are processes of their own.
    pub apart: bool,
}

impl Possible {
    /// What a fault is chosen from; `node` is of Garage, `hours` are what a clock jumps by.
    pub fn faults(&self, node: u32, hours: i64) -> Vec<Fault> {
        let mut faults = vec![
            Fault::AgentKill,
            Fault::ServerKill,
            Fault::GarageKill(node),
            Fault::HubCut,
            Fault::WebCut,
            Fault::HubHold,
            Fault::WebHold,
        ];
        if self.postgres {
            faults.push(Fault::PostgresKill);
        }
        if self.disks {
            faults.extend([Fault::AgentDisk, Fault::ServerDisk]);
        }
        if self.clocks {
            let jump = hours * HOUR_SECONDS;
            faults.extend([Fault::AgentClock(jump), Fault::ServerClock(jump)]);
        }
        faults
    }

    /// The names of all faults that there can be.
    pub fn fault_names(&self) -> BTreeSet<&'static str> {
        let takings = Fault::takings(0).into_iter().filter(|_| self.apart);
        let all = self.faults(0, 0).into_iter().chain(takings);
        all.map(Fault::name).collect()
    }

    /// Whether the agent can come to a point.
    pub const fn leads_to(&self, point: &Point) -> bool {
        self.clocks || !matches!(point.need, Some(Need::Late | Need::Older))
    }
}
