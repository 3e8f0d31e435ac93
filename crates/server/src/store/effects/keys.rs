//! What commands change of keys and their rights.

use storm_protocol::{
    command::KeyGrant,
    ident::{AccessKeyId, KeyLabel, Micros},
};

use super::Effects;
use crate::store::{Result, Writing, drift, wanted};

/// A key's label until a sweep names it: of commands whose parameters this database does not have.
const UNKNOWN_LABEL: &str = "unknown";

impl Effects<'_> {
    pub(super) async fn key(
        &self,
        transaction: &mut Writing,
        id: &AccessKeyId,
        label: Option<&KeyLabel>,
        expires_at: Option<Micros>,
    ) -> Result<()> {
        // A sweep may have seen the key before its receipt came; it does not know the operation.
        sqlx::query(
            "INSERT INTO keys (id, region, account, label, created_at, expires_at, operation) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET \
             account = COALESCE(keys.account, excluded.account), operation = excluded.operation \
             WHERE keys.region = excluded.region",
        )
        .bind(id.as_str())
        .bind(self.region.as_str())
        .bind(self.account.to_string())
        .bind(label.map_or(UNKNOWN_LABEL, KeyLabel::as_str))
        .bind(self.at.0)
        .bind(expires_at.map(|at| at.0))
        .bind(self.operation.to_string())
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// A key has the end of the one that it replaces, and its label if no other was asked for.
    pub(super) async fn take_over(
        &self,
        transaction: &mut Writing,
        id: &AccessKeyId,
        from: &AccessKeyId,
        label: bool,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE keys SET label = CASE WHEN $4 = 0 THEN label ELSE \
               COALESCE((SELECT label FROM keys WHERE id = $2 AND region = $3), label) END, \
             expires_at = (SELECT expires_at FROM keys WHERE id = $2 AND region = $3), \
             create_buckets = COALESCE((SELECT create_buckets FROM keys WHERE id = $2 AND region = $3), 0) \
             WHERE id = $1 AND region = $3",
        )
        .bind(id.as_str())
        .bind(from.as_str())
        .bind(self.region.as_str())
        .bind(i64::from(label))
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    pub(super) async fn key_ends(
        &self,
        transaction: &mut Writing,
        id: &AccessKeyId,
        at: Micros,
    ) -> Result<()> {
        sqlx::query("UPDATE keys SET expires_at = $3 WHERE id = $1 AND region = $2")
            .bind(id.as_str())
            .bind(self.region.as_str())
            .bind(at.0)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    pub(super) async fn key_gone(&self, transaction: &mut Writing, id: &AccessKeyId) -> Result<()> {
        // A sweep may have missed it first.
        sqlx::query("UPDATE keys SET gone_at = $3, vanished = 0 WHERE id = $1 AND region = $2")
            .bind(id.as_str())
            .bind(self.region.as_str())
            .bind(self.at.0)
            .execute(&mut **transaction)
            .await?;
        sqlx::query("DELETE FROM grants WHERE region = $1 AND key = $2")
            .bind(self.region.as_str())
            .bind(id.as_str())
            .execute(&mut **transaction)
            .await?;
        let buckets = wanted::forget_key(transaction, self.region, id).await?;
        drift::compare(transaction, self.region, &buckets, self.at).await
    }

    pub(super) async fn key_named(
        &self,
        transaction: &mut Writing,
        id: &AccessKeyId,
        label: &KeyLabel,
    ) -> Result<()> {
        sqlx::query("UPDATE keys SET label = $3 WHERE id = $1 AND region = $2")
            .bind(id.as_str())
            .bind(self.region.as_str())
            .bind(label.as_str())
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// What a key may do besides its rights, and whether it was made to end soon.
    pub(super) async fn key_kind(
        &self,
        transaction: &mut Writing,
        id: &AccessKeyId,
        create_buckets: bool,
        temporary: bool,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE keys SET create_buckets = $3, temporary = $4 WHERE id = $1 AND region = $2",
        )
        .bind(id.as_str())
        .bind(self.region.as_str())
        .bind(i64::from(create_buckets))
        .bind(i64::from(temporary))
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// A key works no longer, and keeps the end that it had. One that was suspended before has it
    /// already: Garage no longer knows it. Nor does an agent that carries on what a lost one began, so
    /// an end that is known here stands against none.
    pub(super) async fn key_suspended(
        &self,
        transaction: &mut Writing,
        id: &AccessKeyId,
        expires_at: Option<Micros>,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE keys SET expires_at = CASE WHEN suspended = 1 THEN expires_at \
             ELSE COALESCE($3, expires_at) END, \
             suspended = 1 WHERE id = $1 AND region = $2",
        )
        .bind(id.as_str())
        .bind(self.region.as_str())
        .bind(expires_at.map(|at| at.0))
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    /// A key works until this instant.
    pub(super) async fn key_works(
        &self,
        transaction: &mut Writing,
        id: &AccessKeyId,
        expires_at: Option<Micros>,
    ) -> Result<()> {
        sqlx::query("UPDATE keys SET expires_at = $3, suspended = 0 WHERE id = $1 AND region = $2")
            .bind(id.as_str())
            .bind(self.region.as_str())
            .bind(expires_at.map(|at| at.0))
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// A key has and was given exactly these rights on a bucket.
    pub(super) async fn grant(
        &self,
        transaction: &mut Writing,
        key: &AccessKeyId,
        given: &KeyGrant,
    ) -> Result<()> {
        wanted::give(transaction, self.region, key, given).await?;
        self.found_grant(transaction, key, given).await
    }

    /// A key's rights on a bucket are exactly these; without any the row goes.
    pub(super) async fn found_grant(
        &self,
        transaction: &mut Writing,
        key: &AccessKeyId,
        given: &KeyGrant,
    ) -> Result<()> {
        if !(given.read || given.write || given.owner) {
            sqlx::query("DELETE FROM grants WHERE region = $1 AND bucket = $2 AND key = $3")
                .bind(self.region.as_str())
                .bind(given.bucket.to_string())
                .bind(key.as_str())
                .execute(&mut **transaction)
                .await?;
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO grants (region, bucket, key, read, write, owner) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (region, bucket, key) DO UPDATE SET read = excluded.read, \
             write = excluded.write, owner = excluded.owner",
        )
        .bind(self.region.as_str())
        .bind(given.bucket.to_string())
        .bind(key.as_str())
        .bind(i64::from(given.read))
        .bind(i64::from(given.write))
        .bind(i64::from(given.owner))
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}
