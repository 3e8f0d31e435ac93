//! How many buckets and keys an account may have, and has: those that there are, and those that open
//! operations may still make, so that requests at the same time cannot exceed a limit.

use sqlx::Row as _;
use storm_protocol::{
    command::{Command, RawCommand},
    ident::{AccessKeyId, AccountId, Limit, Micros, OperationId, RegionName},
};

use super::{LIMITS, limit};
use crate::store::{Result, Store, StoreError, from_big, parsed};

/// What the partial index `operations_making` covers; a query has to say it in these words.
macro_rules! making {
    () => {
        "state IN ('requested', 'signed', 'sent', 'accepted', 'unknown') \
         AND command IN ('bucket.create', 'key.create', 'key.rotate', 'key.set_expiry', 'key.resume', \
                         'account.set_quotas')"
    };
}
pub(super) use making;

/// What a command adds to an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Demand {
    /// Buckets.
    pub(crate) buckets: u64,
    /// Keys that have not ended, temporary ones aside.
    pub(crate) keys: u64,
}

/// What an account has as many of as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// Buckets, at most so many.
    Buckets(Limit),
    /// Keys, at most so many.
    Keys(Limit),
}

impl Store {
    /// What `command` would add to the account that asks for it. A key that has ended and is to work
    /// again is one more; one that takes another's place at once is none.
    pub(crate) async fn demand(
        &self,
        region: &RegionName,
        command: &Command,
        now: Micros,
    ) -> Result<Demand> {
        let (buckets, keys) = match command {
            Command::BucketCreate(p) => (1, u64::from(p.key.is_some())),
            Command::KeyCreate(_) => (0, 1),
            Command::KeyRotate(p) => (0, u64::from(p.grace_seconds > 0)),
            Command::KeySetExpiry(p) => (0, u64::from(self.has_ended(region, &p.key, now).await?)),
            Command::KeyResume(p) => (0, u64::from(self.has_ended(region, &p.key, now).await?)),
            Command::AgentPing(_)
            | Command::ClusterHealthCommand(_)
            | Command::InventoryRefresh(_)
            | Command::BucketDelete(_)
            | Command::BucketSetQuota(_)
            | Command::BucketSetCors(_)
            | Command::BucketSetLifecycle(_)
            | Command::BucketSetWebsite(_)
            | Command::BucketAddAlias(_)
            | Command::BucketRemoveAlias(_)
            | Command::BucketCleanupUploads(_)
            // One that is there already, made without us: it is shown, and counts from then on.
            | Command::BucketAdopt(_)
            | Command::BucketRelease(_)
            | Command::BucketRestore(_)
            | Command::BucketClear(_)
            | Command::BucketMeasurePrefix(_)
            | Command::ExecutorRelease(_)
            | Command::JobCancel(_)
            | Command::AccountSetQuotas(_)
            | Command::KeyCreateTemporary(_)
            | Command::KeyRename(_)
            | Command::KeySuspend(_)
            | Command::KeyDelete(_)
            | Command::KeySetGrant(_)
            | Command::KeyRevokeLeaked(_) => (0, 0),
        };
        Ok(Demand { buckets, keys })
    }

    /// What stands in the way of a command in an account; `None`: there is room. Open operations
    /// count; with `before`, the one in question, those that were never signed only if they are older.
    pub(crate) async fn is_full(
        &self,
        account: AccountId,
        demand: Demand,
        before: Option<OperationId>,
        now: Micros,
    ) -> Result<Option<Full>> {
        if demand == Demand::default() {
            return Ok(None);
        }
        let row = sqlx::query("SELECT buckets, keys FROM account_limits WHERE account = $1")
            .bind(account.to_string())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (buckets, keys) = (limit(&row, "buckets")?, limit(&row, "keys")?);
        if buckets.is_none() && keys.is_none() {
            return Ok(None);
        }
        // In this order: what ends in between is counted twice, never missed.
        let open = self.open_demand(account, before, now).await?;
        let there = self.there(account, now).await?;
        let exceeds = |limit: &Limit, there: u64, open: u64, more: u64| {
            more > 0 && there.saturating_add(open).saturating_add(more) > limit.get()
        };
        let full_of_buckets = buckets
            .filter(|limit| exceeds(limit, there.buckets, open.buckets, demand.buckets))
            .map(Full::Buckets);
        let full_of_keys = keys
            .filter(|limit| exceeds(limit, there.keys, open.keys, demand.keys))
            .map(Full::Keys);
        Ok(full_of_buckets.or(full_of_keys))
    }

    async fn there(&self, account: AccountId, now: Micros) -> Result<Demand> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM buckets WHERE account = $1 AND gone_at IS NULL) AS buckets, \
             (SELECT COUNT(*) FROM keys WHERE account = $1 AND gone_at IS NULL AND temporary = 0 \
              AND (expires_at IS NULL OR expires_at > $2)) AS keys",
        )
        .bind(account.to_string())
        .bind(now.0)
        .fetch_one(&mut *self.read().await?)
        .await?;
        Ok(Demand {
            buckets: from_big(LIMITS, row.try_get("buckets")?)?,
            keys: from_big(LIMITS, row.try_get("keys")?)?,
        })
    }

    async fn open_demand(
        &self,
        account: AccountId,
        before: Option<OperationId>,
        now: Micros,
    ) -> Result<Demand> {
        let rows = sqlx::query(concat!(
            "SELECT region, command, parameters FROM operations WHERE account = $1 AND ",
            making!(),
            " AND (CAST($2 AS TEXT) IS NULL OR (id <> $2 \
             AND (state <> 'requested' OR attempt > 0 OR id < $2)))"
        ))
        .bind(account.to_string())
        .bind(before.map(|id| id.to_string()))
        .fetch_all(&mut *self.read().await?)
        .await?;
        let mut all = Demand::default();
        for row in &rows {
            let parameters: String = row.try_get("parameters")?;
            let raw = RawCommand {
                name: row.try_get("command")?,
                parameters: serde_json::value::RawValue::from_string(parameters).map_err(
                    |error| StoreError::Row {
                        table: "operations",
                        what: error.to_string(),
                    },
                )?,
            };
            // One that no agent understands makes nothing.
            let Ok(command) = raw.parse() else { continue };
            let region = parsed("operations", row.try_get("region")?)?;
            let more = self.demand(&region, &command, now).await?;
            all.buckets = all.buckets.saturating_add(more.buckets);
            all.keys = all.keys.saturating_add(more.keys);
        }
        Ok(all)
    }

    /// Whether a key has ended, as far as is known, and does not count any more.
    async fn has_ended(&self, region: &RegionName, key: &AccessKeyId, now: Micros) -> Result<bool> {
        let ended: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM keys WHERE id = $1 AND region = $2 AND gone_at IS NULL AND temporary = 0 \
             AND expires_at <= $3",
        )
        .bind(key.as_str())
        .bind(region.as_str())
        .bind(now.0)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        Ok(ended.is_some())
    }
}
