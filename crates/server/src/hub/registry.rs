//! Which agent is on which connection of this process.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use storm_protocol::{
    envelope::Envelope,
    frame::{ClosingCode, ToAgent},
    ident::{AgentId, OperationId},
};
use tokio::sync::mpsc;

use crate::store::agents::Seen;

/// Orders that wait on one connection; a command that finds no room stays signed and is tried again.
const ORDERS_PER_CONNECTION: usize = 256;

/// What a connection is told to do.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// Send this command.
    Command {
        /// Its operation.
        operation: OperationId,
        /// The command.
        envelope: Box<Envelope>,
    },
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
    by_agent: HashMap<AgentId, (u64, mpsc::Sender<Order>)>,
}

impl Registry {
    /// Enters a connection; the agent's connection before it is told to close.
    pub(super) fn join(&self, agent: AgentId) -> (u64, mpsc::Receiver<Order>) {
        let (sender, orders) = mpsc::channel(ORDERS_PER_CONNECTION);
        let mut connections = held(&self.connections);
        connections.last += 1;
        let number = connections.last;
        if let Some((_, before)) = connections.by_agent.insert(agent, (number, sender)) {
            // When its queue is full it ends as its sender is dropped.
            let _ = before.try_send(Order::Close(ClosingCode::Replaced));
        }
        (number, orders)
    }

    /// Takes a connection out; `false` when another one has replaced it.
    pub(super) fn leave(&self, agent: AgentId, number: u64) -> bool {
        let mut connections = held(&self.connections);
        let mine = connections
            .by_agent
            .get(&agent)
            .is_some_and(|(present, _)| *present == number);
        if mine {
            connections.by_agent.remove(&agent);
        }
        mine
    }

    /// Gives an order to an agent's connection; `false`: none is there, or it has no room.
    pub(super) fn order(&self, agent: AgentId, order: Order) -> bool {
        let connections = held(&self.connections);
        let connection = connections.by_agent.get(&agent);
        connection.is_some_and(|(_, orders)| orders.try_send(order).is_ok())
    }

    /// Gives an order to everyone.
    pub(super) fn order_all(&self, order: &Order) {
        for (_, orders) in held(&self.connections).by_agent.values() {
            let _ = orders.try_send(order.clone());
        }
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
