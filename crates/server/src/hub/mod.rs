//! The hub: holds the agents' connections on a listener of its own. It carries envelopes that it
//! cannot make and secrets that it cannot read; all that is true stands in the database.

mod agent;
mod certificates;
mod connection;
mod door;
mod enrol;
mod frames;
mod late_epoch;
mod receipts;
mod registry;
#[cfg(test)]
mod tests;
mod tls;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use storm_protocol::{
    frame::{ClosingCode, ExecutorState, ToAgent},
    ident::RegionName,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    door::{Door, MAX_WAITING},
    registry::{Order, Registry},
    tls::Identity,
};
use crate::{
    app::{App, Change},
    store::{
        self,
        admission::{Appointed, KeptOut},
    },
};

/// Connections at the same time, enrolled or not.
const MAX_CONNECTIONS: usize = 20_000;
/// Milliseconds between looks at the database when nothing wakes the hub.
const POLL_MILLISECONDS: u64 = 1_000;
/// Seconds between rounds of forgetting.
const TIDY_SECONDS: u64 = 600;
/// Seconds that security events are kept: 90 days.
const SECURITY_EVENT_SECONDS: i64 = 90 * 24 * 3600;
/// Security events that are kept: the newest.
const MAX_SECURITY_EVENTS: u32 = 100_000;
/// Seconds between commits of the agents' signs of life.
const SEEN_COMMIT_SECONDS: u64 = 1;
/// Seconds that connections get to say goodbye.
const GOODBYE_SECONDS: u64 = 3;
/// Milliseconds to rest when the system has no more sockets to give.
const ACCEPT_REST_MILLISECONDS: u64 = 100;

/// What every connection shares.
pub(crate) struct Hub {
    app: App,
    registry: Registry,
    identity: Identity,
    door: Door,
}

/// Runs the hub on `listener` until `stop`. Needs a signer, which issues its certificate.
pub async fn run(app: App, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
    app.store.no_agent_connected().await?;
    let identity = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        identity = obtain(&app) => identity,
    };
    let hub = Arc::new(Hub {
        app,
        registry: Registry::default(),
        identity,
        door: Door::open()?,
    });
    // Again: so many may wait as come when a hub has been away.
    rustix::net::listen(&listener, MAX_WAITING)
        .context("the agents' queue cannot be made longer")?;
    let connections = TaskTracker::new();
    tokio::join!(
        hub.accept(&listener, &connections, &stop),
        hub.hand_out(&stop),
        hub.keep_order(&stop),
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

/// The signer may start later, or change.
async fn obtain(app: &App) -> Identity {
    loop {
        match Identity::obtain(app).await {
            Ok(identity) => return identity,
            Err(error) => tracing::warn!(
                error = format!("{error:#}"),
                "the hub has no certificate yet; it asks again"
            ),
        }
        tokio::time::sleep(Duration::from_millis(POLL_MILLISECONDS)).await;
    }
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
                continue;
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                tracing::warn!(%from, "turned away: the hub is full");
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
            match self.app.store.agents_with_commands().await {
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

    /// Cuts off who may not be here, gives the executor's role where it is free, and forgets old
    /// security events and counts.
    async fn keep_order(&self, stop: &CancellationToken) {
        let mut ticks = tokio::time::interval(Duration::from_millis(POLL_MILLISECONDS));
        let mut tidy = tokio::time::interval(Duration::from_secs(TIDY_SECONDS));
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                () = self.app.bus.hub.notified() => self.keep_order_now().await,
                _ = ticks.tick() => self.keep_order_now().await,
                _ = tidy.tick() => self.forget().await,
            };
            if let Err(error) = done {
                tracing::error!(%error, "the hub could not see to its agents; it tries again");
            }
        }
    }

    async fn keep_order_now(&self) -> store::Result<()> {
        for kept_out in self.app.store.agents_kept_out().await? {
            let (agent, code) = match kept_out {
                KeptOut::Revoked(agent) => (agent, ClosingCode::Revoked),
                KeptOut::Quarantined(agent) => (agent, ClosingCode::Quarantined),
            };
            self.registry.order(agent, Order::Close(code));
        }
        let now = self.app.clock.now();
        for appointed in self.app.store.appoint_executors(now).await? {
            let Appointed { agent, epoch } = appointed;
            tracing::info!(%agent, epoch, "the agent is its region's executor now");
            let state = ExecutorState {
                executor: true,
                epoch,
            };
            self.registry.order(agent, Order::Executor(state));
            self.app.bus.tell(Change::Agent(agent));
            self.app.bus.signer.notify_one();
        }
        Ok(())
    }

    /// Tells every agent of a region that is there what its role is now.
    async fn tell_roles(&self, region: &RegionName) -> store::Result<()> {
        for (agent, state) in self.app.store.roles(region).await? {
            self.registry.order(agent, Order::Executor(state));
        }
        // A role that nobody took over is given away.
        self.app.bus.hub.notify_one();
        self.app.bus.signer.notify_one();
        Ok(())
    }

    /// Forgets what was kept for its time.
    async fn forget(&self) -> store::Result<()> {
        let now = self.app.clock.now();
        let dropped = self.app.store.drop_old_traffic(now).await?;
        if dropped > 0 {
            tracing::debug!(dropped, "counts of requests forgotten");
        }
        let before = now.plus_seconds(-SECURITY_EVENT_SECONDS);
        let dropped = self
            .app
            .store
            .drop_security_events(before, MAX_SECURITY_EVENTS)
            .await?;
        if dropped > 0 {
            tracing::debug!(dropped, "security events forgotten");
        }
        Ok(())
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
