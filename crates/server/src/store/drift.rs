//! Drift: where a cluster has other settings or rights on a bucket than were asked for through us.
//!
//! Agents send changes alone, so each is compared when it comes. But a sweep shows what was, and a
//! command at work has changed a cluster before its receipt is here: a difference counts as drift
//! only once it has stood for [`STANDS_SECONDS`] and nothing that names the bucket is under way.

use crate::store::sql::{self, Builder, Connection, Record};
use std::collections::{BTreeMap, HashMap};

use sqlx::Row as _;
use storm_protocol::{
    api::Setting,
    command::BucketGrant,
    ident::{AccessKeyId, AccountId, Limit, Micros, RegionName},
    rules::{CorsRule, LifecycleRule, Website},
};

use super::{
    Durability, Result, Store, Writing, from_json, from_json_option, operations::counts, parsed,
    parsed_option, wanted::buckets_given,
};
use crate::app::Change;

/// Seconds for which a difference has to stand. A command's own traces are read again within a few.
const STANDS_SECONDS: i64 = 20;
/// Buckets that are looked at in one go.
const BUCKETS_AT_ONCE: usize = 200;

const WANTED: &str = "bucket_wanted";
const FOUND: &str = "bucket_settings";

/// A bucket's limits on bytes and objects.
pub(super) type Quota = (Option<Limit>, Option<Limit>);

/// A bucket as it is to be and as it was found.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// Whether a difference is shown.
    pub(super) drift: bool,
    /// What is wanted; `None` for a part without an opinion.
    pub(super) wanted: Wanted,
    /// What was found.
    pub(super) found: Found,
    /// Rules that were found and that cannot be said here.
    pub(super) other_rules: bool,
    /// Each key with a right that was given or found; ended and temporary ones aside.
    pub(super) rights: BTreeMap<AccessKeyId, KeyRights>,
}

/// What is wanted of a bucket.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) quota: Option<Quota>,
    pub(super) cors: Option<Vec<CorsRule>>,
    pub(super) lifecycle: Option<Vec<LifecycleRule>>,
    pub(super) website: Option<Option<Website>>,
    /// Whether a key without a given right was given none.
    pub(super) grants_known: bool,
}

/// What was found of a bucket.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) quota: Quota,
    pub(super) cors: Vec<CorsRule>,
    pub(super) lifecycle: Vec<LifecycleRule>,
    pub(super) website: Option<Website>,
}

/// A key's rights on the bucket at hand.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyRights {
    /// Whose the key is, when it is somebody's.
    pub(super) account: Option<AccountId>,
    /// What it was given.
    pub(super) given: Option<Rights>,
    /// What it has.
    pub(super) found: Rights,
}

/// Read, write, owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rights {
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) owner: bool,
}

impl Rights {
    /// As the rights of `key`.
    pub(super) fn of(self, key: &AccessKeyId) -> BucketGrant {
        BucketGrant {
            key: key.clone(),
            read: self.read,
            write: self.write,
            owner: self.owner,
        }
    }
}

impl KeyRights {
    /// What it is to have. Without an opinion that is what it has.
    pub(super) fn wanted(&self, all_known: bool) -> Rights {
        match self.given {
            Some(given) => given,
            None if all_known => Rights::default(),
            None => self.found,
        }
    }
}

impl Picture {
    /// The keys whose rights are not what they are to be.
    pub(super) fn keys_that_differ(&self) -> impl Iterator<Item = (&AccessKeyId, &KeyRights)> {
        let known = self.wanted.grants_known;
        self.rights
            .iter()
            .filter(move |(_, rights)| rights.wanted(known) != rights.found)
    }

    /// Where found and wanted differ.
    pub(super) fn differences(&self) -> Vec<Setting> {
        let (wanted, found) = (&self.wanted, &self.found);
        let differs = |setting| match setting {
            Setting::Quota => wanted.quota.is_some_and(|quota| quota != found.quota),
            Setting::Cors => wanted.cors.as_ref().is_some_and(|cors| *cors != found.cors),
            Setting::Lifecycle => {
                let lifecycle = wanted.lifecycle.as_ref();
                lifecycle.is_some_and(|lifecycle| *lifecycle != found.lifecycle)
            }
            Setting::Website => {
                let website = wanted.website.as_ref();
                website.is_some_and(|website| *website != found.website)
            }
            Setting::Grants => self.keys_that_differ().next().is_some(),
        };
        let all = [
            Setting::Quota,
            Setting::Cors,
            Setting::Lifecycle,
            Setting::Website,
            Setting::Grants,
        ];
        all.into_iter()
            .filter(|setting| differs(*setting))
            .collect()
    }
}

impl Store {
    /// Shows as drift what has differed for long enough. Answers with the buckets that have it now.
    pub(crate) async fn show_drift(&self, now: Micros) -> Result<Vec<Change>> {
        // What open operations name is read once, not once for each bucket. A key's replacement names
        // the key alone, and changes its buckets' rights.
        macro_rules! standing {
            ($named:literal) => {
                concat!(
                    "SELECT b.id, b.region FROM buckets b \
                     WHERE b.differs_since <= $1 AND b.drift = 0 AND b.gone_at IS NULL AND b.id NOT IN (",
                    $named,
                    " AND o.",
                    counts!(),
                    ") AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.account = b.account \
                       AND o.region = b.region AND o.command IN ('key.rotate', 'key.revoke_leaked') AND o.",
                    counts!(),
                    ") ORDER BY b.differs_since LIMIT $2"
                )
            };
        }
        let mut reader = self.read().await?;
        let sql = if sql::is_postgres(&reader) {
            standing!(
                "SELECT named #>> '{}' FROM operations o, \
                 jsonb_path_query(o.parameters::jsonb, '$.**.bucket') named \
                 WHERE jsonb_typeof(named) = 'string'"
            )
        } else {
            standing!(
                "SELECT named.value FROM operations o, json_tree(o.parameters) named \
                 WHERE named.key = 'bucket' AND named.type = 'text'"
            )
        };
        let rows: Vec<(String, String)> = sqlx::query_as(sql)
            .bind(now.plus_seconds(-STANDS_SECONDS).0)
            .bind(i64::try_from(BUCKETS_AT_ONCE).unwrap_or(i64::MAX))
            .fetch_all(&mut *reader)
            .await?;
        if rows.is_empty() {
            return Ok(vec![]);
        }
        let mut regions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (bucket, region) in rows {
            regions.entry(region).or_default().push(bucket);
        }
        let mut transaction = self.write(Durability::Process).await?;
        let mut changes = vec![];
        for (region, buckets) in regions {
            let region: RegionName = parsed("buckets", &region)?;
            // What it was compared with may have changed since.
            compare(&mut transaction, &region, &buckets, now).await?;
            let mut update = Builder::new(
                "UPDATE buckets SET drift = 1 WHERE differs_since IS NOT NULL AND id IN (",
            );
            let mut list = update.separated(", ");
            for bucket in &buckets {
                list.push_bind(bucket);
            }
            update.push(") RETURNING account, id");
            let rows = update.build().fetch_all(&mut *transaction).await?;
            for row in &rows {
                changes.push(Change::Bucket(
                    parsed_option("buckets", row.try_get("account")?)?,
                    parsed("buckets", row.try_get("id")?)?,
                ));
            }
        }
        transaction.commit().await?;
        Ok(changes)
    }
}

/// Compares again what a receipt has changed.
pub(super) async fn compare_changed(
    transaction: &mut Writing,
    region: &RegionName,
    changes: &[Change],
    now: Micros,
) -> Result<()> {
    let mut buckets = vec![];
    for change in changes {
        match change {
            Change::Bucket(_, bucket) => buckets.push(bucket.to_string()),
            Change::Key(_, key) => {
                buckets.extend(buckets_given(transaction, region, key.as_str()).await?);
            }
            Change::Operation(..)
            | Change::Agent(_)
            | Change::Certificate(_)
            | Change::Limits(_)
            | Change::Mark(_)
            | Change::Missed => {}
        }
    }
    compare(transaction, region, &buckets, now).await
}

/// Notes of each bucket whether found and wanted differ, and since when.
pub(super) async fn compare(
    transaction: &mut Writing,
    region: &RegionName,
    buckets: &[String],
    now: Micros,
) -> Result<()> {
    for buckets in buckets.chunks(BUCKETS_AT_ONCE) {
        let pictures = read(transaction, region, buckets).await?;
        let (differ, equal): (Vec<_>, Vec<_>) = pictures
            .iter()
            .partition(|(_, picture)| !picture.differences().is_empty());
        if !differ.is_empty() {
            let mut update = Builder::new("UPDATE buckets SET differs_since = ");
            update.push_bind(now.0);
            update.push(" WHERE differs_since IS NULL AND region = ");
            update.push_bind(region.as_str());
            push_ids(&mut update, "id", differ.iter().map(|(id, _)| id.as_str()));
            update.build().execute(&mut **transaction).await?;
        }
        if !equal.is_empty() {
            let mut update = Builder::new(
                "UPDATE buckets SET differs_since = NULL, drift = 0 \
                 WHERE differs_since IS NOT NULL AND region = ",
            );
            update.push_bind(region.as_str());
            push_ids(&mut update, "id", equal.iter().map(|(id, _)| id.as_str()));
            update.build().execute(&mut **transaction).await?;
        }
    }
    Ok(())
}

/// Reads what is wanted and found of buckets, by their ids; at most [`BUCKETS_AT_ONCE`].
pub(super) async fn read(
    connection: &mut Connection,
    region: &RegionName,
    buckets: &[String],
) -> Result<HashMap<String, Picture>> {
    let mut pictures = HashMap::new();
    if buckets.is_empty() {
        return Ok(pictures);
    }
    let mut select = Builder::new(
        "SELECT b.id, b.drift, b.quota_bytes AS found_bytes, b.quota_objects AS found_objects, \
         s.cors AS found_cors, s.lifecycle AS found_lifecycle, s.website AS found_website, \
         s.other_rules, w.quota_set, w.quota_bytes, w.quota_objects, w.cors, w.lifecycle, w.website, \
         w.grants_known FROM buckets b \
         LEFT JOIN bucket_settings s ON s.region = b.region AND s.bucket = b.id \
         LEFT JOIN bucket_wanted w ON w.region = b.region AND w.bucket = b.id WHERE b.region = ",
    );
    select.push_bind(region.as_str());
    push_ids(&mut select, "b.id", buckets.iter().map(String::as_str));
    for row in select.build().fetch_all(&mut *connection).await? {
        pictures.insert(row.try_get("id")?, read_picture(&row)?);
    }
    for (table, given) in [("given_grants", true), ("grants", false)] {
        let mut select =
            Builder::new("SELECT g.bucket, g.key, g.read, g.write, g.owner, k.account FROM ");
        select.push(table);
        select.push(
            " g LEFT JOIN keys k ON k.id = g.key AND k.region = g.region \
             WHERE COALESCE(k.temporary, 0) = 0 AND k.gone_at IS NULL AND g.region = ",
        );
        select.push_bind(region.as_str());
        push_ids(&mut select, "g.bucket", buckets.iter().map(String::as_str));
        for row in select.build().fetch_all(&mut *connection).await? {
            let bucket: &str = row.try_get("bucket")?;
            let Some(picture) = pictures.get_mut(bucket) else {
                continue;
            };
            let key: AccessKeyId = parsed(table, row.try_get("key")?)?;
            let rights = picture.rights.entry(key).or_default();
            rights.account = parsed_option("keys", row.try_get("account")?)?;
            let has = Rights {
                read: flag(&row, "read")?,
                write: flag(&row, "write")?,
                owner: flag(&row, "owner")?,
            };
            if given {
                rights.given = Some(has);
            } else {
                rights.found = has;
            }
        }
    }
    Ok(pictures)
}

fn push_ids<'a>(query: &mut Builder, column: &str, ids: impl Iterator<Item = &'a str>) {
    query.push(" AND ");
    query.push(column);
    query.push(" IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(id.to_owned());
    }
    query.push(")");
}

fn read_picture(row: &Record) -> Result<Picture> {
    let limit = |column: &str| -> Result<Option<Limit>> {
        let value: Option<i64> = row.try_get(column)?;
        Ok(value
            .and_then(|value| u64::try_from(value).ok())
            .and_then(Limit::new))
    };
    let quota_set = row.try_get::<Option<i64>, _>("quota_set")? == Some(1);
    let quota = (limit("quota_bytes")?, limit("quota_objects")?);
    let found_cors: Option<&str> = row.try_get("found_cors")?;
    let found_lifecycle: Option<&str> = row.try_get("found_lifecycle")?;
    Ok(Picture {
        drift: flag(row, "drift")?,
        wanted: Wanted {
            quota: quota_set.then_some(quota),
            cors: from_json_option(WANTED, row.try_get("cors")?)?,
            lifecycle: from_json_option(WANTED, row.try_get("lifecycle")?)?,
            website: from_json_option(WANTED, row.try_get("website")?)?,
            grants_known: row.try_get::<Option<i64>, _>("grants_known")? == Some(1),
        },
        found: Found {
            quota: (limit("found_bytes")?, limit("found_objects")?),
            cors: from_json(FOUND, found_cors.unwrap_or("[]"))?,
            lifecycle: from_json(FOUND, found_lifecycle.unwrap_or("[]"))?,
            website: from_json_option(FOUND, row.try_get("found_website")?)?,
        },
        other_rules: row.try_get::<Option<i64>, _>("other_rules")? == Some(1),
        rights: BTreeMap::new(),
    })
}

fn flag(row: &Record, column: &str) -> Result<bool> {
    Ok(row.try_get::<i64, _>(column)? != 0)
}
