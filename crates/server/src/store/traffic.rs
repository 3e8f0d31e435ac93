//! Requests over time: counted by agents from the logs of the proxies before Garage, added up here as
//! their frames arrive, for the account that has the bucket: for the bucket, and for all together.

mod buckets;
mod served;
#[cfg(test)]
mod tests;

use crate::store::sql::{Builder, Record};
use std::collections::BTreeMap;

use sqlx::Row as _;
use storm_protocol::{
    api::RequestsPoint,
    frame::{MethodClass, TrafficFrame, TrafficSum},
    ident::{AccountId, AgentId, BucketId, Micros, RegionName},
};

use self::buckets::Buckets;
pub(crate) use self::served::Served;
pub(super) use self::served::{by_bucket, counting_regions};
use super::{Durability, Result, Store, StoreError, Writing, from_big, to_big};

const TABLE: &str = "traffic";
/// Hours that sums by minute are kept.
const MINUTES_KEPT_HOURS: i64 = 48;
/// Days that sums by hour are kept.
const HOURS_KEPT_DAYS: i64 = 90;
/// Hours after which a minute is too old to be counted: an agent drops what waited for 48.
const MAX_AGE_HOURS: i64 = 49;
/// Seconds that a minute may lie ahead, by an agent's clock.
const MAX_AHEAD_SECONDS: i64 = 120;
/// The largest figure of a row: 2^53 - 1, which JSON's readers hold exactly and a thousand of which
/// SQL adds without overflow.
const MAX_FIGURE: u64 = (1 << 53) - 1;
/// Rows that one statement inserts; SQLite takes 32,766 parameters.
const ROWS_AT_ONCE: usize = 1000;

/// How long a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Kept for 48 hours.
    Minute,
    /// Kept for 90 days.
    Hour,
    /// UTC; kept for ever.
    Day,
}

impl Step {
    const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// Its seconds.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 24 * 3600,
        }
    }

    /// The beginning of the step that `at` lies in.
    pub const fn begin(self, at: Micros) -> Micros {
        let into = at.0.rem_euclid(self.seconds() * Micros::SECOND);
        Micros(at.0.saturating_sub(into))
    }
}

/// Whose requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrafficOf {
    /// The account that had the bucket at the time.
    pub account: AccountId,
    /// To this bucket; to all of them together when absent.
    pub bucket: Option<BucketId>,
}

impl TrafficOf {
    fn bucket_column(self) -> String {
        self.bucket.map(|id| id.to_string()).unwrap_or_default()
    }
}

/// What a row is about: account, bucket, step, its beginning, method, status.
type Place = (String, String, i64, Micros, MethodClass, u8);

/// What a row counts.
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    requests: u64,
    received_bytes: u64,
    sent_bytes: u64,
}

impl Store {
    /// Takes an agent's counts in, once: a frame at or below the last one stored changes nothing.
    /// Answers with the last one stored, which is on disk.
    pub async fn keep_traffic(
        &self,
        agent: AgentId,
        region: &RegionName,
        frame: &TrafficFrame,
        now: Micros,
    ) -> Result<u64> {
        let mut transaction = self.write(Durability::Machine).await?;
        let stored: i64 = sqlx::query_scalar("SELECT traffic_sequence FROM agents WHERE id = $1")
            .bind(agent.to_string())
            .fetch_one(&mut *transaction)
            .await?;
        let stored = from_big("agents", stored)?;
        if frame.sequence <= stored {
            return Ok(stored);
        }
        let timely: Vec<_> = frame
            .sums
            .iter()
            .filter(|sum| is_timely(sum, now))
            .collect();
        let buckets = Buckets::of(&mut transaction, region, &timely).await?;
        let rows = add_up(&timely, &buckets);
        add(&mut transaction, &rows).await?;
        sqlx::query("UPDATE agents SET traffic_sequence = $2 WHERE id = $1")
            .bind(agent.to_string())
            .bind(to_big(frame.sequence))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(frame.sequence)
    }

    /// Requests from `from` until before `to`, by the beginnings of their steps, oldest first.
    pub async fn traffic(
        &self,
        of: TrafficOf,
        step: Step,
        from: Micros,
        to: Micros,
    ) -> Result<Vec<RequestsPoint>> {
        let rows = sqlx::query(
            "SELECT at, method, status, requests, received_bytes, sent_bytes FROM traffic \
             WHERE account = $1 AND bucket = $2 AND step = $3 AND at >= $4 AND at < $5 \
             ORDER BY at, method, status",
        )
        .bind(of.account.to_string())
        .bind(of.bucket_column())
        .bind(step.seconds())
        .bind(from.0)
        .bind(to.0)
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_point).collect()
    }

    /// Whether any agent of a region ever told of requests.
    pub async fn counts_requests(&self, region: &RegionName) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM agents WHERE region = $1 AND traffic_sequence > 0 LIMIT 1",
        )
        .bind(region.as_str())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        Ok(found.is_some())
    }

    /// Forgets sums by minute and by hour whose time is over; gives how many.
    pub async fn drop_old_traffic(&self, now: Micros) -> Result<u64> {
        let mut dropped = 0;
        for (step, kept_seconds) in [
            (Step::Minute, MINUTES_KEPT_HOURS * 3600),
            (Step::Hour, HOURS_KEPT_DAYS * 24 * 3600),
        ] {
            let mut change = self.write_one(Durability::Process).await?;
            // The first condition names the index.
            let done =
                sqlx::query("DELETE FROM traffic WHERE step < 86400 AND step = $1 AND at < $2")
                    .bind(step.seconds())
                    .bind(now.plus_seconds(-kept_seconds).0)
                    .execute(&mut *change)
                    .await?;
            change.commit().await?;
            dropped += done.rows_affected();
        }
        Ok(dropped)
    }
}

fn is_timely(sum: &TrafficSum, now: Micros) -> bool {
    (1..=5).contains(&sum.status)
        && sum.minute >= now.plus_seconds(-MAX_AGE_HOURS * 3600)
        && sum.minute <= now.plus_seconds(MAX_AHEAD_SECONDS)
}

/// What a frame adds to each row. Names that lead to no bucket of anybody's add nothing.
fn add_up(sums: &[&TrafficSum], buckets: &Buckets) -> BTreeMap<Place, Figures> {
    let mut rows: BTreeMap<Place, Figures> = BTreeMap::new();
    for sum in sums {
        let Some((bucket, account)) = buckets.find(&sum.bucket, sum.minute) else {
            continue;
        };
        for bucket in [Some(bucket), None] {
            let of = TrafficOf { account, bucket };
            for step in Step::ALL {
                let place = (
                    account.to_string(),
                    of.bucket_column(),
                    step.seconds(),
                    step.begin(sum.minute),
                    sum.method,
                    sum.status,
                );
                let row = rows.entry(place).or_default();
                row.requests = row.requests.saturating_add(sum.requests);
                row.received_bytes = row.received_bytes.saturating_add(sum.received_bytes);
                row.sent_bytes = row.sent_bytes.saturating_add(sum.sent_bytes);
            }
        }
    }
    rows
}

async fn add(transaction: &mut Writing, rows: &BTreeMap<Place, Figures>) -> Result<()> {
    let rows: Vec<_> = rows.iter().collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let mut insert = Builder::on(
            transaction,
            "INSERT INTO traffic (account, bucket, step, at, method, status, requests, received_bytes, \
             sent_bytes) ",
        );
        insert.push_values(
            rows,
            |mut row, ((account, bucket, step, at, method, status), figures)| {
                let figure = |figure: u64| to_big(figure.min(MAX_FIGURE));
                row.push_bind(account)
                    .push_bind(bucket)
                    .push_bind(*step)
                    .push_bind(at.0)
                    .push_bind(method.as_str())
                    .push_bind(i64::from(*status))
                    .push_bind(figure(figures.requests))
                    .push_bind(figure(figures.received_bytes))
                    .push_bind(figure(figures.sent_bytes));
            },
        );
        insert.push(" ON CONFLICT (account, bucket, step, at, method, status) DO UPDATE SET ");
        let mut set = insert.separated(", ");
        // Whatever an agent says, no row grows out of what a number holds.
        for column in ["requests", "received_bytes", "sent_bytes"] {
            set.push(format!("{column} = CASE WHEN traffic.{column} >= "))
                .push_bind_unseparated(to_big(MAX_FIGURE))
                .push_unseparated(format!(
                    " THEN traffic.{column} ELSE traffic.{column} + excluded.{column} END"
                ));
        }
        insert.build().execute(&mut **transaction).await?;
    }
    Ok(())
}

fn read_point(row: &Record) -> Result<RequestsPoint> {
    let figure = |column: &str| from_big(TABLE, row.try_get(column)?);
    let method: &str = row.try_get("method")?;
    let found = MethodClass::ALL
        .into_iter()
        .find(|class| class.as_str() == method);
    let method = found.ok_or_else(|| StoreError::Row {
        table: TABLE,
        what: format!("there is no method class {method}"),
    })?;
    let status = row.try_get::<i64, _>("status")?;
    Ok(RequestsPoint {
        at: Micros(row.try_get("at")?),
        method,
        status: u8::try_from(status).map_err(|error| StoreError::Row {
            table: TABLE,
            what: error.to_string(),
        })?,
        requests: figure("requests")?,
        received_bytes: figure("received_bytes")?,
        sent_bytes: figure("sent_bytes")?,
    })
}
