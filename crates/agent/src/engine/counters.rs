//! Refused envelopes, counted: one entry a code and minute, so that a flood fills nothing.

use std::{collections::BTreeMap, sync::Mutex};

use storm_protocol::{error::Refusal, ident::Micros};

use super::lock;

/// Minutes that are remembered.
const MINUTES_KEPT: i64 = 60;
const MINUTE_MICROS: i64 = 60 * Micros::SECOND;

/// How often one refusal happened in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefusalCount {
    /// The minute's beginning.
    pub(crate) minute: Micros,
    /// The code.
    pub(crate) refusal: Refusal,
    /// Whether a trusted key had signed, so that there are receipts.
    pub(crate) signed: bool,
    /// How often.
    pub(crate) count: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<BTreeMap<(i64, Refusal, bool), u64>>);

impl Counters {
    /// Counts; the first of a code and minute also leaves a line in the log.
    pub(super) fn add(&self, now: Micros, refusal: Refusal, signed: bool) {
        let minute = now.0.div_euclid(MINUTE_MICROS);
        let mut counts = lock(&self.0);
        let count = counts.entry((minute, refusal, signed)).or_default();
        *count += 1;
        if *count == 1 {
            tracing::warn!(code = refusal.code(), signed, "an envelope was refused");
        }
        *counts = counts.split_off(&(minute - MINUTES_KEPT, Refusal::Oversized, false));
    }

    pub(super) fn read(&self) -> Vec<RefusalCount> {
        let counts = lock(&self.0);
        let each = counts
            .iter()
            .map(|((minute, refusal, signed), count)| RefusalCount {
                minute: Micros(minute * MINUTE_MICROS),
                refusal: *refusal,
                signed: *signed,
                count: *count,
            });
        each.collect()
    }
}

#[cfg(test)]
mod tests {
    use storm_protocol::{error::Refusal, ident::Micros};

    use super::Counters;

    #[test]
    fn a_flood_is_one_entry_a_code_and_minute_and_old_minutes_go() {
        let counters = Counters::default();
        let start = Micros(1_800_000_000 * Micros::SECOND);
        for _ in 0..1000 {
            counters.add(start, Refusal::BadSignature, false);
        }
        counters.add(start, Refusal::Expired, true);
        let counts = counters.read();
        assert_eq!(counts.len(), 2);
        assert!(
            counts
                .iter()
                .any(|c| c.count == 1000 && c.refusal == Refusal::BadSignature)
        );
        counters.add(start.plus_seconds(7200), Refusal::BadSignature, false);
        assert_eq!(counters.read().len(), 1);
    }
}
