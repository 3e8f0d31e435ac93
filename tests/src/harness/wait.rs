//! Waiting until something is so. The deadline only bounds a test that has failed already; what a
//! test asserts never depends on how long it took.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Seconds that anything may take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(25);

/// Asks `probe` until it has an answer. An error of the probe counts as "not yet", and the last one
/// is told when the deadline passes.
pub async fn until<T>(what: &str, probe: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    within(PATIENCE, what, probe).await
}

/// As [`until`], with a deadline of its own.
pub async fn within<T>(
    patience: Duration,
    what: &str,
    mut probe: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        let last = match probe().await {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if Instant::now() >= deadline {
            match last {
                Some(error) => bail!("waited {patience:?} for {what}: {error:#}"),
                None => bail!("waited {patience:?} for {what}"),
            }
        }
        tokio::time::sleep(POLL).await;
    }
}
