//! What follows from a command's parameters: whether they are sound, what they act on, whether a
//! secret comes of it.

use super::{
    Command, MAX_GRACE_SECONDS, MAX_GRANTS, MAX_MEASURED_OBJECTS, MAX_QUOTAS,
    MAX_TEMPORARY_SECONDS, MAX_UPLOAD_AGE_SECONDS, Resource,
};
use crate::{
    error::Refusal,
    ident::{AccessKeyId, BucketId},
    rules::{check_cors, check_lifecycle},
};

impl Command {
    /// The checks on parameters that their types do not make.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let sound = match self {
            Self::BucketCreate(p) => p
                .abort_uploads_after_days
                .is_none_or(|days| (1..=3650).contains(&days)),
            Self::BucketSetCors(p) => check_cors(&p.rules).is_ok(),
            Self::BucketSetLifecycle(p) => check_lifecycle(&p.rules).is_ok(),
            Self::BucketCleanupUploads(p) => p.older_than_seconds <= MAX_UPLOAD_AGE_SECONDS,
            Self::BucketRestore(p) => {
                check_cors(&p.cors).is_ok()
                    && check_lifecycle(&p.lifecycle).is_ok()
                    && distinct(p.grants.iter().map(|grant| &grant.key), MAX_GRANTS)
            }
            Self::BucketMeasurePrefix(p) => (1..=MAX_MEASURED_OBJECTS).contains(&p.max_objects),
            Self::AccountSetQuotas(p) => {
                distinct(p.quotas.iter().map(|quota| quota.bucket), MAX_QUOTAS)
            }
            Self::KeyCreate(p) => distinct(p.grants.iter().map(|grant| grant.bucket), MAX_GRANTS),
            Self::KeyCreateTemporary(p) => (1..=MAX_TEMPORARY_SECONDS).contains(&p.valid_seconds),
            Self::KeyRotate(p) => p.grace_seconds <= MAX_GRACE_SECONDS,
            Self::AgentPing(_)
            | Self::ClusterHealthCommand(_)
            | Self::InventoryRefresh(_)
            | Self::ExecutorRelease(_)
            | Self::JobCancel(_)
            | Self::BucketDelete(_)
            | Self::BucketClear(_)
            | Self::BucketSetQuota(_)
            | Self::BucketSetWebsite(_)
            | Self::BucketAddAlias(_)
            | Self::BucketRemoveAlias(_)
            | Self::BucketAdopt(_)
            | Self::BucketRelease(_)
            | Self::KeyRename(_)
            | Self::KeySetExpiry(_)
            | Self::KeySuspend(_)
            | Self::KeyResume(_)
            | Self::KeyDelete(_)
            | Self::KeySetGrant(_)
            | Self::KeyRevokeLeaked(_) => true,
        };
        sound.then_some(()).ok_or(Refusal::BadParameters)
    }

    /// What the command acts on: each existing thing must belong to the account that asks, and two
    /// commands with a resource in common run in order.
    pub fn resources(&self) -> Vec<Resource> {
        let bucket = |id: &BucketId| vec![Resource::Bucket(*id)];
        let key = |id: &AccessKeyId| vec![Resource::Key(id.clone())];
        match self {
            Self::AgentPing(_)
            | Self::ClusterHealthCommand(_)
            | Self::InventoryRefresh(_)
            | Self::ExecutorRelease(_)
            | Self::JobCancel(_) => vec![],
            Self::BucketCreate(p) => vec![Resource::Name(p.bucket.clone())],
            Self::BucketDelete(p) => bucket(&p.bucket),
            Self::BucketClear(p) => bucket(&p.bucket),
            Self::BucketMeasurePrefix(p) => bucket(&p.bucket),
            Self::BucketSetQuota(p) => bucket(&p.bucket),
            Self::BucketSetCors(p) => bucket(&p.bucket),
            Self::BucketSetLifecycle(p) => bucket(&p.bucket),
            Self::BucketSetWebsite(p) => bucket(&p.bucket),
            Self::BucketAddAlias(p) => {
                vec![Resource::Bucket(p.bucket), Resource::Name(p.name.clone())]
            }
            Self::BucketRemoveAlias(p) => {
                vec![Resource::Bucket(p.bucket), Resource::Name(p.name.clone())]
            }
            Self::BucketCleanupUploads(p) => bucket(&p.bucket),
            Self::BucketRestore(p) => {
                let keys = p.grants.iter().map(|grant| grant.key.clone());
                let keys = keys.map(Resource::Key);
                bucket(&p.bucket).into_iter().chain(keys).collect()
            }
            Self::BucketAdopt(p) => {
                let name = p.name.clone().map(Resource::Name);
                bucket(&p.bucket).into_iter().chain(name).collect()
            }
            Self::BucketRelease(p) => vec![Resource::Bucket(p.bucket), Resource::Rights],
            // Not the buckets: a customer's own change does not wait for the last of 500.
            Self::AccountSetQuotas(p) => vec![Resource::Account(p.account)],
            Self::KeyCreate(p) => {
                let buckets = p.grants.iter().map(|grant| grant.bucket);
                buckets.map(Resource::Bucket).collect()
            }
            Self::KeyCreateTemporary(p) => bucket(&p.bucket),
            Self::KeyRename(p) => key(&p.key),
            Self::KeySetExpiry(p) => key(&p.key),
            Self::KeySuspend(p) => key(&p.key),
            Self::KeyResume(p) => key(&p.key),
            Self::KeyDelete(p) => key(&p.key),
            Self::KeySetGrant(p) => {
                vec![Resource::Key(p.key.clone()), Resource::Bucket(p.bucket)]
            }
            Self::KeyRotate(p) => vec![Resource::Key(p.key.clone()), Resource::Rights],
            Self::KeyRevokeLeaked(p) => vec![Resource::Key(p.key.clone()), Resource::Rights],
        }
    }

    /// Whether the answer holds a secret, which needs a key to seal it to.
    pub fn makes_secret(&self) -> bool {
        match self {
            Self::BucketCreate(p) => p.key.is_some(),
            Self::KeyCreate(_)
            | Self::KeyCreateTemporary(_)
            | Self::KeyRotate(_)
            | Self::KeyRevokeLeaked(_) => true,
            Self::AgentPing(_)
            | Self::ClusterHealthCommand(_)
            | Self::InventoryRefresh(_)
            | Self::ExecutorRelease(_)
            | Self::JobCancel(_)
            | Self::BucketDelete(_)
            | Self::BucketClear(_)
            | Self::BucketMeasurePrefix(_)
            | Self::BucketSetQuota(_)
            | Self::BucketSetCors(_)
            | Self::BucketSetLifecycle(_)
            | Self::BucketSetWebsite(_)
            | Self::BucketAddAlias(_)
            | Self::BucketRemoveAlias(_)
            | Self::BucketCleanupUploads(_)
            | Self::BucketRestore(_)
            | Self::BucketAdopt(_)
            | Self::BucketRelease(_)
            | Self::AccountSetQuotas(_)
            | Self::KeyRename(_)
            | Self::KeySetExpiry(_)
            | Self::KeySuspend(_)
            | Self::KeyResume(_)
            | Self::KeyDelete(_)
            | Self::KeySetGrant(_) => false,
        }
    }
}

/// Whether each of `things` is named once, and there are `most` at most.
fn distinct<T: Ord>(things: impl Iterator<Item = T>, most: usize) -> bool {
    let mut things: Vec<_> = things.collect();
    let named = things.len();
    things.sort_unstable();
    things.dedup();
    things.len() == named && named <= most
}
