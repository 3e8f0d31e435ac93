//! What a cluster still says after the database was lost: its keys are called `<account id>/<label>`, so
//! accounts, whose keys are whose, and by the keys' rights whose the buckets are, can be told again.
//! A sweep keeps the whole name of a key whose account is not known.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row as _;
use storm_protocol::ident::{
    AccessKeyId, AccountId, BucketId, KeyLabel, Micros, RegionName, parse_key_name,
};

use super::{
    Durability, Result, Store, Writing, audit::Entry, parsed, parsed_option, sql::Connection, usage,
};
use crate::app::Change;

/// What there is to be given back in a region.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Orphans {
    /// By account, which may be unknown yet.
    pub(crate) accounts: BTreeMap<AccountId, Belongings>,
    /// Buckets that keys of more than one account own: they stay strays.
    pub(crate) contested: Vec<Contested>,
    /// Buckets that no key of an account owns, and keys that name none: strays, too.
    pub(crate) others: u64,
}

/// What is an account's.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Belongings {
    /// Whether the account is there.
    pub(crate) known: bool,
    pub(crate) keys: Vec<(AccessKeyId, KeyLabel)>,
    pub(crate) buckets: Vec<BucketId>,
}

/// A bucket that more than one account owns.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Contested {
    pub(crate) bucket: BucketId,
    pub(crate) name: Option<String>,
    pub(crate) accounts: BTreeSet<AccountId>,
}

impl Store {
    /// What an executor of the region has told of, and is nobody's.
    pub(crate) async fn orphans(&self, region: &RegionName) -> Result<Orphans> {
        find(&mut *self.read().await?, region).await
    }

    /// Gives it back: makes the accounts under their old ids, called by them until somebody renames them,
    /// and has the agents told of the buckets. Done again it does the rest.
    pub(crate) async fn adopt_orphans(
        &self,
        region: &RegionName,
        entry: &Entry,
        now: Micros,
    ) -> Result<Orphans> {
        let mut change = self.write(Durability::Machine).await?;
        let orphans = find(&mut change, region).await?;
        let mut changes = vec![];
        for (account, belongings) in &orphans.accounts {
            make_account(&mut change, *account, now).await?;
            for (key, label) in &belongings.keys {
                give_key(&mut change, *account, key, label).await?;
            }
            for bucket in &belongings.buckets {
                give_bucket(&mut change, *account, *bucket, now).await?;
                changes.push(Change::Bucket(Some(*account), *bucket));
            }
            let entry = Entry {
                account: Some(*account),
                ..entry.clone()
            };
            entry.insert(&mut change).await?;
        }
        usage::record(&mut change, &changes, now).await?;
        change.commit().await?;
        Ok(orphans)
    }

    /// Whether somebody owns the account.
    pub(crate) async fn has_owner(&self, account: AccountId) -> Result<bool> {
        let sql = "SELECT 1 FROM members WHERE account = $1 AND role = 'owner' LIMIT 1";
        let found: Option<i64> = sqlx::query_scalar(sql)
            .bind(account.to_string())
            .fetch_optional(&mut *self.read().await?)
            .await?;
        Ok(found.is_some())
    }

    /// Whether the region's executor has told of all of its cluster since it enrolled here.
    pub(crate) async fn has_inventory(&self, region: &RegionName) -> Result<bool> {
        let told: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM regions r JOIN agents a ON a.id = r.executor WHERE r.name = $1 AND a.generation > 0",
        )
        .bind(region.as_str())
        .fetch_optional(&mut *self.read().await?)
        .await?;
        Ok(told.is_some())
    }
}

async fn find(connection: &mut Connection, region: &RegionName) -> Result<Orphans> {
    let mut orphans = Orphans::default();
    let rows = sqlx::query(
        "SELECT id, label FROM keys WHERE region = $1 AND account IS NULL AND gone_at IS NULL \
         AND ignored = 0 ORDER BY id",
    )
    .bind(region.as_str())
    .fetch_all(&mut *connection)
    .await?;
    for row in rows {
        match parse_key_name(row.try_get("label")?) {
            Some((account, label)) => {
                let belongings = orphans.accounts.entry(account).or_default();
                belongings
                    .keys
                    .push((parsed("keys", row.try_get("id")?)?, label));
            }
            None => orphans.others += 1,
        }
    }
    find_buckets(connection, region, &mut orphans).await?;
    let known: Vec<String> = sqlx::query_scalar("SELECT id FROM accounts")
        .fetch_all(connection)
        .await?;
    for account in known {
        if let Some(belongings) = orphans.accounts.get_mut(&parsed("accounts", &account)?) {
            belongings.known = true;
        }
    }
    Ok(orphans)
}

async fn find_buckets(
    connection: &mut Connection,
    region: &RegionName,
    orphans: &mut Orphans,
) -> Result<()> {
    // One that an operator released is meant to be nobody's.
    let rows = sqlx::query(
        "SELECT b.id, b.name, k.account, k.label FROM buckets b \
         LEFT JOIN grants g ON g.bucket = b.id AND g.region = b.region AND g.owner = 1 \
         LEFT JOIN keys k ON k.id = g.key AND k.region = b.region AND k.gone_at IS NULL \
         WHERE b.region = $1 AND b.account IS NULL AND b.gone_at IS NULL AND b.ignored = 0 \
         AND b.released_at IS NULL ORDER BY b.id",
    )
    .bind(region.as_str())
    .fetch_all(connection)
    .await?;
    let mut owners: BTreeMap<BucketId, (Option<String>, BTreeSet<AccountId>)> = BTreeMap::new();
    for row in rows {
        let entry = owners.entry(parsed("buckets", row.try_get("id")?)?);
        let (name, accounts) = entry.or_default();
        *name = row.try_get("name")?;
        let of_key: Option<AccountId> = parsed_option("keys", row.try_get("account")?)?;
        let label: Option<String> = row.try_get("label")?;
        let named = || Some(parse_key_name(label.as_deref()?)?.0);
        accounts.extend(of_key.or_else(named));
    }
    for (bucket, (name, accounts)) in owners {
        match accounts.first() {
            None => orphans.others += 1,
            Some(account) if accounts.len() == 1 => {
                let belongings = orphans.accounts.entry(*account).or_default();
                belongings.buckets.push(bucket);
            }
            Some(_) => orphans.contested.push(Contested {
                bucket,
                name,
                accounts,
            }),
        }
    }
    Ok(())
}

async fn make_account(change: &mut Writing, account: AccountId, now: Micros) -> Result<()> {
    sqlx::query(
        "INSERT INTO accounts (id, name, created_at) VALUES ($1, $1, $2) ON CONFLICT (id) DO NOTHING",
    )
    .bind(account.to_string())
    .bind(now.0)
    .execute(&mut **change)
    .await?;
    Ok(())
}

async fn give_key(
    change: &mut Writing,
    account: AccountId,
    key: &AccessKeyId,
    label: &KeyLabel,
) -> Result<()> {
    sqlx::query("UPDATE keys SET account = $2, label = $3 WHERE id = $1 AND account IS NULL")
        .bind(key.to_string())
        .bind(account.to_string())
        .bind(label.to_string())
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// As a sweep gives it: the agent hears of it by a signed command.
async fn give_bucket(
    change: &mut Writing,
    account: AccountId,
    bucket: BucketId,
    now: Micros,
) -> Result<()> {
    sqlx::query(
        "UPDATE buckets SET account = $2, adopt_at = $3, adopt_tries = adopt_tries + 1 \
         WHERE id = $1 AND account IS NULL",
    )
    .bind(bucket.to_string())
    .bind(account.to_string())
    .bind(now.0)
    .execute(&mut **change)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
