//! Closing: from changes to hours, from hours to days. One transaction an hour, and the row that says
//! how far it has come moves in the same one, so that a kill leaves whole hours only.

use crate::store::sql::Record;
use std::collections::BTreeMap;

use sqlx::Row as _;
use storm_protocol::ident::Micros;

use super::{CHANGES_HOURS, Day, HOURS_DAYS, TABLE, read_figures};
use crate::{
    store::{Durability, Result, Store, Writing, from_big, to_big},
    usage::step::{self, DAY_MICROS, Figures, HOUR_MICROS, Used},
};

/// Seconds after its end at which an hour is closed: what is being recorded then still belongs to it.
const CLOSE_AFTER_SECONDS: i64 = 5;
/// The hours of a day.
const DAY_HOURS: i64 = DAY_MICROS / HOUR_MICROS;

/// A bucket's series with changes in the hour that is closed.
struct Moved {
    account: String,
    bucket: String,
    region: String,
    opening: Figures,
    changes: Vec<step::Change>,
    day: Day,
}

impl Store {
    /// Closes the next hour when it has ended. `None`: none is due.
    pub(crate) async fn close_hour(&self, now: Micros) -> Result<Option<Micros>> {
        let due = now.plus_seconds(-CLOSE_AFTER_SECONDS);
        let until: Option<i64> = sqlx::query_scalar("SELECT closed_until FROM usage_closed")
            .fetch_optional(&mut *self.read().await?)
            .await?;
        if until.is_some_and(|until| until + HOUR_MICROS > due.0) {
            return Ok(None);
        }
        let mut transaction = self.write(Durability::Machine).await?;
        let Some(from) = closed_until(&mut transaction, now).await? else {
            return Ok(None);
        };
        let to = Micros(from.0 + HOUR_MICROS);
        if to > due {
            transaction.commit().await?;
            return Ok(None);
        }
        let moved = moved_between(&mut transaction, from, to).await?;
        let used: Vec<Used> = moved
            .iter()
            .map(|series| step::between(series.opening, &series.changes, from, to))
            .collect();
        close_accounts(&mut transaction, &moved, &used, from, to).await?;
        for (series, used) in moved.iter().zip(&used) {
            close_bucket(&mut transaction, series, used, from).await?;
        }
        if to == step::day_of(to) {
            close_day(&mut transaction, Micros(to.0 - DAY_MICROS), from).await?;
        }
        sqlx::query("UPDATE usage_closed SET closed_until = $1")
            .bind(to.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(to))
    }

    /// Drops what is kept for a time only: changes but each bucket's last before that time, which says
    /// what it had when the time begins, and hours, whose days stay for ever. Answers with the number of
    /// rows.
    pub(crate) async fn forget_usage(&self, now: Micros) -> Result<u64> {
        let changes = now.0 - CHANGES_HOURS * HOUR_MICROS;
        let hours = now.0 - HOURS_DAYS * DAY_MICROS;
        let mut transaction = self.write(Durability::Process).await?;
        let mut dropped = sqlx::query(
            "DELETE FROM usage_changes WHERE at < $1 AND at < (SELECT closed_until FROM usage_closed) \
             AND ((bytes = 0 AND objects = 0 AND unfinished_bytes = 0) OR EXISTS \
               (SELECT 1 FROM usage_changes n WHERE n.account = usage_changes.account \
                AND n.bucket = usage_changes.bucket AND n.at > usage_changes.at AND n.at < $1))",
        )
        .bind(changes)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        for sql in [
            "DELETE FROM usage_hours WHERE at < $1",
            "DELETE FROM account_usage_hours WHERE at < $1",
        ] {
            let done = sqlx::query(sql).bind(hours).execute(&mut *transaction);
            dropped += done.await?.rows_affected();
        }
        transaction.commit().await?;
        Ok(dropped)
    }
}

/// How far closing has come. At first: to the hour of the first change; `None` as long as there is none.
async fn closed_until(transaction: &mut Writing, now: Micros) -> Result<Option<Micros>> {
    let until: Option<i64> = sqlx::query_scalar("SELECT closed_until FROM usage_closed")
        .fetch_optional(&mut **transaction)
        .await?;
    if let Some(until) = until {
        return Ok(Some(Micros(until)));
    }
    let first: Option<i64> = sqlx::query_scalar("SELECT MIN(at) FROM usage_changes")
        .fetch_one(&mut **transaction)
        .await?;
    let Some(first) = first else { return Ok(None) };
    let from = step::hour_of(Micros(first.min(now.0)));
    sqlx::query("INSERT INTO usage_closed (one, closed_until) VALUES (1, $1)")
        .bind(from.0)
        .execute(&mut **transaction)
        .await?;
    Ok(Some(from))
}

async fn moved_between(transaction: &mut Writing, from: Micros, to: Micros) -> Result<Vec<Moved>> {
    let rows = sqlx::query(
        "SELECT c.account, c.bucket, c.region, c.at, c.bytes, c.objects, c.unfinished_bytes, \
         o.bytes AS open_bytes, o.objects AS open_objects, o.unfinished_bytes AS open_unfinished, \
         o.day_byte_hours, o.day_peak_bytes, o.day_hours \
         FROM usage_changes c LEFT JOIN usage_open o ON o.account = c.account AND o.bucket = c.bucket \
         WHERE c.at >= $1 AND c.at < $2 ORDER BY c.account, c.bucket, c.at",
    )
    .bind(from.0)
    .bind(to.0)
    .fetch_all(&mut **transaction)
    .await?;
    let mut moved: Vec<Moved> = vec![];
    for row in &rows {
        let (account, bucket): (&str, &str) = (row.try_get("account")?, row.try_get("bucket")?);
        let change = (Micros(row.try_get("at")?), read_figures(row)?);
        match moved.last_mut() {
            Some(last) if last.account == account && last.bucket == bucket => {
                last.changes.push(change);
            }
            _ => moved.push(Moved {
                account: account.to_owned(),
                bucket: bucket.to_owned(),
                region: row.try_get("region")?,
                opening: Figures {
                    bytes: open(row, "open_bytes")?,
                    objects: open(row, "open_objects")?,
                    unfinished_bytes: open(row, "open_unfinished")?,
                },
                changes: vec![change],
                day: Day {
                    byte_hours: open(row, "day_byte_hours")?,
                    peak_bytes: open(row, "day_peak_bytes")?,
                    hours: row.try_get::<Option<i64>, _>("day_hours")?.unwrap_or(0),
                },
            }),
        }
    }
    Ok(moved)
}

/// A column of `usage_open`; 0 when the bucket's series begins only now.
fn open(row: &Record, column: &str) -> Result<u64> {
    from_big(TABLE, row.try_get::<Option<i64>, _>(column)?.unwrap_or(0))
}

async fn close_bucket(
    transaction: &mut Writing,
    series: &Moved,
    used: &Used,
    from: Micros,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO usage_hours (account, bucket, at, region, bytes, objects, unfinished_bytes, \
         peak_bytes, byte_hours) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&series.account)
    .bind(&series.bucket)
    .bind(from.0)
    .bind(&series.region)
    .bind(to_big(used.closing.bytes))
    .bind(to_big(used.closing.objects))
    .bind(to_big(used.closing.unfinished_bytes))
    .bind(to_big(used.peak_bytes))
    .bind(to_big(used.byte_hours()))
    .execute(&mut **transaction)
    .await?;
    let hour = (from.0 - step::day_of(from).0) / HOUR_MICROS;
    let still = u64::try_from(hour - series.day.hours).unwrap_or(0);
    let byte_hours = series
        .opening
        .used()
        .saturating_mul(still)
        .saturating_add(series.day.byte_hours)
        .saturating_add(used.byte_hours());
    let peak_bytes = match hour {
        0 => used.peak_bytes,
        _ => used.peak_bytes.max(series.day.peak_bytes),
    };
    sqlx::query(
        "INSERT INTO usage_open (account, bucket, region, bytes, objects, unfinished_bytes, \
         day_byte_hours, day_peak_bytes, day_hours) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (account, bucket) DO UPDATE SET bytes = excluded.bytes, \
         objects = excluded.objects, unfinished_bytes = excluded.unfinished_bytes, \
         day_byte_hours = excluded.day_byte_hours, day_peak_bytes = excluded.day_peak_bytes, \
         day_hours = excluded.day_hours",
    )
    .bind(&series.account)
    .bind(&series.bucket)
    .bind(&series.region)
    .bind(to_big(used.closing.bytes))
    .bind(to_big(used.closing.objects))
    .bind(to_big(used.closing.unfinished_bytes))
    .bind(to_big(byte_hours))
    .bind(to_big(peak_bytes))
    .bind(hour + 1)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Writes the hour of every account that has anything. Runs before the buckets' own figures move on.
async fn close_accounts(
    transaction: &mut Writing,
    moved: &[Moved],
    used: &[Used],
    from: Micros,
    to: Micros,
) -> Result<()> {
    let rows = sqlx::query(
        "SELECT account, CAST(SUM(bytes) AS BIGINT) AS bytes, CAST(SUM(objects) AS BIGINT) AS objects, \
         CAST(SUM(unfinished_bytes) AS BIGINT) AS unfinished_bytes FROM usage_open GROUP BY account",
    )
    .fetch_all(&mut **transaction)
    .await?;
    let mut openings: BTreeMap<String, Figures> = BTreeMap::new();
    for row in &rows {
        openings.insert(row.try_get("account")?, read_figures(row)?);
    }
    for series in moved {
        openings.entry(series.account.clone()).or_default();
    }
    for (account, opening) in openings {
        let mine: Vec<_> = moved
            .iter()
            .zip(used)
            .filter(|(series, _)| series.account == account)
            .collect();
        let before = mine.iter().fold(Figures::default(), |sum, (series, _)| {
            sum.plus(series.opening)
        });
        let still = Figures {
            bytes: opening.bytes.saturating_sub(before.bytes),
            objects: opening.objects.saturating_sub(before.objects),
            unfinished_bytes: opening
                .unfinished_bytes
                .saturating_sub(before.unfinished_bytes),
        };
        let steps: Vec<_> = mine
            .iter()
            .map(|(series, _)| (series.opening, series.changes.as_slice()))
            .chain([(still, &[][..])])
            .collect();
        let (opening, changes) = step::together(&steps);
        let all = step::between(opening, &changes, from, to);
        // The sum of its buckets', each rounded down: a bill's lines add up to its total.
        let byte_hours = mine.iter().fold(still.used(), |sum, (_, used)| {
            sum.saturating_add(used.byte_hours())
        });
        sqlx::query(
            "INSERT INTO account_usage_hours (account, at, bytes, objects, unfinished_bytes, peak_bytes, \
             byte_hours) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&account)
        .bind(from.0)
        .bind(to_big(all.closing.bytes))
        .bind(to_big(all.closing.objects))
        .bind(to_big(all.closing.unfinished_bytes))
        .bind(to_big(all.peak_bytes))
        .bind(to_big(byte_hours))
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

/// Writes the day that has ended with the hour `last`, and begins the next.
async fn close_day(transaction: &mut Writing, day: Micros, last: Micros) -> Result<()> {
    sqlx::query(
        "INSERT INTO usage_days (account, bucket, at, region, bytes, objects, unfinished_bytes, \
         peak_bytes, byte_hours) SELECT account, bucket, $1, region, bytes, objects, unfinished_bytes, \
         day_peak_bytes, day_byte_hours + ($2 - day_hours) * (bytes + unfinished_bytes) \
         FROM usage_open WHERE day_hours > 0",
    )
    .bind(day.0)
    .bind(DAY_HOURS)
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "INSERT INTO account_usage_days (account, at, bytes, objects, unfinished_bytes, peak_bytes, \
         byte_hours) SELECT h.account, $1, COALESCE(MAX(l.bytes), 0), COALESCE(MAX(l.objects), 0), \
         COALESCE(MAX(l.unfinished_bytes), 0), MAX(h.peak_bytes), SUM(h.byte_hours) \
         FROM account_usage_hours h \
         LEFT JOIN account_usage_hours l ON l.account = h.account AND l.at = $2 \
         WHERE h.at >= $1 AND h.at <= $2 GROUP BY h.account",
    )
    .bind(day.0)
    .bind(last.0)
    .execute(&mut **transaction)
    .await?;
    // A series that has ended has nothing more to say.
    sqlx::query(
        "DELETE FROM usage_open WHERE bytes = 0 AND objects = 0 AND unfinished_bytes = 0 \
         AND NOT EXISTS (SELECT 1 FROM usage_now n WHERE n.bucket = usage_open.bucket \
         AND n.account = usage_open.account)",
    )
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "UPDATE usage_open SET day_byte_hours = 0, day_hours = 0, \
         day_peak_bytes = bytes + unfinished_bytes WHERE day_hours > 0",
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
