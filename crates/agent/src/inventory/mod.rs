//! What is in the cluster, told to the control plane: Garage's counters say when something moved, a
//! sweep then reads everything by large pages, and only differences travel. Sweeps are the region's
//! executor's alone, and never in the way of connecting; the other agents only tell it that something moved.

mod counters;
mod outbox;
mod signal;
mod snapshot;
mod sweep;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use storm_protocol::{
    command::Resource,
    frame::ToHub,
    ident::{AccessKeyId, BucketId},
    result::InventoryRefreshed,
};
use tokio::{
    sync::{Notify, broadcast::error::RecvError, mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use crate::{
    engine::EngineEvent,
    garage::{CallError, GarageClient},
    run::Shell,
};
use counters::Counters;
use outbox::LinkLost;
use snapshot::Known;

/// Seconds between two looks at Garage's counters.
const POLL_SECONDS: u64 = 5;
/// Milliseconds from a connection to the sweep that it needs.
const FIRST_SWEEP_MILLISECONDS: u64 = 500;
/// Seconds until a sweep that failed is tried again.
const RETRY_SECONDS: u64 = 10;
/// Milliseconds that what commands touched is collected before it is read again.
const TOUCHED_MILLISECONDS: u64 = 1000;
/// The most touched buckets and keys that are read one by one; with more, a page of all is cheaper.
const MAX_TOUCHED: usize = 3;
/// Frames that wait for the connection.
const FRAMES_WAITING: usize = 2;
/// Refreshes that wait for their turn.
const REFRESHES_WAITING: usize = 16;

/// The connection, as the inventory sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkState {
    /// The number of the connection.
    pub session: u64,
    /// The generation that the hub said it has.
    pub generation: u64,
    /// Whether this agent executes.
    pub executor: bool,
}

/// The channel's side.
pub(crate) struct ChannelPorts {
    link: watch::Sender<Option<LinkState>>,
    kept: watch::Sender<Option<(u64, u64)>>,
    hinted: Arc<Notify>,
    /// Frames to send, each for the connection with that number.
    pub(crate) frames: mpsc::Receiver<(u64, ToHub)>,
}

impl ChannelPorts {
    /// A connection is there.
    pub(crate) fn link(&self, link: Option<LinkState>) {
        self.link.send_replace(link);
    }

    /// The connection is gone.
    pub(crate) fn disconnected(&self) {
        self.link.send_replace(None);
    }

    /// The role has moved.
    pub(crate) fn executor(&self, executor: bool) {
        self.link.send_modify(|link| {
            if let Some(link) = link {
                link.executor = executor;
            }
        });
    }

    /// Another agent of the region saw something move.
    pub(crate) fn moved(&self) {
        self.hinted.notify_one();
    }

    /// The hub has stored a generation that came over connection `session`.
    pub(crate) fn kept(&self, session: u64, generation: u64) {
        self.kept.send_replace(Some((session, generation)));
    }
}

/// Garage's version, as its metrics have it.
pub(crate) async fn garage_version(metrics: &GarageClient) -> Option<String> {
    let metrics = metrics.metrics().await.ok()?;
    counters::garage_version(&String::from_utf8_lossy(&metrics))
}

type RefreshAnswer = oneshot::Sender<Result<InventoryRefreshed, String>>;

/// Asks for a sweep now.
#[derive(Clone)]
pub(crate) struct Refresh(mpsc::Sender<RefreshAnswer>);

impl Refresh {
    /// Sweeps and sends what changed. The error is a sentence.
    pub(crate) async fn refresh(&self) -> Result<InventoryRefreshed, String> {
        let stopped = || "the inventory has stopped".to_owned();
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).await.map_err(|_| stopped())?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
}

/// Why a sweep failed.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Garage(#[from] CallError),
    #[error(transparent)]
    Lost(#[from] LinkLost),
    #[error("the journal does not take the owners of new things: {0}")]
    Journal(#[from] crate::engine::JournalError),
}

/// The task that keeps the control plane's picture of the cluster true.
pub(crate) struct Inventory {
    shell: Arc<Shell>,
    /// Where the counters are read; Garage's admin API unless configured otherwise.
    metrics: GarageClient,
    link: watch::Receiver<Option<LinkState>>,
    kept: watch::Receiver<Option<(u64, u64)>>,
    /// Another agent saw something move.
    hinted: Arc<Notify>,
    frames: mpsc::Sender<(u64, ToHub)>,
    refreshes: mpsc::Receiver<RefreshAnswer>,
    buckets: Known<32>,
    keys: Known<12>,
    /// The generation that holds exactly what `buckets` and `keys` hold; `None` before the first.
    generation: Option<u64>,
    /// A generation on its way: connection, number, since when.
    on_its_way: Option<(u64, u64, Instant)>,
    counted: Option<Counters>,
    swept: Option<Instant>,
    /// The last sweep that read the keys too.
    keys_swept: Option<Instant>,
    next_sweep: Option<Instant>,
    touched: Touched,
    /// The connection to which this agent, not being the executor, has told all that it saw.
    told: Option<u64>,
}

/// What commands have touched since it was read last.
#[derive(Default)]
struct Touched {
    buckets: BTreeSet<BucketId>,
    keys: BTreeSet<AccessKeyId>,
    since: Option<Instant>,
}

impl Inventory {
    /// The task, its ports for the channel, and the handle that asks for a sweep.
    pub(crate) fn new(shell: Arc<Shell>, metrics: GarageClient) -> (Self, ChannelPorts, Refresh) {
        let (link_in, link) = watch::channel(None);
        let (kept_in, kept) = watch::channel(None);
        let (frames, frames_out) = mpsc::channel(FRAMES_WAITING);
        let (refresh, refreshes) = mpsc::channel(REFRESHES_WAITING);
        let hinted = Arc::new(Notify::new());
        let inventory = Self {
            shell,
            metrics,
            link,
            kept,
            hinted: Arc::clone(&hinted),
            frames,
            refreshes,
            buckets: Known::default(),
            keys: Known::default(),
            generation: None,
            on_its_way: None,
            counted: None,
            swept: None,
            keys_swept: None,
            next_sweep: None,
            touched: Touched::default(),
            told: None,
        };
        let ports = ChannelPorts {
            link: link_in,
            kept: kept_in,
            hinted,
            frames: frames_out,
        };
        (inventory, ports, Refresh(refresh))
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        let mut events = self.shell.engine.events();
        let hinted = Arc::clone(&self.hinted);
        let mut polls = interval(Duration::from_secs(POLL_SECONDS));
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let touched_at = self.touched.since.map(|since| since + TOUCHED);
            tokio::select! {
                changed = self.link.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.linked();
                }
                Ok(()) = self.kept.changed() => self.acknowledged().await,
                Some(answer) = self.refreshes.recv() => {
                    let refreshed = self.refresh().await;
                    let _ = answer.send(refreshed);
                }
                event = events.recv() => match event {
                    Ok(EngineEvent::Touched(resources)) => self.touch(&resources),
                    Ok(EngineEvent::Accepted | EngineEvent::Ended) => {}
                    // The counters have moved too; nothing is lost but a little time.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                () = hinted.notified() => self.moved(),
                () = at(touched_at) => self.read_touched().await,
                () = at(self.next_sweep) => self.sweep_if_executor().await,
                _ = polls.tick() => self.poll().await,
            }
        }
    }

    fn executes(&self) -> Option<LinkState> {
        self.link.borrow().filter(|link| link.executor)
    }

    /// A connection has come or gone, or the role has moved.
    fn linked(&mut self) {
        let link = *self.link.borrow_and_update();
        let Some(link) = link else { return };
        if !link.executor {
            // What another executor tells meanwhile is not known here.
            (self.generation, self.on_its_way) = (None, None);
            return;
        }
        let ours = self
            .on_its_way
            .is_some_and(|(session, ..)| session == link.session);
        if ours {
            return;
        }
        self.on_its_way = None;
        if self.generation != Some(link.generation) {
            self.generation = None;
            let soon = Instant::now() + Duration::from_millis(FIRST_SWEEP_MILLISECONDS);
            // A connection that comes and goes must not become a load on Garage.
            let spaced = self
                .swept
                .map(|swept| swept + Duration::from_secs(RETRY_SECONDS));
            self.sweep_at(spaced.map_or(soon, |spaced| spaced.max(soon)));
        }
    }

    async fn acknowledged(&mut self) {
        let Some((session, generation)) = *self.kept.borrow_and_update() else {
            return;
        };
        let awaited = self
            .on_its_way
            .map(|(session, generation, _)| (session, generation));
        if awaited == Some((session, generation)) {
            self.on_its_way = None;
        }
        match self.shell.engine.set_generation(generation).await {
            Ok(()) => self
                .shell
                .board
                .inventory(|shown| shown.generation = generation),
            Err(error) => tracing::warn!(%error, "the inventory's generation is not kept"),
        }
    }

    /// Sweeps at `when`, or earlier if that was planned.
    fn sweep_at(&mut self, when: Instant) {
        self.next_sweep = Some(self.next_sweep.map_or(when, |planned| planned.min(when)));
    }

    async fn sweep_if_executor(&mut self) {
        self.next_sweep = None;
        if self.executes().is_some()
            && let Err(error) = self.sweep().await
        {
            self.sweep_failed(&error);
        }
    }

    fn sweep_failed(&mut self, error: &SweepError) {
        // Part of it may have gone out: the next one replaces everything.
        self.generation = None;
        tracing::warn!(%error, "the sweep failed");
        self.shell
            .board
            .inventory(|shown| shown.last_error = Some(error.to_string()));
        self.sweep_at(Instant::now() + Duration::from_secs(RETRY_SECONDS));
    }

    async fn refresh(&mut self) -> Result<InventoryRefreshed, String> {
        match self.sweep().await {
            Ok(refreshed) => {
                self.next_sweep = None;
                Ok(refreshed)
            }
            Err(error) => {
                self.sweep_failed(&error);
                Err(error.to_string())
            }
        }
    }

    fn touch(&mut self, resources: &[Resource]) {
        let touched = &mut self.touched;
        for resource in resources {
            match resource {
                Resource::Bucket(bucket) => touched.buckets.insert(*bucket),
                Resource::Key(key) => touched.keys.insert(key.clone()),
                // A bucket that has got the name is touched too.
                Resource::Name(_) => continue,
                // Of which key and which bucket, the others say.
                Resource::Rights => continue,
                // Its buckets got what the receipt says; to read 500 of them again would cost a sweep.
                Resource::Account(_) => continue,
            };
            touched.since.get_or_insert_with(Instant::now);
        }
    }
}

const TOUCHED: Duration = Duration::from_millis(TOUCHED_MILLISECONDS);
/// Waits until `when`; for ever without one.
async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}
