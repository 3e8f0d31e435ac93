//! What is set on buckets: shown to people beside what was asked for, kept from sweeps.

use crate::store::sql::Builder;
use storm_protocol::{
    api::{BucketSettings, Operation, Setting, SettingsValue},
    command::{BucketGrant, BucketRestore, MAX_GRANTS},
    frame::BucketState,
    ident::{AccountId, BucketId, Micros, RegionName, UserId},
};

use super::{
    Result, Store, Writing,
    drift::{self, KeyRights, Picture},
    operations::{operation_columns, read_operation},
    to_json,
};

const TABLE: &str = "bucket_settings";

/// Whose keys are shown, and may be named in a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Those of this account.
    Own(AccountId),
    /// All, for whoever runs the platform.
    All,
}

impl Sight {
    fn sees(self, rights: &KeyRights) -> bool {
        match self {
            Self::Own(account) => rights.account == Some(account),
            Self::All => true,
        }
    }
}

/// What would set a bucket right.
#[derive(Debug)]
pub(crate) struct Restoration {
    /// The command.
    pub(crate) command: BucketRestore,
    /// Whether the bucket has rules that the command would delete and that cannot be said here.
    pub(crate) other_rules: bool,
    /// Whether rights of keys that may not be named are all that differs.
    pub(crate) only_foreign: bool,
}

impl Store {
    /// A bucket's settings, as asked for and as last heard; nothing is set on one that was not heard
    /// of yet. `account` is whose it is.
    pub(crate) async fn bucket_settings(
        &self,
        region: &RegionName,
        bucket: BucketId,
        account: AccountId,
        sight: Sight,
    ) -> Result<BucketSettings> {
        let picture = self.picture(region, bucket).await?;
        let known = picture.wanted.grants_known;
        let visible = || {
            picture
                .rights
                .iter()
                .filter(|(_, rights)| sight.sees(rights))
        };
        let grants = |grants: &mut dyn Iterator<Item = BucketGrant>| {
            grants
                .filter(|grant| grant.read || grant.write || grant.owner)
                .collect::<Vec<_>>()
        };
        let wanted = &mut visible().map(|(key, rights)| rights.wanted(known).of(key));
        let wanted = grants(wanted);
        let found = grants(&mut visible().map(|(key, rights)| rights.found.of(key)));
        let foreign = picture
            .keys_that_differ()
            .filter(|(_, rights)| rights.account != Some(account));
        let foreign_keys = foreign.count() as u64;
        let drift = match picture.drift {
            true => picture.differences(),
            false => vec![],
        };
        let other_rules = picture.other_rules;
        let (wanted, found) = values(picture, wanted, found);
        Ok(BucketSettings {
            wanted,
            found,
            other_rules,
            drift,
            foreign_keys,
        })
    }

    /// The command that sets a bucket to what is wanted of it, and the rights of the keys that differ
    /// and may be named, up to [`MAX_GRANTS`].
    pub(crate) async fn restoration(
        &self,
        region: &RegionName,
        bucket: BucketId,
        sight: Sight,
    ) -> Result<Restoration> {
        let picture = self.picture(region, bucket).await?;
        let known = picture.wanted.grants_known;
        let differing = picture.keys_that_differ();
        let named = differing.filter(|(_, rights)| sight.sees(rights));
        let grants: Vec<_> = named
            .map(|(key, rights)| rights.wanted(known).of(key))
            .take(MAX_GRANTS)
            .collect();
        let only_grants = picture.differences() == [Setting::Grants];
        let only_foreign = only_grants && grants.is_empty();
        let other_rules = picture.other_rules;
        let (wanted, _) = values(picture, grants, vec![]);
        Ok(Restoration {
            command: BucketRestore {
                bucket,
                quota_bytes: wanted.quota_bytes,
                quota_objects: wanted.quota_objects,
                cors: wanted.cors,
                lifecycle: wanted.lifecycle,
                website: wanted.website,
                grants: wanted.grants,
            },
            other_rules,
            only_foreign,
        })
    }

    async fn picture(&self, region: &RegionName, bucket: BucketId) -> Result<Picture> {
        let id = bucket.to_string();
        let ids = [id.clone()];
        let mut pictures = drift::read(&mut *self.read().await?, region, &ids).await?;
        Ok(pictures.remove(&id).unwrap_or_default())
    }

    /// Temporary keys that have a right on the bucket and have not ended at `now`.
    pub(crate) async fn living_temporary_keys(
        &self,
        region: &RegionName,
        bucket: BucketId,
        now: Micros,
    ) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM grants g JOIN keys k ON k.id = g.key AND k.region = g.region \
             WHERE g.region = $1 AND g.bucket = $2 AND k.temporary = 1 AND k.gone_at IS NULL \
             AND k.expires_at > $3",
        )
        .bind(region.as_str())
        .bind(bucket.to_string())
        .bind(now.0)
        .fetch_one(&mut *self.read().await?)
        .await?;
        Ok(count.try_into().unwrap_or(0))
    }

    /// What a person has asked for under this idempotency key.
    pub(crate) async fn asked_under(
        &self,
        account: AccountId,
        user: UserId,
        key: &str,
    ) -> Result<Option<Operation>> {
        let row = sqlx::query(concat!(
            "SELECT ",
            operation_columns!(),
            " FROM operations WHERE account = $1 AND \"user\" = $2 AND idempotency_key = $3"
        ))
        .bind(account.to_string())
        .bind(user.to_string())
        .bind(key)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        row.as_ref().map(read_operation).transpose()
    }

    /// Whether a person has asked for something under this idempotency key.
    pub(crate) async fn was_asked(
        &self,
        account: AccountId,
        user: UserId,
        key: &str,
    ) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM operations WHERE account = $1 AND \"user\" = $2 AND idempotency_key = $3",
        )
        .bind(account.to_string())
        .bind(user.to_string())
        .bind(key)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        Ok(found.is_some())
    }
}

/// What is wanted, which without an opinion is what was found; and what was found.
fn values(
    picture: Picture,
    wanted_grants: Vec<BucketGrant>,
    found_grants: Vec<BucketGrant>,
) -> (SettingsValue, SettingsValue) {
    let Picture { wanted, found, .. } = picture;
    let quota = wanted.quota.unwrap_or(found.quota);
    let wanted = SettingsValue {
        quota_bytes: quota.0,
        quota_objects: quota.1,
        cors: wanted.cors.unwrap_or_else(|| found.cors.clone()),
        lifecycle: wanted.lifecycle.unwrap_or_else(|| found.lifecycle.clone()),
        website: wanted.website.unwrap_or_else(|| found.website.clone()),
        grants: wanted_grants,
    };
    let found = SettingsValue {
        quota_bytes: found.quota.0,
        quota_objects: found.quota.1,
        cors: found.cors,
        lifecycle: found.lifecycle,
        website: found.website,
        grants: found_grants,
    };
    (wanted, found)
}

/// Keeps what a sweep has seen.
pub(super) async fn keep(
    transaction: &mut Writing,
    region: &RegionName,
    buckets: &[BucketState],
) -> Result<()> {
    let mut rows = vec![];
    for state in buckets {
        let website = state.website.as_ref();
        let website = website.map(|website| to_json(TABLE, website)).transpose()?;
        let (cors, lifecycle) = (
            to_json(TABLE, &state.cors)?,
            to_json(TABLE, &state.lifecycle)?,
        );
        rows.push((state, cors, lifecycle, website));
    }
    let mut insert = Builder::new(
        "INSERT INTO bucket_settings (region, bucket, cors, lifecycle, website, other_rules) ",
    );
    insert.push_values(rows, |mut row, (state, cors, lifecycle, website)| {
        row.push_bind(region.to_string())
            .push_bind(state.bucket.to_string())
            .push_bind(cors)
            .push_bind(lifecycle)
            .push_bind(website)
            .push_bind(i64::from(state.other_rules));
    });
    insert.push(
        " ON CONFLICT (region, bucket) DO UPDATE SET cors = excluded.cors, \
         lifecycle = excluded.lifecycle, website = excluded.website, \
         other_rules = excluded.other_rules",
    );
    insert.build().execute(&mut **transaction).await?;
    Ok(())
}
