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

use storm_protocol::error::Refusal;
use storm_protocol::receipt::Outcome;
use tokio_util::sync::CancellationToken;

use self::{commands::Rates, keys::SigningKeys};
use crate::{
    app::{App, Bus},
    clock::Clock,
    keys::Files,
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
            keys: SigningKeys::read(files)?,
            rates: Rates::default(),
        })
    }

    /// Signs and issues until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let bus = Arc::clone(&self.bus);
        loop {
            if let Err(error) = self.pass().await {
                tracing::error!(%error, "the signer could not do its work; it tries again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = bus.signer.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(POLL_MILLISECONDS)) => {}
            }
        }
    }

    /// Does all that waits.
    async fn pass(&mut self) -> store::Result<()> {
        self.sign_commands().await?;
        self.answer_certificates().await?;
        let outcome = Outcome::Refused {
            code: Refusal::Expired,
            message: EXPIRED_MESSAGE.to_owned(),
        };
        for change in self
            .store
            .expire_operations(&outcome, self.clock.now())
            .await?
        {
            self.bus.tell(change);
        }
        Ok(())
    }
}
