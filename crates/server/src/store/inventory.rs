//! Inventory: what an executor saw in its cluster. Frames of one generation come in order; the last
//! one settles which things are gone and whose the new buckets are.

use crate::store::sql::{Builder, Record};
use sqlx::Row as _;
use storm_protocol::{
    frame::{BucketState, InventoryFrame, KeyState, SUSPENDED_UNTIL},
    ident::{AgentId, KeyLabel, Micros, RegionName, parse_key_name},
};

use super::{
    Durability, Result, Store, Writing, drift, parsed, parsed_option, settings, to_big, to_json,
    usage, wanted,
};
use crate::app::Change;

/// Seconds for which a receipt outweighs a sweep that may have begun before it.
const RECEIPT_OUTWEIGHS_SECONDS: i64 = 300;
/// Rows that one statement inserts; SQLite takes 32,766 parameters.
const ROWS_AT_ONCE: usize = 1000;
/// The longest label of a key that somebody else named.
const MAX_FOREIGN_LABEL_CHARS: usize = 64;

/// The sweep that a frame belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Sweep<'a> {
    /// The agent that sweeps.
    pub agent: AgentId,
    /// Its region.
    pub region: &'a RegionName,
    /// When the generation's first frame came.
    pub began_at: Micros,
}

impl Store {
    /// Takes one frame in. Answers with what moved.
    pub async fn keep_inventory(
        &self,
        sweep: &Sweep<'_>,
        frame: &InventoryFrame,
        now: Micros,
    ) -> Result<Vec<Change>> {
        let mut transaction = self.write(Durability::Process).await?;
        let mut changes = vec![];
        for keys in frame.keys.chunks(ROWS_AT_ONCE) {
            changes.extend(upsert_keys(&mut transaction, sweep, keys, now).await?);
        }
        for buckets in frame.buckets.chunks(ROWS_AT_ONCE) {
            changes.extend(upsert_buckets(&mut transaction, sweep, buckets, now).await?);
            let ids: Vec<_> = buckets
                .iter()
                .map(|bucket| bucket.bucket.to_string())
                .collect();
            drift::compare(&mut transaction, sweep.region, &ids, now).await?;
        }
        for bucket in &frame.buckets_gone {
            let id = bucket.to_string();
            changes.extend(bucket_gone(&mut transaction, sweep, &id, now).await?);
        }
        for key in &frame.keys_gone {
            changes.extend(key_gone(&mut transaction, sweep, key.as_str(), now).await?);
        }
        if frame.last {
            if frame.whole {
                changes.extend(unseen_gone(&mut transaction, sweep, now).await?);
            }
            changes.extend(give_buckets_to_owners(&mut transaction, sweep, now).await?);
            sqlx::query("UPDATE agents SET generation = $2 WHERE id = $1")
                .bind(sweep.agent.to_string())
                .bind(to_big(frame.generation))
                .execute(&mut *transaction)
                .await?;
        }
        usage::record(&mut transaction, &changes, now).await?;
        transaction.commit().await?;
        Ok(changes)
    }
}

async fn upsert_keys(
    transaction: &mut Writing,
    sweep: &Sweep<'_>,
    keys: &[KeyState],
    now: Micros,
) -> Result<Vec<Change>> {
    let mut insert = Builder::on(
        transaction,
        "INSERT INTO keys (id, region, account, label, created_at, expires_at, suspended, \
         create_buckets, seen_at) ",
    );
    insert.push_values(keys, |mut row, key| {
        let (account, label, name) = match parse_key_name(&key.name) {
            Some((account, label)) => (Some(account.to_string()), label.to_string(), &key.name),
            None => (None, foreign_label(&key.name), &String::new()),
        };
        let unknown = account.is_some();
        let suspended = key.expires_at.is_some_and(|at| at <= SUSPENDED_UNTIL);
        row.push_bind(key.key.to_string())
            .push_bind(sweep.region.to_string())
            // A name that somebody else made may look like ours.
            .push("(SELECT id FROM accounts WHERE id = ")
            .push_bind_unseparated(account.clone())
            .push_unseparated(")");
        if unknown {
            // Of an account that is not known, or no more, the whole name is kept: it tells whose it was.
            row.push("CASE WHEN EXISTS (SELECT 1 FROM accounts WHERE id = ")
                .push_bind_unseparated(account)
                .push_unseparated(") THEN ")
                .push_bind_unseparated(label)
                .push_unseparated(" ELSE ")
                .push_bind_unseparated(name.clone())
                .push_unseparated(" END");
        } else {
            row.push_bind(label);
        }
        row.push_bind(key.created_at.unwrap_or(now).0)
            .push_bind(key.expires_at.filter(|_| !suspended).map(|at| at.0))
            .push_bind(i64::from(suspended))
            .push_bind(i64::from(key.create_buckets))
            .push_bind(now.0);
    });
    insert.push(
        " ON CONFLICT (id) DO UPDATE SET account = COALESCE(keys.account, excluded.account), \
         label = CASE WHEN keys.account IS NOT NULL AND excluded.label LIKE '%/%' THEN keys.label \
         ELSE excluded.label END, expires_at = CASE WHEN excluded.suspended = 1 THEN keys.expires_at \
         ELSE excluded.expires_at END, suspended = excluded.suspended, \
         create_buckets = excluded.create_buckets, seen_at = excluded.seen_at, vanished = 0, \
         gone_at = CASE WHEN keys.vanished = 0 AND keys.gone_at > ",
    );
    insert.push_bind(now.plus_seconds(-RECEIPT_OUTWEIGHS_SECONDS).0);
    insert.push(
        " THEN keys.gone_at ELSE NULL END WHERE keys.region = excluded.region RETURNING account, id",
    );
    let rows = insert.build().fetch_all(&mut **transaction).await?;
    rows.iter().map(read_key_change).collect()
}

async fn upsert_buckets(
    transaction: &mut Writing,
    sweep: &Sweep<'_>,
    buckets: &[BucketState],
    now: Micros,
) -> Result<Vec<Change>> {
    let aliases: Vec<String> = buckets
        .iter()
        .map(|bucket| to_json("buckets", &bucket.aliases))
        .collect::<Result<_>>()?;
    let local: Vec<String> = buckets
        .iter()
        .map(|bucket| to_json("buckets", &bucket.local_aliases))
        .collect::<Result<_>>()?;
    let mut insert = Builder::on(
        transaction,
        "INSERT INTO buckets (id, region, name, aliases, bytes, objects, unfinished_bytes, \
         unfinished_uploads, quota_bytes, quota_objects, website, local_aliases, created_at, seen_at) ",
    );
    let aliases = aliases.into_iter().zip(local);
    insert.push_values(
        buckets.iter().zip(aliases),
        |mut row, (bucket, (aliases, local))| {
            row.push_bind(bucket.bucket.to_string())
                .push_bind(sweep.region.to_string())
                .push_bind(bucket.aliases.first().map(ToString::to_string))
                .push_bind(aliases)
                .push_bind(to_big(bucket.bytes))
                .push_bind(to_big(bucket.objects))
                .push_bind(to_big(bucket.unfinished_bytes))
                .push_bind(to_big(bucket.unfinished_uploads))
                .push_bind(bucket.quota_bytes.map(|limit| to_big(limit.get())))
                .push_bind(bucket.quota_objects.map(|limit| to_big(limit.get())))
                .push_bind(i64::from(bucket.website.is_some()))
                .push_bind(local)
                .push_bind(bucket.created_at.0)
                .push_bind(now.0);
        },
    );
    insert.push(
        " ON CONFLICT (id) DO UPDATE SET name = excluded.name, aliases = excluded.aliases, \
         bytes = excluded.bytes, objects = excluded.objects, \
         unfinished_bytes = excluded.unfinished_bytes, \
         unfinished_uploads = excluded.unfinished_uploads, quota_bytes = excluded.quota_bytes, \
         quota_objects = excluded.quota_objects, website = excluded.website, \
         local_aliases = excluded.local_aliases, created_at = excluded.created_at, \
         seen_at = excluded.seen_at, vanished = 0, \
         gone_at = CASE WHEN buckets.vanished = 0 AND buckets.gone_at > ",
    );
    insert.push_bind(now.plus_seconds(-RECEIPT_OUTWEIGHS_SECONDS).0);
    insert.push(
        " THEN buckets.gone_at ELSE NULL END WHERE buckets.region = excluded.region \
         RETURNING account, id",
    );
    let rows = insert.build().fetch_all(&mut **transaction).await?;
    let changes = rows
        .iter()
        .map(read_bucket_change)
        .collect::<Result<Vec<_>>>()?;
    settings::keep(transaction, sweep.region, buckets).await?;
    replace_grants(transaction, sweep, buckets).await?;
    Ok(changes)
}

async fn replace_grants(
    transaction: &mut Writing,
    sweep: &Sweep<'_>,
    buckets: &[BucketState],
) -> Result<()> {
    let mut delete = Builder::on(transaction, "DELETE FROM grants WHERE region = ");
    delete.push_bind(sweep.region.as_str());
    delete.push(" AND bucket IN (");
    let mut list = delete.separated(", ");
    for bucket in buckets {
        list.push_bind(bucket.bucket.to_string());
    }
    delete.push(")");
    delete.build().execute(&mut **transaction).await?;
    let grants: Vec<_> = buckets
        .iter()
        .flat_map(|bucket| bucket.grants.iter().map(|grant| (bucket.bucket, grant)))
        .collect();
    for grants in grants.chunks(ROWS_AT_ONCE) {
        let mut insert = Builder::on(
            transaction,
            "INSERT INTO grants (region, bucket, key, read, write, owner) ",
        );
        insert.push_values(grants, |mut row, (bucket, grant)| {
            row.push_bind(sweep.region.as_str())
                .push_bind(bucket.to_string())
                .push_bind(grant.key.to_string())
                .push_bind(i64::from(grant.read))
                .push_bind(i64::from(grant.write))
                .push_bind(i64::from(grant.owner));
        });
        insert.push(" ON CONFLICT (region, bucket, key) DO NOTHING");
        insert.build().execute(&mut **transaction).await?;
    }
    Ok(())
}

async fn bucket_gone(
    transaction: &mut Writing,
    sweep: &Sweep<'_>,
    id: &str,
    now: Micros,
) -> Result<Option<Change>> {
    let row = sqlx::query(
        "UPDATE buckets SET gone_at = $3, vanished = 1 \
         WHERE id = $1 AND region = $2 AND gone_at IS NULL \
         RETURNING account, id",
    )
    .bind(id)
    .bind(sweep.region.as_str())
    .bind(now.0)
    .fetch_optional(&mut **transaction)
    .await?;
    sqlx::query("DELETE FROM grants WHERE region = $1 AND bucket = $2")
        .bind(sweep.region.as_str())
        .bind(id)
        .execute(&mut **transaction)
        .await?;
    row.as_ref().map(read_bucket_change).transpose()
}

async fn key_gone(
    transaction: &mut Writing,
    sweep: &Sweep<'_>,
    id: &str,
    now: Micros,
) -> Result<Option<Change>> {
    let row = sqlx::query(
        "UPDATE keys SET gone_at = $3, vanished = 1 \
         WHERE id = $1 AND region = $2 AND gone_at IS NULL \
         RETURNING account, id",
    )
    .bind(id)
    .bind(sweep.region.as_str())
    .bind(now.0)
    .fetch_optional(&mut **transaction)
    .await?;
    sqlx::query("DELETE FROM grants WHERE region = $1 AND key = $2")
        .bind(sweep.region.as_str())
        .bind(id)
        .execute(&mut **transaction)
        .await?;
    // What it was given counts no more.
    let buckets = wanted::buckets_given(transaction, sweep.region, id).await?;
    drift::compare(transaction, sweep.region, &buckets, now).await?;
    row.as_ref().map(read_key_change).transpose()
}

/// After a whole sweep: what it did not show is gone, but for what a receipt made meanwhile.
async fn unseen_gone(
    transaction: &mut Writing,
    sweep: &Sweep<'_>,
    now: Micros,
) -> Result<Vec<Change>> {
    let buckets: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM buckets WHERE region = $1 AND gone_at IS NULL \
         AND COALESCE(seen_at, created_at + $3) < $2",
    )
    .bind(sweep.region.as_str())
    .bind(sweep.began_at.0)
    .bind(RECEIPT_OUTWEIGHS_SECONDS * Micros::SECOND)
    .fetch_all(&mut **transaction)
    .await?;
    let keys: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM keys WHERE region = $1 AND gone_at IS NULL \
         AND COALESCE(seen_at, created_at + $3) < $2",
    )
    .bind(sweep.region.as_str())
    .bind(sweep.began_at.0)
    .bind(RECEIPT_OUTWEIGHS_SECONDS * Micros::SECOND)
    .fetch_all(&mut **transaction)
    .await?;
    let mut changes = vec![];
    for id in &buckets {
        changes.extend(bucket_gone(transaction, sweep, id, now).await?);
    }
    for id in &keys {
        changes.extend(key_gone(transaction, sweep, id, now).await?);
    }
    Ok(changes)
}

/// A bucket that is nobody's yet belongs to the one account whose keys own it, and is adopted for it; not
/// while a key owns it, too, that names an account which is not known.
/// One that is somebody's stays theirs; the rights on one that was just released are those of before.
async fn give_buckets_to_owners(
    transaction: &mut Writing,
    sweep: &Sweep<'_>,
    now: Micros,
) -> Result<Vec<Change>> {
    let rows = sqlx::query(
        "UPDATE buckets SET account = (SELECT MIN(k.account) FROM grants g JOIN keys k ON k.id = g.key \
           WHERE g.bucket = buckets.id AND g.owner = 1 AND g.region = $1 AND k.region = $1), \
         adopt_at = $2, adopt_tries = adopt_tries + 1 \
         WHERE region = $1 AND account IS NULL AND gone_at IS NULL AND COALESCE(released_at, 0) <= $3 \
         AND (SELECT COUNT(DISTINCT k.account) FROM grants g JOIN keys k ON k.id = g.key \
           WHERE g.bucket = buckets.id AND g.owner = 1 AND g.region = $1 AND k.region = $1) = 1 \
         AND NOT EXISTS (SELECT 1 FROM grants g JOIN keys k ON k.id = g.key \
           WHERE g.bucket = buckets.id AND g.owner = 1 AND g.region = $1 AND k.region = $1 \
           AND k.account IS NULL AND k.label LIKE '%/%') RETURNING account, id",
    )
    .bind(sweep.region.as_str())
    .bind(now.0)
    .bind(now.plus_seconds(-RECEIPT_OUTWEIGHS_SECONDS).0)
    .fetch_all(&mut **transaction)
    .await?;
    rows.iter().map(read_bucket_change).collect()
}

/// A label for a key whose name we did not make, within a label's rules.
fn foreign_label(name: &str) -> String {
    let plain = |c: char| {
        if (' '..='~').contains(&c) && c != '/' {
            c
        } else {
            '-'
        }
    };
    let label: String = name
        .chars()
        .take(MAX_FOREIGN_LABEL_CHARS)
        .map(plain)
        .collect();
    let label = label.trim();
    match label.parse::<KeyLabel>() {
        Ok(label) => label.to_string(),
        Err(_) => "unnamed".to_owned(),
    }
}

fn read_bucket_change(row: &Record) -> Result<Change> {
    let account = parsed_option("buckets", row.try_get("account")?)?;
    Ok(Change::Bucket(
        account,
        parsed("buckets", row.try_get("id")?)?,
    ))
}

fn read_key_change(row: &Record) -> Result<Change> {
    let account = parsed_option("keys", row.try_get("account")?)?;
    Ok(Change::Key(account, parsed("keys", row.try_get("id")?)?))
}
