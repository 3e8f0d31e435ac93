//! Which bucket of a region a name meant in a certain minute.

use crate::store::sql::{Builder, Record};
use std::collections::{BTreeSet, HashMap};

use sqlx::Row as _;
use storm_protocol::{
    frame::TrafficSum,
    ident::{AccountId, BucketAddress, BucketId, BucketName, Micros, RegionName},
};

use crate::store::{Result, Writing, from_json, parsed, parsed_option};

const TABLE: &str = "buckets";
const COLUMNS: &str = "SELECT id, account, name, aliases, created_at, gone_at FROM buckets";

/// The buckets that names may have meant.
#[derive(Debug, Default)]
pub(super) struct Buckets(HashMap<BucketAddress, Vec<Candidate>>);

/// A bucket that has, or had, the name.
#[derive(Debug, Clone)]
struct Candidate {
    id: BucketId,
    account: Option<AccountId>,
    created_at: Micros,
    gone_at: Option<Micros>,
}

impl Buckets {
    /// Looks up every name in `sums`, in `region` alone.
    pub(super) async fn of(
        transaction: &mut Writing,
        region: &RegionName,
        sums: &[&TrafficSum],
    ) -> Result<Self> {
        let asked: BTreeSet<_> = sums.iter().map(|sum| &sum.bucket).collect();
        let mut buckets = Self::default();
        let (mut names, mut ids) = (vec![], vec![]);
        for address in &asked {
            match address {
                BucketAddress::Name(name) => names.push(name.to_string()),
                BucketAddress::Id(id) => ids.push(id.to_string()),
            }
        }
        for row in select(transaction, region, "name", &names).await? {
            if let Some(name) = parsed_option::<BucketName>(TABLE, row.try_get("name")?)? {
                buckets.add(BucketAddress::Name(name), &row)?;
            }
        }
        for row in select(transaction, region, "id", &ids).await? {
            let id = parsed(TABLE, row.try_get("id")?)?;
            buckets.add(BucketAddress::Id(id), &row)?;
        }
        if asked.iter().any(|address| !buckets.0.contains_key(address)) {
            buckets
                .add_by_further_names(transaction, region, &asked)
                .await?;
        }
        Ok(buckets)
    }

    /// Buckets whose second or later name was asked for: few have one.
    async fn add_by_further_names(
        &mut self,
        transaction: &mut Writing,
        region: &RegionName,
        asked: &BTreeSet<&BucketAddress>,
    ) -> Result<()> {
        let mut query = Builder::new(COLUMNS);
        query.push(" WHERE gone_at IS NULL AND aliases LIKE '%,%' AND region = ");
        query.push_bind(region.as_str());
        for row in query.build().fetch_all(&mut **transaction).await? {
            let aliases: Vec<BucketName> = from_json(TABLE, row.try_get("aliases")?)?;
            for address in aliases.into_iter().skip(1).map(BucketAddress::Name) {
                if asked.contains(&address) {
                    self.add(address, &row)?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, address: BucketAddress, row: &Record) -> Result<()> {
        let candidate = Candidate {
            id: parsed(TABLE, row.try_get("id")?)?,
            account: parsed_option(TABLE, row.try_get("account")?)?,
            created_at: Micros(row.try_get("created_at")?),
            gone_at: row.try_get::<Option<i64>, _>("gone_at")?.map(Micros),
        };
        self.0.entry(address).or_default().push(candidate);
        Ok(())
    }

    /// The bucket that was called so in the minute, and its account. What was logged just before a
    /// bucket went is still its own; clocks differ, so that one that is there counts in any case. None
    /// for one of nobody's.
    pub(super) fn find(
        &self,
        address: &BucketAddress,
        minute: Micros,
    ) -> Option<(BucketId, AccountId)> {
        let candidates = self.0.get(address)?;
        let was_there = |candidate: &&Candidate| {
            candidate.created_at < minute.plus_seconds(60)
                && candidate.gone_at.is_none_or(|gone| gone >= minute)
        };
        let then = candidates
            .iter()
            .filter(was_there)
            .max_by_key(|candidate| candidate.created_at);
        let found = then.or_else(|| {
            let mut living = candidates.iter();
            living.find(|candidate| candidate.gone_at.is_none())
        })?;
        Some((found.id, found.account?))
    }
}

async fn select(
    transaction: &mut Writing,
    region: &RegionName,
    column: &str,
    values: &[String],
) -> Result<Vec<Record>> {
    if values.is_empty() {
        return Ok(vec![]);
    }
    let mut query = Builder::new(COLUMNS);
    query.push(" WHERE region = ").push_bind(region.as_str());
    query.push(format!(" AND {column} IN ("));
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    query.push(")");
    Ok(query.build().fetch_all(&mut **transaction).await?)
}
