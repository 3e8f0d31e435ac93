//! Where rounds are played: one stack with relays before the hubs and the API, three accounts, and
//! whatever can be taken away from under it. `set.rs` sets it up.

use std::collections::{BTreeMap, BTreeSet};

use storm_protocol::{
    envelope::VerifyKey,
    ident::{AccountId, OperationId},
    receipt::Chain,
};
use test_postgres::Postgres;

use super::{control::Control, fault::Possible, model::Model};
use crate::harness::{api::Api, cli::Cli, relay::Relay, small_disk::SmallDisk, stack::Stack};

/// Lines of a log that are printed after a loss.
const LOG_LINES: usize = 60;
/// Lines of what was done that are shown then.
const HISTORY_LINES: usize = 400;

/// Which programs a stage is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cast {
    /// Three nodes of Garage instead of one.
    pub three_nodes: bool,
    /// The control plane.
    pub roles: Roles,
}

/// How a control plane's roles stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roles {
    /// In one process on SQLite.
    Sqlite,
    /// In one process on PostgreSQL.
    Postgres,
    /// In processes of their own on PostgreSQL.
    Apart,
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
    pub stack: Stack<Control>,
    /// PostgreSQL.
    pub postgres: Option<Postgres>,
    /// Before each hub.
    pub hubs: Vec<Relay>,
    /// Before the API of each web.
    pub webs: Vec<Relay>,
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
    /// Prints the end of what the programs wrote, after a loss.
    pub fn keep_logs(&self) {
        let from = self.history.len().saturating_sub(HISTORY_LINES);
        println!("--- receipts");
        for line in self.history.iter().skip(from) {
            println!("{line}");
        }
        let stack = &self.parts.stack;
        let agent = stack.agent.log().unwrap_or_default();
        let logs = stack.server.logs().into_iter();
        for (name, text) in logs.chain([("agent".to_owned(), agent)]) {
            let lines: Vec<_> = text.lines().rev().take(LOG_LINES).collect();
            println!("--- {name}");
            for line in lines.iter().rev() {
                println!("{line}");
            }
        }
    }
}
