//! Simulated agents, thousands in one process: real certificates, TLS, frames, checks of envelopes and
//! signed receipts. What is not there is Garage, and a journal on a disk: buckets are made in words alone.

mod connection;
mod enrolment;
pub mod floor;
mod journal;
pub mod load;
mod member;

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use storm_protocol::{
    envelope::VerifyKey,
    ident::RegionName,
    trust::{KeyRole, TrustDocument},
};
use tokio::task::JoinSet;

use self::member::Member;
use super::{now, server::Server, wait};

/// Agents of each region; one of them is its executor.
pub const AGENTS_PER_REGION: usize = 3;
/// Open files that the process has besides its agents' sockets.
const OTHER_FILES: u64 = 500;

/// Agents that have enrolled, and those of them that run.
pub struct Fleet {
    members: Vec<Arc<Member>>,
    hub: Arc<Hub>,
    running: JoinSet<()>,
}

/// The hub that all of them connect to, and what came of it.
pub(super) struct Hub {
    address: SocketAddr,
    dispatch_keys: Vec<VerifyKey>,
    present: Mutex<Present>,
    counts: Counts,
}

/// Who is there.
#[derive(Default)]
struct Present {
    agents: usize,
    executors: Vec<RegionName>,
    /// When each welcome since the last [`Fleet::forget`] came.
    welcomes: Vec<Instant>,
}

/// What has happened so far.
#[derive(Debug, Default)]
pub struct Counts {
    /// Heartbeats that the hub has answered.
    pub heartbeats: AtomicU64,
    /// Commands that were taken and answered with a receipt.
    pub commands: AtomicU64,
    /// Envelopes that did not stand the checks.
    pub refused: AtomicU64,
    /// Attempts to connect that failed.
    pub failed: AtomicU64,
    /// Connections that ended after their welcome.
    pub lost: AtomicU64,
}

impl Counts {
    fn add(count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Fleet {
    /// Makes `agents` agents that `server`, which must not run, knows as enrolled. It is their enrolment
    /// that is short: keys, certificates, statements and rows are as the signer makes them.
    pub async fn enrol(server: &Server, agents: usize) -> Result<Self> {
        let data = server.data();
        let trust = trust(&data)?;
        let hub = Arc::new(Hub {
            address: server.hub_url.trim_start_matches("https://").parse()?,
            dispatch_keys: trust.keys(KeyRole::Dispatch, now()),
            present: Mutex::default(),
            counts: Counts::default(),
        });
        Ok(Self {
            members: enrolment::enrol(&data, &trust, agents).await?,
            hub,
            running: JoinSet::new(),
        })
    }

    /// Lets the first `agents` of them dial, those that do not already, all at the same time.
    pub fn start(&mut self, agents: usize) {
        let from = self.running.len();
        for member in self.members.iter().take(agents).skip(from) {
            let (member, hub) = (Arc::clone(member), Arc::clone(&self.hub));
            self.running.spawn(member.run(hub));
        }
    }

    /// Waits until as many are there as run; gives when each was welcomed since [`Fleet::forget`].
    pub async fn all_registered(&self, patience: Duration) -> Result<Vec<Instant>> {
        let wanted = self.running.len();
        wait::within(patience, "all agents", async || {
            let present = held(&self.hub.present);
            let all = present.agents == wanted;
            Ok(all.then(|| present.welcomes.clone()))
        })
        .await
        .with_context(|| format!("{} of {wanted} are registered", self.registered()))
    }

    /// How many are registered.
    pub fn registered(&self) -> usize {
        held(&self.hub.present).agents
    }

    /// The regions of the executors that are registered.
    pub fn executors(&self) -> Vec<RegionName> {
        held(&self.hub.present).executors.clone()
    }

    /// Welcomes so far are of no interest any more.
    pub fn forget(&self) {
        held(&self.hub.present).welcomes.clear();
    }

    /// What has happened.
    pub fn counts(&self) -> &Counts {
        &self.hub.counts
    }
}

impl Hub {
    fn welcomed(&self) {
        let mut present = held(&self.present);
        present.agents += 1;
        present.welcomes.push(Instant::now());
    }

    fn leads(&self, region: &RegionName, leads: bool) {
        let mut present = held(&self.present);
        present.executors.retain(|other| other != region);
        if leads {
            present.executors.push(region.clone());
        }
    }

    fn gone(&self, region: &RegionName, led: bool) {
        Counts::add(&self.counts.lost);
        held(&self.present).agents -= 1;
        if led {
            self.leads(region, false);
        }
    }
}

/// Lets this process, and what it starts, have the sockets of so many agents.
pub fn allow_sockets(agents: usize) -> Result<()> {
    let wanted = Some(agents as u64 + OTHER_FILES);
    let limit = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none() || limit >= wanted;
    if enough(limit.current) {
        return Ok(());
    }
    let maximum = if enough(limit.maximum) {
        limit.maximum
    } else {
        wanted
    };
    let new = Rlimit {
        current: wanted,
        maximum,
    };
    setrlimit(Resource::Nofile, new).with_context(|| {
        format!("{agents} agents need more open files than are allowed: raise the hard limit (ulimit -Hn)")
    })
}

fn trust(data: &Path) -> Result<TrustDocument> {
    let root: VerifyKey = std::fs::read_to_string(data.join("root.pub"))?
        .trim()
        .parse()?;
    let text = std::fs::read_to_string(data.join("trust.json"))?;
    let envelope = storm_protocol::envelope::Envelope::parse(text.trim().as_bytes())?;
    Ok(TrustDocument::open(&envelope, root)?)
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
