//! Giving up the executor's role: no change is taken any more, and those that were taken end, before
//! another agent may begin its first.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use storm_protocol::{error::Failure, ident::OperationId};

use super::{Inner, Run, Stopped, inner::UNTOLD, lock};
use crate::execute::Stop;

/// Seconds in which the changes that were taken have to end; if they do not, the role stays.
pub(crate) const RELEASE_SECONDS: u64 = 20;
/// Milliseconds between two looks at whether they have.
const LOOK_AGAIN_MILLIS: u64 = 50;

impl Run {
    /// Takes no change from here on, and comes back once every other change has ended. Reads do not
    /// count, since two agents may read.
    ///
    /// Errors: [`Failure::JobsRunning`] when they do not end in time; changes are taken again then.
    pub(crate) async fn leave_role(&mut self) -> Stopped<()> {
        lock(&self.inner.operations).leave(self.entry.operation);
        let alone = self.wait_until_alone().await;
        match &alone {
            Ok(()) => self.released = true,
            Err(_) => self.inner.stay_executor(),
        }
        alone
    }

    async fn wait_until_alone(&self) -> Stopped<()> {
        let began = Instant::now();
        loop {
            let unended = self.inner.unended_but(self.entry.operation);
            if unended == 0 {
                return Ok(());
            }
            if began.elapsed() >= Duration::from_secs(RELEASE_SECONDS) {
                let words = format!(
                    "{} {unended} had not ended after {RELEASE_SECONDS} seconds.",
                    Failure::JobsRunning.sentence()
                );
                return Err(Stop::failed(Failure::JobsRunning, words));
            }
            self.pause(Duration::from_millis(LOOK_AGAIN_MILLIS)).await?;
        }
    }
}

impl Inner {
    fn unended_but(&self, release: OperationId) -> usize {
        lock(&self.operations).unended_but(release)
    }

    fn stay_executor(&self) {
        lock(&self.operations).stay();
    }

    /// The receipt is written: the role of `epoch` is given up. From here on the epoch alone refuses
    /// what comes too late, and no call of a change starts until the hub names this agent anew.
    pub(super) fn has_left(&self, epoch: u64) {
        let named = &self.named;
        let _ = named.compare_exchange(UNTOLD, epoch, Ordering::SeqCst, Ordering::SeqCst);
        self.epoch.fetch_max(epoch + 1, Ordering::SeqCst);
        self.stay_executor();
    }
}
