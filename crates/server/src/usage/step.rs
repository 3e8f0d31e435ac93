//! A bucket's bytes as a step function of time: they stand still between two changes. Whole numbers
//! throughout; what is rounded is rounded down, once in each hour.

use storm_protocol::ident::Micros;

/// Microseconds in an hour.
pub(crate) const HOUR_MICROS: i64 = 3600 * Micros::SECOND;
/// Microseconds in a day.
pub(crate) const DAY_MICROS: i64 = 24 * HOUR_MICROS;

/// What a bucket, or an account, has at one instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Bytes in whole objects.
    pub(crate) bytes: u64,
    /// Objects.
    pub(crate) objects: u64,
    /// Bytes in unfinished uploads.
    pub(crate) unfinished_bytes: u64,
}

/// From this instant on, these figures.
pub(crate) type Change = (Micros, Figures);

/// The use of a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Used {
    /// The figures at its end.
    pub(crate) closing: Figures,
    /// The most bytes at any time in it, unfinished uploads included.
    pub(crate) peak_bytes: u64,
    /// Bytes times microseconds, unfinished uploads included.
    byte_micros: i128,
}

impl Figures {
    /// The bytes that count: unfinished uploads take room too.
    pub(crate) const fn used(self) -> u64 {
        self.bytes.saturating_add(self.unfinished_bytes)
    }

    /// Both together.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            objects: self.objects.saturating_add(other.objects),
            unfinished_bytes: self.unfinished_bytes.saturating_add(other.unfinished_bytes),
        }
    }
}

impl Used {
    /// Bytes times hours, rounded down.
    pub(crate) fn byte_hours(self) -> u64 {
        u64::try_from(self.byte_micros / i128::from(HOUR_MICROS)).unwrap_or(u64::MAX)
    }
}

/// The start of the hour that `at` is in.
pub(crate) const fn hour_of(at: Micros) -> Micros {
    Micros(at.0 - at.0.rem_euclid(HOUR_MICROS))
}

/// The start of the day, UTC, that `at` is in.
pub(crate) const fn day_of(at: Micros) -> Micros {
    Micros(at.0 - at.0.rem_euclid(DAY_MICROS))
}

/// The use from `from` to `to`, of what had `opening` before and then `changes`, oldest first.
/// Changes before `from` count from its start; those at `to` or later do not count.
pub(crate) fn between(opening: Figures, changes: &[Change], from: Micros, to: Micros) -> Used {
    let mut now = opening;
    let mut since = from;
    let mut used = Used {
        closing: opening,
        peak_bytes: 0,
        byte_micros: 0,
    };
    let ends = changes.iter().filter(|(at, _)| *at < to).copied();
    for (at, next) in ends.chain([(to, Figures::default())]) {
        let until = at.max(from);
        if until > since {
            used.byte_micros += i128::from(now.used()) * i128::from(until.0 - since.0);
            used.peak_bytes = used.peak_bytes.max(now.used());
            used.closing = now;
        }
        (now, since) = (next, until);
    }
    used
}

/// The steps of several buckets together. Each comes with what it had before.
pub(crate) fn together(series: &[(Figures, &[Change])]) -> (Figures, Vec<Change>) {
    let mut now: Vec<Figures> = series.iter().map(|(opening, _)| *opening).collect();
    let sum = |now: &[Figures]| {
        now.iter()
            .fold(Figures::default(), |sum, one| sum.plus(*one))
    };
    let opening = sum(&now);
    let mut steps: Vec<(Micros, usize, Figures)> = series
        .iter()
        .enumerate()
        .flat_map(|(place, (_, changes))| changes.iter().map(move |(at, to)| (*at, place, *to)))
        .collect();
    steps.sort_by_key(|(at, place, _)| (*at, *place));
    let mut total = opening;
    let mut changes: Vec<Change> = vec![];
    for (at, place, to) in steps {
        total = Figures {
            bytes: total.bytes - now[place].bytes,
            objects: total.objects - now[place].objects,
            unfinished_bytes: total.unfinished_bytes - now[place].unfinished_bytes,
        }
        .plus(to);
        now[place] = to;
        match changes.last_mut() {
            Some(last) if last.0 == at => last.1 = total,
            _ => changes.push((at, total)),
        }
    }
    (opening, changes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Micros = Micros(HOUR_MICROS);

    fn bytes(bytes: u64) -> Figures {
        Figures {
            bytes,
            ..Figures::default()
        }
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let figures =
            (0..1u64 << 50, 0..1u64 << 50).prop_map(|(bytes, unfinished_bytes)| Figures {
                bytes,
                objects: 1,
                unfinished_bytes,
            });
        proptest::collection::btree_map(0..HOUR_MICROS, figures, 0..20)
            .prop_map(|map| map.into_iter().map(|(at, to)| (Micros(at), to)).collect())
    }

    proptest! {
        /// Splitting at any instant loses nothing: the sums of bytes times microseconds are the same
        /// to the last one, and rounded down they differ by less than one byte-hour for each part.
        #[test]
        fn splitting_at_any_instant_gives_the_same_sum(
            opening in 0..1u64 << 50,
            changes in changes(),
            at in 0..=HOUR_MICROS,
        ) {
            let opening = bytes(opening);
            let whole = between(opening, &changes, Micros(0), HOUR);
            let first = between(opening, &changes, Micros(0), Micros(at));
            let middle = changes.iter().rev().find(|(t, _)| t.0 < at).map_or(opening, |c| c.1);
            let second = between(middle, &changes_from(&changes, at), Micros(at), HOUR);
            prop_assert_eq!(whole.byte_micros, first.byte_micros + second.byte_micros);
            let parts = first.byte_hours() + second.byte_hours();
            prop_assert!(parts <= whole.byte_hours() && whole.byte_hours() <= parts + 1);
            prop_assert_eq!(whole.peak_bytes, first.peak_bytes.max(second.peak_bytes));
            let last = if at == HOUR_MICROS { first } else { second };
            prop_assert_eq!(whole.closing, last.closing);
        }

        /// An account's steps are the sum of its buckets' at each instant.
        #[test]
        fn together_is_the_sum_at_each_instant(a in changes(), b in changes(), at in 1..=HOUR_MICROS) {
            let (one, two) = (bytes(7), bytes(1 << 40));
            let (opening, sums) = together(&[(one, &a), (two, &b)]);
            let until = |opening, changes: &[Change]| between(opening, changes, Micros(0), Micros(at));
            let (x, y, sum) = (until(one, &a), until(two, &b), until(opening, &sums));
            prop_assert_eq!(sum.byte_micros, x.byte_micros + y.byte_micros);
            prop_assert_eq!(sum.closing, x.closing.plus(y.closing));
            prop_assert!(sum.peak_bytes <= x.peak_bytes + y.peak_bytes);
            prop_assert!(sum.peak_bytes >= x.peak_bytes.max(y.peak_bytes));
        }
    }

    fn changes_from(changes: &[Change], at: i64) -> Vec<Change> {
        changes.iter().copied().filter(|(t, _)| t.0 >= at).collect()
    }

    #[test]
    fn an_hour_without_a_change_counts_what_there_was() {
        let used = between(bytes(1000), &[], Micros(0), HOUR);
        assert_eq!(
            (used.byte_hours(), used.peak_bytes, used.closing),
            (1000, 1000, bytes(1000))
        );
    }

    #[test]
    fn part_hours_are_rounded_down() {
        // 1 byte for 1 µs less than an hour; then the missing microsecond.
        let short = between(bytes(1), &[], Micros(1), HOUR);
        assert_eq!(short.byte_hours(), 0);
        // 3 bytes for 20 minutes, nothing before: 1 byte-hour.
        let late = [(Micros(HOUR_MICROS / 3 * 2), bytes(3))];
        assert_eq!(between(bytes(0), &late, Micros(0), HOUR).byte_hours(), 1);
    }

    #[test]
    fn what_changed_at_the_start_was_never_there() {
        let at_once = [(Micros(0), bytes(5)), (HOUR, bytes(99))];
        let used = between(bytes(1000), &at_once, Micros(0), HOUR);
        assert_eq!((used.peak_bytes, used.closing), (5, bytes(5)));
    }

    #[test]
    fn the_largest_figures_do_not_overflow() {
        let all = Figures {
            bytes: u64::MAX,
            objects: u64::MAX,
            unfinished_bytes: u64::MAX,
        };
        assert_eq!(between(all, &[], Micros(0), HOUR).byte_hours(), u64::MAX);
    }
}
