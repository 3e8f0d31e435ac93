//! What a hub sees to each second, for its own agents and for all: who is kept out, who leads, and who is at
//! another hub by now. Several hubs do so at the same time; the database lets one in after the other.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use storm_protocol::{frame::ClosingCode, ident::RegionName};
use tokio_util::sync::CancellationToken;

use super::{Hub, POLL_MILLISECONDS, registry::Order};
use crate::{
    app::Change,
    store::{
        self,
        admission::{Appointed, KeptOut},
        hubs::RegionMark,
    },
};

/// Seconds between rounds of forgetting.
const TIDY_SECONDS: u64 = 600;
/// Seconds that security events are kept: 90 days.
const SECURITY_EVENT_SECONDS: i64 = 90 * 24 * 3600;
/// Security events that are kept: the newest.
const MAX_SECURITY_EVENTS: u32 = 100_000;

/// What each region had come to when it was last looked at.
type Marks = HashMap<RegionName, RegionMark>;

impl Hub {
    /// Cuts off who may not be here, gives the executor's role where it is free, and forgets old
    /// security events and counts.
    pub(super) async fn keep_order(&self, stop: &CancellationToken) {
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
    pub(super) async fn tell_roles(&self, region: &RegionName) -> store::Result<()> {
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
}
