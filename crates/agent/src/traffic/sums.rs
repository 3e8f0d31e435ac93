//! Requests counted by minute and kind, within bounds whatever the log holds and however long the
//! control plane is away.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use storm_protocol::{
    frame::{MethodClass, TrafficSum},
    ident::{BucketAddress, Micros},
};

use super::request::Request;

/// The most kinds of requests that are told apart in one minute.
pub(super) const MAX_KINDS_IN_A_MINUTE: usize = 10_000;
/// The most rows that are held in all.
pub(super) const MAX_ROWS: usize = 20_000;
/// Rows from which on past hours are held as one each.
const ROWS_TO_MERGE: usize = MAX_ROWS / 2;
/// Hours that sums wait for the control plane.
pub(super) const KEPT_HOURS: i64 = 48;
/// Seconds after a minute's end in which the proxy may still write of it.
const GRACE_SECONDS: i64 = 5;
const MINUTE: i64 = 60 * Micros::SECOND;
const HOUR: i64 = 60 * MINUTE;

type Kind = (BucketAddress, MethodClass, u8);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    requests: u64,
    received_bytes: u64,
    sent_bytes: u64,
}

/// The sums, by the beginning of their minute or, when they wait for long, of their hour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<TrafficSum>", into = "Vec<TrafficSum>")]
pub(super) struct Sums {
    minutes: BTreeMap<Micros, BTreeMap<Kind, Count>>,
    rows: usize,
}

impl Sums {
    /// Counts a request. False when it is too old or there is no room for its kind, and it was not
    /// counted.
    pub(super) fn count(&mut self, request: Request, now: Micros) -> bool {
        if request.at < oldest(now) {
            return false;
        }
        // A minute that is yet to come would never be over.
        let minute = start_of(request.at.min(now), MINUTE);
        let kind = (request.bucket, request.method, request.status);
        let count = Count {
            requests: 1,
            received_bytes: request.received_bytes,
            sent_bytes: request.sent_bytes,
        };
        self.add(minute, kind, count, MAX_KINDS_IN_A_MINUTE)
    }

    /// Takes at most `limit` rows of minutes that are over, the oldest first.
    pub(super) fn take_over(&mut self, now: Micros, limit: usize) -> Vec<TrafficSum> {
        let mut taken = vec![];
        while taken.len() < limit
            && let Some(mut minute) = self.minutes.first_entry()
            && minute.key().0 + MINUTE + GRACE_SECONDS * Micros::SECOND <= now.0
        {
            let at = *minute.key();
            match minute.get_mut().pop_first() {
                Some((kind, count)) => {
                    self.rows -= 1;
                    taken.push(sum(at, kind, count));
                }
                None => drop(minute.remove()),
            }
        }
        taken
    }

    /// Keeps the bounds; gives the number of requests that were dropped for them.
    pub(super) fn bound(&mut self, now: Micros) -> u64 {
        if self.rows > ROWS_TO_MERGE {
            self.merge_hours(now);
        }
        let mut dropped = 0;
        while let Some(minute) = self.minutes.first_entry()
            && (self.rows > MAX_ROWS || *minute.key() < start_of(oldest(now), HOUR))
        {
            let kinds = minute.remove();
            self.rows -= kinds.len();
            dropped += kinds.values().map(|count| count.requests).sum::<u64>();
        }
        dropped
    }

    /// How many rows are held.
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    fn merge_hours(&mut self, now: Micros) {
        let this_hour = start_of(now, HOUR);
        let rest = self.minutes.split_off(&this_hour);
        let past = std::mem::replace(&mut self.minutes, rest);
        self.rows -= past.values().map(BTreeMap::len).sum::<usize>();
        for (minute, kinds) in past {
            for (kind, count) in kinds {
                self.add(start_of(minute, HOUR), kind, count, usize::MAX);
            }
        }
    }

    fn add(&mut self, minute: Micros, kind: Kind, count: Count, limit: usize) -> bool {
        let kinds = self.minutes.entry(minute).or_default();
        if let Some(found) = kinds.get_mut(&kind) {
            found.requests = found.requests.saturating_add(count.requests);
            found.received_bytes = found.received_bytes.saturating_add(count.received_bytes);
            found.sent_bytes = found.sent_bytes.saturating_add(count.sent_bytes);
            return true;
        }
        if kinds.len() >= limit {
            return false;
        }
        kinds.insert(kind, count);
        self.rows += 1;
        true
    }
}

impl From<Vec<TrafficSum>> for Sums {
    fn from(rows: Vec<TrafficSum>) -> Self {
        let mut sums = Self::default();
        for row in rows {
            let count = Count {
                requests: row.requests,
                received_bytes: row.received_bytes,
                sent_bytes: row.sent_bytes,
            };
            let kind = (row.bucket, row.method, row.status);
            sums.add(row.minute, kind, count, usize::MAX);
        }
        sums
    }
}

impl From<Sums> for Vec<TrafficSum> {
    fn from(sums: Sums) -> Self {
        let minutes = sums.minutes.into_iter();
        let rows = minutes.flat_map(|(minute, kinds)| {
            let rows = kinds.into_iter();
            rows.map(move |(kind, count)| sum(minute, kind, count))
        });
        rows.collect()
    }
}

fn sum(minute: Micros, (bucket, method, status): Kind, count: Count) -> TrafficSum {
    TrafficSum {
        minute,
        bucket,
        method,
        status,
        requests: count.requests,
        received_bytes: count.received_bytes,
        sent_bytes: count.sent_bytes,
    }
}

fn oldest(now: Micros) -> Micros {
    now.plus_seconds(-KEPT_HOURS * 3600)
}

fn start_of(at: Micros, span: i64) -> Micros {
    Micros(at.0 - at.0.rem_euclid(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_764_067_806_250_000);

    fn request(bucket: &str, at: Micros) -> Request {
        Request {
            at,
            bucket: bucket.parse().unwrap(),
            method: MethodClass::Read,
            status: 2,
            received_bytes: 1,
            sent_bytes: 10,
        }
    }

    #[test]
    fn a_minute_is_taken_once_it_is_over_the_oldest_first() {
        let mut sums = Sums::default();
        assert!(sums.count(request("now", NOW), NOW));
        assert!(sums.count(request("later", NOW.plus_seconds(3600)), NOW));
        for bucket in ["aaa", "bbb", "aaa"] {
            assert!(sums.count(request(bucket, NOW.plus_seconds(-600)), NOW));
        }
        let first = sums.take_over(NOW, 1);
        assert_eq!(
            (first[0].bucket.to_string(), first[0].requests),
            ("aaa".to_owned(), 2)
        );
        assert_eq!((first[0].received_bytes, first[0].sent_bytes), (2, 20));
        assert_eq!(first[0].minute, Micros(1_764_067_200_000_000));
        assert_eq!(sums.take_over(NOW, 9)[0].bucket.to_string(), "bbb");
        assert!(sums.take_over(NOW, 9).is_empty());
        // The minute that NOW is in ends 54 s later.
        assert!(sums.take_over(NOW.plus_seconds(54), 9).is_empty());
        assert_eq!(sums.take_over(NOW.plus_seconds(59), 9).len(), 2);
        assert_eq!(sums, Sums::default());
    }

    #[test]
    fn kinds_of_a_minute_have_a_bound() {
        let mut sums = Sums::default();
        for n in 0..MAX_KINDS_IN_A_MINUTE {
            assert!(sums.count(request(&format!("b{n:05}"), NOW), NOW));
        }
        assert!(!sums.count(request("one-more", NOW), NOW));
        assert!(sums.count(request("b00000", NOW), NOW));
        assert!(sums.count(request("one-more", NOW.plus_seconds(-60)), NOW));
    }

    #[test]
    fn what_waits_is_merged_by_the_hour_and_nothing_is_lost_by_that() {
        let mut sums = Sums::default();
        for minute in 0..300 {
            for bucket in 0..50 {
                let at = NOW.plus_seconds(-60 * minute);
                assert!(sums.count(request(&format!("b{bucket:02}"), at), NOW));
            }
        }
        assert_eq!((sums.rows(), sums.bound(NOW)), (15_000, 0));
        assert!(sums.rows() < 4000, "{}", sums.rows());
        let rows: Vec<_> = sums.clone().into();
        let requests: u64 = rows.iter().map(|row| row.requests).sum();
        assert_eq!((rows.len(), requests), (sums.rows(), 15_000));
        assert_eq!(Sums::from(rows), sums);
    }

    #[test]
    fn the_oldest_goes_when_there_is_too_much_or_it_is_too_old() {
        let mut sums = Sums::default();
        assert!(!sums.count(request("old", NOW.plus_seconds(-49 * 3600)), NOW));
        for hour in 0..3 {
            for bucket in 0..9000 {
                let at = NOW.plus_seconds(-3600 * hour);
                sums.count(request(&format!("b{bucket:05}"), at), NOW);
            }
        }
        assert_eq!((sums.bound(NOW), sums.rows()), (9000, 18_000));
        let later = NOW.plus_seconds(50 * 3600);
        assert_eq!((sums.bound(later), sums.rows()), (18_000, 0));
    }
}
