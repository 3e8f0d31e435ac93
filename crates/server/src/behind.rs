//! Work that goes on behind an answer, so that the answer does not tell what was found: so many at a time, and
//! finished before the process ends.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::error::ApiError;

/// Works at the same time. Each waits for the database, and so for the others.
const MAX_WORKS: usize = 256;
/// Seconds after which one who found no place may come again.
const RETRY_SECONDS: u64 = 5;

/// Counts the works.
pub struct Behind {
    places: Arc<Semaphore>,
    works: TaskTracker,
}

impl Default for Behind {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MAX_WORKS)),
            works: TaskTracker::new(),
        }
    }
}

impl Behind {
    /// Begins a work, if there is a place.
    pub(crate) fn begin(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ApiError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| ApiError::Busy {
            retry_after_seconds: RETRY_SECONDS,
            message: "Too many ask for the same at this moment. Nothing was done. Try again in some seconds."
                .to_owned(),
        })?;
        self.works.spawn(async move {
            work.await;
            drop(place);
        });
        Ok(())
    }

    /// Waits until all of it is done.
    pub(crate) async fn finish(&self) {
        self.works.close();
        self.works.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio_util::sync::CancellationToken;

    use super::{ApiError, Behind, MAX_WORKS};

    #[tokio::test]
    async fn so_many_go_on_at_a_time_and_all_are_finished() {
        let (behind, go) = (Behind::default(), CancellationToken::new());
        let done = Arc::new(AtomicUsize::new(0));
        let work = || {
            let (go, done) = (go.clone(), Arc::clone(&done));
            async move {
                go.cancelled().await;
                done.fetch_add(1, Ordering::SeqCst);
            }
        };
        for _ in 0..MAX_WORKS {
            behind.begin(work()).unwrap();
        }
        let full = behind.begin(work()).unwrap_err();
        assert!(matches!(full, ApiError::Busy { .. }), "{full:?}");
        go.cancel();
        behind.finish().await;
        assert_eq!(done.load(Ordering::SeqCst), MAX_WORKS);
        // Their places are free again.
        behind.begin(work()).unwrap();
    }
}
