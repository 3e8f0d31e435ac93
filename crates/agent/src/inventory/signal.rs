//! When to sweep: the counters are looked at every few seconds, and where they do not show every
//! change, time decides.

use std::time::Duration;

use storm_protocol::frame::ToHub;
use tokio::time::Instant;

use super::{
    Inventory,
    counters::{self, Counters},
    outbox::hand_over,
};
use crate::garage::CallError;

/// Seconds between two sweeps at least, unless one is asked for by name.
const SWEEP_SECONDS: u64 = 60;
/// Minutes after which the buckets are read again where the counters do not show every change: with
/// more nodes than copies, and while there are none to read.
const BLIND_SWEEP_MINUTES: u64 = 10;
/// Hours after which everything is read again though nothing seems to have moved.
const SAFETY_SWEEP_HOURS: u64 = 6;
/// Seconds for the control plane to acknowledge a generation; after them it gets everything anew.
const KEPT_SECONDS: u64 = 60;

const SWEEP: Duration = Duration::from_secs(SWEEP_SECONDS);
const KEPT: Duration = Duration::from_secs(KEPT_SECONDS);
const BLIND_SWEEP: Duration = Duration::from_secs(BLIND_SWEEP_MINUTES * 60);
const SAFETY_SWEEP: Duration = Duration::from_secs(SAFETY_SWEEP_HOURS * 3600);

impl Inventory {
    /// Looks whether something has moved.
    pub(super) async fn poll(&mut self) {
        let link = *self.link.borrow();
        match link {
            Some(link) if link.executor => self.poll_to_sweep().await,
            Some(link) => self.poll_to_tell(link.session).await,
            None => {}
        }
    }

    async fn poll_to_sweep(&mut self) {
        if older(self.on_its_way.map(|(.., since)| since), KEPT) {
            tracing::warn!(
                "the control plane did not acknowledge the inventory; sending all of it"
            );
            self.on_its_way = None;
            self.generation = None;
        }
        let stale = self.stale();
        let now = self.look().await;
        let blind = !now.is_some_and(Counters::show_every_change);
        let moved = now.is_some_and(|now| {
            let still = self.counted.is_some_and(|before| now.stood_still(before));
            !still || self.generation.is_none()
        });
        if moved || stale || (blind && older(self.swept, BLIND_SWEEP)) {
            self.moved();
        }
    }

    /// Tells the executor, by way of the hub, when something has moved here: with more nodes than
    /// copies its own counters do not show every change, and it would wait for its sweep by time. What
    /// moved while there was no connection, or was told to one that broke, is told again to the next.
    async fn poll_to_tell(&mut self, session: u64) {
        let Some(now) = self.look().await else { return };
        let still = self.counted.is_some_and(|before| now.stood_still(before));
        if still && self.told == Some(session) {
            return;
        }
        if hand_over(&mut self.link.clone(), &self.frames, session, ToHub::Moved)
            .await
            .is_ok()
        {
            (self.counted, self.told) = (Some(now), Some(session));
        }
    }

    /// Something may have moved: the executor sweeps, as soon as the last sweep is long enough ago.
    pub(super) fn moved(&mut self) {
        let again = self.swept.map(|swept| swept + SWEEP);
        self.sweep_at(again.unwrap_or_else(Instant::now));
    }

    /// The counters; `None` while Garage is away: when it is back, they have begun anew.
    async fn look(&self) -> Option<Counters> {
        let counted = self.count().await;
        if let Err(error) = &counted {
            self.shell
                .board
                .inventory(|shown| shown.last_error = Some(error.to_string()));
        }
        counted.ok()
    }

    /// Whether everything was read so long ago that it is due again whatever the counters say.
    pub(super) fn stale(&self) -> bool {
        older(self.keys_swept, SAFETY_SWEEP)
    }

    /// Reads the counters, and Garage's version beside them.
    pub(super) async fn count(&self) -> Result<Counters, CallError> {
        let metrics = self.metrics.metrics().await?;
        let text = String::from_utf8_lossy(&metrics);
        self.shell
            .board
            .set_garage_version(counters::garage_version(&text));
        Ok(Counters::parse(&text))
    }
}

/// Whether `when` is that long ago. What has never been is waited for by other means.
fn older(when: Option<Instant>, age: Duration) -> bool {
    when.is_some_and(|when| when.elapsed() >= age)
}
