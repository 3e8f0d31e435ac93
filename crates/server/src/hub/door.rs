//! Who may come in, and how fast. Handshakes are the dearest thing that the hub does, and strangers can ask
//! for them: they are bounded in number, each network has its share, and threads of their own make them, so
//! that whoever is in is served meanwhile.

use std::{net::IpAddr, num::NonZero, sync::Arc, thread::available_parallelism, time::Duration};

use anyhow::{Context as _, bail};
use rustix::process::setpriority_process;
use tokio::{
    runtime::{Builder, Runtime},
    sync::{Mutex, OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

use crate::listener::shares::{Share, Shares};

/// Connections that are on their way in at the same time: more wait in the system's queue.
const MAX_ENTERING: usize = 512;
/// Those of one network: more are closed at once, and come back.
const MAX_ENTERING_PER_NETWORK: usize = 128;
/// Until a handshake has to be over while others wait for the place.
const HURRIED: Duration = Duration::from_secs(5);
/// The same while nobody does.
const UNHURRIED: Duration = Duration::from_secs(10);
/// Between two looks at whether anybody waits.
const LOOK: Duration = Duration::from_millis(250);
/// How nice the threads for handshakes are. A third of the weight of all else: much nicer, and a machine that is busy
/// with other things would leave them so little that none is over in its time.
const NICE: i32 = 5;
/// Handshakes that begin within a [`STEP`], for each processor: as many as leave commands their time. The
/// last of a full door waits for a second or so.
const BEGUN_IN_A_STEP: usize = 8;
const STEP: Duration = Duration::from_millis(20);
/// Connections that the system lets wait; it has a bound of its own (`net.core.somaxconn`), which counts, too.
pub(super) const MAX_WAITING: i32 = 4096;

/// Counts who is on the way in.
pub(super) struct Door {
    places: Arc<Semaphore>,
    shares: Shares,
    pace: Mutex<Pace>,
    hurried: Duration,
    unhurried: Duration,
    /// Taken out at the end alone.
    threads: Option<Runtime>,
}

/// A connection on its way in, until it is dropped.
pub(super) struct Entering {
    _place: OwnedSemaphorePermit,
    _share: Share,
}

impl Door {
    /// Opens it.
    pub(super) fn open() -> anyhow::Result<Self> {
        // The rest of the machine is for those who are in.
        let processors = available_parallelism().map_or(1, NonZero::get);
        let threads = Builder::new_multi_thread()
            .worker_threads((processors / 2).max(1))
            .thread_name("handshakes")
            .on_thread_start(give_way)
            .enable_all()
            .build()
            .context("no threads for handshakes")?;
        Ok(Self {
            places: Arc::new(Semaphore::new(MAX_ENTERING)),
            shares: Shares::default(),
            pace: Mutex::new(Pace::of(processors * BEGUN_IN_A_STEP, STEP)),
            hurried: HURRIED,
            unhurried: UNHURRIED,
            threads: Some(threads),
        })
    }

    /// Waits for a place. Taken before a connection is: whoever finds none costs nothing here.
    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// The place goes to a connection of this address; `None`: its network has its share on the way in.
    pub(super) fn enter(&self, place: OwnedSemaphorePermit, address: IpAddr) -> Option<Entering> {
        let share = self.shares.take(address, MAX_ENTERING_PER_NETWORK)?;
        Some(Entering {
            _place: place,
            _share: share,
        })
    }

    /// Waits for the turn to begin a handshake, in the order of those who ask.
    pub(super) async fn turn(&self) {
        self.pace.lock().await.next().await;
    }

    /// Runs a handshake on the threads for them, for as long as it may take.
    ///
    /// Errors: those of the handshake, or it took too long.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        handshake: impl Future<Output = anyhow::Result<T>> + Send + 'static,
    ) -> anyhow::Result<T> {
        let threads = self.threads.as_ref().context("the hub stops")?;
        let running = AbortOnDropHandle::new(threads.spawn(handshake));
        tokio::select! {
            done = running => done?,
            () = self.too_long() => bail!("not in time"),
        }
    }

    /// Until a connection should long be in: sooner while others wait.
    async fn too_long(&self) {
        let began = Instant::now();
        loop {
            let full = self.places.available_permits() == 0;
            let limit = if full { self.hurried } else { self.unhurried };
            if began.elapsed() >= limit {
                return;
            }
            sleep(LOOK).await;
        }
    }
}

/// So many in each step of time, and no more.
struct Pace {
    most: usize,
    step: Duration,
    left: usize,
    until: Instant,
}

impl Pace {
    fn of(most: usize, step: Duration) -> Self {
        Self {
            most,
            step,
            left: 0,
            until: Instant::now(),
        }
    }

    async fn next(&mut self) {
        if self.left == 0 && Instant::now() < self.until {
            sleep_until(self.until).await;
        }
        let now = Instant::now();
        if self.left == 0 || now >= self.until {
            (self.left, self.until) = (self.most, now + self.step);
        }
        self.left -= 1;
    }
}

/// Lets all other threads go first. To Linux a thread is a process here.
fn give_way() {
    if let Err(error) = setpriority_process(None, NICE) {
        tracing::warn!(%error, "handshakes keep the priority of all else: commands may wait for them");
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            // Waiting is not allowed here, and nobody waits for what they still do.
            threads.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, pin::pin, time::Duration};

    use futures_util::FutureExt as _;

    use tokio::time::Instant;

    use super::{Door, MAX_ENTERING, MAX_ENTERING_PER_NETWORK, Pace};

    #[tokio::test]
    async fn one_network_does_not_fill_the_door() {
        let door = Door::open().unwrap();
        let mut inside = vec![];
        for _ in 0..MAX_ENTERING_PER_NETWORK {
            let place = door.place().await.unwrap();
            inside.push(door.enter(place, "192.0.2.1".parse().unwrap()).unwrap());
        }
        let place = door.place().await.unwrap();
        assert!(door.enter(place, "192.0.2.1".parse().unwrap()).is_none());
        let place = door.place().await.unwrap();
        let other = door.enter(place, "192.0.2.2".parse().unwrap());
        assert!(other.is_some());
        // Who was turned away holds no place, and one that goes gives both back.
        let taken = MAX_ENTERING_PER_NETWORK + 1;
        assert_eq!(door.places.available_permits(), MAX_ENTERING - taken);
        inside.pop();
        let place = door.place().await.unwrap();
        assert!(door.enter(place, "192.0.2.1".parse().unwrap()).is_some());
    }

    #[tokio::test]
    async fn a_step_has_its_number_of_turns() {
        let mut pace = Pace::of(3, Duration::from_secs(3600));
        // Twice: what was left of a step that is over is not saved up.
        for left in [0, 2] {
            (pace.left, pace.until) = (left, Instant::now());
            for _ in 0..3 {
                assert!(pace.next().now_or_never().is_some());
            }
            assert!(pace.next().now_or_never().is_none());
        }
    }

    #[tokio::test]
    async fn who_says_nothing_has_less_time_while_others_wait() {
        let mut door = Door::open().unwrap();
        (door.hurried, door.unhurried) = (Duration::ZERO, Duration::from_secs(3600));
        let mut silent = pin!(door.run(pending::<anyhow::Result<()>>()));
        assert!(silent.as_mut().now_or_never().is_none());
        let mut places = vec![];
        for _ in 0..MAX_ENTERING {
            places.push(door.place().await.unwrap());
        }
        let error = silent.await.unwrap_err().to_string();
        assert_eq!(error, "not in time");
    }

    #[tokio::test]
    async fn a_handshake_fails_as_it_does_and_does_not_take_the_hub_along() {
        let door = Door::open().unwrap();
        assert_eq!(door.run(async { Ok(7) }).await.unwrap(), 7);
        let failed = door.run::<()>(async { anyhow::bail!("no certificate") });
        let error = failed.await.unwrap_err().to_string();
        assert_eq!(error, "no certificate");
    }
}
