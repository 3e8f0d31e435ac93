//! Counts what each of many may do, in bounded memory.

use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

/// Entries after which those that are full again are forgotten.
const FORGET_ABOVE_ENTRIES: usize = 10_000;
/// Counts between two rounds of forgetting: a round looks at every entry.
const FORGET_EVERY_COUNTS: u32 = 1_000;
/// Entries at most; then nothing is counted and all is refused until some are full again.
const MAX_ENTRIES: usize = 100_000;
/// What is told to wait when there are too many entries.
const FULL_WAIT: Duration = Duration::from_secs(1);

/// How many in a row, and how long until there is one more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    /// In a row.
    pub(crate) burst: NonZeroU32,
    /// Until one more. Not zero.
    pub(crate) refill: Duration,
}

impl Share {
    /// So many a second, and `burst` in a row.
    pub(crate) fn per_second(rate: NonZeroU32, burst: NonZeroU32) -> Self {
        Self {
            burst,
            refill: Duration::from_secs(1) / rate.get(),
        }
    }
}

/// Counts by `K`, each with its own share.
pub(crate) struct Counter<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    counts: AtomicU32,
}

impl<K: Hash + Eq + Clone> Counter<K> {
    /// Counts nothing yet.
    pub(crate) fn new(share: Share) -> Self {
        let quota = Quota::with_period(share.refill)
            .unwrap_or(Quota::per_second(share.burst))
            .allow_burst(share.burst);
        Self {
            limiter: RateLimiter::keyed(quota),
            counts: AtomicU32::new(0),
        }
    }

    /// Counts one for `key`. The error is how long to wait for the next.
    pub(crate) fn take(&self, key: &K) -> Result<(), Duration> {
        let entries = self.limiter.len();
        let counts = self.counts.fetch_add(1, Ordering::Relaxed);
        if entries > FORGET_ABOVE_ENTRIES && counts.is_multiple_of(FORGET_EVERY_COUNTS) {
            self.limiter.retain_recent();
        }
        if entries >= MAX_ENTRIES {
            return Err(FULL_WAIT);
        }
        self.limiter
            .check_key(key)
            .map_err(|until| until.wait_time_from(self.limiter.clock().now()))
    }
}

/// A wait in whole seconds, as `Retry-After` has it: at least 1.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use super::{Counter, FORGET_ABOVE_ENTRIES, FORGET_EVERY_COUNTS, MAX_ENTRIES, Share};

    fn counter(refill: Duration) -> Counter<usize> {
        Counter::new(Share {
            burst: NonZeroU32::MIN,
            refill,
        })
    }

    #[test]
    fn what_is_full_again_is_forgotten() {
        let counter = counter(Duration::from_nanos(1));
        for key in 0..FORGET_ABOVE_ENTRIES * 5 {
            assert_eq!(counter.take(&key), Ok(()));
        }
        let most = FORGET_ABOVE_ENTRIES + 1 + FORGET_EVERY_COUNTS as usize;
        assert!(counter.limiter.len() <= most);
    }

    #[test]
    fn what_cannot_be_forgotten_is_bounded() {
        let counter = counter(Duration::from_secs(3600));
        for key in 0..MAX_ENTRIES {
            assert_eq!(counter.take(&key), Ok(()));
        }
        assert!(counter.take(&MAX_ENTRIES).is_err());
        assert_eq!(counter.limiter.len(), MAX_ENTRIES);
    }
}
