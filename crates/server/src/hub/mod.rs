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
mod receipts;
mod registry;
#[cfg(test)]
mod tests;
mod tls;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use storm_protocol::{
    frame::{ClosingCode, ToAgent},
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
    clock::random,
    store::{
        self, StoreError,
        admission::{Appointed, KeptOut},
        hubs::RegionMark,
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
/// Milliseconds between a hub's signs of life.
const BEAT_MILLISECONDS: u64 = 1_000;

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

/// What each region had come to when it was last looked at.
type Marks = HashMap<RegionName, RegionMark>;

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
    let Some(hub) = begin(app, id, listener, alone, identity, &ended).await? else {
        return Ok(());
    };
    // Again: so many may wait as come when a hub has been away.
    rustix::net::listen(listener, MAX_WAITING)
        .context("the agents' queue cannot be made longer")?;
    let connections = TaskTracker::new();
    hub.app.figures.open_hub();
    tokio::join!(
        hub.accept(listener, &connections, &ended),
        hub.hand_out(&ended),
        hub.keep_order(&ended),
        hub.note_seen(&ended),
        hub.pass_trust_on(&ended),
        hub.beat(&ended),
        hub.identity.keep_fresh(&hub.app, &ended),
    );
    hub.app.figures.shut_hub();
    hub.registry
        .order_all(&Order::Close(ClosingCode::Restarting));
    connections.close();
    // Whoever does not leave in time is cut off; agents come back by themselves.
    let _ = tokio::time::timeout(Duration::from_secs(GOODBYE_SECONDS), connections.wait()).await;
    hub.leave().await;
    Ok(())
}

/// Writes the hub down. `None`: it is to stop.
async fn begin(
    app: App,
    id: String,
    listener: &TcpListener,
    alone: bool,
    identity: Identity,
    ended: &CancellationToken,
) -> anyhow::Result<Option<Arc<Hub>>> {
    let address = listener.local_addr()?.to_string();
    let root_key = app.trust.borrow().root_key.to_string();
    loop {
        let now = app.clock.now();
        let begun = app
            .store
            .begin_hub(&id, &address, &root_key, alone, now, ended);
        match begun.await {
            Ok(Some(store)) => {
                return Ok(Some(Arc::new(Hub {
                    app: App { store, ..app },
                    id,
                    alone,
                    registry: Registry::default(),
                    identity,
                    door: Door::open()?,
                })));
            }
            Ok(None) => bail!(
                "the database is served with another root key than the one in {}: this data_dir is another \
                 installation's; copy trust.json and root.pub from the signer that serves",
                app.config.data_dir.display()
            ),
            Err(error) => {
                tracing::error!(%error, "the hub could not be written down; it tries again");
            }
        }
        tokio::select! {
            () = ended.cancelled() => return Ok(None),
            () = tokio::time::sleep(Duration::from_millis(POLL_MILLISECONDS)) => {}
        }
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

    /// Cuts off who may not be here, gives the executor's role where it is free, and forgets old
    /// security events and counts.
    async fn keep_order(&self, stop: &CancellationToken) {
        let mut ticks = tokio::time::interval(Duration::from_millis(POLL_MILLISECONDS));
        let mut tidy = tokio::time::interval(Duration::from_secs(TIDY_SECONDS));
        let mut marks = Marks::new();
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                () = self.app.bus.hub.notified() => self.keep_order_now(&mut marks).await,
                _ = ticks.tick() => self.keep_order_now(&mut marks).await,
                _ = tidy.tick() => self.forget().await,
            };
            if let Err(error) = done {
                tracing::error!(%error, "the hub could not see to its agents; it tries again");
            }
        }
    }

    async fn keep_order_now(&self, marks: &mut Marks) -> store::Result<()> {
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
            self.app.bus.tell(Change::Agent(agent));
            // It may be at another hub.
            self.app.bus.hub.notify_one();
        }
        self.follow_regions(marks).await?;
        self.let_go().await
    }

    /// Tells the agents here what has come to their regions, whichever hub's doing it was.
    async fn follow_regions(&self, marks: &mut Marks) -> store::Result<()> {
        for mark in self.app.store.region_marks().await? {
            let before = marks.get(&mark.region);
            let role = |mark: &RegionMark| (mark.executor, mark.epoch);
            let moved = before.map(role) != Some(role(&mark));
            let hinted = before.map_or(0, |before| before.hints) != mark.hints;
            if moved {
                self.tell_roles(&mark.region).await?;
            }
            if hinted {
                self.registry.hint(&mark.region, mark.executor);
            }
            marks.insert(mark.region.clone(), mark);
        }
        Ok(())
    }

    /// Tells every agent of a region that is here what its role is now.
    async fn tell_roles(&self, region: &RegionName) -> store::Result<()> {
        for (agent, state) in self.app.store.roles(region).await? {
            self.registry.order(agent, Order::Executor(state));
        }
        self.app.bus.signer.notify_one();
        Ok(())
    }

    /// Closes the sockets of agents that another hub has let in since, and lets go of those in the database
    /// that have no socket here.
    async fn let_go(&self) -> store::Result<()> {
        if self.alone || self.app.store.count_held(&self.id).await? == self.registry.count() {
            return Ok(());
        }
        let _passing = self.registry.passing.lock().await;
        let held: HashSet<_> = self.app.store.held(&self.id).await?.into_iter().collect();
        let here = self.registry.agents();
        for agent in here.difference(&held) {
            tracing::info!(%agent, "the agent is at another hub now");
            self.registry
                .order(*agent, Order::Close(ClosingCode::Replaced));
        }
        for agent in held.difference(&here) {
            self.app.store.agent_disconnected(*agent, &self.id).await?;
        }
        Ok(())
    }

    /// Says that this hub is alive.
    async fn beat(&self, stop: &CancellationToken) {
        // Nobody listens where there is no other process.
        while !self.alone && !stop.is_cancelled() {
            match self.app.store.hub_beats(&self.id).await {
                Ok(()) | Err(StoreError::Superseded(_)) => {}
                Err(error) => tracing::error!(%error, "the hub's sign of life could not be stored"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(Duration::from_millis(BEAT_MILLISECONDS)) => {}
            }
        }
    }

    async fn leave(&self) {
        self.commit_seen().await;
        match self.app.store.hub_leaves(&self.id).await {
            Ok(()) | Err(StoreError::Superseded(_)) => {}
            Err(error) => tracing::error!(%error, "the hub's end could not be stored"),
        }
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
        self.app.store.drop_job_progress().await
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
