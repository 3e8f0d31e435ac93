//! Strays: buckets and keys of a cluster that belong to no account. Whoever runs the platform gives
//! them to one, or says that they are to be left alone.

use crate::store::sql::{Builder, Record};
use std::{collections::HashMap, fmt};

use sqlx::Row as _;
use storm_protocol::{
    api::{Bucket, Stray},
    ident::{AccessKeyId, AccountId, BucketId, BucketName, Micros, RegionName},
};

use super::{
    Durability, Result, Store, parsed, parsed_option,
    views::{bucket_columns, read_bucket},
};

const BUCKET: &str = "bucket";
const KEY: &str = "key";

macro_rules! strays {
    () => {
        "SELECT * FROM (SELECT 'bucket' AS kind, id, region, name, bytes, objects, created_at, ignored \
           FROM buckets WHERE account IS NULL AND gone_at IS NULL \
         UNION ALL SELECT 'key', id, region, label, NULL, NULL, created_at, ignored \
           FROM keys WHERE account IS NULL AND gone_at IS NULL) strays WHERE "
    };
}

/// Which stray.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StrayId {
    /// A bucket.
    Bucket(BucketId),
    /// A key.
    Key(AccessKeyId),
}

impl fmt::Display for StrayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, id) = self.parts();
        write!(f, "{kind} {id}")
    }
}

impl StrayId {
    fn parts(&self) -> (&'static str, String) {
        match self {
            Self::Bucket(bucket) => (BUCKET, bucket.to_string()),
            Self::Key(key) => (KEY, key.to_string()),
        }
    }
}

/// Where a list of strays goes on: buckets come first, then keys, each by id.
pub(crate) fn place_of(stray: &Stray) -> Vec<String> {
    let bucket = stray.bucket.map(|bucket| (BUCKET, bucket.to_string()));
    let key = || stray.key.as_ref().map(|key| (KEY, key.to_string()));
    let (kind, id) = bucket.or_else(key).unwrap_or_default();
    vec![kind.to_owned(), id]
}

impl Store {
    /// Strays after a place that [`place_of`] gave, at most `limit`.
    pub(crate) async fn strays(
        &self,
        region: Option<&RegionName>,
        ignored: Option<bool>,
        [kind, id]: &[String; 2],
        limit: usize,
    ) -> Result<Vec<Stray>> {
        let rows = sqlx::query(concat!(
            strays!(),
            "(kind, id) > ($1, $2) AND (CAST($3 AS TEXT) IS NULL OR region = $3) \
             AND (CAST($4 AS BIGINT) IS NULL OR ignored = $4) ORDER BY kind, id LIMIT $5"
        ))
        .bind(kind)
        .bind(id)
        .bind(region.map(RegionName::as_str))
        .bind(ignored.map(i64::from))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *self.read().await?)
        .await?;
        let mut strays = rows.iter().map(read_stray).collect::<Result<Vec<_>>>()?;
        self.add_claims(&mut strays).await?;
        Ok(strays)
    }

    /// Says whether a stray is to be left alone; `None`: there is no such stray.
    pub(crate) async fn ignore_stray(&self, id: &StrayId, ignored: bool) -> Result<Option<Stray>> {
        let (kind, text) = id.parts();
        let sql = match id {
            StrayId::Bucket(_) => {
                "UPDATE buckets SET ignored = $2 WHERE id = $1 AND account IS NULL AND gone_at IS NULL"
            }
            StrayId::Key(_) => {
                "UPDATE keys SET ignored = $2 WHERE id = $1 AND account IS NULL AND gone_at IS NULL"
            }
        };
        let mut change = self.write_one(Durability::Machine).await?;
        sqlx::query(sql)
            .bind(&text)
            .bind(i64::from(ignored))
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        let row = sqlx::query(concat!(strays!(), "kind = $1 AND id = $2"))
            .bind(kind)
            .bind(&text)
            .fetch_optional(&mut *self.read().await?)
            .await?;
        let stray = row.as_ref().map(read_stray).transpose()?;
        let mut strays: Vec<_> = stray.into_iter().collect();
        self.add_claims(&mut strays).await?;
        Ok(strays.pop())
    }

    /// A bucket, whoever's it is, with its account.
    pub(crate) async fn bucket_of_anyone(
        &self,
        id: BucketId,
    ) -> Result<Option<(Option<AccountId>, Bucket)>> {
        let row = sqlx::query(concat!(
            "SELECT account, ",
            bucket_columns!(),
            " FROM buckets WHERE id = $1 AND gone_at IS NULL"
        ))
        .bind(id.to_string())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let account = parsed_option("buckets", row.try_get("account")?)?;
        Ok(Some((account, read_bucket(&row)?)))
    }

    /// The buckets called `name`, whoever's they are: one a region at most.
    pub(crate) async fn everyones_buckets_named(
        &self,
        region: Option<&RegionName>,
        name: &BucketName,
    ) -> Result<Vec<Bucket>> {
        // By region and name, as the index has them.
        let rows = sqlx::query(concat!(
            "SELECT ",
            bucket_columns!(),
            " FROM buckets WHERE region IN (SELECT r.name FROM regions r \
               WHERE CAST($2 AS TEXT) IS NULL OR r.name = $2) \
             AND name = $1 AND account IS NOT NULL AND gone_at IS NULL ORDER BY region"
        ))
        .bind(name.as_str())
        .bind(region.map(RegionName::as_str))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_bucket).collect()
    }

    /// Whether there is such an account.
    pub(crate) async fn has_account(&self, id: AccountId) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM accounts WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        Ok(found.is_some())
    }

    /// Says of each bucket whose keys own it.
    async fn add_claims(&self, strays: &mut [Stray]) -> Result<()> {
        let buckets: Vec<_> = strays.iter().filter_map(|stray| stray.bucket).collect();
        if buckets.is_empty() {
            return Ok(());
        }
        let mut select = Builder::new(
            "SELECT DISTINCT g.bucket, k.account FROM grants g \
             JOIN keys k ON k.id = g.key AND k.region = g.region \
             WHERE g.owner = 1 AND k.account IS NOT NULL AND k.gone_at IS NULL AND g.bucket IN (",
        );
        let mut list = select.separated(", ");
        for bucket in buckets {
            list.push_bind(bucket.to_string());
        }
        select.push(") ORDER BY k.account");
        let mut claims: HashMap<BucketId, Vec<AccountId>> = HashMap::new();
        for row in select.build().fetch_all(&mut *self.read().await?).await? {
            let bucket = parsed("grants", row.try_get("bucket")?)?;
            let account = parsed("keys", row.try_get("account")?)?;
            claims.entry(bucket).or_default().push(account);
        }
        for stray in strays {
            let claimed = stray.bucket.and_then(|bucket| claims.remove(&bucket));
            stray.claimed_by = claimed.unwrap_or_default();
        }
        Ok(())
    }
}

fn read_stray(row: &Record) -> Result<Stray> {
    let figure = |column: &str| -> Result<Option<u64>> {
        let value: Option<i64> = row.try_get(column)?;
        Ok(value.and_then(|value| value.try_into().ok()))
    };
    let (kind, id): (&str, &str) = (row.try_get("kind")?, row.try_get("id")?);
    let (bucket, key) = if kind == BUCKET {
        (Some(parsed("buckets", id)?), None)
    } else {
        (None, Some(parsed("keys", id)?))
    };
    Ok(Stray {
        region: parsed("strays", row.try_get("region")?)?,
        bucket,
        key,
        name: row.try_get("name")?,
        bytes: figure("bytes")?,
        objects: figure("objects")?,
        created_at: Micros(row.try_get("created_at")?),
        ignored: row.try_get::<i64, _>("ignored")? != 0,
        claimed_by: vec![],
    })
}
