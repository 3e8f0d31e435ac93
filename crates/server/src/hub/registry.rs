//! Which agent is on which connection of this process.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use storm_protocol::{
    frame::{ClosingCode, ExecutorState, ToAgent},
    ident::{AgentId, RegionName},
};
use tokio::sync::{Notify, mpsc};

use crate::store::agents::Seen;

/// Orders that wait on one connection.
const ORDERS_PER_CONNECTION: usize = 16;

/// What a connection is told to do.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// The agent's role has changed.
    Executor(ExecutorState),
    /// Send this frame.
    Frame(Box<ToAgent>),
    /// Say why, and close.
    Close(ClosingCode),
}

/// The connections of this process.
#[derive(Default)]
pub(super) struct Registry {
    connections: Mutex<Connections>,
    seen: Mutex<HashMap<AgentId, Seen>>,
    /// Held while an agent comes or goes, until the database says so too.
    pub(super) passing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Connections {
    last: u64,
    by_agent: HashMap<AgentId, Connection>,
    /// Regions in which an agent that is not the executor has spoken. Whether its executor of the
    /// time heard it is not known for certain, so that each next one is told again.
    hinted: HashSet<RegionName>,
}

struct Connection {
    number: u64,
    orders: mpsc::Sender<Order>,
    commands: Arc<Notify>,
    hints: Arc<Notify>,
}

/// What a connection gets when it is entered.
pub(super) struct Joined {
    /// Tells it from others of the same agent.
    pub(super) number: u64,
    /// What it is told to do.
    pub(super) orders: mpsc::Receiver<Order>,
    /// Wakes it when commands wait for its agent.
    pub(super) commands: Arc<Notify>,
    /// Wakes it when another agent of the region saw something move.
    pub(super) hints: Arc<Notify>,
}

impl Registry {
    /// Enters a connection; the agent's connection before it is told to close.
    pub(super) fn join(&self, agent: AgentId) -> Joined {
        let (sender, orders) = mpsc::channel(ORDERS_PER_CONNECTION);
        let (commands, hints) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let mut connections = held(&self.connections);
        connections.last += 1;
        let number = connections.last;
        let connection = Connection {
            number,
            orders: sender,
            commands: Arc::clone(&commands),
            hints: Arc::clone(&hints),
        };
        if let Some(before) = connections.by_agent.insert(agent, connection) {
            // When its queue is full it ends as its sender is dropped.
            let _ = before.orders.try_send(Order::Close(ClosingCode::Replaced));
        }
        Joined {
            number,
            orders,
            commands,
            hints,
        }
    }

    /// Takes a connection out; `false` when another one has replaced it.
    pub(super) fn leave(&self, agent: AgentId, number: u64) -> bool {
        let mut connections = held(&self.connections);
        let mine = connections
            .by_agent
            .get(&agent)
            .is_some_and(|present| present.number == number);
        if mine {
            connections.by_agent.remove(&agent);
        }
        mine
    }

    /// Gives an order to an agent's connection, if there is one.
    pub(super) fn order(&self, agent: AgentId, order: Order) {
        if let Some(connection) = held(&self.connections).by_agent.get(&agent) {
            let _ = connection.orders.try_send(order);
        }
    }

    /// How many agents are here.
    pub(super) fn count(&self) -> u64 {
        held(&self.connections).by_agent.len() as u64
    }

    /// Which agents are here.
    pub(super) fn agents(&self) -> HashSet<AgentId> {
        held(&self.connections).by_agent.keys().copied().collect()
    }

    /// Gives an order to everyone.
    pub(super) fn order_all(&self, order: &Order) {
        for connection in held(&self.connections).by_agent.values() {
            let _ = connection.orders.try_send(order.clone());
        }
    }

    /// Wakes an agent's connection, if there is one, to take the agent's commands.
    pub(super) fn hand_out(&self, agent: AgentId) {
        if let Some(connection) = held(&self.connections).by_agent.get(&agent) {
            connection.commands.notify_one();
        }
    }

    /// An agent saw something move in `region`, whose executor is `executor`. Hints that come close
    /// together are one, and the last one is never lost: what it wakes stays woken until it looks. `false`:
    /// the executor is not here.
    pub(super) fn hint(&self, region: &RegionName, executor: Option<AgentId>) -> bool {
        let mut connections = held(&self.connections);
        if !connections.hinted.contains(region) {
            connections.hinted.insert(region.clone());
        }
        let executor = executor.and_then(|agent| connections.by_agent.get(&agent));
        if let Some(connection) = executor {
            connection.hints.notify_one();
        }
        executor.is_some()
    }

    /// Whether any hint was ever given in a region.
    pub(super) fn was_hinted(&self, region: &RegionName) -> bool {
        held(&self.connections).hinted.contains(region)
    }

    /// Notes a sign of life.
    pub(super) fn saw(&self, agent: AgentId, seen: Seen) {
        held(&self.seen).insert(agent, seen);
    }

    /// The signs of life since the last call.
    pub(super) fn take_seen(&self) -> Vec<(AgentId, Seen)> {
        held(&self.seen).drain().collect()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing above panics halfway through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
