//! Requests and what was sent in answer, as charts and bills show them beside what is stored.

use crate::store::sql::{Connection, Record};
use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row as _;
use storm_protocol::ident::{AccountId, Micros};

use super::{Step, TABLE, TrafficOf};
use crate::store::{Result, Store, from_big};

/// What was served in some time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Served {
    /// Requests, whatever their method and status.
    pub(crate) requests: u64,
    /// Bytes that were sent.
    pub(crate) sent_bytes: u64,
}

impl Store {
    /// What was served in each step from the one of `from` until before `to`; none in which nothing was.
    pub(crate) async fn served(
        &self,
        of: TrafficOf,
        step: Step,
        from: Micros,
        to: Micros,
    ) -> Result<BTreeMap<Micros, Served>> {
        let rows = sqlx::query(
            "SELECT at, CAST(SUM(requests) AS BIGINT) AS requests, \
             CAST(SUM(sent_bytes) AS BIGINT) AS sent_bytes FROM traffic \
             WHERE account = $1 AND bucket = $2 AND step = $3 AND at >= $4 AND at < $5 GROUP BY at",
        )
        .bind(of.account.to_string())
        .bind(of.bucket_column())
        .bind(step.seconds())
        .bind(step.begin(from).0)
        .bind(to.0)
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| Ok((Micros(row.try_get("at")?), read_served(row)?));
        rows.iter().map(read).collect()
    }

    /// Whether requests are counted in a region where the account has, or had, a bucket.
    pub(crate) async fn counts_requests_of(&self, account: AccountId) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM agents a WHERE a.traffic_sequence > 0 AND EXISTS \
             (SELECT 1 FROM buckets b WHERE b.account = $1 AND b.region = a.region) LIMIT 1",
        )
        .bind(account.to_string())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        Ok(found.is_some())
    }
}

/// What each of an account's buckets served in the days from `from` until before `to`, by its id.
pub(in crate::store) async fn by_bucket(
    view: &mut Connection,
    account: AccountId,
    from: Micros,
    to: Micros,
) -> Result<BTreeMap<String, Served>> {
    let rows = sqlx::query(
        "SELECT bucket, CAST(SUM(requests) AS BIGINT) AS requests, \
             CAST(SUM(sent_bytes) AS BIGINT) AS sent_bytes FROM traffic \
         WHERE account = $1 AND step = 86400 AND at >= $2 AND at < $3 AND bucket <> '' \
         GROUP BY bucket",
    )
    .bind(account.to_string())
    .bind(from.0)
    .bind(to.0)
    .fetch_all(view)
    .await?;
    let read = |row: &Record| Ok((row.try_get("bucket")?, read_served(row)?));
    rows.iter().map(read).collect()
}

/// The regions in which requests are counted.
pub(in crate::store) async fn counting_regions(view: &mut Connection) -> Result<BTreeSet<String>> {
    let rows = sqlx::query_scalar("SELECT DISTINCT region FROM agents WHERE traffic_sequence > 0");
    Ok(rows.fetch_all(view).await?.into_iter().collect())
}

fn read_served(row: &Record) -> Result<Served> {
    Ok(Served {
        requests: from_big(TABLE, row.try_get("requests")?)?,
        sent_bytes: from_big(TABLE, row.try_get("sent_bytes")?)?,
    })
}
