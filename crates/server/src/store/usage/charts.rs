//! Use over time, as charts show it: every change, hours or days of an account or of one bucket.

use crate::store::sql::{self, Connection, Record};
use std::collections::BTreeMap;

use sqlx::Row as _;
use storm_protocol::ident::{AccountId, BucketId, Micros};

use super::{CHANGES_HOURS, HOURS_DAYS, Span, TABLE, live, read_figures};
use crate::{
    store::{Result, Store, from_big},
    usage::step::{self, DAY_MICROS, Figures, HOUR_MICROS},
};

/// What to show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chart {
    /// Whose use.
    pub(crate) account: AccountId,
    /// Of one bucket; of all together when absent.
    pub(crate) bucket: Option<BucketId>,
    /// From this instant on, or from the start of its hour or day.
    pub(crate) from: Micros,
    /// To this instant, which is not later than `now`.
    pub(crate) to: Micros,
    /// Now.
    pub(crate) now: Micros,
}

impl Store {
    /// The use in each hour from the first one with anything on, the last one as far as it has come.
    /// Hours older than 90 days are not kept.
    pub(crate) async fn usage_hours(&self, chart: &Chart) -> Result<Vec<Span>> {
        let mut reader = self.read().await?;
        // One view of everything: closing goes on meanwhile.
        let mut view = sql::view(&mut reader).await?;
        let live = live::read(&mut view, chart.account, chart.bucket, chart.now).await?;
        let hours = chart.hours(&mut view, &live, chart.from).await?;
        Ok(from_first(&hours, chart.to, HOUR_MICROS))
    }

    /// The use in each day, UTC, from the first one with anything on, the last one as far as it has come.
    pub(crate) async fn usage_days(&self, chart: &Chart) -> Result<Vec<Span>> {
        let mut reader = self.read().await?;
        let mut view = sql::view(&mut reader).await?;
        let live = live::read(&mut view, chart.account, chart.bucket, chart.now).await?;
        let open = step::day_of(live.since);
        let mut days = chart.closed_days(&mut view, open).await?;
        let hours = chart
            .hours(&mut view, &live, open.max(step::day_of(chart.from)))
            .await?;
        days.extend(by_day(&hours));
        Ok(from_first(&days, chart.to, DAY_MICROS))
    }

    /// Each change, and what there was at the start, with the use until the next one. Changes older
    /// than 48 hours are not kept. At most `limit`.
    pub(crate) async fn usage_changes(&self, chart: &Chart, limit: usize) -> Result<Vec<Span>> {
        let from = chart
            .from
            .max(Micros(chart.now.0 - CHANGES_HOURS * HOUR_MICROS));
        let rows = sqlx::query(
            "SELECT bucket, at, bytes, objects, unfinished_bytes FROM usage_changes \
             WHERE account = $1 AND (CAST($2 AS TEXT) IS NULL OR bucket = $2) AND at < $3 \
             ORDER BY bucket, at",
        )
        .bind(chart.account.to_string())
        .bind(chart.bucket.map(|id| id.to_string()))
        .bind(chart.to.0)
        .fetch_all(&mut *self.read().await?)
        .await?;
        let mut series: BTreeMap<&str, Vec<step::Change>> = BTreeMap::new();
        for row in &rows {
            let change = (Micros(row.try_get("at")?), read_figures(row)?);
            series
                .entry(row.try_get("bucket")?)
                .or_default()
                .push(change);
        }
        let parts: Vec<_> = series
            .values()
            .map(|changes| (Figures::default(), changes.as_slice()))
            .collect();
        let (_, all) = step::together(&parts);
        Ok(steps(&all, from, chart.to, limit))
    }
}

impl Chart {
    /// Hours from `from` on: those that are closed as they were written down, the others from `live`.
    async fn hours(
        &self,
        view: &mut Connection,
        live: &live::Live,
        from: Micros,
    ) -> Result<Vec<Span>> {
        // From a day of which all hours are kept: a bucket's opening then stands in them, or in its
        // last day before.
        let kept = Micros(self.now.0 - (HOURS_DAYS - 1) * DAY_MICROS);
        let from = step::hour_of(from.max(step::day_of(kept)));
        let to = self.to.min(live.since);
        let mut hours = match self.bucket {
            None => self.dense(view, HOURS, from, to).await?,
            Some(bucket) => {
                let opening = self.opening(view, bucket, from).await?;
                let rows = self.sparse(view, bucket, BUCKET_HOURS, from, to).await?;
                filled(opening, &rows, (from, to), HOUR_MICROS)
            }
        };
        hours.extend(live.hours(from, self.to));
        Ok(hours)
    }

    /// Days that ended before `open`, from which on they are not closed.
    async fn closed_days(&self, view: &mut Connection, open: Micros) -> Result<Vec<Span>> {
        let (from, to) = (step::day_of(self.from), self.to.min(open));
        let Some(bucket) = self.bucket else {
            return self.dense(view, DAYS, from, to).await;
        };
        let opening = self.last_day(view, bucket, from).await?;
        let rows = self.sparse(view, bucket, BUCKET_DAYS, from, to).await?;
        Ok(filled(opening, &rows, (from, to), DAY_MICROS))
    }

    async fn dense(
        &self,
        view: &mut Connection,
        sql: &'static str,
        from: Micros,
        to: Micros,
    ) -> Result<Vec<Span>> {
        let rows = sqlx::query(sql)
            .bind(self.account.to_string())
            .bind(from.0)
            .bind(to.0)
            .fetch_all(view)
            .await?;
        rows.iter().map(read_span).collect()
    }

    async fn sparse(
        &self,
        view: &mut Connection,
        bucket: BucketId,
        sql: &'static str,
        from: Micros,
        to: Micros,
    ) -> Result<Vec<Span>> {
        let rows = sqlx::query(sql)
            .bind(self.account.to_string())
            .bind(bucket.to_string())
            .bind(from.0)
            .bind(to.0)
            .fetch_all(view)
            .await?;
        rows.iter().map(read_span).collect()
    }

    /// What a bucket had at the start of the hour `at`: as its last hour with a change left it, or its
    /// last day where hours are not kept any more.
    async fn opening(
        &self,
        view: &mut Connection,
        bucket: BucketId,
        at: Micros,
    ) -> Result<Option<Figures>> {
        let row = sqlx::query(
            "SELECT bytes, objects, unfinished_bytes FROM usage_hours \
             WHERE account = $1 AND bucket = $2 AND at < $3 ORDER BY at DESC LIMIT 1",
        )
        .bind(self.account.to_string())
        .bind(bucket.to_string())
        .bind(at.0)
        .fetch_optional(&mut *view)
        .await?;
        match row {
            Some(row) => Ok(Some(read_figures(&row)?)),
            None => self.last_day(view, bucket, step::day_of(at)).await,
        }
    }

    /// What the last day with a change before the day `at` left.
    async fn last_day(
        &self,
        view: &mut Connection,
        bucket: BucketId,
        at: Micros,
    ) -> Result<Option<Figures>> {
        let row = sqlx::query(
            "SELECT bytes, objects, unfinished_bytes FROM usage_days \
             WHERE account = $1 AND bucket = $2 AND at < $3 ORDER BY at DESC LIMIT 1",
        )
        .bind(self.account.to_string())
        .bind(bucket.to_string())
        .bind(at.0)
        .fetch_optional(view)
        .await?;
        row.as_ref().map(read_figures).transpose()
    }
}

const HOURS: &str = "SELECT at, bytes, objects, unfinished_bytes, peak_bytes, byte_hours \
     FROM account_usage_hours WHERE account = $1 AND at >= $2 AND at < $3 ORDER BY at";
const DAYS: &str = "SELECT at, bytes, objects, unfinished_bytes, peak_bytes, byte_hours \
     FROM account_usage_days WHERE account = $1 AND at >= $2 AND at < $3 ORDER BY at";
const BUCKET_HOURS: &str = "SELECT at, bytes, objects, unfinished_bytes, peak_bytes, byte_hours \
     FROM usage_hours WHERE account = $1 AND bucket = $2 AND at >= $3 AND at < $4 ORDER BY at";
const BUCKET_DAYS: &str = "SELECT at, bytes, objects, unfinished_bytes, peak_bytes, byte_hours \
     FROM usage_days WHERE account = $1 AND bucket = $2 AND at >= $3 AND at < $4 ORDER BY at";

/// Reads the columns of [`Span`].
pub(super) fn read_span(row: &Record) -> Result<Span> {
    Ok(Span {
        at: Micros(row.try_get("at")?),
        closing: read_figures(row)?,
        peak_bytes: from_big(TABLE, row.try_get("peak_bytes")?)?,
        byte_hours: from_big(TABLE, row.try_get("byte_hours")?)?,
    })
}

/// Every step from the first row or an opening on: between rows nothing changed.
fn filled(
    opening: Option<Figures>,
    rows: &[Span],
    (from, to): (Micros, Micros),
    step_micros: i64,
) -> Vec<Span> {
    let mut steps = vec![];
    let mut rows = rows.iter().peekable();
    let mut now = opening;
    let mut at = from;
    while at < to {
        if let Some(row) = rows.next_if(|row| row.at == at) {
            steps.push(*row);
            now = Some(row.closing);
        } else if let Some(still) = now {
            steps.push(Span::still(at, still, step_micros));
        }
        at = Micros(at.0 + step_micros);
    }
    steps
}

/// The steps from the first one with anything on. What was not written down, an account's hours after
/// its last bucket went, is as its last step left it.
fn from_first(steps: &[Span], to: Micros, step_micros: i64) -> Vec<Span> {
    let has_anything = |step: &Span| step.peak_bytes > 0 || step.closing != Figures::default();
    let Some(first) = steps.iter().position(has_anything) else {
        return vec![];
    };
    let steps = &steps[first..];
    filled(None, steps, (steps[0].at, to), step_micros)
}

fn by_day(hours: &[Span]) -> Vec<Span> {
    let mut days: Vec<Span> = vec![];
    for hour in hours {
        let day = step::day_of(hour.at);
        match days.last_mut() {
            Some(last) if last.at == day => {
                last.closing = hour.closing;
                last.peak_bytes = last.peak_bytes.max(hour.peak_bytes);
                last.byte_hours = last.byte_hours.saturating_add(hour.byte_hours);
            }
            _ => days.push(Span { at: day, ..*hour }),
        }
    }
    days
}

/// A span from each change to the next, and one from `from` to the first.
fn steps(all: &[step::Change], from: Micros, to: Micros, limit: usize) -> Vec<Span> {
    let start = all.partition_point(|(at, _)| *at <= from);
    let opening = all[..start].last().map(|(_, figures)| (from, *figures));
    let changes: Vec<step::Change> = opening
        .into_iter()
        .chain(all[start..].iter().copied())
        .take(limit)
        .collect();
    let ends = changes.iter().skip(1).map(|(at, _)| *at).chain([to]);
    changes
        .iter()
        .zip(ends)
        .map(|((at, figures), end)| Span {
            at: *at,
            closing: *figures,
            peak_bytes: figures.used(),
            byte_hours: step::between(*figures, &[], *at, end).byte_hours(),
        })
        .collect()
}
