//! A storage limit, kept by the quotas of buckets: which are due, and the operation that sets them.

use crate::store::sql::Record;
use std::collections::BTreeMap;

use sqlx::Row as _;
use storm_protocol::{
    command::{AccountSetQuotas, BucketQuota, Command, MAX_QUOTAS},
    ident::{AccountId, BucketId, Limit, Micros, OperationId, RegionName},
};

use super::{counts::making, limit};
use crate::{
    app::Change,
    store::{
        Durability, Result, Store, Writing, from_big, from_json,
        operations::{NewOperation, digest_of, insert},
        parsed,
        system::GIVE_UP_SECONDS,
        to_big,
    },
    usage::quota::Fill,
};

const TABLE: &str = "bucket_quotas";
/// Operations that set quotas which may be open in a region: its agent sets ten a second, whoever's.
const MAX_OPEN_PER_REGION: i64 = 2;
/// Seconds after which quotas that could not be set are tried again.
const RETRY_SECONDS: i64 = 60;
/// Seconds for which a receipt outweighs a sweep that may have begun before it.
const RECEIPT_OUTWEIGHS_SECONDS: i64 = 300;

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Requested {
    /// Operations that are new.
    pub(crate) operations: Vec<Change>,
    /// Whether some quotas are due and could not be asked for yet.
    pub(crate) more: bool,
}

/// A bucket's quota that is due.
struct Due {
    bucket: BucketId,
    bytes: Option<Limit>,
    objects: Option<Limit>,
    /// What its people want, when nobody has set that through us before: what Garage has.
    first: Option<[Option<Limit>; 2]>,
}

impl Store {
    /// The limit on bytes to set for a bucket, or for a new one, whose people want `own`.
    pub(crate) async fn effective_quota(
        &self,
        account: AccountId,
        bucket: Option<BucketId>,
        own: Option<Limit>,
    ) -> Result<Option<Limit>> {
        let fill = self.fill(account).await?;
        if fill.limit_bytes.is_none() {
            return Ok(own);
        }
        let used: Option<i64> = match bucket {
            Some(id) => {
                sqlx::query_scalar(
                    "SELECT COALESCE(bytes, 0) + COALESCE(unfinished_bytes, 0) FROM buckets WHERE id = $1",
                )
                .bind(id.to_string())
                .fetch_optional(&mut *self.read().await?)
                .await?
            }
            None => None,
        };
        Ok(fill.quota(own, from_big(TABLE, used.unwrap_or(0))?))
    }

    /// The limit on bytes to set for a bucket that is given to an account, when `asked` is what was asked
    /// for: without that, and without a storage limit, the bucket keeps what it has. What it has is
    /// written down before a smaller limit is sent: it comes back when the storage limit is lifted.
    pub(crate) async fn quota_at_adoption(
        &self,
        account: AccountId,
        bucket: BucketId,
        asked: Option<Limit>,
    ) -> Result<Option<Limit>> {
        let mut fill = self.fill(account).await?;
        if fill.limit_bytes.is_none() {
            return Ok(asked);
        }
        let mut change = self.write_one(Durability::Process).await?;
        sqlx::query(
            "INSERT INTO bucket_quotas (bucket, own_bytes, own_objects, effective_bytes, \
             effective_objects, set_at) SELECT id, quota_bytes, quota_objects, quota_bytes, \
             quota_objects, 0 FROM buckets WHERE id = $1 ON CONFLICT (bucket) DO NOTHING",
        )
        .bind(bucket.to_string())
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        let row = sqlx::query(
            "SELECT COALESCE(b.bytes, 0) + COALESCE(b.unfinished_bytes, 0) AS used, \
             CASE WHEN b.account = $2 THEN 1 ELSE 0 END AS counts, q.own_bytes \
             FROM buckets b JOIN bucket_quotas q ON q.bucket = b.id WHERE b.id = $1",
        )
        .bind(bucket.to_string())
        .bind(account.to_string())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        let Some(row) = row else { return Ok(asked) };
        let used = from_big(TABLE, row.try_get("used")?)?;
        if row.try_get::<i64, _>("counts")? == 0 {
            fill.used_bytes = fill.used_bytes.saturating_add(used);
        }
        let own = limit(&row, "own_bytes")?;
        Ok(fill.quota(asked.or(own), used))
    }

    /// Asks for all quotas of an account that are due, in each region those of the buckets that were
    /// written last, as many as one operation sets. One such operation of an account is open in a
    /// region at a time.
    pub(crate) async fn request_quotas(
        &self,
        account: AccountId,
        fill: Fill,
        now: Micros,
    ) -> Result<Requested> {
        let mut requested = Requested::default();
        for (region, due) in self.due(account, fill, now).await? {
            if !self.takes_quotas(&region).await? {
                // It is looked at again in a while.
                continue;
            }
            requested.more |= due.len() > MAX_QUOTAS;
            let due = due.get(..MAX_QUOTAS).unwrap_or(&due);
            match self.request_due(account, &region, due, now).await? {
                Some(operation) => requested.operations.push(operation),
                None => requested.more = true,
            }
        }
        Ok(requested)
    }

    async fn due(
        &self,
        account: AccountId,
        fill: Fill,
        now: Micros,
    ) -> Result<BTreeMap<RegionName, Vec<Due>>> {
        let rows = sqlx::query(
            "SELECT b.id, b.region, COALESCE(b.bytes, 0) + COALESCE(b.unfinished_bytes, 0) AS used, \
             b.quota_bytes, b.quota_objects, q.own_bytes, q.own_objects, q.effective_bytes, \
             q.effective_objects, q.set_at, l.reset_at FROM account_limits l JOIN buckets b ON b.account = l.account \
             LEFT JOIN bucket_quotas q ON q.bucket = b.id \
             LEFT JOIN usage_now n ON n.bucket = b.id \
             WHERE l.account = $1 AND b.gone_at IS NULL ORDER BY COALESCE(n.at, 0) DESC, b.id",
        )
        .bind(account.to_string())
        .fetch_all(&mut *self.read().await?)
        .await?;
        let mut all: BTreeMap<RegionName, Vec<Due>> = BTreeMap::new();
        for row in &rows {
            if let Some(due) = due(row, fill, now)? {
                let region = parsed("buckets", row.try_get("region")?)?;
                all.entry(region).or_default().push(due);
            }
        }
        Ok(all)
    }

    /// Whether a region's executor is there and can set quotas.
    async fn takes_quotas(&self, region: &RegionName) -> Result<bool> {
        let not_offered: Option<String> = sqlx::query_scalar(
            "SELECT a.not_offered FROM regions r JOIN agents a ON a.id = r.executor \
             WHERE r.name = $1 AND a.connected = 1 AND a.quarantined IS NULL AND a.revoked_at IS NULL",
        )
        .bind(region.as_str())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        let Some(not_offered) = not_offered else {
            return Ok(false);
        };
        let not_offered: Vec<String> = from_json("agents", &not_offered)?;
        Ok(!not_offered
            .iter()
            .any(|command| command == "account.set_quotas"))
    }

    async fn request_due(
        &self,
        account: AccountId,
        region: &RegionName,
        due: &[Due],
        now: Micros,
    ) -> Result<Option<Change>> {
        let mut transaction = self.write(Durability::Process).await?;
        if has_to_wait(&mut transaction, account, region, now).await? {
            return Ok(None);
        }
        for one in due {
            let Some([bytes, objects]) = one.first else {
                continue;
            };
            sqlx::query(
                "INSERT INTO bucket_quotas (bucket, own_bytes, own_objects, effective_bytes, \
                 effective_objects, set_at) VALUES ($1, $2, $3, $2, $3, 0) \
                 ON CONFLICT (bucket) DO NOTHING",
            )
            .bind(one.bucket.to_string())
            .bind(bytes.map(|limit| to_big(limit.get())))
            .bind(objects.map(|limit| to_big(limit.get())))
            .execute(&mut *transaction)
            .await?;
        }
        let quotas = due.iter().map(|one| BucketQuota {
            bucket: one.bucket,
            quota_bytes: one.bytes,
            quota_objects: one.objects,
        });
        let command = Command::AccountSetQuotas(AccountSetQuotas {
            account,
            quotas: quotas.collect(),
        });
        let new = NewOperation::by_platform(account, region.clone(), command, now);
        let Some(operation) = insert(&mut transaction, &new, digest_of(&new, "")).await? else {
            return Ok(None);
        };
        transaction.commit().await?;
        Ok(Some(Change::Operation(account, operation.id)))
    }
}

/// Whether quotas cannot be asked for now: the account's or enough others' are being set, or could not
/// be set a moment ago.
async fn has_to_wait(
    transaction: &mut Writing,
    account: AccountId,
    region: &RegionName,
    now: Micros,
) -> Result<bool> {
    let row = sqlx::query(concat!(
        "SELECT COUNT(*) AS all_open, COUNT(CASE WHEN account = $1 THEN 1 END) AS own_open FROM operations WHERE ",
        making!(),
        " AND command = 'account.set_quotas' AND state <> 'unknown' AND region = $2"
    ))
    .bind(account.to_string())
    .bind(region.as_str())
    .fetch_one(&mut **transaction)
    .await?;
    if row.try_get::<i64, _>("own_open")? > 0
        || row.try_get::<i64, _>("all_open")? >= MAX_OPEN_PER_REGION
    {
        return Ok(true);
    }
    let since = now.plus_seconds(-GIVE_UP_SECONDS - RETRY_SECONDS);
    let failed: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM operations WHERE account = $1 AND id > $2 AND region = $3 \
         AND command = 'account.set_quotas' AND state IN ('failed', 'refused', 'expired', 'cancelled') \
         AND finished_at > $4 LIMIT 1",
    )
    .bind(account.to_string())
    .bind(OperationId::new(since, [0; 10]).to_string())
    .bind(region.as_str())
    .bind(now.plus_seconds(-RETRY_SECONDS).0)
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(failed.is_some())
}

fn due(row: &Record, fill: Fill, now: Micros) -> Result<Option<Due>> {
    let used = from_big(TABLE, row.try_get("used")?)?;
    let set_at: Option<i64> = row.try_get("set_at")?;
    let found = [limit(row, "quota_bytes")?, limit(row, "quota_objects")?];
    let [own, objects] = match set_at {
        Some(_) => [limit(row, "own_bytes")?, limit(row, "own_objects")?],
        None => found,
    };
    let fresh = set_at.is_some_and(|at| at > now.plus_seconds(-RECEIPT_OUTWEIGHS_SECONDS).0);
    // Without a limit only what a limit made smaller is ours to set; what somebody changed in Garage
    // is not.
    let [set, set_objects] = match set_at {
        Some(_) if fresh || fill.limit_bytes.is_none() => [
            limit(row, "effective_bytes")?,
            limit(row, "effective_objects")?,
        ],
        Some(_) | None => found,
    };
    let wanted = fill.quota(own, used);
    let reset_at: i64 = row.try_get("reset_at")?;
    let before_reset = set_at.is_none_or(|at| at < reset_at);
    // Its people's own change may have been overtaken by one that was on its way.
    let overtaken = objects != set_objects;
    let due = match fill.limit_bytes {
        Some(_) => fill.is_due(own, used, set) || (before_reset && wanted != set) || overtaken,
        None => set_at.is_some() && (wanted != set || overtaken),
    };
    if !due {
        return Ok(None);
    }
    Ok(Some(Due {
        bucket: parsed("buckets", row.try_get("id")?)?,
        bytes: wanted,
        objects,
        first: set_at.is_none().then_some(found),
    }))
}
