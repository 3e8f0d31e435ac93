//! What commands change of buckets.

use storm_protocol::{
    ident::{BucketId, BucketName, Limit},
    rules::{CorsRule, LifecycleRule, Website},
};

use super::Effects;
use crate::store::{
    Result, Writing, from_json, to_big, to_json,
    wanted::{self, Part},
};

const TABLE: &str = "buckets";
const SETTINGS: &str = "bucket_settings";

impl Effects<'_> {
    pub(super) async fn bucket(
        &self,
        transaction: &mut Writing,
        id: BucketId,
        name: &BucketName,
        (bytes, objects): (Option<Limit>, Option<Limit>),
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO buckets (id, region, account, name, aliases, quota_bytes, quota_objects, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET \
             account = COALESCE(buckets.account, excluded.account), adopt_at = NULL \
             WHERE buckets.region = excluded.region",
        )
        .bind(id.to_string())
        .bind(self.region.as_str())
        .bind(self.account.to_string())
        .bind(name.as_str())
        .bind(to_json(TABLE, &[name])?)
        .bind(bytes.map(|limit| to_big(limit.get())))
        .bind(objects.map(|limit| to_big(limit.get())))
        .bind(self.at.0)
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// Remembers that this is wanted of a bucket.
    pub(super) async fn want(
        &self,
        transaction: &mut Writing,
        id: BucketId,
        part: Part<'_>,
    ) -> Result<()> {
        wanted::want(transaction, self.region, id, part).await
    }

    pub(super) async fn quota(
        &self,
        transaction: &mut Writing,
        id: BucketId,
        bytes: Option<Limit>,
        objects: Option<Limit>,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE buckets SET quota_bytes = $3, quota_objects = $4 WHERE id = $1 AND region = $2",
        )
        .bind(id.to_string())
        .bind(self.region.as_str())
        .bind(bytes.map(|limit| to_big(limit.get())))
        .bind(objects.map(|limit| to_big(limit.get())))
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    pub(super) async fn bucket_gone(&self, transaction: &mut Writing, id: BucketId) -> Result<()> {
        // A sweep may have missed it first.
        sqlx::query("UPDATE buckets SET gone_at = $3, vanished = 0 WHERE id = $1 AND region = $2")
            .bind(id.to_string())
            .bind(self.region.as_str())
            .bind(self.at.0)
            .execute(&mut **transaction)
            .await?;
        sqlx::query("DELETE FROM grants WHERE region = $1 AND bucket = $2")
            .bind(self.region.as_str())
            .bind(id.to_string())
            .execute(&mut **transaction)
            .await?;
        wanted::forget_bucket(transaction, self.region, id).await
    }

    /// A bucket has this one more name, or no longer.
    pub(super) async fn alias(
        &self,
        transaction: &mut Writing,
        id: BucketId,
        name: &BucketName,
        has: bool,
    ) -> Result<()> {
        let aliases: Option<String> =
            sqlx::query_scalar("SELECT aliases FROM buckets WHERE id = $1 AND region = $2")
                .bind(id.to_string())
                .bind(self.region.as_str())
                .fetch_optional(&mut **transaction)
                .await?;
        let Some(aliases) = aliases else {
            return Ok(());
        };
        let mut aliases: Vec<BucketName> = from_json(TABLE, &aliases)?;
        aliases.retain(|alias| alias != name);
        if has {
            aliases.push(name.clone());
        }
        sqlx::query("UPDATE buckets SET name = $3, aliases = $4 WHERE id = $1 AND region = $2")
            .bind(id.to_string())
            .bind(self.region.as_str())
            .bind(aliases.first().map(BucketName::as_str))
            .bind(to_json(TABLE, &aliases)?)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// A bucket that had no name has this one.
    pub(super) async fn first_name(
        &self,
        transaction: &mut Writing,
        id: BucketId,
        name: &BucketName,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE buckets SET name = $3, aliases = $4 WHERE id = $1 AND region = $2 AND name IS NULL",
        )
        .bind(id.to_string())
        .bind(self.region.as_str())
        .bind(name.as_str())
        .bind(to_json(TABLE, &[name])?)
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// No object is left in the bucket.
    pub(super) async fn empty(&self, transaction: &mut Writing, id: BucketId) -> Result<()> {
        sqlx::query("UPDATE buckets SET bytes = 0, objects = 0 WHERE id = $1 AND region = $2")
            .bind(id.to_string())
            .bind(self.region.as_str())
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// No upload into the bucket is unfinished.
    pub(super) async fn no_unfinished(
        &self,
        transaction: &mut Writing,
        id: BucketId,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE buckets SET unfinished_uploads = 0, unfinished_bytes = 0 \
             WHERE id = $1 AND region = $2",
        )
        .bind(id.to_string())
        .bind(self.region.as_str())
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    pub(super) async fn cors(
        &self,
        transaction: &mut Writing,
        id: BucketId,
        rules: &[CorsRule],
    ) -> Result<()> {
        const SQL: &str = "INSERT INTO bucket_settings (region, bucket, cors) VALUES ($1, $2, $3) \
             ON CONFLICT (region, bucket) DO UPDATE SET cors = excluded.cors";
        let rules = to_json(SETTINGS, &rules)?;
        self.setting(transaction, id, SQL, Some(rules)).await
    }

    pub(super) async fn lifecycle(
        &self,
        transaction: &mut Writing,
        id: BucketId,
        rules: &[LifecycleRule],
    ) -> Result<()> {
        const SQL: &str = "INSERT INTO bucket_settings (region, bucket, lifecycle) VALUES ($1, $2, $3) \
             ON CONFLICT (region, bucket) DO UPDATE SET lifecycle = excluded.lifecycle";
        let rules = to_json(SETTINGS, &rules)?;
        self.setting(transaction, id, SQL, Some(rules)).await
    }

    pub(super) async fn website(
        &self,
        transaction: &mut Writing,
        id: BucketId,
        website: Option<&Website>,
    ) -> Result<()> {
        const SQL: &str = "INSERT INTO bucket_settings (region, bucket, website) VALUES ($1, $2, $3) \
             ON CONFLICT (region, bucket) DO UPDATE SET website = excluded.website";
        let json = website.map(|website| to_json(SETTINGS, website));
        self.setting(transaction, id, SQL, json.transpose()?)
            .await?;
        sqlx::query("UPDATE buckets SET website = $3 WHERE id = $1 AND region = $2")
            .bind(id.to_string())
            .bind(self.region.as_str())
            .bind(i64::from(website.is_some()))
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// One of the settings that were found, as `sql` writes it.
    async fn setting(
        &self,
        transaction: &mut Writing,
        id: BucketId,
        sql: &'static str,
        json: Option<String>,
    ) -> Result<()> {
        sqlx::query(sql)
            .bind(self.region.as_str())
            .bind(id.to_string())
            .bind(json)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }
}
