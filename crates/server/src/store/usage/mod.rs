//! Use over time. Each change of a bucket's figures is recorded in the transaction that made it; hours
//! and days are closed from the changes (`close.rs`) and read for charts (`charts.rs`) and bills
//! (`export.rs`), with what is not closed yet (`live.rs`).

mod charts;
mod close;
mod export;
mod live;
#[cfg(test)]
mod tests;

pub(crate) use self::{charts::Chart, export::MonthSpan};

use crate::store::sql::{Builder, Record};
use sqlx::Row as _;
use storm_protocol::ident::Micros;

use super::{Result, Writing, from_big};
use crate::{
    app::Change,
    usage::step::{Figures, HOUR_MICROS},
};

const TABLE: &str = "usage_changes";
/// Rows that one statement reads or inserts; SQLite takes 32,766 parameters.
const ROWS_AT_ONCE: usize = 1000;
/// The most that a figure counts, 2^53 − 1, so that no sum of a day's overflows: more than a cluster
/// can hold is a fault of the figure.
const MAX_FIGURE: i64 = (1 << 53) - 1;

/// Hours that each change is kept.
const CHANGES_HOURS: i64 = 48;
/// Days that hours are kept.
const HOURS_DAYS: i64 = 90;

/// The use in one step of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// When it begins.
    pub(crate) at: Micros,
    /// The figures at its end.
    pub(crate) closing: Figures,
    /// The most bytes at any time in it, unfinished uploads included.
    pub(crate) peak_bytes: u64,
    /// Bytes times hours, unfinished uploads included.
    pub(crate) byte_hours: u64,
}

impl Span {
    /// A step in which there was nothing.
    pub(crate) fn empty(at: Micros) -> Self {
        Self::still(at, Figures::default(), 0)
    }

    /// A step of whole hours in which nothing changed.
    fn still(at: Micros, figures: Figures, step_micros: i64) -> Self {
        let hours = u64::try_from(step_micros / HOUR_MICROS).unwrap_or(0);
        Self {
            at,
            closing: figures,
            peak_bytes: figures.used(),
            byte_hours: figures.used().saturating_mul(hours),
        }
    }
}

/// A bucket's day so far.
#[derive(Debug, Clone, Copy, Default)]
struct Day {
    byte_hours: u64,
    peak_bytes: u64,
    /// Hours of the day that these cover.
    hours: i64,
}

/// A bucket's figures for an account from an instant on.
struct Recorded {
    account: String,
    bucket: String,
    region: String,
    at: i64,
    bytes: i64,
    objects: i64,
    unfinished_bytes: i64,
}

/// Records the present figures of the buckets among `changes`, where they moved. A bucket that is gone
/// or has changed hands has nothing more for the account that had it; one of nobody's is not recorded.
pub(crate) async fn record(
    transaction: &mut Writing,
    changes: &[Change],
    now: Micros,
) -> Result<()> {
    let mut buckets: Vec<String> = changes.iter().filter_map(bucket_of).collect();
    buckets.sort_unstable();
    buckets.dedup();
    for buckets in buckets.chunks(ROWS_AT_ONCE) {
        let mut select = Builder::on(
            transaction,
            "SELECT b.id, b.region, b.account, b.gone_at, b.bytes, b.objects, b.unfinished_bytes, \
             n.account AS had_account, n.at AS had_at, n.bytes AS had_bytes, \
             n.objects AS had_objects, n.unfinished_bytes AS had_unfinished_bytes, \
             (SELECT closed_until FROM usage_closed) AS closed_until \
             FROM buckets b LEFT JOIN usage_now n ON n.bucket = b.id WHERE b.id IN (",
        );
        let mut list = select.separated(", ");
        for bucket in buckets {
            list.push_bind(bucket);
        }
        select.push(")");
        let rows = select.build().fetch_all(&mut **transaction).await?;
        let (mut ended, mut moved) = (vec![], vec![]);
        for row in &rows {
            let (end, next) = compare(row, now)?;
            ended.extend(end);
            moved.extend(next);
        }
        forget_now(transaction, &ended).await?;
        insert(transaction, &ended).await?;
        insert(transaction, &moved).await?;
        keep_now(transaction, &moved).await?;
    }
    Ok(())
}

fn bucket_of(change: &Change) -> Option<String> {
    match change {
        Change::Bucket(_, id) => Some(id.to_string()),
        Change::Operation(..)
        | Change::Key(..)
        | Change::Agent(_)
        | Change::Certificate(_)
        | Change::Limits(_)
        | Change::Mark(_)
        | Change::Missed => None,
    }
}

/// What is to be recorded of a bucket: the end for the account that had it, and what it has now.
fn compare(row: &Record, now: Micros) -> Result<(Option<Recorded>, Option<Recorded>)> {
    let figure = |column: &str| -> Result<i64> {
        let figure: Option<i64> = row.try_get(column)?;
        // None yet: a receipt made the bucket, and no sweep has seen it.
        Ok(figure.unwrap_or(0).clamp(0, MAX_FIGURE))
    };
    let had: Option<String> = row.try_get("had_account")?;
    let gone = row.try_get::<Option<i64>, _>("gone_at")?.is_some();
    let has: Option<String> = row
        .try_get::<Option<String>, _>("account")?
        .filter(|_| !gone);
    let recorded = |account, [bytes, objects, unfinished_bytes]: [i64; 3]| -> Result<Recorded> {
        // A clock that was set back does not reach into what is recorded or closed.
        let had_at: Option<i64> = row.try_get("had_at")?;
        let closed: Option<i64> = row.try_get("closed_until")?;
        let least = had_at.into_iter().chain(closed).max();
        Ok(Recorded {
            account,
            bucket: row.try_get("id")?,
            region: row.try_get("region")?,
            at: least.map_or(now.0, |least| least.max(now.0)),
            bytes,
            objects,
            unfinished_bytes,
        })
    };
    let figures = [
        figure("bytes")?,
        figure("objects")?,
        figure("unfinished_bytes")?,
    ];
    let ended = match &had {
        Some(had) if has.as_ref() != Some(had) => Some(recorded(had.clone(), [0; 3])?),
        Some(_) | None => None,
    };
    let before = [
        figure("had_bytes")?,
        figure("had_objects")?,
        figure("had_unfinished_bytes")?,
    ];
    let moved = match has {
        Some(has) if had.as_ref() != Some(&has) || before != figures => {
            Some(recorded(has, figures)?)
        }
        Some(_) | None => None,
    };
    Ok((ended, moved))
}

async fn insert(transaction: &mut Writing, rows: &[Recorded]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut insert = Builder::on(
        transaction,
        "INSERT INTO usage_changes (account, bucket, region, at, bytes, objects, unfinished_bytes) ",
    );
    push_rows(&mut insert, rows);
    insert.push(
        " ON CONFLICT (account, bucket, at) DO UPDATE SET bytes = excluded.bytes, \
         objects = excluded.objects, unfinished_bytes = excluded.unfinished_bytes",
    );
    insert.build().execute(&mut **transaction).await?;
    Ok(())
}

async fn keep_now(transaction: &mut Writing, rows: &[Recorded]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut insert = Builder::on(
        transaction,
        "INSERT INTO usage_now (account, bucket, region, at, bytes, objects, unfinished_bytes) ",
    );
    push_rows(&mut insert, rows);
    insert.push(
        " ON CONFLICT (bucket) DO UPDATE SET account = excluded.account, region = excluded.region, \
         at = excluded.at, bytes = excluded.bytes, objects = excluded.objects, \
         unfinished_bytes = excluded.unfinished_bytes",
    );
    insert.build().execute(&mut **transaction).await?;
    Ok(())
}

async fn forget_now(transaction: &mut Writing, rows: &[Recorded]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut delete = Builder::on(transaction, "DELETE FROM usage_now WHERE bucket IN (");
    let mut list = delete.separated(", ");
    for row in rows {
        list.push_bind(&row.bucket);
    }
    delete.push(")");
    delete.build().execute(&mut **transaction).await?;
    Ok(())
}

fn push_rows<'a>(insert: &mut Builder, rows: &'a [Recorded]) {
    insert.push_values(rows, |mut values, row: &'a Recorded| {
        values
            .push_bind(row.account.clone())
            .push_bind(row.bucket.clone())
            .push_bind(row.region.clone())
            .push_bind(row.at)
            .push_bind(row.bytes)
            .push_bind(row.objects)
            .push_bind(row.unfinished_bytes);
    });
}

/// Reads the columns bytes, objects and unfinished_bytes.
fn read_figures(row: &Record) -> Result<Figures> {
    let figure = |column: &str| from_big(TABLE, row.try_get(column)?);
    Ok(Figures {
        bytes: figure("bytes")?,
        objects: figure("objects")?,
        unfinished_bytes: figure("unfinished_bytes")?,
    })
}
