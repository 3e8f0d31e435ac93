//! Threads for the agents' handshakes. In the world each agent has a machine of its own; here those that
//! dial give way to those that are in, as far as the system lets them.

use std::thread::available_parallelism;

use anyhow::{Context as _, Result};
use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Runtime};

/// The lowest there is.
const NICE: i32 = 19;

/// The threads, until dropped.
pub(super) struct Dialling(Option<Runtime>);

impl Dialling {
    pub(super) fn open() -> Result<Self> {
        let threads = Builder::new_multi_thread()
            .worker_threads(available_parallelism()?.get())
            .thread_name("dialling")
            .on_thread_start(|| {
                // To Linux a thread is a process here.
                let _ = setpriority_process(None, NICE);
            })
            .enable_all()
            .build()?;
        Ok(Self(Some(threads)))
    }

    /// Runs a handshake there.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        handshake: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let threads = self.0.as_ref().context("it has ended")?;
        threads.spawn(handshake).await?
    }
}

impl Drop for Dialling {
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}
