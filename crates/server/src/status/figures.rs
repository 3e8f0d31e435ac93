//! The figures of one process. Nothing is kept by account, bucket, operation or address: their number has no
//! bound, and they are nobody's business here. A registry of the process's own and not the program's, so that
//! tests beside each other count apart.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use http::{Method, StatusCode};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use storm_protocol::{
    frame::ClosingCode,
    ident::Micros,
    receipt::{Outcome, Receipt},
};
use tokio::sync::Mutex;

use super::{DATABASE_PATIENCE, process::Process, waiting::Database};
use crate::{app::App, store::Store};

/// What the database says is read again after that long.
const DATABASE_READ_EVERY: Duration = Duration::from_secs(1);
/// Bounds of what takes milliseconds, in seconds.
const SHORT_SECONDS: [f64; 10] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0,
];
/// Bounds of what somebody waits for, in seconds.
const WAIT_SECONDS: [f64; 10] = [0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

type Waits<L> = Family<L, Histogram, fn() -> Histogram>;

/// A step of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// From the request to the signature, by the control plane's clock.
    Signed,
    /// From the signature until it goes to the agent.
    Sent,
    /// From there until the agent says that it has it in its journal.
    Accepted,
    /// From there to its end, by the agent's clock.
    Ended,
}

impl Stage {
    const fn name(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Ended => "ended",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByStage {
    stage: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByRoute {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByAnswer {
    method: &'static str,
    route: String,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCode {
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    outcome: &'static str,
    code: &'static str,
}

/// What this process counts, and what it reads from the database when asked.
#[derive(Debug)]
pub struct Figures {
    registry: Registry,
    answers: Family<ByAnswer, Counter>,
    answer_seconds: Waits<ByRoute>,
    problems: Family<ByCode, Counter>,
    stages: Waits<ByStage>,
    ended: Family<ByOutcome, Counter>,
    receipts: Counter,
    closings: Family<ByCode, Counter>,
    turned_away: Counter,
    sweeps: Counter,
    sweep_seconds: Histogram,
    sweep_changes: Counter,
    /// Checks of passwords that wait or run.
    pub(crate) passwords: Gauge,
    /// Streams of events that are open.
    pub(crate) streams: Gauge,
    /// 1 while this process is the active signer.
    pub(crate) signer: Gauge,
    hub_shut: AtomicBool,
    database: Database,
    read_at: Mutex<Option<Instant>>,
}

impl Figures {
    /// Nothing counted yet.
    pub fn new(store: &Store) -> Self {
        let mut figures = Self {
            registry: Registry::default(),
            answers: Family::default(),
            answer_seconds: Family::new_with_constructor(waits),
            problems: Family::default(),
            stages: Family::new_with_constructor(waits),
            ended: Family::default(),
            receipts: Counter::default(),
            closings: Family::default(),
            turned_away: Counter::default(),
            sweeps: Counter::default(),
            sweep_seconds: waits(),
            sweep_changes: Counter::default(),
            passwords: Gauge::default(),
            streams: Gauge::default(),
            signer: Gauge::default(),
            hub_shut: AtomicBool::new(false),
            database: Database::default(),
            read_at: Mutex::default(),
        };
        figures.register(store);
        figures
    }

    /// A request was answered. `route` is a template of the router's, never what a client wrote.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        let (method, route) = (name_of(method), route.to_owned());
        let status = class_of(status);
        let answer = ByAnswer {
            method,
            route: route.clone(),
            status,
        };
        self.answers.get_or_create(&answer).inc();
        let by_route = ByRoute { method, route };
        let seconds = self.answer_seconds.get_or_create(&by_route);
        seconds.observe(took.as_secs_f64());
    }

    /// A request was answered with a problem. Its `code` stands in our own text.
    pub(crate) fn problem(&self, code: &str) {
        let by_code = ByCode {
            code: code.to_owned(),
        };
        self.problems.get_or_create(&by_code).inc();
    }

    /// An operation took a step.
    pub(crate) fn step(&self, stage: Stage, from: Micros, to: Micros) {
        let micros = u64::try_from(to.0.saturating_sub(from.0)).unwrap_or(0);
        self.step_took(stage, Duration::from_micros(micros));
    }

    /// An operation took a step, in that long.
    pub(crate) fn step_took(&self, stage: Stage, took: Duration) {
        let seconds = self.stages.get_or_create(&ByStage {
            stage: stage.name(),
        });
        seconds.observe(took.as_secs_f64());
    }

    /// An operation ended without the agent.
    pub(crate) fn ended(&self, outcome: &Outcome) {
        let (outcome, code) = match outcome {
            Outcome::Done(_) => ("done", ""),
            Outcome::Failed { code, .. } => ("failed", code.code()),
            Outcome::Refused { code, .. } => ("refused", code.code()),
        };
        self.ended.get_or_create(&ByOutcome { outcome, code }).inc();
    }

    /// A receipt was stored.
    pub(crate) fn receipt(&self, receipt: &Receipt) {
        self.receipts.inc();
        self.ended(&receipt.outcome);
        self.step(Stage::Ended, receipt.accepted_at, receipt.finished_at);
    }

    /// The hub closed a connection, and said why.
    pub(crate) fn closed(&self, code: ClosingCode) {
        let by_code = ByCode {
            code: code.code().to_owned(),
        };
        self.closings.get_or_create(&by_code).inc();
    }

    /// The hub closed a connection before it was in: too many are.
    pub(crate) fn turn_away(&self) {
        self.turned_away.inc();
    }

    /// A part of a sweep came, which told of so many things that changed.
    pub(crate) fn sweep_part(&self, changes: usize) {
        self.sweep_changes
            .inc_by(u64::try_from(changes).unwrap_or(u64::MAX));
    }

    /// The last part of a sweep came.
    pub(crate) fn sweep(&self, began: Micros, ended: Micros) {
        let micros = u64::try_from(ended.0.saturating_sub(began.0)).unwrap_or(0);
        self.sweeps.inc();
        self.sweep_seconds
            .observe(Duration::from_micros(micros).as_secs_f64());
    }

    /// The process is to be a hub, and takes no agents now.
    pub(crate) fn shut_hub(&self) {
        self.hub_shut.store(true, Ordering::Relaxed);
    }

    /// The hub takes agents from now on.
    pub(crate) fn open_hub(&self) {
        self.hub_shut.store(false, Ordering::Relaxed);
    }

    pub(super) fn hub_is_shut(&self) -> bool {
        self.hub_shut.load(Ordering::Relaxed)
    }

    /// All of them as text. The database is asked once a second at most, however often this is.
    pub(crate) async fn text(&self, app: &App) -> String {
        // Held to the end: nobody sees what is half replaced.
        let mut read_at = self.read_at.lock().await;
        if read_at.is_none_or(|at| at.elapsed() >= DATABASE_READ_EVERY) {
            let read = app.store.standing(app.clock.now());
            let standing = match tokio::time::timeout(DATABASE_PATIENCE, read).await {
                Ok(Ok(standing)) => Some(standing),
                Ok(Err(error)) => {
                    tracing::error!(cause = error.to_string(), "the figures lack the database's");
                    None
                }
                Err(_) => None,
            };
            self.database.show(standing.as_ref());
            *read_at = Some(Instant::now());
        }
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            // A string takes all that is written to it.
            text.clear();
        }
        text
    }

    fn register(&mut self, store: &Store) {
        let registry = &mut self.registry;
        registry.register(
            "storm_http_requests",
            "Requests answered",
            self.answers.clone(),
        );
        registry.register(
            "storm_http_request_seconds",
            "Seconds from a request's head to the head of its answer",
            self.answer_seconds.clone(),
        );
        registry.register(
            "storm_http_problems",
            "Requests answered with a problem",
            self.problems.clone(),
        );
        registry.register(
            "storm_operation_stage_seconds",
            "Seconds that a step of an operation took",
            self.stages.clone(),
        );
        registry.register(
            "storm_operations_ended",
            "Operations that ended; why, where not done",
            self.ended.clone(),
        );
        registry.register(
            "storm_receipts_stored",
            "Receipts stored",
            self.receipts.clone(),
        );
        registry.register(
            "storm_hub_closings",
            "Connections that the hub closed, and why",
            self.closings.clone(),
        );
        registry.register(
            "storm_hub_turned_away",
            "Connections that the hub closed at the door, because too many were on their way in, or in",
            self.turned_away.clone(),
        );
        registry.register(
            "storm_sweeps",
            "Sweeps of a cluster that came in whole",
            self.sweeps.clone(),
        );
        registry.register(
            "storm_sweep_seconds",
            "Seconds from the first to the last part of a sweep",
            self.sweep_seconds.clone(),
        );
        registry.register(
            "storm_sweep_changes",
            "Buckets and keys that sweeps found new, changed or gone",
            self.sweep_changes.clone(),
        );
        registry.register(
            "storm_password_checks_waiting",
            "Checks of passwords that wait or run",
            self.passwords.clone(),
        );
        registry.register(
            "storm_event_streams",
            "Streams of events that are open",
            self.streams.clone(),
        );
        registry.register(
            "storm_signer_active",
            "Whether this process is the active signer",
            self.signer.clone(),
        );
        let writes = store.write_times();
        registry.register(
            "storm_database_write_wait_seconds",
            "Seconds that a change waited for its turn to write",
            writes.wait.clone(),
        );
        registry.register(
            "storm_database_write_seconds",
            "Seconds that a change had its turn",
            writes.hold.clone(),
        );
        self.database.register(registry);
        registry.register_collector(Box::new(Process));
    }
}

fn waits() -> Histogram {
    Histogram::new(WAIT_SECONDS)
}

/// For what takes milliseconds.
pub(crate) fn short_waits() -> Histogram {
    Histogram::new(SHORT_SECONDS)
}

/// A client may make up methods.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

fn class_of(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
