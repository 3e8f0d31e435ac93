//! What was asked for of buckets through us, which is kept apart from what a cluster has. A part that
//! nobody asked for here is no opinion: who sets it by other means changes nothing of ours.

use crate::store::sql::Connection;
use storm_protocol::{
    command::KeyGrant,
    ident::{AccessKeyId, BucketId, Limit, Micros, RegionName},
    rules::{CorsRule, LifecycleRule, Website},
};

use super::{Durability, Result, Store, Writing, drift, to_big, to_json};

const TABLE: &str = "bucket_wanted";

/// One part of what is wanted of a bucket, as a whole.
pub(super) enum Part<'a> {
    /// Its limits on bytes and objects.
    Quota(Option<Limit>, Option<Limit>),
    /// Its CORS rules.
    Cors(&'a [CorsRule]),
    /// Its lifecycle rules.
    Lifecycle(&'a [LifecycleRule]),
    /// Its website; off without one.
    Website(Option<&'a Website>),
    /// That all rights on it are those that were given.
    AllGrants,
}

impl Store {
    /// Takes what was found of a bucket as what is wanted, where there was an opinion. On disk when
    /// this returns.
    pub(crate) async fn accept_found(
        &self,
        region: &RegionName,
        bucket: BucketId,
        now: Micros,
    ) -> Result<()> {
        const SETTINGS: &str = "UPDATE bucket_wanted SET \
             quota_bytes = (SELECT b.quota_bytes FROM buckets b WHERE b.id = $2 AND b.region = $1), \
             quota_objects = (SELECT b.quota_objects FROM buckets b WHERE b.id = $2 AND b.region = $1), \
             cors = CASE WHEN cors IS NULL THEN NULL ELSE COALESCE((SELECT s.cors \
               FROM bucket_settings s WHERE s.region = $1 AND s.bucket = $2), '[]') END, \
             lifecycle = CASE WHEN lifecycle IS NULL THEN NULL ELSE COALESCE((SELECT s.lifecycle \
               FROM bucket_settings s WHERE s.region = $1 AND s.bucket = $2), '[]') END, \
             website = CASE WHEN website IS NULL THEN NULL ELSE COALESCE((SELECT s.website \
               FROM bucket_settings s WHERE s.region = $1 AND s.bucket = $2), 'null') END \
             WHERE region = $1 AND bucket = $2";
        const GRANTS: &str = "UPDATE given_grants SET \
             read = COALESCE((SELECT g.read FROM grants g WHERE g.region = $1 AND g.bucket = $2 \
               AND g.key = given_grants.key), 0), \
             write = COALESCE((SELECT g.write FROM grants g WHERE g.region = $1 AND g.bucket = $2 \
               AND g.key = given_grants.key), 0), \
             owner = COALESCE((SELECT g.owner FROM grants g WHERE g.region = $1 AND g.bucket = $2 \
               AND g.key = given_grants.key), 0) \
             WHERE region = $1 AND bucket = $2";
        // Under a storage limit people want what they asked for, not what was left of it.
        const OWN: &str = "UPDATE bucket_quotas SET own_bytes = b.quota_bytes, own_objects = b.quota_objects \
             FROM buckets b WHERE b.id = $2 AND b.region = $1 AND bucket_quotas.bucket = b.id \
             AND (b.quota_bytes IS DISTINCT FROM bucket_quotas.effective_bytes \
             OR b.quota_objects IS DISTINCT FROM bucket_quotas.effective_objects)";
        let mut transaction = self.write(Durability::Machine).await?;
        for sql in [SETTINGS, GRANTS, OWN] {
            sqlx::query(sql)
                .bind(region.as_str())
                .bind(bucket.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        give_found(&mut transaction, region, bucket).await?;
        let ids = [bucket.to_string()];
        drift::compare(&mut transaction, region, &ids, now).await?;
        transaction.commit().await
    }
}

/// Remembers that this is wanted of a bucket.
pub(super) async fn want(
    transaction: &mut Writing,
    region: &RegionName,
    bucket: BucketId,
    part: Part<'_>,
) -> Result<()> {
    macro_rules! want {
        ($columns:literal, $values:literal, $set:literal) => {
            sqlx::query(concat!(
                "INSERT INTO bucket_wanted (region, bucket, ",
                $columns,
                ") VALUES ($1, $2, ",
                $values,
                ") ON CONFLICT (region, bucket) DO UPDATE SET ",
                $set
            ))
            .bind(region.as_str())
            .bind(bucket.to_string())
        };
    }
    let query = match part {
        Part::Quota(bytes, objects) => want!(
            "quota_set, quota_bytes, quota_objects",
            "1, $3, $4",
            "quota_set = 1, quota_bytes = excluded.quota_bytes, quota_objects = excluded.quota_objects"
        )
        .bind(bytes.map(|limit| to_big(limit.get())))
        .bind(objects.map(|limit| to_big(limit.get()))),
        Part::Cors(rules) => {
            want!("cors", "$3", "cors = excluded.cors").bind(to_json(TABLE, &rules)?)
        }
        Part::Lifecycle(rules) => want!("lifecycle", "$3", "lifecycle = excluded.lifecycle")
            .bind(to_json(TABLE, &rules)?),
        Part::Website(website) => {
            want!("website", "$3", "website = excluded.website").bind(to_json(TABLE, &website)?)
        }
        Part::AllGrants => want!("grants_known", "1", "grants_known = 1"),
    };
    query.execute(&mut **transaction).await?;
    Ok(())
}

/// Remembers that a key was given exactly these rights; also that it was given none.
pub(super) async fn give(
    transaction: &mut Writing,
    region: &RegionName,
    key: &AccessKeyId,
    given: &KeyGrant,
) -> Result<()> {
    begin(transaction, region, given.bucket).await?;
    sqlx::query(
        "INSERT INTO given_grants (region, bucket, key, read, write, owner) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (region, bucket, key) DO UPDATE SET read = excluded.read, \
         write = excluded.write, owner = excluded.owner",
    )
    .bind(region.as_str())
    .bind(given.bucket.to_string())
    .bind(key.as_str())
    .bind(i64::from(given.read))
    .bind(i64::from(given.write))
    .bind(i64::from(given.owner))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Where all rights are to be known, those that were found count as given. Temporary keys come and go
/// by themselves.
pub(super) async fn give_found(
    transaction: &mut Writing,
    region: &RegionName,
    bucket: BucketId,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO given_grants (region, bucket, key, read, write, owner) \
         SELECT g.region, g.bucket, g.key, g.read, g.write, g.owner FROM grants g \
         WHERE g.region = $1 AND g.bucket = $2 \
         AND EXISTS (SELECT 1 FROM bucket_wanted w WHERE w.region = $1 AND w.bucket = $2 \
           AND w.grants_known = 1) \
         AND NOT EXISTS (SELECT 1 FROM keys k WHERE k.id = g.key AND k.region = g.region \
           AND k.temporary = 1) \
         ON CONFLICT (region, bucket, key) DO NOTHING",
    )
    .bind(region.as_str())
    .bind(bucket.to_string())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// A bucket is gone, or nobody's: nothing is wanted of it.
pub(super) async fn forget_bucket(
    transaction: &mut Writing,
    region: &RegionName,
    bucket: BucketId,
) -> Result<()> {
    const WANTED: &str = "DELETE FROM bucket_wanted WHERE region = $1 AND bucket = $2";
    const GIVEN: &str = "DELETE FROM given_grants WHERE region = $1 AND bucket = $2";
    const QUOTAS: &str = "DELETE FROM bucket_quotas WHERE bucket = $2 \
         AND EXISTS (SELECT 1 FROM buckets WHERE id = $2 AND region = $1)";
    for sql in [WANTED, GIVEN, QUOTAS] {
        sqlx::query(sql)
            .bind(region.as_str())
            .bind(bucket.to_string())
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// A key was deleted: nothing is given to it. Answers with the buckets on which something was.
pub(super) async fn forget_key(
    transaction: &mut Writing,
    region: &RegionName,
    key: &AccessKeyId,
) -> Result<Vec<String>> {
    let buckets = buckets_given(transaction, region, key.as_str()).await?;
    sqlx::query("DELETE FROM given_grants WHERE region = $1 AND key = $2")
        .bind(region.as_str())
        .bind(key.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(buckets)
}

/// The buckets on which a key was given something.
pub(super) async fn buckets_given(
    connection: &mut Connection,
    region: &RegionName,
    key: &str,
) -> Result<Vec<String>> {
    let sql = "SELECT bucket FROM given_grants WHERE key = $1 AND region = $2";
    Ok(sqlx::query_scalar(sql)
        .bind(key)
        .bind(region.as_str())
        .fetch_all(connection)
        .await?)
}

async fn begin(transaction: &mut Writing, region: &RegionName, bucket: BucketId) -> Result<()> {
    sqlx::query(
        "INSERT INTO bucket_wanted (region, bucket) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(region.as_str())
    .bind(bucket.to_string())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
