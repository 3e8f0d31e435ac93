//! What a command that did its work changes among buckets, keys and grants, until the next sweep
//! says the same. Runs in the transaction that stores the receipt.

use storm_protocol::{
    command::{Command, CommandResult, KeyGrant},
    ident::{
        AccessKeyId, AccountId, BucketId, BucketName, KeyLabel, Limit, Micros, OperationId,
        RegionName,
    },
};

use super::{Result, Writing, to_big, to_json};
use crate::app::Change;

/// A key's label until a sweep names it: of commands whose parameters this database does not have.
const UNKNOWN_LABEL: &str = "unknown";

/// Where and for whom a command did its work.
#[derive(Debug, Clone, Copy)]
pub struct Effects<'a> {
    /// The region.
    pub region: &'a RegionName,
    /// The account that asked.
    pub account: AccountId,
    /// The operation.
    pub operation: OperationId,
    /// When it ended.
    pub at: Micros,
}

impl Effects<'_> {
    /// Writes down what `result` says. `command` is what was asked, when this database knows it.
    pub(crate) async fn apply(
        &self,
        transaction: &mut Writing,
        command: Option<&Command>,
        result: &CommandResult,
    ) -> Result<Vec<Change>> {
        match result {
            CommandResult::AgentPing(_)
            | CommandResult::ClusterHealthCommand(_)
            | CommandResult::InventoryRefresh(_) => Ok(vec![]),
            CommandResult::BucketCreate(made) => {
                let asked = match command {
                    Some(Command::BucketCreate(asked)) => Some(asked),
                    _ => None,
                };
                let quota = (
                    asked.and_then(|p| p.quota_bytes),
                    asked.and_then(|p| p.quota_objects),
                );
                self.bucket(transaction, made.bucket, &made.name, quota)
                    .await?;
                let mut changes = vec![Change::Bucket(Some(self.account), made.bucket)];
                if let Some(key) = &made.key {
                    let label = asked.and_then(|p| p.key.as_ref());
                    self.key(transaction, key, label, None).await?;
                    let all = KeyGrant {
                        bucket: made.bucket,
                        read: true,
                        write: true,
                        owner: true,
                    };
                    self.grant(transaction, key, &all).await?;
                    changes.push(Change::Key(Some(self.account), key.clone()));
                }
                Ok(changes)
            }
            CommandResult::BucketDelete(gone) => {
                self.bucket_gone(transaction, gone.bucket).await?;
                Ok(vec![Change::Bucket(Some(self.account), gone.bucket)])
            }
            CommandResult::BucketSetQuota(set) => {
                if let Some(Command::BucketSetQuota(asked)) = command {
                    self.quota(
                        transaction,
                        set.bucket,
                        asked.quota_bytes,
                        asked.quota_objects,
                    )
                    .await?;
                }
                Ok(vec![Change::Bucket(Some(self.account), set.bucket)])
            }
            CommandResult::KeyCreate(made) => {
                let asked = match command {
                    Some(Command::KeyCreate(asked)) => Some(asked),
                    _ => None,
                };
                let expires_at = asked.and_then(|p| p.expires_at);
                self.key(transaction, &made.key, asked.map(|p| &p.label), expires_at)
                    .await?;
                for given in asked.map_or(&[][..], |p| &p.grants) {
                    self.grant(transaction, &made.key, given).await?;
                }
                Ok(vec![Change::Key(Some(self.account), made.key.clone())])
            }
            CommandResult::KeyDelete(gone) => {
                self.key_gone(transaction, &gone.key).await?;
                Ok(vec![Change::Key(Some(self.account), gone.key.clone())])
            }
            CommandResult::KeySetGrant(set) => {
                self.grant(transaction, &set.key, &set.grant).await?;
                Ok(vec![
                    Change::Key(Some(self.account), set.key.clone()),
                    Change::Bucket(Some(self.account), set.grant.bucket),
                ])
            }
            CommandResult::KeyRotate(turned) => {
                let asked = match command {
                    Some(Command::KeyRotate(asked)) => asked.label.as_ref(),
                    _ => None,
                };
                self.key(transaction, &turned.key, asked, None).await?;
                // Before the old one's own end is set below.
                self.take_over(transaction, &turned.key, &turned.previous, asked.is_none())
                    .await?;
                for given in &turned.grants {
                    self.grant(transaction, &turned.key, given).await?;
                }
                self.key_ends(transaction, &turned.previous, turned.previous_expires_at)
                    .await?;
                Ok(vec![
                    Change::Key(Some(self.account), turned.key.clone()),
                    Change::Key(Some(self.account), turned.previous.clone()),
                ])
            }
        }
    }

    async fn bucket(
        &self,
        transaction: &mut Writing,
        id: BucketId,
        name: &BucketName,
        (bytes, objects): (Option<Limit>, Option<Limit>),
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO buckets (id, region, account, name, aliases, quota_bytes, quota_objects, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET \
             account = COALESCE(buckets.account, excluded.account) WHERE buckets.region = excluded.region",
        )
        .bind(id.to_string())
        .bind(self.region.as_str())
        .bind(self.account.to_string())
        .bind(name.as_str())
        .bind(to_json("buckets", &[name])?)
        .bind(bytes.map(|limit| to_big(limit.get())))
        .bind(objects.map(|limit| to_big(limit.get())))
        .bind(self.at.0)
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }

    async fn quota(
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

    async fn bucket_gone(&self, transaction: &mut Writing, id: BucketId) -> Result<()> {
        sqlx::query("UPDATE buckets SET gone_at = $3 WHERE id = $1 AND region = $2")
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
        Ok(())
    }

    async fn key(
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
    async fn take_over(
        &self,
        transaction: &mut Writing,
        id: &AccessKeyId,
        from: &AccessKeyId,
        label: bool,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE keys SET label = CASE WHEN $4 = 0 THEN label ELSE \
               COALESCE((SELECT label FROM keys WHERE id = $2 AND region = $3), label) END, \
             expires_at = (SELECT expires_at FROM keys WHERE id = $2 AND region = $3) \
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

    async fn key_ends(
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

    async fn key_gone(&self, transaction: &mut Writing, id: &AccessKeyId) -> Result<()> {
        sqlx::query("UPDATE keys SET gone_at = $3 WHERE id = $1 AND region = $2")
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
        Ok(())
    }

    /// A key's rights on a bucket are exactly these; without any the row goes.
    async fn grant(
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
