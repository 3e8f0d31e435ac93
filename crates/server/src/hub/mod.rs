//! The hub: holds the agents' connections on a listener of its own. It carries envelopes that it
//! cannot make and secrets that it cannot read; all that is true stands in the database.

mod agent;
mod certificates;
mod connection;
mod enrol;
mod frames;
mod receipts;
mod registry;
#[cfg(test)]
mod tests;
mod tls;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use storm_protocol::frame::{ClosingCode, ToAgent};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    registry::{Order, Registry},
    tls::Identity,
};
use crate::{
    app::{App, Change},
    store,
};

/// Connections at the same time, enrolled or not.
const MAX_CONNECTIONS: usize = 20_000;
/// Milliseconds between looks at the database when nothing wakes the hub.
const POLL_MILLISECONDS: u64 = 1_000;
/// Commands that are handed out in one go.
const COMMANDS_AT_ONCE: u32 = 200;
/// Seconds between commits of the agents' signs of life.
const SEEN_COMMIT_SECONDS: u64 = 10;
/// Seconds that connections get to say goodbye.
const GOODBYE_SECONDS: u64 = 3;
/// Milliseconds to rest when the system has no more sockets to give.
const ACCEPT_REST_MILLISECONDS: u64 = 100;

/// What every connection shares.
pub(crate) struct Hub {
    app: App,
    registry: Registry,
    identity: Identity,
}

/// Runs the hub on `listener` until `stop`. Needs a signer, which issues its certificate.
pub async fn run(app: App, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
    app.store.no_agent_connected().await?;
    let identity = Identity::obtain(&app)
        .await
        .context("the hub gets no certificate")?;
    let hub = Arc::new(Hub {
        app,
        registry: Registry::default(),
        identity,
    });
    let connections = TaskTracker::new();
    tokio::join!(
        hub.accept(&listener, &connections, &stop),
        hub.hand_out(&stop),
        hub.note_seen(&stop),
        hub.pass_trust_on(&stop),
        hub.identity.keep_fresh(&hub.app, &stop),
    );
    hub.registry
        .order_all(&Order::Close(ClosingCode::Restarting));
    connections.close();
    // Whoever does not leave in time is cut off; agents come back by themselves.
    let _ = tokio::time::timeout(Duration::from_secs(GOODBYE_SECONDS), connections.wait()).await;
    hub.commit_seen().await;
    Ok(())
}

impl Hub {
    async fn accept(
        self: &Arc<Self>,
        listener: &TcpListener,
        connections: &TaskTracker,
        stop: &CancellationToken,
    ) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, from) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(ACCEPT_REST_MILLISECONDS)).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                tracing::warn!(%from, "turned away: the hub is full");
                continue;
            };
            let hub = Arc::clone(self);
            connections.spawn(async move {
                let _place = place;
                connection::serve(&hub, stream, from).await;
            });
        }
    }

    /// Hands signed commands to the connections of their agents.
    async fn hand_out(&self, stop: &CancellationToken) {
        loop {
            match self.hand_out_now().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(%error, "commands could not be handed out; the hub tries again")
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.app.bus.hub.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(POLL_MILLISECONDS)) => {}
            }
        }
    }

    /// `true`: there may be more.
    async fn hand_out_now(&self) -> store::Result<bool> {
        let signed = self.app.store.operations_to_send(COMMANDS_AT_ONCE).await?;
        let full = signed.len() == COMMANDS_AT_ONCE as usize;
        let mut sent = vec![];
        let mut changes = vec![];
        for command in signed {
            let (agent, operation) = (command.agent, command.id);
            let order = Order::Command {
                operation,
                envelope: Box::new(command.envelope),
            };
            if self.registry.order(agent, order) {
                sent.push(operation);
                changes.push(Change::Operation(command.account, operation));
            }
        }
        if sent.is_empty() {
            return Ok(false);
        }
        self.app.store.operations_sent(&sent).await?;
        for change in changes {
            self.app.bus.tell(change);
        }
        Ok(full)
    }

    async fn note_seen(&self, stop: &CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(SEEN_COMMIT_SECONDS)) => {}
            }
            self.commit_seen().await;
        }
    }

    async fn commit_seen(&self) {
        let seen = self.registry.take_seen();
        if seen.is_empty() {
            return;
        }
        if let Err(error) = self.app.store.agents_seen(&seen).await {
            tracing::error!(%error, "signs of life could not be stored");
        }
        for (agent, _) in seen {
            self.app.bus.tell(Change::Agent(agent));
        }
    }

    /// Sends a newer trust document to everyone who is there.
    async fn pass_trust_on(&self, stop: &CancellationToken) {
        let mut trust = self.app.trust.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = trust.changed() => if changed.is_err() { return },
            }
            let envelope = trust.borrow_and_update().envelope.clone();
            self.registry
                .order_all(&Order::Frame(Box::new(ToAgent::Trust(envelope))));
        }
    }
}
