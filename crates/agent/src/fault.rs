//! Named places where a test build (feature `fault-points`) can be told to die, so that recovery is
//! tried at each of them. `STORM_FAULT=<point>[:n]` makes the process SIGKILL itself at the n-th
//! pass of that point (from 1). Without the feature nothing of this is in the binary.
//!
//! Points: `journal.<commit>.before|after` around each journal commit (`intent`, `key`, `record`,
//! `job`, `cancel`, `outcome`, `refusal`, `settings`, `prune`), `call.<AdminCall>.before|during|after`
//! around each admin call, and `s3.<Request>.before|during|after` around the S3 requests of jobs;
//! `during` lets the request go out and dies `STORM_FAULT_DELAY_US` microseconds later, with the
//! answer not read. `STORM_FAULT_TWICE` makes each command come and each receipt go twice, as a network
//! that repeats what it carries would.

use storm_protocol::command::AdminCall;

/// Where a process may die around a journal commit or an admin call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Nothing has been written or sent.
    Before,
    /// The request is on its way.
    During,
    /// The commit is durable; the answer has been read.
    After,
}

#[cfg(feature = "fault-points")]
impl Moment {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::During => "during",
            Self::After => "after",
        }
    }
}

/// Passes a point around the journal commit called `commit`.
#[cfg_attr(
    not(feature = "fault-points"),
    expect(
        clippy::missing_const_for_fn,
        unused_variables,
        reason = "empty without the feature"
    )
)]
pub(crate) fn journal(commit: &str, moment: Moment) {
    #[cfg(feature = "fault-points")]
    armed::pass(&format!("journal.{commit}.{}", moment.as_str()));
}

/// Passes a point around an admin call.
#[cfg_attr(
    not(feature = "fault-points"),
    expect(
        clippy::missing_const_for_fn,
        unused_variables,
        reason = "empty without the feature"
    )
)]
pub(crate) fn call(call: AdminCall, moment: Moment) {
    #[cfg(feature = "fault-points")]
    armed::pass(&format!("call.{}.{}", call.as_str(), moment.as_str()));
}

/// Passes a point around an S3 request.
#[cfg_attr(
    not(feature = "fault-points"),
    expect(
        clippy::missing_const_for_fn,
        unused_variables,
        reason = "empty without the feature"
    )
)]
pub(crate) fn s3(request: &str, moment: Moment) {
    #[cfg(feature = "fault-points")]
    armed::pass(&format!("s3.{request}.{}", moment.as_str()));
}

/// How often what is carried once arrives.
pub(crate) fn times() -> usize {
    #[cfg(feature = "fault-points")]
    if armed::twice() {
        return 2;
    }
    1
}

#[cfg(feature = "fault-points")]
mod armed {
    use std::{
        sync::{
            OnceLock,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };

    const DEFAULT_DELAY_MICROS: u64 = 1000;

    struct Plan {
        point: String,
        pass: u32,
        delay: Duration,
    }

    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();
    static PASSES: AtomicU32 = AtomicU32::new(0);

    pub(super) fn twice() -> bool {
        static TWICE: OnceLock<bool> = OnceLock::new();
        *TWICE.get_or_init(|| std::env::var_os("STORM_FAULT_TWICE").is_some())
    }

    fn read_plan() -> Option<Plan> {
        let text = std::env::var("STORM_FAULT").ok()?;
        let (point, pass) = text.split_once(':').unwrap_or((&text, "1"));
        let delay = std::env::var("STORM_FAULT_DELAY_US").ok();
        let delay = delay.and_then(|micros| micros.parse().ok());
        Some(Plan {
            point: point.to_owned(),
            pass: pass.parse().unwrap_or(1),
            delay: Duration::from_micros(delay.unwrap_or(DEFAULT_DELAY_MICROS)),
        })
    }

    pub(super) fn pass(point: &str) {
        let Some(plan) = PLAN.get_or_init(read_plan) else {
            return;
        };
        if plan.point != point || PASSES.fetch_add(1, Ordering::SeqCst) + 1 != plan.pass {
            return;
        }
        if point.ends_with(".during") {
            // A thread of its own: the request has to go out meanwhile.
            std::thread::spawn(|| {
                std::thread::sleep(plan.delay);
                die();
            });
        } else {
            die();
        }
    }

    fn die() {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
