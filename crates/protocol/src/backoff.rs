//! When to come back to a hub that could not be reached: at once the first time, then ever later, at
//! random within the bound, so that agents do not come back all together.

use std::time::Duration;

/// The bound of the second retry, in milliseconds; the first comes at once.
pub const FIRST_BACKOFF_MILLISECONDS: u64 = 200;
/// The highest bound, in milliseconds: all are back within half a minute of a hub that was long away, and
/// ten thousand that wait for it knock a thousand times a second together.
pub const MAX_BACKOFF_MILLISECONDS: u64 = 20_000;
/// Doublings after which the highest bound is certain.
const MAX_DOUBLINGS: u32 = 16;

/// Counts attempts since the last connection that held.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// How long to wait before the next attempt: full jitter, which is any time from none to the
    /// bound. `random` is eight random bytes.
    pub fn next(&mut self, random: [u8; 8]) -> Duration {
        let bound = self.bound();
        self.attempts = self.attempts.saturating_add(1);
        let share = u64::from_be_bytes(random);
        // The bound is small enough that the modulus favours no value that matters.
        Duration::from_millis(share % (bound + 1))
    }

    /// Attempts since the last connection that held.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The connection held.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    fn bound(&self) -> u64 {
        match self.attempts {
            0 => 0,
            attempts => {
                let doublings = (attempts - 1).min(MAX_DOUBLINGS);
                (FIRST_BACKOFF_MILLISECONDS << doublings).min(MAX_BACKOFF_MILLISECONDS)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_retry_is_immediate_and_the_bound_doubles_to_its_cap() {
        let mut backoff = Backoff::default();
        let mut bounds = vec![];
        for _ in 0..40 {
            bounds.push(backoff.bound());
            backoff.next([0xff; 8]);
        }
        assert_eq!(bounds[..5], [0, 200, 400, 800, 1600]);
        assert_eq!(bounds[7], 12_800);
        assert!(
            bounds[8..]
                .iter()
                .all(|bound| *bound == MAX_BACKOFF_MILLISECONDS)
        );
        backoff.reset();
        assert_eq!(backoff.next([0xff; 8]), Duration::ZERO);
    }

    proptest::proptest! {
        #[test]
        fn no_wait_is_longer_than_the_bound(random: [u8; 8], attempts in 0u32..200) {
            let mut backoff = Backoff { attempts };
            let bound = Duration::from_millis(backoff.bound());
            proptest::prop_assert!(backoff.next(random) <= bound);
        }
    }
}
