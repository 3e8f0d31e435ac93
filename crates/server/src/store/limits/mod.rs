//! What accounts may have and what they have. How their storage limit becomes quotas of buckets stands
//! in `quotas.rs`, what counts as a bucket or key in `counts.rs`.

mod counts;
mod quotas;
#[cfg(test)]
mod tests;

use crate::store::sql::Record;
use sqlx::Row as _;
use storm_protocol::{
    api::{Account, AccountLimits, LimitNotice},
    ident::{AccountId, Limit, Micros},
};

pub(crate) use self::counts::Full;
use super::{Durability, Result, Store, account_states::account_state, from_big, parsed, to_big};
use crate::usage::quota::Fill;

const TABLE: &str = "accounts";
const LIMITS: &str = "account_limits";

/// Accounts with what they have, by id; `$1` is the present time. `which` selects their ids: what is not on the
/// page is not counted, and each bucket of it is read once.
macro_rules! account_select {
    ($which:literal) => {
        concat!(
            "SELECT a.id, a.name, a.created_at, s.state, s.reason, s.clears_at, l.storage_bytes, l.buckets AS most_buckets, \
             l.keys AS most_keys, COALESCE(b.used_bytes, 0) AS used_bytes, COALESCE(b.objects, 0) AS objects, \
             COALESCE(b.buckets, 0) AS buckets, COALESCE(k.keys, 0) AS keys \
             FROM accounts a LEFT JOIN account_limits l ON l.account = a.id \
             LEFT JOIN account_states s ON s.account = a.id \
             LEFT JOIN (SELECT account, COUNT(*) AS buckets, CAST(COALESCE(SUM(objects), 0) AS BIGINT) AS objects, \
               CAST(SUM(COALESCE(bytes, 0) + COALESCE(unfinished_bytes, 0)) AS BIGINT) AS used_bytes \
               FROM buckets WHERE gone_at IS NULL AND account IN (",
            $which,
            ") GROUP BY account) b ON b.account = a.id \
             LEFT JOIN (SELECT account, COUNT(*) AS keys FROM keys WHERE gone_at IS NULL AND temporary = 0 \
               AND (expires_at IS NULL OR expires_at > $1) AND account IN (",
            $which,
            ") GROUP BY account) k ON k.account = a.id WHERE a.id IN (",
            $which,
            ") ORDER BY a.id"
        )
    };
}

impl Store {
    /// An account with its limits and what it has.
    pub(crate) async fn account(&self, id: AccountId, now: Micros) -> Result<Option<Account>> {
        let row = sqlx::query(account_select!("$2"))
            .bind(now.0)
            .bind(id.to_string())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        row.as_ref().map(read_account).transpose()
    }

    /// Accounts after `after`, by id, at most `limit`.
    pub(crate) async fn accounts(
        &self,
        after: &str,
        limit: usize,
        now: Micros,
    ) -> Result<Vec<Account>> {
        let rows = sqlx::query(account_select!(
            "SELECT id FROM accounts WHERE id > $2 ORDER BY id LIMIT $3"
        ))
        .bind(now.0)
        .bind(after)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_account).collect()
    }

    /// Sets what an account may have. Its buckets' quotas are set anew from now on, where others
    /// follow from it. `false`: there is no such account. On disk when this returns.
    pub(crate) async fn set_limits(
        &self,
        account: AccountId,
        limits: &AccountLimits,
        now: Micros,
    ) -> Result<bool> {
        let mut change = self.write_one(Durability::Machine).await?;
        // Without a storage limit there is no mark to be at.
        let done = sqlx::query(
            "INSERT INTO account_limits (account, storage_bytes, buckets, keys, reset_at) \
             SELECT id, $2, $3, $4, $5 FROM accounts WHERE id = $1 \
             ON CONFLICT (account) DO UPDATE SET storage_bytes = excluded.storage_bytes, \
             buckets = excluded.buckets, keys = excluded.keys, reset_at = excluded.reset_at, \
             mark = CASE WHEN excluded.storage_bytes IS NULL THEN 0 ELSE account_limits.mark END",
        )
        .bind(account.to_string())
        .bind(limits.storage_bytes.map(|limit| to_big(limit.get())))
        .bind(limits.buckets.map(|limit| to_big(limit.get())))
        .bind(limits.keys.map(|limit| to_big(limit.get())))
        .bind(now.0)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Accounts that have limits, or had.
    pub(crate) async fn accounts_with_limits(&self) -> Result<Vec<AccountId>> {
        let ids: Vec<String> =
            sqlx::query_scalar("SELECT account FROM account_limits ORDER BY account")
                .fetch_all(&mut *self.read().await?)
                .await?;
        ids.iter().map(|id| parsed(LIMITS, id)).collect()
    }

    /// How full an account is. What it uses is not counted when it may use all it likes.
    pub(crate) async fn fill(&self, account: AccountId) -> Result<Fill> {
        let row = sqlx::query(
            "SELECT l.storage_bytes, (SELECT CAST(COALESCE(SUM(COALESCE(b.bytes, 0) \
               + COALESCE(b.unfinished_bytes, 0)), 0) AS BIGINT) FROM buckets b \
               WHERE b.account = l.account AND b.gone_at IS NULL) AS used_bytes \
             FROM account_limits l WHERE l.account = $1 AND l.storage_bytes IS NOT NULL",
        )
        .bind(account.to_string())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        Ok(match row {
            Some(row) => Fill {
                used_bytes: from_big(LIMITS, row.try_get("used_bytes")?)?,
                limit_bytes: limit(&row, "storage_bytes")?,
            },
            None => Fill {
                used_bytes: 0,
                limit_bytes: None,
            },
        })
    }

    /// Keeps the mark that the account is at now. `true`: it is another than was told before, and all
    /// its quotas are to be set anew.
    pub(crate) async fn keep_mark(
        &self,
        account: AccountId,
        fill: Fill,
        now: Micros,
    ) -> Result<bool> {
        let mark = i64::from(fill.mark());
        let known: Option<i64> = sqlx::query_scalar(
            "SELECT mark FROM account_limits WHERE account = $1 AND storage_bytes IS NOT NULL",
        )
        .bind(account.to_string())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        if known.is_none_or(|known| known == mark) {
            return Ok(false);
        }
        let mut change = self.write_one(Durability::Process).await?;
        let done = sqlx::query(
            "UPDATE account_limits SET mark = $2, marked_at = $3, reset_at = $3 \
             WHERE account = $1 AND mark <> $2 AND storage_bytes IS NOT NULL",
        )
        .bind(account.to_string())
        .bind(mark)
        .bind(now.0)
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// What is told of the account's last crossing of a mark.
    pub(crate) async fn limit_notice(&self, account: AccountId) -> Result<Option<LimitNotice>> {
        let row = sqlx::query(
            "SELECT storage_bytes, mark, marked_at FROM account_limits \
             WHERE account = $1 AND storage_bytes IS NOT NULL AND marked_at IS NOT NULL",
        )
        .bind(account.to_string())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(limit_bytes) = limit(&row, "storage_bytes")? else {
            return Ok(None);
        };
        let percent: i64 = row.try_get("mark")?;
        Ok(Some(LimitNotice {
            account,
            percent: u8::try_from(percent).unwrap_or(u8::MAX),
            used_bytes: self.fill(account).await?.used_bytes,
            limit_bytes,
            at: Micros(row.try_get("marked_at")?),
        }))
    }
}

fn read_account(row: &Record) -> Result<Account> {
    let figure = |column: &str| from_big(TABLE, row.try_get(column)?);
    Ok(Account {
        id: parsed(TABLE, row.try_get("id")?)?,
        name: row.try_get("name")?,
        created_at: Micros(row.try_get("created_at")?),
        state: account_state(row.try_get("state")?)?,
        state_reason: row.try_get("reason")?,
        clears_at: row.try_get::<Option<i64>, _>("clears_at")?.map(Micros),
        limits: AccountLimits {
            storage_bytes: limit(row, "storage_bytes")?,
            buckets: limit(row, "most_buckets")?,
            keys: limit(row, "most_keys")?,
        },
        used_bytes: figure("used_bytes")?,
        objects: figure("objects")?,
        buckets: figure("buckets")?,
        keys: figure("keys")?,
    })
}

/// A limit that may be absent; one that cannot be is as absent.
fn limit(row: &Record, column: &str) -> Result<Option<Limit>> {
    let value: Option<i64> = row.try_get(column)?;
    Ok(value
        .and_then(|value| u64::try_from(value).ok())
        .and_then(Limit::new))
}
