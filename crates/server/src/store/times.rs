//! How long changes wait for their turn to write, and how long they have it.

use std::time::Instant;

use prometheus_client::metrics::histogram::Histogram;

use crate::status::short_waits;

/// Seconds of each change.
#[derive(Debug, Clone)]
pub(crate) struct WriteTimes {
    /// Until its turn came.
    pub(crate) wait: Histogram,
    /// From there to its end.
    pub(crate) hold: Histogram,
}

impl Default for WriteTimes {
    fn default() -> Self {
        Self {
            wait: short_waits(),
            hold: short_waits(),
        }
    }
}

impl WriteTimes {
    /// A change that waited since `asked` has its turn, until what this gives is dropped.
    pub(super) fn begin(&self, asked: Instant) -> Turn {
        let since = Instant::now();
        self.wait.observe((since - asked).as_secs_f64());
        Turn {
            since,
            hold: self.hold.clone(),
        }
    }
}

/// A change's turn.
pub(crate) struct Turn {
    since: Instant,
    hold: Histogram,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.hold.observe(self.since.elapsed().as_secs_f64());
    }
}
