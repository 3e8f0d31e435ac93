//! The places in the agent at which a test build can be told to die, and what leads there.

use storm_protocol::command::{AdminCall, Command};

use super::{fault::Fault, kind::Kind, plan::Timed};

/// The agent's journal commits that its points are named after.
const COMMITS: &[&str] = &[
    "intent", "key", "record", "job", "cancel", "outcome", "refusal", "settings", "prune",
];
/// The S3 requests of jobs.
const S3_REQUESTS: &[&str] = &["ListObjectsV2", "DeleteObjects", "DeleteObject"];

/// A place in the agent at which a test build can die, and what leads there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Its name, as `STORM_FAULT` takes it.
    pub name: String,
    /// Kinds that are likely to pass it.
    pub kinds: Vec<Kind>,
    /// What it takes besides.
    pub need: Option<Need>,
}

/// What has to go wrong for the agent to come to a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Commands that are old when they come: its clock is ahead.
    Late,
    /// Operations that may be forgotten: its clock is days ahead.
    Older,
    /// A new key whose first secret was lost: it died before, while it made that.
    SecondTry,
    /// A job that has not ended when it is cancelled: Garage is away.
    Stalled,
}

/// How long that lasts.
const LASTS_MILLIS: u32 = 3_000;
/// An operation is kept for two days. Barely more: nothing that another round dated an hour ahead may be forgotten, or
/// the floor of the journal would be ahead, too.
const OLDER_SECONDS: i64 = 48 * 3600 + 600;
const LATE_SECONDS: i64 = 3600;

impl Need {
    /// The fault that sees to it.
    pub const fn fault(self) -> Option<Timed> {
        let fault = match self {
            Self::Late => Fault::AgentClock(LATE_SECONDS),
            Self::Older => Fault::AgentClock(OLDER_SECONDS),
            Self::Stalled => Fault::GarageKill(0),
            Self::SecondTry => return None,
        };
        Some(Timed {
            fault,
            at_millis: 0,
            for_millis: LASTS_MILLIS,
        })
    }

    /// Where the agent dies before.
    pub const fn death(self) -> Option<&'static str> {
        match self {
            Self::SecondTry => Some("call.ImportKey.before:1"),
            Self::Late | Self::Older | Self::Stalled => None,
        }
    }
}

/// All points of the agent.
pub fn points() -> Vec<Point> {
    let mut points = Vec::new();
    for commit in COMMITS {
        let need = match *commit {
            "refusal" => Some(Need::Late),
            "prune" => Some(Need::Older),
            "key" => Some(Need::SecondTry),
            "cancel" => Some(Need::Stalled),
            _ => None,
        };
        for moment in ["before", "after"] {
            points.push(Point {
                name: format!("journal.{commit}.{moment}"),
                kinds: leading_to_commit(commit),
                need,
            });
        }
    }
    let mut calls: Vec<AdminCall> = Command::TABLE
        .iter()
        .flat_map(|row| row.calls.iter().copied())
        .collect();
    calls.sort_unstable();
    calls.dedup();
    let calls = calls.iter().map(|call| call.as_str());
    let calls = calls.map(|call| (format!("call.{call}"), leading_to_call(call)));
    let requests = S3_REQUESTS
        .iter()
        .map(|request| (format!("s3.{request}"), leading_to_request(request)));
    for (base, kinds) in calls.chain(requests) {
        for moment in ["before", "during", "after"] {
            points.push(Point {
                name: format!("{base}.{moment}"),
                kinds: kinds.clone(),
                need: None,
            });
        }
    }
    points
}

fn leading_to_commit(commit: &str) -> Vec<Kind> {
    match commit {
        "record" => vec![Kind::KeyRotate, Kind::BucketDelete, Kind::KeyRevokeLeaked],
        "job" => vec![Kind::BucketClear, Kind::BucketMeasure],
        "cancel" => vec![Kind::JobCancel],
        "key" => vec![Kind::KeyCreate, Kind::KeyRotate, Kind::BucketCreate],
        _ => vec![Kind::BucketCreate, Kind::KeySetGrant],
    }
}

/// Kinds that make a call whenever they come through. Others, which make it after a kill alone, are not among
/// them.
fn leading_to_call(call: &str) -> Vec<Kind> {
    match call {
        "AddBucketAlias" => vec![Kind::BucketAddAlias],
        "DeleteBucket" => vec![Kind::BucketDelete],
        "DeleteKey" => vec![Kind::KeyDelete, Kind::KeyRevokeLeaked, Kind::BucketMeasure],
        "GetBucketInfo" => vec![Kind::BucketAddAlias, Kind::BucketClear, Kind::BucketRelease],
        "ListBucketsInfo" | "ListKeysInfo" => vec![Kind::InventoryRefresh, Kind::KeyRotate],
        "ImportKey" => vec![Kind::BucketCreate, Kind::KeyCreate, Kind::KeyRotate],
        _ => {
            let kinds = Kind::ALL.iter().copied();
            kinds.filter(|kind| kind.calls(call)).collect()
        }
    }
}

fn leading_to_request(request: &str) -> Vec<Kind> {
    match request {
        "ListObjectsV2" => vec![Kind::BucketClear, Kind::BucketMeasure],
        _ => vec![Kind::BucketClear],
    }
}
