//! The engine: takes envelopes, checks them, writes them down, runs them against Garage and signs
//! what came of each. It knows no sockets but Garage's: the shell brings bytes and takes receipts.

mod admit;
mod counters;
mod owners;
mod queue;
mod run;
mod settle;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use storm_protocol::{
    command::{Command, Resource},
    envelope::{Envelope, PayloadType, VERSION},
    error::Refusal,
    frame::{EXECUTOR_SILENCE_SECONDS, KnownState, ReceiptFrame},
    ident::{AccessKeyId, AccountId, BucketId, BucketName, Digest, Micros, OperationId},
    receipt::Head,
    result::InventoryRefreshed,
    trust::TrustDocument,
};
use tokio::sync::{Notify, broadcast, watch};

use self::{counters::Counters, queue::Queue};
pub(crate) use self::{
    counters::RefusalCount,
    run::{Attempt, Backoff, Run},
};
pub(crate) use crate::journal::{JournalError, OpenError, Source};
use crate::{
    clock::Clock,
    execute::Stop,
    garage::GarageClient,
    identity::Identity,
    journal::{Entry, Finished, Journal, Owned, OwnerChange, Tx},
    verify::Memory,
};

/// Operations that run at the same time.
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
    /// Commands that the configuration switches off.
    pub(crate) disabled: Vec<String>,
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

#[derive(Debug, Clone, Copy)]
pub(crate) enum Known {
    Running(Digest),
    Ended(Finished),
}

pub(crate) struct Inner {
    pub(crate) identity: Arc<Identity>,
    pub(crate) garage: GarageClient,
    pub(crate) journal: Journal,
    /// Held for reading around CreateBucket, for writing while nameless buckets are looked for.
    pub(crate) creates: tokio::sync::RwLock<()>,
    clock: Arc<dyn Clock>,
    disabled: Vec<String>,
    predecessor: Option<Digest>,
    trust: RwLock<Option<TrustDocument>>,
    birth: Micros,
    floor: Mutex<Option<OperationId>>,
    newest_issued: AtomicI64,
    epoch: AtomicU64,
    /// The hub has said that another agent is the executor.
    demoted: AtomicBool,
    operations: Mutex<HashMap<OperationId, Known>>,
    /// Names that unfinished operations are making buckets under.
    creating: Mutex<HashMap<OperationId, BucketName>>,
    queue: Arc<Queue>,
    place: AtomicU64,
    heard_at: AtomicU64,
    heard: Notify,
    phase: watch::Sender<Phase>,
    events: broadcast::Sender<EngineEvent>,
    counters: Counters,
    refused: Mutex<admit::RefusedBefore>,
    refresher: RwLock<Option<Refresher>>,
    acknowledged: AtomicU64,
    pruned_at: AtomicI64,
    recovery: Mutex<Vec<(Entry, queue::Ticket)>>,
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
        let running = opened.running.iter();
        let running = running.map(|entry| (entry.operation, Known::Running(entry.intent)));
        let ended = opened
            .ended
            .iter()
            .map(|(id, finished)| (*id, Known::Ended(*finished)));
        let inner = Inner {
            identity: options.identity,
            garage: options.garage,
            journal: opened.journal,
            creates: tokio::sync::RwLock::new(()),
            clock: options.clock,
            disabled: options.disabled,
            predecessor: options.predecessor_head,
            trust: RwLock::new(None),
            birth: opened.birth,
            floor: Mutex::new(opened.floor),
            newest_issued: AtomicI64::new(opened.newest_issued.0),
            epoch: AtomicU64::new(opened.epoch),
            demoted: AtomicBool::new(false),
            operations: Mutex::new(running.chain(ended).collect()),
            creating: Mutex::default(),
            queue: Arc::default(),
            place: AtomicU64::new(opened.running.last().map_or(0, |entry| entry.place + 1)),
            heard_at: AtomicU64::new(0),
            heard: Notify::new(),
            phase: watch::channel(Phase::Open).0,
            events: broadcast::channel(EVENTS_KEPT).0,
            counters: Counters::default(),
            refused: Mutex::default(),
            refresher: RwLock::new(None),
            acknowledged: AtomicU64::new(0),
            pruned_at: AtomicI64::new(0),
            recovery: Mutex::default(),
        };
        let mut recovery = Vec::with_capacity(opened.running.len());
        for entry in opened.running {
            let command = entry.command.parse().ok();
            inner.expect_bucket(entry.operation, command.as_ref());
            let resources = command.map_or_else(Vec::new, |command| command.resources());
            let ticket = inner.queue.enter(entry.operation, resources);
            recovery.push((entry, ticket));
        }
        *lock(&inner.recovery) = recovery;
        Ok(Self(Arc::new(inner)))
    }

    /// Drives every unfinished operation forward. A second call does nothing.
    pub(crate) fn start_recovery(&self) {
        for (entry, ticket) in std::mem::take(&mut *lock(&self.0.recovery)) {
            tracing::info!(operation = %entry.operation, command = %entry.command.name, "recovering");
            tokio::spawn(Arc::clone(&self.0).drive(entry, None, ticket, true));
        }
    }

    /// Takes an envelope: all checks, the journal, and the start of its execution.
    pub(crate) async fn submit(&self, bytes: &[u8], source: Source) -> Submitted {
        self.0.submit(bytes, source).await
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
    /// Once told that it is not, it starts no admin call of a changing command.
    pub(crate) fn set_executor(&self, executor: bool, epoch: u64) {
        self.0.demoted.store(!executor, Ordering::SeqCst);
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

    /// The highest executor epoch that was seen.
    pub(crate) fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::SeqCst)
    }

    /// How far an operation is.
    pub(crate) fn state_of(&self, operation: OperationId) -> KnownState {
        match lock(&self.0.operations).get(&operation) {
            Some(Known::Running(_)) => KnownState::Running,
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

    /// Learns whose things are from their keys' names in Garage. What the journal knows stands.
    pub(crate) async fn learn_owners(
        &self,
        buckets: Vec<(BucketId, AccountId)>,
        keys: Vec<(AccessKeyId, AccountId)>,
    ) -> Result<(), JournalError> {
        let buckets = buckets
            .into_iter()
            .map(|(id, account)| (Owned::Bucket(id), account));
        let keys = keys
            .into_iter()
            .map(|(id, account)| (Owned::Key(id), account));
        let mut new = Vec::new();
        for (thing, account) in buckets.chain(keys) {
            if self.0.journal.owner(&thing)?.is_none() {
                new.push(OwnerChange::Learn(thing, account));
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        self.0
            .journal
            .commit("settings", move |tx| tx.change_owners(&new))
            .await
    }

    /// Takes what `inventory.refresh` calls.
    pub(crate) fn set_refresher(&self, refresher: Refresher) {
        *self.0.refresher.write().unwrap_or_else(|p| p.into_inner()) = Some(refresher);
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

impl Inner {
    /// Now, and never before the newest time of signing that was taken.
    pub(crate) fn now(&self) -> Micros {
        let newest = Micros(self.newest_issued.load(Ordering::SeqCst));
        self.clock.now().max(newest)
    }

    pub(crate) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// The sweeper of the inventory, when the shell has set one.
    pub(crate) fn refresher(&self) -> Option<Refresher> {
        self.refresher
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .clone()
    }

    /// The names that unfinished operations are making buckets under.
    pub(crate) fn creating(&self) -> Vec<BucketName> {
        lock(&self.creating).values().cloned().collect()
    }

    /// Whether the cluster may be changed on the hub's behalf: not when it has been silent for so
    /// long that it may have named another executor, or has said so.
    pub(crate) fn may_change(&self) -> bool {
        let heard = self.heard_at.load(Ordering::SeqCst);
        let silent = heard == 0 || boot_seconds().saturating_sub(heard) > EXECUTOR_SILENCE_SECONDS;
        !silent && !self.demoted.load(Ordering::SeqCst)
    }

    /// Comes back when the hub is heard, or a little later.
    pub(crate) async fn hearing(&self) {
        const LOOK_AGAIN: Duration = Duration::from_millis(500);
        let _ = tokio::time::timeout(LOOK_AGAIN, self.heard.notified()).await;
    }

    fn heard(&self) {
        self.heard_at.store(boot_seconds(), Ordering::SeqCst);
        self.heard.notify_waiters();
    }

    fn memory(&self) -> Memory {
        Memory {
            birth: self.birth,
            floor: *lock(&self.floor),
        }
    }

    fn expect_bucket(&self, operation: OperationId, command: Option<&Command>) {
        if let Some(Command::BucketCreate(create)) = command {
            lock(&self.creating).insert(operation, create.bucket.clone());
        }
    }

    fn emit(&self, event: EngineEvent) {
        // Nobody listening is fine: the journal has it.
        let _ = self.events.send(event);
    }
}

/// Seconds since the machine started, sleep included; at least 1.
fn boot_seconds() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(now.tv_sec).unwrap_or(0).max(1)
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
