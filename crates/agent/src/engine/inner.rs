//! What the parts of the engine share: its state, its clock, and when the cluster may be changed.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use storm_protocol::{
    command::Command,
    frame::EXECUTOR_SILENCE_SECONDS,
    ident::{AccountId, BucketId, BucketName, Digest, Micros, OperationId},
    trust::TrustDocument,
};
use tokio::{
    sync::{Notify, broadcast, watch},
    time::Instant,
};

use super::{
    EVENTS_KEPT, EngineEvent, EngineOptions, Phase, Refresher, Stopped,
    counters::Counters,
    jobs::Jobs,
    known::Operations,
    lock,
    queue::{Queue, Ticket},
    refused::RefusedBefore,
};
use crate::{
    clock::Clock,
    execute::Stop,
    garage::GarageClient,
    identity::Identity,
    journal::{Entry, Journal, Opened, Tenure},
    s3::S3,
    verify::Memory,
};

/// The hub has not said yet who executes.
pub(super) const UNTOLD: u64 = u64::MAX;

pub(crate) struct Inner {
    pub(crate) identity: Arc<Identity>,
    pub(crate) garage: GarageClient,
    pub(crate) journal: Journal,
    /// Held for reading around CreateBucket, for writing while nameless buckets are looked for.
    pub(crate) creates: tokio::sync::RwLock<()>,
    /// When the next quota of an account may be set, whichever account's.
    pub(crate) quota_turn: tokio::sync::Mutex<Instant>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) disabled: Vec<String>,
    pub(super) predecessor: Option<Digest>,
    pub(super) trust: RwLock<Option<TrustDocument>>,
    pub(super) birth: Micros,
    pub(super) floor: Mutex<Option<OperationId>>,
    pub(super) newest_issued: AtomicI64,
    pub(super) epoch: AtomicU64,
    pub(super) tenure: Mutex<Tenure>,
    /// The epoch in which the hub last called this agent the executor; 0 once it has called another,
    /// [`UNTOLD`] before it has said anything.
    pub(super) named: AtomicU64,
    pub(super) operations: Mutex<Operations>,
    /// Jobs that have not ended.
    pub(super) jobs: Jobs,
    /// S3 on this node, for jobs; absent when the configuration does not name it.
    pub(crate) s3: Option<S3>,
    /// Names that unfinished operations are making buckets under.
    pub(super) creating: Mutex<HashMap<OperationId, BucketName>>,
    /// Buckets that are no account's any more, and since when: a sweep may still show whose they were.
    pub(super) given_up: Mutex<HashMap<BucketId, Instant>>,
    pub(super) queue: Arc<Queue>,
    pub(super) place: AtomicU64,
    pub(super) heard_at: AtomicU64,
    pub(super) heard: Notify,
    pub(super) phase: watch::Sender<Phase>,
    pub(super) events: broadcast::Sender<EngineEvent>,
    pub(super) counters: Counters,
    pub(super) refused: Mutex<RefusedBefore>,
    pub(super) refresher: RwLock<Option<Refresher>>,
    pub(super) acknowledged: AtomicU64,
    pub(super) pruned_at: AtomicI64,
    pub(super) recovery: Mutex<Vec<(Entry, Ticket)>>,
}

impl Inner {
    /// The state as the journal left it. Unfinished operations stand first in the lines of their
    /// things, and wait to be driven on.
    pub(super) fn new(options: EngineOptions, opened: Opened) -> Self {
        let operations = Operations::of_journal(&opened.running, &opened.ended);
        drop(opened.ended);
        let inner = Self {
            identity: options.identity,
            garage: options.garage,
            journal: opened.journal,
            creates: tokio::sync::RwLock::new(()),
            quota_turn: tokio::sync::Mutex::new(Instant::now()),
            clock: options.clock,
            disabled: options.disabled,
            predecessor: options.predecessor_head,
            trust: RwLock::new(None),
            birth: opened.birth,
            floor: Mutex::new(opened.floor),
            newest_issued: AtomicI64::new(opened.newest_issued.0),
            epoch: AtomicU64::new(opened.epoch),
            tenure: Mutex::new(opened.tenure),
            named: AtomicU64::new(UNTOLD),
            operations: Mutex::new(operations),
            jobs: Jobs::default(),
            s3: options.s3,
            creating: Mutex::default(),
            given_up: Mutex::default(),
            queue: Arc::new(Queue::new(options.max_jobs)),
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
            let job = command
                .as_ref()
                .and_then(|command| inner.take_job_up(&entry, command));
            let resources = command.map_or_else(Vec::new, |command| command.resources());
            let ticket = inner.queue.enter(entry.operation, resources, job);
            recovery.push((entry, ticket));
        }
        // Not before all are there: the first account's jobs would take every place.
        inner.queue.open();
        *lock(&inner.recovery) = recovery;
        inner
    }

    /// Takes in a job that an earlier process has left, cancelled if it was.
    fn take_job_up(&self, entry: &Entry, command: &Command) -> Option<AccountId> {
        let (operation, account) = (entry.operation, entry.actor.account);
        let job = self.jobs.begin(operation, account, command)?;
        match self.journal.is_cancelled(operation) {
            Ok(false) => {}
            Ok(true) => self.jobs.cancel(operation),
            Err(error) => {
                // In doubt long work is not gone on with.
                tracing::error!(%error, %operation, "whether the job was cancelled cannot be read");
                self.jobs.cancel(operation);
            }
        }
        Some(job)
    }

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
    /// long that it may have named another executor, or has said so, or when this agent has given the
    /// role up since it was named.
    pub(crate) fn may_change(&self) -> bool {
        !self.is_silent() && self.named.load(Ordering::SeqCst) >= self.epoch.load(Ordering::SeqCst)
    }

    /// Lets the next call start, or waits until the hub is heard; `free` needs no hub. While the
    /// engine closes, `job`s start nothing. Tells whether it has waited.
    pub(super) async fn gate(&self, free: bool, job: bool) -> Stopped<bool> {
        let mut waited = false;
        loop {
            let phase = *self.phase().borrow();
            let free = free || self.may_change();
            match phase {
                Phase::Open | Phase::Draining if free && !(job && phase != Phase::Open) => {
                    return Ok(waited);
                }
                Phase::Open => {
                    waited = true;
                    self.hearing().await;
                }
                Phase::Draining | Phase::Halting => return Err(Stop::Halted),
            }
        }
    }

    /// Comes back when the hub is heard, or a little later.
    pub(crate) async fn hearing(&self) {
        const LOOK_AGAIN: Duration = Duration::from_millis(500);
        let _ = tokio::time::timeout(LOOK_AGAIN, self.heard.notified()).await;
    }

    /// Whether the hub was not heard for so long that it may have named another executor.
    pub(super) fn is_silent(&self) -> bool {
        let heard = self.heard_at.load(Ordering::SeqCst);
        heard == 0 || boot_seconds().saturating_sub(heard) > EXECUTOR_SILENCE_SECONDS
    }

    /// A frame came. After too long a silence it proves nothing: it may have waited here since then,
    /// while the process was stopped. Only a new connection's welcome ends such a silence.
    pub(super) fn heard(&self) {
        if self.heard_at.load(Ordering::SeqCst) == 0 || !self.is_silent() {
            self.welcomed();
        }
    }

    /// The hub has answered on a new connection.
    pub(super) fn welcomed(&self) {
        self.heard_at.store(boot_seconds(), Ordering::SeqCst);
        self.heard.notify_waiters();
    }

    pub(super) fn memory(&self) -> Memory {
        Memory {
            birth: self.birth,
            floor: *lock(&self.floor),
            tenure: *lock(&self.tenure),
        }
    }

    /// A command that was signed at `issued_at` for `epoch` has been taken.
    pub(super) fn taken(&self, issued_at: Micros, epoch: u64) {
        self.newest_issued.fetch_max(issued_at.0, Ordering::SeqCst);
        let mut tenure = lock(&self.tenure);
        *tenure = tenure.with(epoch, issued_at);
        drop(tenure);
        self.epoch.fetch_max(epoch, Ordering::SeqCst);
    }

    pub(super) fn expect_bucket(&self, operation: OperationId, command: Option<&Command>) {
        if let Some(Command::BucketCreate(create)) = command {
            lock(&self.creating).insert(operation, create.bucket.clone());
        }
    }

    pub(super) fn emit(&self, event: EngineEvent) {
        // Nobody listening is fine: the journal has it.
        let _ = self.events.send(event);
    }
}

/// Seconds since the machine started, sleep included; at least 1.
fn boot_seconds() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(now.tv_sec).unwrap_or(0).max(1)
}
