//! What is not closed yet: each bucket's figures when closing had come as far as it has, its day so
//! far, and its changes since.

use crate::store::sql::{Connection, Record};
use sqlx::Row as _;
use storm_protocol::ident::{AccountId, BucketId, Micros};

use super::{Day, Span, TABLE, read_figures};
use crate::{
    store::{Result, from_big},
    usage::step::{self, DAY_MICROS, Figures, HOUR_MICROS},
};

/// An account's series since an instant.
pub(super) struct Live {
    /// All hours before are closed.
    pub(super) since: Micros,
    /// Its buckets, or the one that was asked for.
    pub(super) series: Vec<Series>,
}

/// One bucket.
pub(super) struct Series {
    /// Its id.
    pub(super) bucket: String,
    /// Its region.
    pub(super) region: String,
    /// What it had at [`Live::since`].
    pub(super) open: Figures,
    /// The day of that instant, so far.
    pub(super) day: Day,
    /// What it has had since.
    pub(super) changes: Vec<step::Change>,
}

/// Reads what is not closed of an account, or of its one bucket.
pub(super) async fn read(
    connection: &mut Connection,
    account: AccountId,
    bucket: Option<BucketId>,
    now: Micros,
) -> Result<Live> {
    let (account, bucket) = (account.to_string(), bucket.map(|id| id.to_string()));
    let since: Option<i64> = sqlx::query_scalar("SELECT closed_until FROM usage_closed")
        .fetch_optional(&mut *connection)
        .await?;
    let rows = sqlx::query(
        "SELECT bucket, region, bytes, objects, unfinished_bytes, day_byte_hours, day_peak_bytes, \
         day_hours FROM usage_open WHERE account = $1 AND (CAST($2 AS TEXT) IS NULL OR bucket = $2) \
         ORDER BY bucket",
    )
    .bind(&account)
    .bind(&bucket)
    .fetch_all(&mut *connection)
    .await?;
    let mut series = rows.iter().map(read_open).collect::<Result<Vec<_>>>()?;
    let rows = sqlx::query(
        "SELECT bucket, region, at, bytes, objects, unfinished_bytes FROM usage_changes \
         WHERE account = $1 AND (CAST($2 AS TEXT) IS NULL OR bucket = $2) AND at >= $3 \
         ORDER BY bucket, at",
    )
    .bind(&account)
    .bind(&bucket)
    .bind(since.unwrap_or(i64::MIN))
    .fetch_all(&mut *connection)
    .await?;
    for row in &rows {
        add(&mut series, row)?;
    }
    let first = || {
        let firsts = series.iter().filter_map(|one| one.changes.first());
        let first = firsts.map(|(at, _)| *at).min();
        step::hour_of(first.map_or(now, |first| first.min(now)))
    };
    Ok(Live {
        since: since.map_or_else(first, Micros),
        series,
    })
}

impl Live {
    /// The hours that are not closed from `from` to `to`, the last one as far as it has come.
    pub(super) fn hours(&self, from: Micros, to: Micros) -> Vec<Span> {
        let mut hours = vec![];
        for (at, end) in self.steps(from, to) {
            let parts: Vec<(Figures, &[step::Change])> = self
                .series
                .iter()
                .map(|series| series.during(at, end))
                .collect();
            let byte_hours = parts.iter().fold(0u64, |sum, (opening, changes)| {
                let used = step::between(*opening, changes, at, end);
                sum.saturating_add(used.byte_hours())
            });
            let (opening, changes) = step::together(&parts);
            let all = step::between(opening, &changes, at, end);
            hours.push(Span {
                at,
                closing: all.closing,
                peak_bytes: all.peak_bytes,
                byte_hours,
            });
        }
        hours
    }

    /// When each of these hours begins and ends.
    pub(super) fn steps(
        &self,
        from: Micros,
        to: Micros,
    ) -> impl Iterator<Item = (Micros, Micros)> + use<> {
        let first = self.since.max(step::hour_of(from));
        let starts = std::iter::successors(Some(first), |at| Some(Micros(at.0 + HOUR_MICROS)));
        starts
            .take_while(move |at| *at < to)
            .map(move |at| (at, to.min(Micros(at.0 + HOUR_MICROS))))
    }
}

impl Series {
    /// What it had at `from`, and its changes from there to `to`.
    pub(super) fn during(&self, from: Micros, to: Micros) -> (Figures, &[step::Change]) {
        let start = self.changes.partition_point(|(at, _)| *at < from);
        let end = self.changes.partition_point(|(at, _)| *at < to);
        let before = self.changes[..start].last();
        let opening = before.map_or(self.open, |(_, figures)| *figures);
        (opening, &self.changes[start..end])
    }

    /// Bytes times hours and the most bytes of the day of `since` before it; nothing of a day that
    /// has only begun.
    pub(super) fn day_before(&self, since: Micros) -> (u64, u64) {
        let hours = since.0.rem_euclid(DAY_MICROS) / HOUR_MICROS;
        if hours == 0 {
            return (0, 0);
        }
        let still = u64::try_from(hours - self.day.hours).unwrap_or(0);
        let rest = self.open.used().saturating_mul(still);
        let peak = if still > 0 { self.open.used() } else { 0 };
        (
            self.day.byte_hours.saturating_add(rest),
            self.day.peak_bytes.max(peak),
        )
    }
}

fn read_open(row: &Record) -> Result<Series> {
    Ok(Series {
        bucket: row.try_get("bucket")?,
        region: row.try_get("region")?,
        open: read_figures(row)?,
        day: Day {
            byte_hours: from_big(TABLE, row.try_get("day_byte_hours")?)?,
            peak_bytes: from_big(TABLE, row.try_get("day_peak_bytes")?)?,
            hours: row.try_get("day_hours")?,
        },
        changes: vec![],
    })
}

/// Adds a change to its series; `series` is sorted by bucket.
fn add(series: &mut Vec<Series>, row: &Record) -> Result<()> {
    let bucket: &str = row.try_get("bucket")?;
    let change = (Micros(row.try_get("at")?), read_figures(row)?);
    match series.binary_search_by(|one| one.bucket.as_str().cmp(bucket)) {
        Ok(place) => series[place].changes.push(change),
        Err(place) => series.insert(
            place,
            Series {
                bucket: bucket.to_owned(),
                region: row.try_get("region")?,
                open: Figures::default(),
                day: Day::default(),
                changes: vec![change],
            },
        ),
    }
    Ok(())
}
