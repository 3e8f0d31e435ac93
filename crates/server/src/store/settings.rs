//! What is set on buckets besides their limits: read for people, kept from sweeps.

use sqlx::{QueryBuilder, Row as _, Sqlite};
use storm_protocol::{
    api::BucketSettings,
    frame::BucketState,
    ident::{AccountId, BucketId, Micros, RegionName, UserId},
};

use super::{Result, Store, Writing, from_json, to_json};

const TABLE: &str = "bucket_settings";

impl Store {
    /// A bucket's settings, as last heard; nothing is set on one that was not heard of yet.
    pub(crate) async fn bucket_settings(
        &self,
        region: &RegionName,
        bucket: BucketId,
    ) -> Result<BucketSettings> {
        let row = sqlx::query(
            "SELECT cors, lifecycle, website, other_rules FROM bucket_settings \
             WHERE region = $1 AND bucket = $2",
        )
        .bind(region.as_str())
        .bind(bucket.to_string())
        .fetch_optional(&mut *self.read().await)
        .await?;
        let Some(row) = row else {
            return Ok(BucketSettings {
                cors: vec![],
                lifecycle: vec![],
                other_rules: false,
                website: None,
            });
        };
        let website: Option<String> = row.try_get("website")?;
        Ok(BucketSettings {
            cors: from_json(TABLE, row.try_get("cors")?)?,
            lifecycle: from_json(TABLE, row.try_get("lifecycle")?)?,
            other_rules: row.try_get::<i64, _>("other_rules")? != 0,
            website: website.map(|text| from_json(TABLE, &text)).transpose()?,
        })
    }

    /// Temporary keys that have a right on the bucket and have not ended at `now`.
    pub(crate) async fn living_temporary_keys(
        &self,
        region: &RegionName,
        bucket: BucketId,
        now: Micros,
    ) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM grants g JOIN keys k ON k.id = g.key AND k.region = g.region \
             WHERE g.region = $1 AND g.bucket = $2 AND k.temporary = 1 AND k.gone_at IS NULL \
             AND k.expires_at > $3",
        )
        .bind(region.as_str())
        .bind(bucket.to_string())
        .bind(now.0)
        .fetch_one(&mut *self.read().await)
        .await?;
        Ok(count.try_into().unwrap_or(0))
    }

    /// Whether a person has asked for something under this idempotency key.
    pub(crate) async fn was_asked(
        &self,
        account: AccountId,
        user: UserId,
        key: &str,
    ) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM operations WHERE account = $1 AND \"user\" = $2 AND idempotency_key = $3",
        )
        .bind(account.to_string())
        .bind(user.to_string())
        .bind(key)
        .fetch_optional(&mut *self.read().await)
        .await?;
        Ok(found.is_some())
    }
}

/// Keeps what a sweep has seen.
pub(super) async fn keep(
    transaction: &mut Writing,
    region: &RegionName,
    buckets: &[BucketState],
) -> Result<()> {
    let mut rows = vec![];
    for state in buckets {
        let website = state.website.as_ref();
        let website = website.map(|website| to_json(TABLE, website)).transpose()?;
        let (cors, lifecycle) = (
            to_json(TABLE, &state.cors)?,
            to_json(TABLE, &state.lifecycle)?,
        );
        rows.push((state, cors, lifecycle, website));
    }
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO bucket_settings (region, bucket, cors, lifecycle, website, other_rules) ",
    );
    insert.push_values(rows, |mut row, (state, cors, lifecycle, website)| {
        row.push_bind(region.to_string())
            .push_bind(state.bucket.to_string())
            .push_bind(cors)
            .push_bind(lifecycle)
            .push_bind(website)
            .push_bind(i64::from(state.other_rules));
    });
    insert.push(
        " ON CONFLICT (region, bucket) DO UPDATE SET cors = excluded.cors, \
         lifecycle = excluded.lifecycle, website = excluded.website, \
         other_rules = excluded.other_rules",
    );
    insert.build().execute(&mut **transaction).await?;
    Ok(())
}
