//! What programs cost: processor time and memory, as the kernel counts them, and the bytes that go
//! over a wire, as a relay in between counts them.

use std::{
    collections::HashMap,
    fs,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Between two looks at a process's threads.
const LOOK: Duration = Duration::from_millis(100);
/// Bytes that a relay passes on at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// Mebibytes of a process, by the kernel's name for the kind, such as `VmRSS`.
pub fn memory_mebibytes(id: u32, kind: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(kind)?.strip_prefix(':'));
    let kibibytes = line
        .and_then(|line| line.split_whitespace().next())
        .with_context(|| format!("no {kind} of process {id}"))?;
    Ok(kibibytes.parse::<f64>()? / 1024.0)
}

/// Processor time that a process takes while this watches it. Linux tells it exactly by thread alone and
/// forgets a thread that has ended, so they are looked at often: one that ends has been idle before.
pub struct CpuMeter {
    threads: Arc<Mutex<Threads>>,
    id: u32,
    task: JoinHandle<()>,
}

/// Each thread by its number, as it was at the last look, those that have ended too.
type Threads = HashMap<String, Thread>;

struct Thread {
    name: String,
    nanos: u64,
}

impl CpuMeter {
    /// Begins to watch.
    pub fn of(id: u32) -> Result<Self> {
        let threads = Arc::<Mutex<Threads>>::default();
        look(id, &threads)?;
        let watched = Arc::clone(&threads);
        let task = tokio::spawn(async move {
            // Until the process ends.
            while look(id, &watched).is_ok() {
                tokio::time::sleep(LOOK).await;
            }
        });
        Ok(Self { threads, id, task })
    }

    /// All that the process has taken, but for threads that ended before this began to watch.
    pub fn total(&self) -> Result<Duration> {
        look(self.id, &self.threads)?;
        let threads = lock(&self.threads);
        let nanos = threads.values().map(|thread| thread.nanos);
        Ok(Duration::from_nanos(nanos.sum()))
    }

    /// The same of the threads whose name begins so; Linux keeps 15 bytes of one.
    pub fn of_threads(&self, name: &str) -> Result<Duration> {
        look(self.id, &self.threads)?;
        let threads = lock(&self.threads);
        let named = threads
            .values()
            .filter(|thread| thread.name.starts_with(name));
        Ok(Duration::from_nanos(named.map(|thread| thread.nanos).sum()))
    }
}

impl Drop for CpuMeter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn look(id: u32, threads: &Mutex<Threads>) -> Result<()> {
    for thread in fs::read_dir(format!("/proc/{id}/task"))? {
        let thread = thread?;
        // A thread may end while it is looked at.
        let Ok(text) = fs::read_to_string(thread.path().join("schedstat")) else {
            continue;
        };
        let Ok(name) = fs::read_to_string(thread.path().join("comm")) else {
            continue;
        };
        let first = text.split_whitespace().next().context("no run time")?;
        let number = thread.file_name().to_string_lossy().into_owned();
        let nanos: u64 = first.parse()?;
        let now = Thread {
            name: name.trim_end().to_owned(),
            nanos,
        };
        // The number of one that has ended may come again.
        let mut threads = lock(threads);
        let known = threads.get(&number).map_or(0, |thread| thread.nanos);
        if nanos >= known {
            threads.insert(number, now);
        }
    }
    Ok(())
}

/// Passes connections on and counts their bytes.
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    forth: Arc<AtomicU64>,
    back: Arc<AtomicU64>,
    accepted: Arc<Mutex<Option<Instant>>>,
    task: JoinHandle<()>,
}

impl Relay {
    /// A relay to `target`.
    pub async fn to(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (forth, back) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let counters = (Arc::clone(&forth), Arc::clone(&back));
        let accepted = Arc::<Mutex<Option<Instant>>>::default();
        let last = Arc::clone(&accepted);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                *lock(&last) = Some(Instant::now());
                let (forth, back) = counters.clone();
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(target).await else {
                        return;
                    };
                    let (near_in, near_out) = near.into_split();
                    let (far_in, far_out) = far.into_split();
                    tokio::join!(
                        pass(near_in, far_out, &forth),
                        pass(far_in, near_out, &back)
                    );
                });
            }
        });
        Ok(Self {
            address,
            forth,
            back,
            accepted,
            task,
        })
    }

    /// When the last connection came.
    pub fn accepted_at(&self) -> Option<Instant> {
        *lock(&self.accepted)
    }

    /// Bytes that went to the target and that came from it.
    pub fn bytes(&self) -> (u64, u64) {
        (
            self.forth.load(Ordering::Relaxed),
            self.back.load(Ordering::Relaxed),
        )
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    counter: &AtomicU64,
) {
    let mut chunk = vec![0; CHUNK_BYTES];
    // Either side may go away at any time; the other one then hears of it.
    while let Ok(count @ 1..) = from.read(&mut chunk).await {
        counter.fetch_add(count as u64, Ordering::Relaxed);
        if to.write_all(&chunk[..count]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
