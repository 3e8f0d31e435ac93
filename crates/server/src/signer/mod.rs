//! The signer: the only module that reads the dispatch and the CA key. It takes its work from the
//! database, decides for itself, and puts signed envelopes and certificates back; nothing in the web
//! tier or the hub can reach what it holds.
//!
//! Its own check is against faults and floods. Whoever runs code in the web tier can write requests
//! in anyone's name.

mod certificates;
mod commands;
mod keys;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use storm_protocol::{envelope::MAX_VALIDITY_SECONDS, error::Refusal, receipt::Outcome};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use self::{commands::Rates, keys::SigningKeys};
use crate::{
    app::{App, Bus},
    clock::Clock,
    keys::Files,
    status::Figures,
    store::{self, Store},
};

/// Milliseconds between looks at the database when nothing wakes the signer.
const POLL_MILLISECONDS: u64 = 1_000;
/// What an operation says that no agent took in time.
const EXPIRED_MESSAGE: &str = "No agent of the region took the command in time. Nothing was changed. Ask again once the agent is connected.";

/// Holds the keys; not reachable from [`App`].
pub struct Signer {
    store: Store,
    clock: Arc<dyn Clock>,
    bus: Arc<Bus>,
    figures: Arc<Figures>,
    keys: SigningKeys,
    rates: Rates,
}

impl Signer {
    /// Reads the keys.
    pub fn open(app: &App, files: &Files) -> anyhow::Result<Self> {
        Ok(Self {
            store: app.store.clone(),
            clock: Arc::clone(&app.clock),
            bus: Arc::clone(&app.bus),
            figures: Arc::clone(&app.figures),
            keys: SigningKeys::read(files)?,
            rates: Rates::default(),
        })
    }

    /// Signs and issues until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let bus = Arc::clone(&self.bus);
        let mut ticks = tokio::time::interval(Duration::from_millis(POLL_MILLISECONDS));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                () = bus.signer.notified() => self.answer().await,
                _ = ticks.tick() => self.pass().await,
            };
            if let Err(error) = done {
                tracing::error!(%error, "the signer could not do its work; it tries again");
            }
        }
    }

    /// Does all that waits, and all that is due.
    async fn pass(&mut self) -> store::Result<()> {
        let now = self.clock.now();
        let unsent = now.plus_seconds(-MAX_VALIDITY_SECONDS);
        let mut changes = self.store.take_back_unsent(unsent).await?;
        self.answer().await?;
        let outcome = Outcome::Refused {
            code: Refusal::Expired,
            message: EXPIRED_MESSAGE.to_owned(),
        };
        changes.extend(self.store.expire_operations(&outcome, now).await?);
        for change in changes {
            self.bus.tell(change);
        }
        Ok(())
    }

    /// Does all that waits.
    async fn answer(&mut self) -> store::Result<()> {
        self.sign_commands().await?;
        self.answer_certificates().await
    }
}
