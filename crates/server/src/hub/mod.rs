//! The hub: holds the agents' connections on a listener of its own. It carries envelopes that it
//! cannot make and secrets that it cannot read; all that is true stands in the database.

mod agent;
mod certificates;
mod connection;
mod door;
mod enrol;
mod frames;
mod late_epoch;
mod opening;
mod order;
mod presence;
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
    door::{Door, MAX_WAITING},
    registry::{Order, Registry},
    tls::Identity,
};
use crate::{
    app::{App, Change},
    clock::random,
    store::StoreError,
};

/// Connections at the same time, enrolled or not.
const MAX_CONNECTIONS: usize = 20_000;
/// Milliseconds between looks at the database when nothing wakes the hub.
const POLL_MILLISECONDS: u64 = 1_000;
/// Seconds between commits of the agents' signs of life.
const SEEN_COMMIT_SECONDS: u64 = 1;
/// Seconds that connections get to say goodbye.
const GOODBYE_SECONDS: u64 = 3;
/// Milliseconds to rest when the system has no more sockets to give.
const ACCEPT_REST_MILLISECONDS: u64 = 100;

/// What every connection shares.
pub(crate) struct Hub {
    /// Changes nothing once another process has taken this hub for dead.
    app: App,
    /// Its row's, and never another one's.
    id: String,
    /// Whether no other process can be a hub of this database.
    alone: bool,
    registry: Registry,
    identity: Identity,
    door: Door,
}

/// Is a hub on `listener` until `stop`, or until it finds that it was taken for dead. Needs a signer, which
/// issues its certificate. `alone`: no other process can be one.
pub async fn run(
    app: App,
    listener: &TcpListener,
    alone: bool,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let identity = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        identity = Identity::obtain(&app) => identity?,
    };
    let ended = stop.child_token();
    let id = hex::encode(random::<8>());
    let address = listener.local_addr()?.to_string();
    let begun = presence::begin(&app, &id, &address, alone, &ended).await?;
    let Some(store) = begun else {
        return Ok(());
    };
    let hub = Arc::new(Hub {
        app: App { store, ..app },
        id,
        alone,
        registry: Registry::default(),
        identity,
        door: Door::open()?,
    });
    // Again: so many may wait as come when a hub has been away.
    rustix::net::listen(listener, MAX_WAITING)
        .context("the agents' queue cannot be made longer")?;
    let connections = TaskTracker::new();
    hub.app.figures.open_hub();
    let goodbye = Duration::from_secs(GOODBYE_SECONDS);
    let working = async {
        tokio::join!(
            hub.accept(listener, &connections, &ended),
            hub.hand_out(&ended),
            hub.keep_order(&ended),
            hub.note_seen(&ended),
            hub.pass_trust_on(&ended),
            presence::beat(&hub, &ended),
            hub.identity.keep_fresh(&hub.app, &ended),
        )
    };
    // A database that does not answer is no reason to stay.
    let overdue = async {
        ended.cancelled().await;
        tokio::time::sleep(goodbye).await;
    };
    tokio::select! {
        _ = working => {}
        () = overdue => {}
    }
    hub.app.figures.shut_hub();
    hub.registry
        .order_all(&Order::Close(ClosingCode::Restarting));
    connections.close();
    // Whoever does not leave in time is cut off; agents come back by themselves.
    let _ = tokio::time::timeout(goodbye, connections.wait()).await;
    let leaving = async {
        hub.commit_seen().await;
        presence::leave(&hub).await;
    };
    let _ = tokio::time::timeout(goodbye, leaving).await;
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
            let accepted = async { (self.door.place().await, listener.accept().await) };
            let (place, accepted) = tokio::select! {
                () = stop.cancelled() => return,
                (Some(place), accepted) = accepted => (place, accepted),
            };
            let (stream, from) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(ACCEPT_REST_MILLISECONDS)).await;
                    continue;
                }
            };
            let Some(entering) = self.door.enter(place, from.ip()) else {
                tracing::debug!(%from, "turned away: too many of its network are on the way in");
                self.app.figures.turn_away();
                continue;
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                tracing::warn!(%from, "turned away: the hub is full");
                self.app.figures.turn_away();
                continue;
            };
            let hub = Arc::clone(self);
            connections.spawn(async move {
                let _place = place;
                connection::serve(&hub, stream, from, entering).await;
            });
        }
    }

    /// Wakes the connections of agents for which there are signed commands. Each takes its own.
    async fn hand_out(&self, stop: &CancellationToken) {
        let mut signed = self.app.bus.signed();
        let mut ticks = tokio::time::interval(Duration::from_millis(POLL_MILLISECONDS));
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Ok(agent) = signed.recv() => {
                    self.registry.hand_out(agent);
                    continue;
                }
                _ = ticks.tick() => {}
            }
            match self.app.store.agents_with_commands(&self.id).await {
                Ok(agents) => {
                    for agent in agents {
                        self.registry.hand_out(agent);
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "commands could not be handed out; the hub tries again");
                }
            }
        }
    }

    async fn note_seen(&self, stop: &CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(SEEN_COMMIT_SECONDS)) => {}
            }
            self.commit_seen().await;
            self.commit_progress().await;
        }
    }

    /// For processes that hold no agent.
    async fn commit_progress(&self) {
        let moved = self.app.bus.progress.take_moved();
        if self.alone || moved.is_empty() {
            return;
        }
        if let Err(error) = self.app.store.keep_job_progress(&moved).await {
            tracing::error!(%error, "how far jobs are could not be stored");
        }
    }

    async fn commit_seen(&self) {
        let seen = self.registry.take_seen();
        if seen.is_empty() {
            return;
        }
        match self.app.store.agents_seen(&seen).await {
            Ok(()) => {}
            // They are another hub's, or will be.
            Err(StoreError::Superseded(_)) => return,
            Err(error) => tracing::error!(%error, "signs of life could not be stored"),
        }
        for (agent, _) in seen {
            self.app.bus.tell(Change::Agent(agent));
        }
    }

    /// Puts a newer trust document in force here and sends it to everyone who is there.
    async fn pass_trust_on(&self, stop: &CancellationToken) {
        let mut trust = self.app.trust.clone();
        let mut authorities = trust.borrow_and_update().document.authorities.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = trust.changed() => if changed.is_err() { return },
            }
            let now = trust.borrow_and_update().clone();
            if let Err(error) = self.identity.trust(&now) {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the CA certificates of the new trust document cannot be used; those before stay in force"
                );
            }
            let frame = ToAgent::Trust(now.envelope.clone());
            self.registry.order_all(&Order::Frame(Box::new(frame)));
            let new = &now.document.authorities;
            if authorities.iter().any(|before| !new.contains(before)) {
                // Whoever came by the CA that is gone has to show another certificate.
                self.registry
                    .order_all(&Order::Close(ClosingCode::Restarting));
            }
            authorities = new.clone();
        }
    }
}
