//! Who had the processors: hub and agents share the machine here, which they do not in the world.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle, available_parallelism},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};

use super::super::meter::CpuMeter;

/// How long the thread that is watched sleeps at a time.
const NAP: Duration = Duration::from_millis(5);

/// Processor time by what it was for.
#[derive(Debug, Clone, Copy)]
pub struct Split {
    hub: Duration,
    handshakes: Duration,
    database: Duration,
    agents: Duration,
    dialling: Duration,
}

impl Split {
    /// So far.
    pub fn of(server: &CpuMeter, agents: &CpuMeter) -> Result<Self> {
        Ok(Self {
            hub: server.total()?,
            handshakes: server.of_threads("handshakes")?,
            database: server.of_threads("sqlx-")?,
            agents: agents.total()?,
            dialling: agents.of_threads("dialling")?,
        })
    }

    /// Between two looks.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            hub: self.hub.saturating_sub(before.hub),
            handshakes: self.handshakes.saturating_sub(before.handshakes),
            database: self.database.saturating_sub(before.database),
            agents: self.agents.saturating_sub(before.agents),
            dialling: self.dialling.saturating_sub(before.dialling),
        }
    }

    /// Prints the shares of all processors in this time.
    pub fn print(&self, time: Duration) -> Result<()> {
        let all = time.as_secs_f64() * available_parallelism()?.get() as f64;
        let share = |part: Duration| part.as_secs_f64() * 100.0 / all;
        println!(
            "  processors: hub {:.0} % (handshakes {:.0}, database {:.0}), agents {:.0} % (handshakes {:.0}); \
             the rest idle or another's",
            share(self.hub),
            share(self.handshakes),
            share(self.database),
            share(self.agents),
            share(self.dialling),
        );
        Ok(())
    }
}

/// A thread that sleeps, and how much later than asked for it runs again: no program that waits for
/// anything here can be faster.
pub struct Lateness {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

impl Lateness {
    /// Begins to sleep.
    pub fn watch() -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new().name("lateness".to_owned());
        let thread = thread.spawn(move || {
            let mut late = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let began = Instant::now();
                thread::sleep(NAP);
                late.push(began.elapsed().saturating_sub(NAP));
            }
            late
        })?;
        Ok(Self { stop, thread })
    }

    /// All of them, the shortest first.
    pub fn end(self) -> Result<Vec<Duration>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut late = self.thread.join().map_err(|_| anyhow!("it panicked"))?;
        late.sort_unstable();
        Ok(late)
    }
}
