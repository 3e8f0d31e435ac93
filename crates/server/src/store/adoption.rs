//! Buckets that a sweep gave to an account and that the region's agent has yet to hear of.

use crate::store::sql::Record;
use sqlx::Row as _;
use storm_protocol::{
    command::{BucketRelease, Command},
    frame::LocalAliasState,
    ident::{AccountId, BucketId, BucketName, Micros, RegionName},
};

use super::{Durability, Result, Store, from_json, operations::counts, parsed};

const TABLE: &str = "buckets";

/// A bucket to ask the adoption of.
#[derive(Debug)]
pub(crate) struct Adoptable {
    /// The bucket.
    pub(crate) bucket: BucketId,
    /// Its region.
    pub(crate) region: RegionName,
    /// The account that its keys name.
    pub(crate) account: AccountId,
    /// The only name that keys have for it, when it has no global one.
    pub(crate) name: Option<BucketName>,
    /// The how-manieth time it is asked, from 1.
    pub(crate) tries: u32,
}

impl Store {
    /// Buckets whose adoption is due, in regions where somebody can do it, at most `limit`. While an
    /// account makes a bucket there, none of its is adopted: it may be that one.
    pub(crate) async fn adoptable(&self, now: Micros, limit: u32) -> Result<Vec<Adoptable>> {
        let rows = sqlx::query(concat!(
            "SELECT b.id, b.region, b.account, b.aliases, b.local_aliases, b.adopt_tries \
             FROM buckets b JOIN regions r ON r.name = b.region \
             WHERE b.adopt_at <= $1 AND b.gone_at IS NULL AND b.account IS NOT NULL \
             AND r.executor IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.account = b.account \
               AND o.region = b.region AND o.command = 'bucket.create' AND o.",
            counts!(),
            ") ORDER BY b.adopt_at, b.id LIMIT $2"
        ))
        .bind(now.0)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.iter().map(read_adoptable).collect()
    }

    /// Whether a bucket is still the account's that a sweep gave it to, and nobody is taking it away.
    pub(crate) async fn is_still_given(
        &self,
        region: &RegionName,
        bucket: BucketId,
        account: AccountId,
    ) -> Result<bool> {
        let release = Command::BucketRelease(BucketRelease { bucket }).to_raw();
        let given: Option<i64> = sqlx::query_scalar(concat!(
            "SELECT 1 FROM buckets b WHERE b.id = $1 AND b.region = $2 AND b.account = $3 \
             AND b.gone_at IS NULL AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.",
            counts!(),
            " AND o.region = b.region AND o.command = $4 AND o.parameters = $5)"
        ))
        .bind(bucket.to_string())
        .bind(region.as_str())
        .bind(account.to_string())
        .bind(&release.name)
        .bind(release.parameters.get())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        Ok(given.is_some())
    }

    /// The adoption is looked at again at `at`, and asked as the `tries`-th then.
    pub(crate) async fn adopt_later(&self, bucket: BucketId, at: Micros, tries: u32) -> Result<()> {
        let mut change = self.write_one(Durability::Process).await?;
        sqlx::query(
            "UPDATE buckets SET adopt_at = $2, adopt_tries = $3 \
             WHERE id = $1 AND adopt_at IS NOT NULL",
        )
        .bind(bucket.to_string())
        .bind(at.0)
        .bind(i64::from(tries))
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(())
    }

    /// The bucket is adopted.
    pub(crate) async fn adopted(&self, bucket: BucketId) -> Result<()> {
        let mut change = self.write_one(Durability::Process).await?;
        sqlx::query("UPDATE buckets SET adopt_at = NULL WHERE id = $1")
            .bind(bucket.to_string())
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }
}

fn read_adoptable(row: &Record) -> Result<Adoptable> {
    let tries: i64 = row.try_get("adopt_tries")?;
    let aliases: Vec<BucketName> = from_json(TABLE, row.try_get("aliases")?)?;
    let local: Vec<LocalAliasState> = from_json(TABLE, row.try_get("local_aliases")?)?;
    Ok(Adoptable {
        bucket: parsed(TABLE, row.try_get("id")?)?,
        region: parsed(TABLE, row.try_get("region")?)?,
        account: parsed(TABLE, row.try_get("account")?)?,
        name: only_name(&local).filter(|_| aliases.is_empty()),
        tries: u32::try_from(tries).unwrap_or(u32::MAX),
    })
}

fn only_name(local: &[LocalAliasState]) -> Option<BucketName> {
    let first = local.first()?;
    let only = local.iter().all(|alias| alias.name == first.name);
    only.then(|| first.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_only_one_whichever_keys_have_it() {
        let alias = |key: char, name: &str| LocalAliasState {
            key: format!("GK{}", key.to_string().repeat(24)).parse().unwrap(),
            name: name.parse().unwrap(),
        };
        assert_eq!(only_name(&[]), None);
        let same = [alias('a', "photos"), alias('b', "photos")];
        assert_eq!(only_name(&same), Some("photos".parse().unwrap()));
        assert_eq!(
            only_name(&[alias('a', "photos"), alias('a', "pictures")]),
            None
        );
    }
}
