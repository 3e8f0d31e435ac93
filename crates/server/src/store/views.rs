//! What an account sees: pages of its buckets, keys, grants and operations, each by an index and
//! a place to go on from. Nothing here shows what is another account's.

use crate::store::sql::Record;
use std::collections::HashMap;

use sqlx::Row;
use storm_protocol::{
    api::{Bucket, Grant, Key, Operation, OperationStatus},
    command::KeyGrant,
    ident::{AccessKeyId, AccountId, BucketId, BucketName, Limit, Micros, OperationId, RegionName},
};

use super::{
    Result, Store,
    archive::merged,
    from_json,
    operations::{counts, operation_columns, read_operation},
    parsed, parsed_option,
};

/// Where a list of buckets goes on: named ones come first, by name; then the nameless, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AfterBucket {
    /// The last one's name.
    pub(crate) name: Option<String>,
    /// Its id.
    pub(crate) id: String,
}

/// Where a list of buckets by size goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AfterLarger {
    /// The last one's bytes; below zero where none are known.
    pub(crate) bytes: i64,
    /// Its id.
    pub(crate) id: String,
}

/// Which of everyone's operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// All.
    All,
    /// Those that have not ended.
    Open,
    /// Those that ended without having done their work, cancelled ones aside.
    NotDone,
}

/// The columns that [`read_bucket`] reads.
macro_rules! bucket_columns {
    () => {
        "id, region, name, aliases, bytes, objects, unfinished_bytes, unfinished_uploads, \
         quota_bytes, website, created_at, seen_at, drift, \
         CASE WHEN EXISTS (SELECT 1 FROM bucket_quotas WHERE bucket = buckets.id) \
           THEN (SELECT own_bytes FROM bucket_quotas WHERE bucket = buckets.id) \
           ELSE quota_bytes END AS own_bytes, \
         CASE WHEN EXISTS (SELECT 1 FROM bucket_quotas WHERE bucket = buckets.id) \
           THEN (SELECT own_objects FROM bucket_quotas WHERE bucket = buckets.id) \
           ELSE quota_objects END AS own_objects, \
         CASE WHEN vanished = 1 THEN gone_at END AS vanished_at"
    };
}
pub(super) use bucket_columns;

macro_rules! bucket_select {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            bucket_columns!(),
            " FROM buckets WHERE account = $1 AND gone_at IS NULL AND ",
            $rest
        )
    };
}

/// The columns that [`read_key`] reads.
macro_rules! key_columns {
    () => {
        "id, region, label, created_at, expires_at, suspended, temporary, create_buckets, \
         CASE WHEN operation IS NULL OR acknowledged_at IS NOT NULL THEN 1 ELSE 0 END AS acknowledged, \
         CASE WHEN vanished = 1 THEN gone_at END AS vanished_at"
    };
}

macro_rules! key_select {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            key_columns!(),
            " FROM keys WHERE account = $1 AND gone_at IS NULL AND ",
            $rest
        )
    };
}

/// A page of an account's operations that pass further conditions.
macro_rules! operations_page {
    ($($condition:expr),*) => {
        concat!(
            "SELECT ",
            operation_columns!(),
            " FROM operations WHERE account = $1 AND id < $2 ",
            $($condition,)*
            " ORDER BY id DESC LIMIT $3"
        )
    };
}

/// Seconds for which what vanished is shown: 90 days.
const VANISHED_SECONDS: i64 = 90 * 24 * 3600;

impl Store {
    /// An account's bucket.
    pub(crate) async fn bucket(&self, account: AccountId, id: BucketId) -> Result<Option<Bucket>> {
        let row = sqlx::query(bucket_select!("id = $2"))
            .bind(account.to_string())
            .bind(id.to_string())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        row.as_ref().map(read_bucket).transpose()
    }

    /// An account's buckets called `name`: one a region at most.
    pub(crate) async fn buckets_named(
        &self,
        account: AccountId,
        region: Option<&RegionName>,
        name: &BucketName,
    ) -> Result<Vec<Bucket>> {
        let rows = sqlx::query(bucket_select!(
            "name = $2 AND (CAST($3 AS TEXT) IS NULL OR region = $3) ORDER BY id"
        ))
        .bind(account.to_string())
        .bind(name.as_str())
        .bind(region.map(RegionName::as_str))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_bucket).collect()
    }

    /// An account's buckets after `after`, at most `limit`.
    pub(crate) async fn buckets(
        &self,
        account: AccountId,
        region: Option<&RegionName>,
        after: Option<&AfterBucket>,
        limit: usize,
    ) -> Result<Vec<Bucket>> {
        let mut rows = vec![];
        let nameless_after = after
            .filter(|after| after.name.is_none())
            .map(|after| after.id.as_str());
        if nameless_after.is_none() {
            let (name, id) = after.map_or(("", ""), |after| {
                (after.name.as_deref().unwrap_or(""), &after.id)
            });
            rows = sqlx::query(bucket_select!(
                "(name, id) > ($2, $3) AND (CAST($4 AS TEXT) IS NULL OR region = $4) \
                 ORDER BY name, id LIMIT $5"
            ))
            .bind(account.to_string())
            .bind(name)
            .bind(id)
            .bind(region.map(RegionName::as_str))
            .bind(rows_of(limit))
            .fetch_all(&mut *self.read().await?)
            .await?;
        }
        if rows.len() < limit {
            let nameless = sqlx::query(bucket_select!(
                "name IS NULL AND id > $2 AND (CAST($3 AS TEXT) IS NULL OR region = $3) \
                 ORDER BY id LIMIT $4"
            ))
            .bind(account.to_string())
            .bind(nameless_after.unwrap_or(""))
            .bind(region.map(RegionName::as_str))
            .bind(rows_of(limit - rows.len()))
            .fetch_all(&mut *self.read().await?)
            .await?;
            rows.extend(nameless);
        }
        rows.iter().map(read_bucket).collect()
    }

    /// An account's buckets after `after`, the largest first, at most `limit`; those of unknown size
    /// come last.
    pub(crate) async fn buckets_by_size(
        &self,
        account: AccountId,
        region: Option<&RegionName>,
        after: Option<&AfterLarger>,
        limit: usize,
    ) -> Result<Vec<Bucket>> {
        let (bytes, id) = after.map_or((i64::MAX, ""), |after| (after.bytes, &after.id));
        let rows = sqlx::query(bucket_select!(
            "COALESCE(bytes, -1) <= $2 AND (COALESCE(bytes, -1) < $2 OR id > $3) \
             AND (CAST($4 AS TEXT) IS NULL OR region = $4) \
             ORDER BY COALESCE(bytes, -1) DESC, id LIMIT $5"
        ))
        .bind(account.to_string())
        .bind(bytes)
        .bind(id)
        .bind(region.map(RegionName::as_str))
        .bind(rows_of(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_bucket).collect()
    }

    /// Everyone's buckets that drift, with their accounts, by id after `after`, at most `limit`.
    pub(crate) async fn everyones_buckets_drifting(
        &self,
        region: Option<&RegionName>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Bucket>> {
        let rows = sqlx::query(concat!(
            "SELECT account, ",
            bucket_columns!(),
            " FROM buckets WHERE drift = 1 AND account IS NOT NULL AND gone_at IS NULL AND id > $1 \
             AND (CAST($2 AS TEXT) IS NULL OR region = $2) ORDER BY id LIMIT $3"
        ))
        .bind(after)
        .bind(region.map(RegionName::as_str))
        .bind(rows_of(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        let owned = |row: &Record| {
            let account = parsed_option("buckets", row.try_get("account")?)?;
            Ok(Bucket {
                account,
                ..read_bucket(row)?
            })
        };
        rows.iter().map(owned).collect()
    }

    /// An account's buckets that drift, by id after `after`, at most `limit`.
    pub(crate) async fn buckets_drifting(
        &self,
        account: AccountId,
        region: Option<&RegionName>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Bucket>> {
        let rows = sqlx::query(bucket_select!(
            "drift = 1 AND id > $2 AND (CAST($3 AS TEXT) IS NULL OR region = $3) \
             ORDER BY id LIMIT $4"
        ))
        .bind(account.to_string())
        .bind(after)
        .bind(region.map(RegionName::as_str))
        .bind(rows_of(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_bucket).collect()
    }

    /// An account's buckets that vanished not too long ago, by id after `after`, at most `limit`.
    pub(crate) async fn buckets_vanished(
        &self,
        account: AccountId,
        region: Option<&RegionName>,
        after: &str,
        limit: usize,
        now: Micros,
    ) -> Result<Vec<Bucket>> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            bucket_columns!(),
            " FROM buckets WHERE account = $1 AND vanished = 1 AND gone_at > $2 AND id > $3 \
             AND (CAST($4 AS TEXT) IS NULL OR region = $4) ORDER BY id LIMIT $5"
        ))
        .bind(account.to_string())
        .bind(now.plus_seconds(-VANISHED_SECONDS).0)
        .bind(after)
        .bind(region.map(RegionName::as_str))
        .bind(rows_of(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_bucket).collect()
    }

    /// An account's keys that vanished not too long ago, by id after `after`, at most `limit`.
    pub(crate) async fn keys_vanished(
        &self,
        account: AccountId,
        region: Option<&RegionName>,
        after: &str,
        limit: usize,
        now: Micros,
    ) -> Result<Vec<Key>> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            key_columns!(),
            " FROM keys WHERE account = $1 AND vanished = 1 AND gone_at > $2 AND id > $3 \
             AND (CAST($4 AS TEXT) IS NULL OR region = $4) ORDER BY id LIMIT $5"
        ))
        .bind(account.to_string())
        .bind(now.plus_seconds(-VANISHED_SECONDS).0)
        .bind(after)
        .bind(region.map(RegionName::as_str))
        .bind(rows_of(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_key).collect()
    }

    /// An account's key.
    pub(crate) async fn key(&self, account: AccountId, id: &AccessKeyId) -> Result<Option<Key>> {
        let row = sqlx::query(key_select!("id = $2"))
            .bind(account.to_string())
            .bind(id.as_str())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let mut keys = vec![read_key(&row)?];
        self.add_grants(account, &mut keys).await?;
        Ok(keys.pop())
    }

    /// An account's keys after `after`, at most `limit`.
    pub(crate) async fn keys(
        &self,
        account: AccountId,
        region: Option<&RegionName>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Key>> {
        let rows = sqlx::query(key_select!(
            "id > $2 AND (CAST($3 AS TEXT) IS NULL OR region = $3) ORDER BY id LIMIT $4"
        ))
        .bind(account.to_string())
        .bind(after)
        .bind(region.map(RegionName::as_str))
        .bind(rows_of(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        let mut keys = rows.iter().map(read_key).collect::<Result<Vec<_>>>()?;
        self.add_grants(account, &mut keys).await?;
        Ok(keys)
    }

    /// The rights of an account's keys on a bucket, by key after `after`, at most `limit`.
    pub(crate) async fn grants(
        &self,
        account: AccountId,
        bucket: BucketId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Grant>> {
        let rows = sqlx::query(
            "SELECT keys.id, keys.label, read, write, owner FROM buckets \
             JOIN grants ON grants.region = buckets.region AND grants.bucket = buckets.id \
             JOIN keys ON keys.id = grants.key AND keys.region = grants.region \
               AND keys.account = $1 AND keys.gone_at IS NULL \
             WHERE buckets.id = $2 AND key > $3 ORDER BY key LIMIT $4",
        )
        .bind(account.to_string())
        .bind(bucket.to_string())
        .bind(after)
        .bind(rows_of(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_grant).collect()
    }

    /// An account's operations, newest first, older than `before`, at most `limit`.
    pub(crate) async fn operations(
        &self,
        account: AccountId,
        state: Option<OperationStatus>,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Vec<Operation>> {
        // No id is greater: ids are hex digits.
        let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
        let query = match state {
            None => sqlx::query(operations_page!("")),
            // Each kind of state in the words of the index that has no others.
            Some(OperationStatus::Requested | OperationStatus::Signed) => {
                sqlx::query(operations_page!(
                    "AND id IN (SELECT id FROM operations WHERE account = $1 AND state = $4 AND ",
                    counts!(),
                    ")"
                ))
            }
            Some(OperationStatus::Sent | OperationStatus::Accepted | OperationStatus::Unknown) => {
                // Not by the index of the account, in which there are all the others.
                sqlx::query(operations_page!(
                    "AND id IN (SELECT id FROM operations WHERE account || '' = $1 AND state = $4 \
                     AND state IN ('sent', 'accepted', 'unknown'))"
                ))
            }
            Some(
                OperationStatus::Done
                | OperationStatus::Failed
                | OperationStatus::Refused
                | OperationStatus::Expired
                | OperationStatus::Cancelled,
            ) => sqlx::query(operations_page!(
                "AND state = $4 AND finished_at IS NOT NULL"
            )),
        };
        let query = query.bind(account.to_string()).bind(before.clone());
        let mut query = query.bind(rows_of(limit));
        if let Some(state) = state {
            query = query.bind(state.as_str());
        }
        let rows = query.fetch_all(&mut *self.read().await?).await?;
        let live = rows.iter().map(read_operation).collect::<Result<_>>()?;
        let old = self.archived_operations(account, state, &before, limit);
        Ok(merged(live, old.await?, limit))
    }

    /// Everyone's operations, newest first, older than `before`, at most `limit`.
    pub(crate) async fn everyones_operations(
        &self,
        which: Which,
        before: Option<OperationId>,
        limit: usize,
    ) -> Result<Vec<Operation>> {
        // No id is greater: ids are hex digits.
        let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
        let query = match which {
            Which::All => sqlx::query(concat!(
                "SELECT ",
                operation_columns!(),
                " FROM operations WHERE id < $1 ORDER BY id DESC LIMIT $2"
            )),
            // Found by the indexes on what is open, which are small whatever came before.
            Which::Open => sqlx::query(concat!(
                "SELECT ",
                operation_columns!(),
                " FROM operations WHERE id IN (SELECT id FROM operations WHERE ",
                counts!(),
                " UNION SELECT id FROM operations WHERE state IN ('sent', 'accepted', 'unknown')) \
                 AND id < $1 ORDER BY id DESC LIMIT $2"
            )),
            Which::NotDone => sqlx::query(concat!(
                "SELECT ",
                operation_columns!(),
                " FROM operations WHERE state IN ('failed', 'refused', 'expired') AND id < $1 \
                 ORDER BY id DESC LIMIT $2"
            )),
        };
        let query = query.bind(before.clone()).bind(rows_of(limit));
        let rows = query.fetch_all(&mut *self.read().await?).await?;
        let live = rows.iter().map(read_operation).collect::<Result<_>>()?;
        let old = self.everyones_archived_operations(which, &before, limit);
        Ok(merged(live, old.await?, limit))
    }

    /// Gives `keys`, which are sorted by id and `account`'s, their rights.
    async fn add_grants(&self, account: AccountId, keys: &mut [Key]) -> Result<()> {
        let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
            return Ok(());
        };
        let rows = sqlx::query(
            "SELECT grants.key, grants.bucket, grants.read, grants.write, grants.owner FROM keys \
             JOIN grants ON grants.region = keys.region AND grants.key = keys.id \
             WHERE keys.account = $1 AND keys.gone_at IS NULL AND keys.id BETWEEN $2 AND $3 \
             ORDER BY keys.id, grants.bucket",
        )
        .bind(account.to_string())
        .bind(first.id.as_str())
        .bind(last.id.as_str())
        .fetch_all(&mut *self.read().await?)
        .await?;
        let mut by_key: HashMap<String, Vec<KeyGrant>> = HashMap::new();
        for row in &rows {
            by_key
                .entry(row.try_get("key")?)
                .or_default()
                .push(KeyGrant {
                    bucket: parsed("grants", row.try_get("bucket")?)?,
                    read: flag(row, "read")?,
                    write: flag(row, "write")?,
                    owner: flag(row, "owner")?,
                });
        }
        for key in keys {
            key.grants = by_key.remove(key.id.as_str()).unwrap_or_default();
        }
        Ok(())
    }
}

pub(crate) fn rows_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn flag(row: &Record, column: &str) -> Result<bool> {
    Ok(row.try_get::<i64, _>(column)? != 0)
}

/// Reads a row of [`bucket_columns`].
pub(super) fn read_bucket(row: &Record) -> Result<Bucket> {
    // Figures come from Garage; a negative one would be a fault there and is shown as unknown.
    let figure = |column: &str| -> Result<Option<u64>> {
        Ok(row
            .try_get::<Option<i64>, _>(column)?
            .and_then(|value| value.try_into().ok()))
    };
    Ok(Bucket {
        id: parsed("buckets", row.try_get("id")?)?,
        region: parsed("buckets", row.try_get("region")?)?,
        name: parsed_option("buckets", row.try_get("name")?)?,
        aliases: from_json("buckets", row.try_get("aliases")?)?,
        bytes: figure("bytes")?,
        objects: figure("objects")?,
        unfinished_bytes: figure("unfinished_bytes")?,
        unfinished_uploads: figure("unfinished_uploads")?,
        quota_bytes: figure("own_bytes")?.and_then(Limit::new),
        quota_objects: figure("own_objects")?.and_then(Limit::new),
        effective_quota_bytes: figure("quota_bytes")?.and_then(Limit::new),
        created_at: Micros(row.try_get("created_at")?),
        seen_at: row.try_get::<Option<i64>, _>("seen_at")?.map(Micros),
        website: flag(row, "website")?,
        drift: flag(row, "drift")?,
        vanished_at: row.try_get::<Option<i64>, _>("vanished_at")?.map(Micros),
        account: None,
    })
}

fn read_key(row: &Record) -> Result<Key> {
    Ok(Key {
        id: parsed("keys", row.try_get("id")?)?,
        region: parsed("keys", row.try_get("region")?)?,
        label: parsed("keys", row.try_get("label")?)?,
        created_at: Micros(row.try_get("created_at")?),
        expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Micros),
        acknowledged: flag(row, "acknowledged")?,
        suspended: flag(row, "suspended")?,
        temporary: flag(row, "temporary")?,
        create_buckets: flag(row, "create_buckets")?,
        grants: vec![],
        vanished_at: row.try_get::<Option<i64>, _>("vanished_at")?.map(Micros),
    })
}

fn read_grant(row: &Record) -> Result<Grant> {
    Ok(Grant {
        key: parsed("grants", row.try_get("id")?)?,
        label: parsed("grants", row.try_get("label")?)?,
        read: flag(row, "read")?,
        write: flag(row, "write")?,
        owner: flag(row, "owner")?,
    })
}
