//! What an account still has in Garage that its state takes away, or gives back: the keys to suspend,
//! resume and delete, the buckets to clear and delete; and the one way in which the platform asks for
//! that, in a transaction that first looks whether it was asked for already.

use crate::store::sql::Record;
use sqlx::Row as _;
use storm_protocol::{
    command::{BucketClear, BucketDelete, Command, KeyDelete, KeyResume, KeySuspend},
    ident::{AccessKeyId, AccountId, BucketId, Micros, OperationId, RegionName, UserId},
};

use super::{
    Durability, Result, Store, Writing,
    account_states::Kept,
    from_json,
    operations::{NewOperation, counts, digest_of, insert},
    parsed,
};
use crate::app::Change;

/// Things of an account that are looked at in one go.
const THINGS_AT_ONCE: i64 = 200;
/// Seconds until what failed is asked for again; each next wait is twice as long.
const RETRY_FIRST_SECONDS: i64 = 30;
/// The longest of these waits in seconds: six hours.
const RETRY_MAX_SECONDS: i64 = 6 * 3600;
/// Operations about one thing that are looked back at.
const LOOK_BACK: i64 = 20;

/// Whether the executor of a region, whose column is named, is there: what is elsewhere does not keep the
/// rest waiting.
macro_rules! reachable {
    ($region:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM regions r JOIN agents a ON a.id = r.executor WHERE r.name = ",
            $region,
            " AND a.connected = 1 AND a.quarantined IS NULL AND a.revoked_at IS NULL)"
        )
    };
}

/// A key of an account.
pub(crate) struct KeyLeft {
    region: RegionName,
    id: AccessKeyId,
    expires_at: Option<Micros>,
    /// Whether its people had it suspended themselves, as their last word on it.
    by_people: bool,
}

/// A bucket of an account.
pub(crate) struct BucketLeft {
    region: RegionName,
    id: BucketId,
}

/// What came of all that the platform asked about a thing since the account's state began.
#[derive(Default)]
struct Past {
    /// One is under way.
    open: bool,
    /// The last one that ended: its command, and whether it was done.
    last: Option<(String, bool)>,
    /// How many failed since one was done.
    failed: u32,
    ended_at: i64,
}

impl Past {
    fn has_to_wait(&self, now: Micros) -> bool {
        let doubled = 1_i64 << self.failed.saturating_sub(1).min(16);
        let wait = RETRY_FIRST_SECONDS.saturating_mul(doubled);
        let until = Micros(self.ended_at).plus_seconds(wait.min(RETRY_MAX_SECONDS));
        self.open || (self.failed > 0 && now < until)
    }

    fn is_done(&self, command: &str) -> bool {
        matches!(&self.last, Some((last, true)) if last == command)
    }
}

impl Store {
    /// The keys of an account that work, but for those about which something is under way.
    pub(crate) async fn working_keys(&self, account: AccountId) -> Result<Vec<KeyLeft>> {
        let rows = sqlx::query(concat!(
            "SELECT id, region, expires_at, CASE WHEN COALESCE((SELECT o.command FROM operations o \
               WHERE o.account = $1 AND o.\"user\" <> $2 AND o.state = 'done' AND o.region = keys.region \
               AND o.command IN ('key.suspend', 'key.resume') \
               AND o.parameters LIKE '%\"' || keys.id || '\"%' ORDER BY o.id DESC LIMIT 1), '') \
               = 'key.suspend' THEN 1 ELSE 0 END AS by_people \
             FROM keys WHERE account = $1 AND gone_at IS NULL AND suspended = 0 \
             AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.account = $1 AND o.",
            counts!(),
            " AND o.parameters LIKE '%\"' || keys.id || '\"%') AND ",
            reachable!("keys.region"),
            " ORDER BY id LIMIT $3"
        ))
        .bind(account.to_string())
        .bind(UserId::SYSTEM.to_string())
        .bind(THINGS_AT_ONCE)
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_key).collect()
    }

    /// The keys of an account.
    pub(crate) async fn keys_left(&self, account: AccountId) -> Result<Vec<KeyLeft>> {
        let rows = sqlx::query(concat!(
            "SELECT id, region, expires_at, 0 AS by_people FROM keys \
             WHERE account = $1 AND gone_at IS NULL AND ",
            reachable!("keys.region"),
            " ORDER BY id LIMIT $2"
        ))
        .bind(account.to_string())
        .bind(THINGS_AT_ONCE)
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_key).collect()
    }

    /// The keys that work no longer because their account was suspended. Those that are gone are
    /// forgotten.
    pub(crate) async fn held_keys(&self, account: AccountId) -> Result<Vec<KeyLeft>> {
        let mut change = self.write(Durability::Process).await?;
        sqlx::query(
            "DELETE FROM suspended_keys WHERE account = $1 AND NOT EXISTS (SELECT 1 FROM keys \
             WHERE keys.id = suspended_keys.key AND keys.region = suspended_keys.region \
             AND keys.account = $1 AND keys.gone_at IS NULL)",
        )
        .bind(account.to_string())
        .execute(&mut *change)
        .await?;
        let rows = sqlx::query(concat!(
            "SELECT k.id, k.region, k.expires_at, 0 AS by_people FROM suspended_keys s \
             JOIN keys k ON k.id = s.key AND k.region = s.region WHERE s.account = $1 AND ",
            reachable!("k.region"),
            " ORDER BY k.id LIMIT $2"
        ))
        .bind(account.to_string())
        .bind(THINGS_AT_ONCE)
        .fetch_all(&mut *change)
        .await?;
        change.commit().await?;
        rows.iter().map(read_key).collect()
    }

    /// The buckets of an account.
    pub(crate) async fn buckets_left(&self, account: AccountId) -> Result<Vec<BucketLeft>> {
        let rows = sqlx::query(concat!(
            "SELECT id, region FROM buckets WHERE account = $1 AND gone_at IS NULL AND ",
            reachable!("buckets.region"),
            " ORDER BY id LIMIT $2"
        ))
        .bind(account.to_string())
        .bind(THINGS_AT_ONCE)
        .fetch_all(&mut *self.read().await?)
        .await?;
        let read = |row: &Record| {
            Ok(BucketLeft {
                region: parsed("buckets", row.try_get("region")?)?,
                id: parsed("buckets", row.try_get("id")?)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Asks to suspend a key, and keeps that it worked.
    pub(crate) async fn ask_suspend(
        &self,
        kept: &Kept,
        key: &KeyLeft,
        now: Micros,
    ) -> Result<Option<Change>> {
        let command = Command::KeySuspend(KeySuspend {
            key: key.id.clone(),
        });
        let Some(mut change) = self.begin_ask(&key.region, &command).await? else {
            return Ok(None);
        };
        if past(&mut change, kept, key.id.as_str())
            .await?
            .has_to_wait(now)
        {
            return Ok(None);
        }
        if !key.by_people {
            sqlx::query(
                "INSERT INTO suspended_keys (region, key, account) VALUES ($1, $2, $3) \
                 ON CONFLICT (region, key) DO NOTHING",
            )
            .bind(key.region.as_str())
            .bind(key.id.as_str())
            .bind(kept.account.to_string())
            .execute(&mut *change)
            .await?;
        }
        ask(change, kept, &key.region, command, now).await
    }

    /// Asks to resume a key that a suspension stopped, up to the end that it had; forgets it once that is
    /// done.
    pub(crate) async fn ask_resume(
        &self,
        kept: &Kept,
        key: &KeyLeft,
        now: Micros,
    ) -> Result<Option<Change>> {
        let command = Command::KeyResume(KeyResume {
            key: key.id.clone(),
            expires_at: key.expires_at,
        });
        let Some(mut change) = self.begin_ask(&key.region, &command).await? else {
            return Ok(None);
        };
        let past = past(&mut change, kept, key.id.as_str()).await?;
        if past.is_done(command.name()) {
            sqlx::query("DELETE FROM suspended_keys WHERE region = $1 AND key = $2")
                .bind(key.region.as_str())
                .bind(key.id.as_str())
                .execute(&mut *change)
                .await?;
            change.commit().await?;
            return Ok(None);
        }
        match past.has_to_wait(now) {
            true => Ok(None),
            false => ask(change, kept, &key.region, command, now).await,
        }
    }

    /// Asks to delete a key.
    pub(crate) async fn ask_delete_key(
        &self,
        kept: &Kept,
        key: &KeyLeft,
        now: Micros,
    ) -> Result<Option<Change>> {
        let command = Command::KeyDelete(KeyDelete {
            key: key.id.clone(),
        });
        let Some(mut change) = self.begin_ask(&key.region, &command).await? else {
            return Ok(None);
        };
        match past(&mut change, kept, key.id.as_str())
            .await?
            .has_to_wait(now)
        {
            true => Ok(None),
            false => ask(change, kept, &key.region, command, now).await,
        }
    }

    /// Asks to clear a bucket, or to delete it once it was cleared; one that something was written to
    /// meanwhile is cleared anew.
    pub(crate) async fn ask_remove_bucket(
        &self,
        kept: &Kept,
        bucket: &BucketLeft,
        now: Micros,
    ) -> Result<Option<Change>> {
        let id = bucket.id;
        let clear = Command::BucketClear(BucketClear { bucket: id });
        let Some(mut change) = self.begin_ask(&bucket.region, &clear).await? else {
            return Ok(None);
        };
        let past = past(&mut change, kept, &id.to_string()).await?;
        let command = match past.is_done(clear.name()) {
            true => Command::BucketDelete(BucketDelete { bucket: id }),
            false => clear,
        };
        match past.has_to_wait(now) {
            true => Ok(None),
            false => ask(change, kept, &bucket.region, command, now).await,
        }
    }

    /// A transaction to ask in; `None`: the region's executor is away or does not offer the command, so
    /// that nobody would take it.
    async fn begin_ask(&self, region: &RegionName, command: &Command) -> Result<Option<Writing>> {
        let not_offered: Option<String> = sqlx::query_scalar(
            "SELECT a.not_offered FROM regions r JOIN agents a ON a.id = r.executor WHERE r.name = $1 \
             AND a.connected = 1 AND a.quarantined IS NULL AND a.revoked_at IS NULL",
        )
        .bind(region.as_str())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        let Some(not_offered) = not_offered else {
            return Ok(None);
        };
        let not_offered: Vec<String> = from_json("agents", &not_offered)?;
        if not_offered.iter().any(|name| name == command.name()) {
            return Ok(None);
        }
        self.write(Durability::Process).await.map(Some)
    }
}

async fn past(change: &mut Writing, kept: &Kept, thing: &str) -> Result<Past> {
    let rows = sqlx::query(
        "SELECT command, state, finished_at FROM operations WHERE account = $1 AND \"user\" = $2 \
         AND id >= $3 AND parameters LIKE '%\"' || $4 || '\"%' ORDER BY id DESC LIMIT $5",
    )
    .bind(kept.account.to_string())
    .bind(UserId::SYSTEM.to_string())
    .bind(OperationId::new(kept.since, [0; 10]).to_string())
    .bind(thing)
    .bind(LOOK_BACK)
    .fetch_all(&mut **change)
    .await?;
    let mut past = Past::default();
    let mut was_done = false;
    for row in &rows {
        let done = match row.try_get("state")? {
            "requested" | "signed" | "sent" | "accepted" => {
                past.open = true;
                continue;
            }
            state => state == "done",
        };
        if past.last.is_none() {
            past.last = Some((row.try_get("command")?, done));
            past.ended_at = row.try_get::<Option<i64>, _>("finished_at")?.unwrap_or(0);
        }
        was_done |= done;
        past.failed += u32::from(!was_done);
    }
    Ok(past)
}

async fn ask(
    mut change: Writing,
    kept: &Kept,
    region: &RegionName,
    command: Command,
    now: Micros,
) -> Result<Option<Change>> {
    let new = NewOperation::by_platform(kept.account, region.clone(), command, now);
    // Where the account has too many open, it is asked for when some have ended.
    let Some(operation) = insert(&mut change, &new, digest_of(&new, "")).await? else {
        return Ok(None);
    };
    change.commit().await?;
    Ok(Some(Change::Operation(kept.account, operation.id)))
}

fn read_key(row: &Record) -> Result<KeyLeft> {
    Ok(KeyLeft {
        region: parsed("keys", row.try_get("region")?)?,
        id: parsed("keys", row.try_get("id")?)?,
        expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Micros),
        by_people: row.try_get::<i64, _>("by_people")? != 0,
    })
}
