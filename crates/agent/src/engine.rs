//! The engine: takes envelopes, checks them, writes them down, runs them against Garage and signs
//! what came of each. It knows no sockets but Garage's: the shell brings bytes and takes receipts.

mod admit;
mod counters;
mod inner;
mod jobs;
mod known;
mod owners;
mod queue;
mod refused;
mod release;
mod run;
mod settle;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use futures_util::future::BoxFuture;
use storm_protocol::{
    command::Resource,
    envelope::{Envelope, PayloadType, VERSION},
    error::Refusal,
    frame::{KnownState, ProgressFrame, ReceiptFrame},
    ident::{Digest, Micros, OperationId},
    receipt::Head,
    result::InventoryRefreshed,
    trust::TrustDocument,
};
use tokio::sync::broadcast;

pub(crate) use self::{
    counters::RefusalCount,
    inner::Inner,
    jobs::JobGate,
    run::{Attempt, Backoff, Run},
};
use self::{known::Known, settle::Origin};
pub(crate) use crate::journal::{JournalError, OpenError, Source};
use crate::{
    clock::Clock,
    execute::Stop,
    garage::GarageClient,
    identity::Identity,
    journal::{Journal, Tx},
    s3::S3,
};

/// Operations that run at the same time, jobs apart.
pub(crate) const MAX_RUNNING: usize = 32;
/// Operations that wait for their turn; more is busy.
pub(crate) const MAX_WAITING: usize = 1000;
/// Events that a slow listener may be behind before it loses some; the journal has them all.
pub(crate) const EVENTS_KEPT: usize = 1024;
/// Seconds that a shutdown lets running operations finish.
pub(crate) const SHUTDOWN_FINISH_SECONDS: u64 = 10;
/// Seconds that a shutdown then waits for admin calls on their way.
pub(crate) const SHUTDOWN_CALL_SECONDS: u64 = 5;
const GENERATION: &str = "generation";

/// Sweeps the cluster's buckets and keys; the shell's inventory gives one.
pub(crate) type Refresher =
    Arc<dyn Fn() -> BoxFuture<'static, Result<InventoryRefreshed, String>> + Send + Sync>;

/// What an engine is made of.
pub(crate) struct EngineOptions {
    /// Where journal and audit file are.
    pub(crate) state_dir: PathBuf,
    /// Who the agent is.
    pub(crate) identity: Arc<Identity>,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Garage.
    pub(crate) garage: GarageClient,
    /// Commands that the configuration switches off, or that it does not make possible.
    pub(crate) disabled: Vec<String>,
    /// S3 on this node, when the configuration names it.
    pub(crate) s3: Option<S3>,
    /// Jobs that run at the same time.
    pub(crate) max_jobs: usize,
    /// The end of the chain of the agent that this one replaces.
    pub(crate) predecessor_head: Option<Digest>,
}

/// What came of an envelope at once.
#[derive(Debug, Clone)]
pub(crate) enum Submitted {
    /// It is in the journal and will run.
    Accepted(OperationId),
    /// It was taken before and has not ended.
    Running(OperationId),
    /// It ended before, or is refused: the receipt.
    Ended(ReceiptFrame),
    /// No trusted key signed it, or nothing could be written: no receipt, only counted.
    Dropped(Refusal),
}

/// What happens in the engine.
#[derive(Debug, Clone)]
pub(crate) enum EngineEvent {
    /// An operation is in the journal.
    Accepted,
    /// A receipt has joined the chain: an operation ended or an envelope was refused.
    Ended,
    /// An operation has changed, or tried to change, these.
    Touched(Vec<Resource>),
}

/// A handle on the engine; cheap to clone.
#[derive(Clone)]
pub(crate) struct Engine(Arc<Inner>);

/// How far the engine is from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Working.
    Open,
    /// What runs may finish if nothing holds it up; nothing starts.
    Draining,
    /// No admin call starts.
    Halting,
}

impl Engine {
    /// Opens the journal, which one process at a time can hold, and completes the audit file. Runs
    /// nothing yet, but unfinished operations already stand first in the queues of their things.
    pub(crate) async fn open(options: EngineOptions) -> Result<Self, OpenError> {
        let (folder, now) = (options.state_dir.clone(), options.clock.now());
        let opening = tokio::task::spawn_blocking(move || Journal::open(&folder, now)).await;
        let opened = opening.unwrap_or_else(|error| {
            Err(OpenError::File {
                path: options.state_dir.clone(),
                cause: std::io::Error::other(error),
            })
        })?;
        Ok(Self(Arc::new(Inner::new(options, opened))))
    }

    /// Drives every unfinished operation forward. A second call does nothing.
    pub(crate) fn start_recovery(&self) {
        for (entry, ticket) in std::mem::take(&mut *lock(&self.0.recovery)) {
            tracing::info!(operation = %entry.operation, command = %entry.command.name, "recovering");
            tokio::spawn(Arc::clone(&self.0).drive(entry, None, ticket, Origin::Recovered));
        }
    }

    /// Takes an envelope: all checks, the journal, and the start of its execution. Its place in the
    /// lines of its things is taken by the call itself, before anything is waited for: whoever calls
    /// in the order in which commands came may wait for the answers in any order.
    pub(crate) fn submit(
        &self,
        bytes: &[u8],
        source: Source,
    ) -> impl Future<Output = Submitted> + Send + use<> {
        self.0.submit(bytes, source)
    }

    /// Trusts what `trust` says, from now on.
    pub(crate) fn set_trust(&self, trust: TrustDocument) {
        *self
            .0
            .trust
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(trust);
    }

    /// Whether this agent is its region's executor, and in which epoch. A higher epoch is kept.
    /// Once told that it is not, it starts no admin call of a changing command. A hub that has not
    /// heard yet that it gave the role up names an epoch that has passed, which counts for nothing.
    pub(crate) fn set_executor(&self, executor: bool, epoch: u64) {
        let named = if executor { epoch } else { 0 };
        self.0.named.store(named, Ordering::SeqCst);
        if self.0.epoch.fetch_max(epoch, Ordering::SeqCst) < epoch {
            let journal = self.0.journal.clone();
            tokio::spawn(async move {
                let kept = journal
                    .commit("settings", move |tx| tx.raise(Micros(0), epoch))
                    .await;
                if let Err(error) = kept {
                    tracing::error!(%error, epoch, "the executor epoch was not kept");
                }
            });
        }
    }

    /// The hub has given a sign of life: admin calls of changing commands may go on for
    /// [`EXECUTOR_SILENCE_SECONDS`].
    pub(crate) fn heard_from_hub(&self) {
        self.0.heard();
    }

    /// The hub has welcomed the agent on a new connection.
    pub(crate) fn welcomed(&self) {
        self.0.welcomed();
    }

    /// Whether the hub was silent for so long that frames of the same connection prove nothing.
    pub(crate) fn is_silent(&self) -> bool {
        self.0.is_silent()
    }

    /// The highest executor epoch that was seen.
    pub(crate) fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::SeqCst)
    }

    /// How far an operation is.
    pub(crate) fn state_of(&self, operation: OperationId) -> KnownState {
        match lock(&self.0.operations).get(operation) {
            Some(Known::Running { .. }) => KnownState::Running,
            Some(Known::Ended(_)) => KnownState::Ended,
            None => KnownState::Unknown,
        }
    }

    /// What happens from now on.
    pub(crate) fn events(&self) -> broadcast::Receiver<EngineEvent> {
        self.0.events.subscribe()
    }

    /// Receipts from `sequence` on, at most `limit`.
    pub(crate) fn receipts_from(
        &self,
        sequence: u64,
        limit: usize,
    ) -> Result<Vec<ReceiptFrame>, JournalError> {
        self.0.journal.receipts(sequence, limit)
    }

    /// The hub has stored the receipts up to `sequence`.
    pub(crate) fn receipts_kept(&self, sequence: u64) {
        self.0.acknowledged.fetch_max(sequence, Ordering::SeqCst);
        self.0.prune_sometimes();
    }

    /// The end of the chain, signed.
    pub(crate) fn head(&self) -> Envelope {
        let (identity, head) = (&self.0.identity, self.0.journal.head());
        let head = Head {
            version: VERSION,
            agent: identity.agent,
            sequence: head.sequence,
            digest: head.digest,
            at: self.0.now(),
        };
        // A head serialises: numbers and texts alone.
        let payload = serde_json::to_vec(&head).unwrap_or_default();
        Envelope::sign(PayloadType::Head, payload, &identity.receipt_key)
    }

    /// The generation of the last inventory that the hub acknowledged; 0 for none.
    pub(crate) fn generation(&self) -> Result<u64, JournalError> {
        let kept = self.0.journal.blob(GENERATION)?;
        let kept = kept.and_then(|bytes| bytes.try_into().ok());
        Ok(kept.map_or(0, u64::from_be_bytes))
    }

    /// Keeps the generation.
    pub(crate) async fn set_generation(&self, generation: u64) -> Result<(), JournalError> {
        let value = generation.to_be_bytes();
        let put = move |tx: &mut Tx<'_>| tx.put_blob(GENERATION, &value);
        self.0.journal.commit("settings", put).await
    }

    /// Whether there are jobs that have not ended.
    pub(crate) fn has_jobs(&self) -> bool {
        !self.0.jobs.is_empty()
    }

    /// How far the jobs are that have begun.
    pub(crate) fn progress(&self) -> Vec<ProgressFrame> {
        self.0.jobs.progress()
    }

    /// Takes what `inventory.refresh` calls.
    pub(crate) fn set_refresher(&self, refresher: Refresher) {
        *self.0.refresher.write().unwrap_or_else(|p| p.into_inner()) = Some(refresher);
    }

    /// Why the journal takes nothing at the moment, in words: no change is taken then.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.0.journal.trouble()
    }

    /// How often each refusal happened in each of the last minutes.
    pub(crate) fn counters(&self) -> Vec<RefusalCount> {
        self.0.counters.read()
    }

    /// Starts nothing more, lets what runs finish for a bounded time, closes the journal. What is
    /// left is recovered at the next start.
    pub(crate) async fn shutdown(&self) {
        let inner = &self.0;
        inner.phase.send_replace(Phase::Draining);
        inner.queue.stop();
        let finish = Duration::from_secs(SHUTDOWN_FINISH_SECONDS);
        if tokio::time::timeout(finish, inner.queue.idle())
            .await
            .is_err()
        {
            inner.phase.send_replace(Phase::Halting);
            let calls = Duration::from_secs(SHUTDOWN_CALL_SECONDS);
            let _ = tokio::time::timeout(calls, inner.queue.idle()).await;
        }
        inner.phase.send_replace(Phase::Halting);
        let journal = inner.journal.clone();
        let _ = tokio::task::spawn_blocking(move || journal.close()).await;
    }
}

/// Locks; a panic elsewhere does not make the data unusable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

pub(crate) type Stopped<T> = Result<T, Stop>;

#[cfg(test)]
mod tests;
