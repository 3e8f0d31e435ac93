//! What the agent shows of itself: `status.json` in the state directory, written anew every few
//! seconds and on change, because nobody else can read the journal while the agent runs.

mod words;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use storm_protocol::{
    envelope::Envelope,
    ident::{AgentId, Micros, RegionName},
};
use tokio::{sync::Notify, time::sleep};

pub(crate) use words::{describe, instant};

use crate::{files, run::Shell, state::StateDir};

/// Seconds between two writings when nothing changes.
pub(crate) const WRITE_SECONDS: u64 = 5;
/// Milliseconds that changes are collected before they are written.
const COLLECT_MILLISECONDS: u64 = 200;
/// The largest status file, in bytes.
const MAX_STATUS_BYTES: usize = 256 * 1024;
const STATUS_FILE: &str = "status.json";

/// The agent as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The agent's version.
    pub agent_version: String,
    /// Its id.
    pub agent: AgentId,
    /// Its region.
    pub region: RegionName,
    /// Its process.
    pub pid: u32,
    /// When this was written.
    pub written_at: Micros,
    /// The hub's address.
    pub hub: String,
    /// The connection to the hub.
    pub connection: Connection,
    /// The clock compared with the hub's.
    pub clock: Option<ClockOffset>,
    /// Whether the agent executes for its region.
    pub executor: bool,
    /// The region's epoch.
    pub epoch: u64,
    /// The serial of the trust document in force.
    pub trust_serial: u64,
    /// When the certificate ends.
    pub certificate_expires_at: Option<Micros>,
    /// The last receipt of the chain.
    pub receipts: u64,
    /// The last receipt that the hub has.
    pub receipts_kept: u64,
    /// The end of the chain, signed.
    pub head: Envelope,
    /// Why the journal cannot be written, so that no change is taken.
    pub journal_error: Option<String>,
    /// The inventory.
    pub inventory: InventoryStatus,
    /// The log from which requests are counted, where one is configured.
    #[serde(default)]
    pub traffic: Option<TrafficStatus>,
    /// Garage's version, when known.
    pub garage_version: Option<String>,
    /// Envelopes that were refused in the last hour, by minute and code.
    pub refused: Vec<RefusedCount>,
    /// Frames that were not understood, by code.
    pub frames_refused: BTreeMap<String, u64>,
}

/// The connection to the hub.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Connection {
    /// How far it is.
    pub state: ConnectionState,
    /// Since when.
    pub since: Micros,
    /// Attempts since the last connection that held.
    pub attempts: u32,
    /// Why the last connection failed.
    pub last_error: Option<String>,
}

/// How far the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectionState {
    /// Between two attempts.
    Waiting,
    /// Dialling.
    Connecting,
    /// Connected, not yet welcomed.
    Introducing,
    /// In order.
    Connected,
    /// The agent has stopped.
    Stopped,
}

/// The clock compared with the hub's.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct ClockOffset {
    /// The hub's clock less ours, in microseconds.
    pub offset_micros: i64,
    /// How long question and answer took, in microseconds: half of it is the error at most.
    pub round_trip_micros: i64,
    /// When it was measured.
    pub measured_at: Micros,
}

/// Refusals of one kind in one minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefusedCount {
    /// The minute's beginning.
    pub minute: Micros,
    /// The stable code.
    pub code: String,
    /// Whether a trusted key had signed, so that there are receipts.
    pub signed: bool,
    /// How many.
    pub count: u64,
}

/// The inventory.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct InventoryStatus {
    /// The last generation that the hub acknowledged.
    pub generation: u64,
    /// Buckets of the last sweep.
    pub buckets: u64,
    /// Keys of the last sweep.
    pub keys: u64,
    /// When the last sweep ended.
    pub swept_at: Option<Micros>,
    /// Why the last sweep failed.
    pub last_error: Option<String>,
}

/// The log from which requests are counted. Counts are those since the agent began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TrafficStatus {
    /// The log.
    pub log: PathBuf,
    /// Why it is not read at the moment.
    pub problem: Option<String>,
    /// When it was last looked at with success.
    pub read_at: Option<Micros>,
    /// Requests that were counted.
    pub requests: u64,
    /// Lines about something else than a bucket.
    pub other_lines: u64,
    /// Lines that could not be read.
    pub unread_lines: u64,
    /// Requests that are not counted: too old, or of too many kinds.
    pub dropped: u64,
    /// Sums that the hub does not have yet.
    pub waiting: u64,
    /// The last frame that it has acknowledged; 0 for none since the agent began.
    pub kept: u64,
}

impl TrafficStatus {
    /// Nothing read yet.
    pub(crate) const fn new(log: PathBuf) -> Self {
        Self {
            log,
            problem: None,
            read_at: None,
            requests: 0,
            other_lines: 0,
            unread_lines: 0,
            dropped: 0,
            waiting: 0,
            kept: 0,
        }
    }
}

/// Where the parts of the agent write what they know of themselves.
#[derive(Clone)]
pub(crate) struct Board(Arc<Inner>);

struct Inner {
    facts: Mutex<Facts>,
    changed: Notify,
    clock: Arc<dyn crate::clock::Clock>,
}

#[derive(Clone)]
struct Facts {
    connection: Connection,
    clock: Option<ClockOffset>,
    executor: bool,
    certificate_expires_at: Option<Micros>,
    receipts_kept: u64,
    inventory: InventoryStatus,
    traffic: Option<TrafficStatus>,
    garage_version: Option<String>,
    frames_refused: BTreeMap<String, u64>,
}

impl Board {
    /// An empty board.
    pub(crate) fn new(clock: Arc<dyn crate::clock::Clock>) -> Self {
        let facts = Facts {
            connection: Connection {
                state: ConnectionState::Connecting,
                since: clock.now(),
                attempts: 0,
                last_error: None,
            },
            clock: None,
            executor: false,
            certificate_expires_at: None,
            receipts_kept: 0,
            inventory: InventoryStatus::default(),
            traffic: None,
            garage_version: None,
            frames_refused: BTreeMap::new(),
        };
        Self(Arc::new(Inner {
            facts: Mutex::new(facts),
            changed: Notify::new(),
            clock,
        }))
    }

    /// The connection has come this far.
    pub(crate) fn connection(&self, state: ConnectionState, attempts: u32) {
        let since = self.0.clock.now();
        self.change(|facts| {
            if facts.connection.state != state {
                facts.connection.since = since;
            }
            facts.connection.state = state;
            facts.connection.attempts = attempts;
        });
    }

    /// The hub has welcomed the agent.
    pub(crate) fn connected(&self, receipts_kept: u64) {
        self.connection(ConnectionState::Connected, 0);
        self.change(|facts| {
            facts.connection.last_error = None;
            facts.receipts_kept = receipts_kept;
        });
    }

    /// The connection failed.
    pub(crate) fn failed(&self, why: &str) {
        self.change(|facts| facts.connection.last_error = Some(why.to_owned()));
    }

    /// The hub's clock stood at `hub` between `sent` and now, `round_trip` later.
    pub(crate) fn clock(&self, sent: Micros, round_trip: Duration, hub: Micros, now: Micros) {
        let round_trip = i64::try_from(round_trip.as_micros()).unwrap_or(i64::MAX);
        let middle = sent.0.saturating_add(round_trip / 2);
        let offset = ClockOffset {
            offset_micros: hub.0.saturating_sub(middle),
            round_trip_micros: round_trip,
            measured_at: now,
        };
        self.change(|facts| facts.clock = Some(offset));
    }

    /// Whether the agent executes.
    pub(crate) fn executor(&self, executor: bool) {
        self.change(|facts| facts.executor = executor);
    }

    /// The certificate's end.
    pub(crate) fn certificate(&self, expires_at: Micros) {
        self.change(|facts| facts.certificate_expires_at = Some(expires_at));
    }

    /// The hub has the receipts up to `sequence`.
    pub(crate) fn receipts_kept(&self, sequence: u64) {
        self.change(|facts| facts.receipts_kept = facts.receipts_kept.max(sequence));
    }

    /// Something changed that is written down elsewhere.
    pub(crate) fn touch(&self) {
        self.0.changed.notify_one();
    }

    /// A frame was not understood.
    pub(crate) fn frame_refused(&self, code: &str) {
        self.change(|facts| *facts.frames_refused.entry(code.to_owned()).or_default() += 1);
    }

    /// What is known of the inventory.
    pub(crate) fn inventory(&self, change: impl FnOnce(&mut InventoryStatus)) {
        self.change(|facts| change(&mut facts.inventory));
    }

    /// What is known of the log of requests. Figures move all the time and wait for the next writing.
    pub(crate) fn traffic(&self, now: &TrafficStatus) {
        let mut facts = self.facts();
        let problem = |shown: &TrafficStatus| shown.problem.clone();
        let news = facts.traffic.as_ref().map(problem) != Some(problem(now));
        facts.traffic = Some(now.clone());
        drop(facts);
        if news {
            self.touch();
        }
    }

    /// Garage's version, as its metrics have it.
    pub(crate) fn set_garage_version(&self, version: Option<String>) {
        if version.is_some() && version != self.garage_version() {
            self.change(|facts| facts.garage_version = version);
        }
    }

    /// Garage's version, when known.
    pub(crate) fn garage_version(&self) -> Option<String> {
        self.facts().garage_version.clone()
    }

    fn change(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.facts());
        self.0.changed.notify_one();
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the status file until it is dropped.
pub(crate) async fn keep_written(shell: Arc<Shell>) {
    let mut events = shell.engine.events();
    loop {
        shell.reload_token();
        write(&shell);
        let period = Duration::from_secs(WRITE_SECONDS);
        tokio::select! {
            () = shell.board.0.changed.notified() => {}
            _ = events.recv() => {}
            () = sleep(period) => continue,
        }
        sleep(Duration::from_millis(COLLECT_MILLISECONDS)).await;
        events = events.resubscribe();
    }
}

/// Writes the status file once.
pub(crate) fn write(shell: &Shell) {
    let status = status_of(shell);
    let written = serde_json::to_vec_pretty(&status)
        .map_err(Into::into)
        .and_then(|bytes| files::write_volatile(&shell.state.file(STATUS_FILE), &bytes));
    if let Err(error) = written {
        tracing::warn!(error = format!("{error:#}"), "the status is not written");
    }
}

/// Writes what a process that was the agent for one command has changed, keeping what the last agent
/// wrote of its connection.
pub(crate) fn write_alone(shell: &Shell) {
    if let Ok(Some(before)) = read(&shell.state) {
        shell.board.change(|facts| {
            facts.connection = before.connection;
            facts.clock = before.clock;
            facts.executor = before.executor;
            facts.certificate_expires_at = before.certificate_expires_at;
            facts.receipts_kept = before.receipts_kept;
            facts.garage_version = before.garage_version;
            facts.traffic = before.traffic;
            if facts.inventory.swept_at.is_none() {
                facts.inventory = before.inventory;
            }
        });
    }
    shell.board.connection(ConnectionState::Stopped, 0);
    write(shell);
}

/// Reads the status file; `None` when no agent has ever run here.
pub(crate) fn read(state: &StateDir) -> anyhow::Result<Option<Status>> {
    let path = state.file(STATUS_FILE);
    let Some(bytes) = files::read_private(&path, MAX_STATUS_BYTES)? else {
        return Ok(None);
    };
    match serde_json::from_slice(&bytes) {
        Ok(status) => Ok(Some(status)),
        Err(error) => anyhow::bail!("{} is damaged: {error}", path.display()),
    }
}

/// Whether the agent that wrote `status` is there.
pub(crate) fn is_running(status: &Status, state: &StateDir) -> bool {
    status.connection.state != ConnectionState::Stopped && matches!(state.is_locked(), Ok(true))
}

/// The status as JSON, with whether the agent runs and the bytes that the disk has left for it.
pub(crate) fn as_json(
    status: &Status,
    running: bool,
    room_bytes: u64,
) -> serde_json::Result<String> {
    let mut value = serde_json::to_value(status)?;
    value["running"] = running.into();
    value["room_bytes"] = room_bytes.into();
    serde_json::to_string_pretty(&value)
}

fn status_of(shell: &Shell) -> Status {
    let facts = shell.board.facts().clone();
    let head = shell.engine.head();
    let counters = shell.engine.counters();
    Status {
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        agent: shell.enrolment.agent,
        region: shell.enrolment.region.clone(),
        pid: std::process::id(),
        written_at: shell.clock.now(),
        hub: shell.enrolment.hub.clone(),
        connection: facts.connection,
        clock: facts.clock,
        executor: facts.executor,
        epoch: shell.engine.epoch(),
        trust_serial: shell.trust_serial(),
        certificate_expires_at: facts.certificate_expires_at,
        receipts: crate::audit::sequence_of_head(&head),
        receipts_kept: facts.receipts_kept,
        head,
        journal_error: shell.engine.trouble(),
        inventory: facts.inventory,
        traffic: facts.traffic,
        garage_version: facts.garage_version,
        refused: counters.into_iter().map(refused_count).collect(),
        frames_refused: facts.frames_refused,
    }
}

fn refused_count(entry: crate::engine::RefusalCount) -> RefusedCount {
    RefusedCount {
        minute: entry.minute,
        code: entry.refusal.code().to_owned(),
        signed: entry.signed,
        count: entry.count,
    }
}
