//! How far a job is, in words: counts, rate, and the time that is left.

use storm_protocol::{api::Progress, ident::Micros};

use crate::units;

/// The rate is taken over this long at least: from less, it is noise.
const MIN_PACE_SECONDS: i64 = 2;
const PERCENT: u128 = 100;

/// What a job's first progress was, to tell how fast it goes.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    first: Option<(Micros, u64)>,
}

impl Pace {
    /// Takes in how far the job is; gives it in a line.
    pub(crate) fn line(&mut self, progress: &Progress) -> String {
        let mut parts = vec![
            of(progress.objects, progress.total_objects, units::count) + " objects",
            of(progress.bytes, progress.total_bytes, units::size),
        ];
        let (began, at_first) = *self.first.get_or_insert((progress.at, progress.objects));
        let micros = progress.at.0.saturating_sub(began.0);
        let done = progress.objects.saturating_sub(at_first);
        if micros >= MIN_PACE_SECONDS * Micros::SECOND && done > 0 {
            let rate = per_second(done, micros);
            parts.push(format!("{} objects/s", units::count(rate)));
            if let (Some(total), true) = (progress.total_objects, rate > 0) {
                let seconds = total.saturating_sub(progress.objects).div_ceil(rate);
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
                parts.push(format!("{} left", units::span(seconds)));
            }
        }
        parts.join(" · ")
    }
}

/// How much of the job is done, in per cent; `None` when its whole is not known. What is written
/// meanwhile may make it more than it was at the start: it stays at 100 then.
pub(crate) fn percent(progress: &Progress) -> Option<u8> {
    let total = progress.total_objects?;
    if total == 0 {
        return Some(100);
    }
    let percent = u128::from(progress.objects.min(total)) * PERCENT / u128::from(total);
    u8::try_from(percent).ok()
}

fn of(done: u64, total: Option<u64>, show: impl Fn(u64) -> String) -> String {
    match total {
        Some(total) => format!("{} of {}", show(done), show(total)),
        None => show(done),
    }
}

fn per_second(count: u64, micros: i64) -> u64 {
    let rate = i128::from(count) * i128::from(Micros::SECOND) / i128::from(micros.max(1));
    u64::try_from(rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, objects: u64, total_objects: Option<u64>) -> Progress {
        Progress {
            objects,
            bytes: objects * 1000,
            total_objects,
            total_bytes: total_objects.map(|total| total * 1000),
            at: Micros(0).plus_seconds(seconds),
        }
    }

    #[test]
    fn rate_and_time_left_come_once_there_is_something_to_tell_them_from() {
        let mut pace = Pace::default();
        let line = pace.line(&at(0, 1000, Some(10_000)));
        assert_eq!(line, "1,000 of 10,000 objects · 1.00 MB of 10.0 MB");
        let line = pace.line(&at(1, 2000, Some(10_000)));
        assert_eq!(line, "2,000 of 10,000 objects · 2.00 MB of 10.0 MB");
        let line = pace.line(&at(4, 5000, Some(10_000)));
        assert_eq!(
            line,
            "5,000 of 10,000 objects · 5.00 MB of 10.0 MB · 1,000 objects/s · 5 s left"
        );
    }

    #[test]
    fn a_job_without_a_known_whole_tells_what_it_has() {
        let mut pace = Pace::default();
        pace.line(&at(0, 0, None));
        let line = pace.line(&at(10, 500, None));
        assert_eq!(line, "500 objects · 500 kB · 50 objects/s");
        assert_eq!(percent(&at(0, 5, None)), None);
    }

    #[test]
    fn a_job_is_never_more_than_whole() {
        for (objects, total, whole) in
            [(0, 0, 100), (0, 3, 0), (2, 3, 66), (3, 3, 100), (9, 3, 100)]
        {
            assert_eq!(percent(&at(0, objects, Some(total))), Some(whole));
        }
        let mut pace = Pace::default();
        pace.line(&at(0, 0, Some(3)));
        assert!(
            pace.line(&at(3, 9, Some(3)))
                .ends_with("3 objects/s · 0 s left")
        );
    }
}
