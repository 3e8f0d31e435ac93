//! THE WHITELIST. Everything an agent can be asked to do stands in the one table of this file; the
//! enum, the dispatch, the permission scopes, `storm-pulse commands` and docs/commands.md derive
//! from it. Nothing else runs: no shell, no command from configuration, no plug-in.

mod check;
mod row;
mod table;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::row::{AdminCall, Class, Row};
use self::table::{class, job, whitelist};
use crate::{
    error::Refusal,
    ident::{
        AccessKeyId, AccountId, BucketId, BucketName, KeyLabel, Limit, Micros, ObjectPrefix,
        OperationId,
    },
    result::{
        AliasAdded, AliasRemoved, BucketAdopted, BucketCleared, BucketCreated, BucketDeleted,
        BucketReleased, BucketRestored, ClusterHealth, CorsSet, ExecutorReleased, GrantSet,
        InventoryRefreshed, JobCancelled, KeyCreated, KeyDeleted, KeyExpirySet, KeyRenamed,
        KeyReplaced, KeyResumed, KeyRotated, KeySuspended, LifecycleSet, Pong, PrefixMeasured,
        QuotaSet, QuotasSet, TemporaryKeyCreated, UploadsCleaned, WebsiteSet,
    },
    rules::{CorsRule, LifecycleRule, Website},
};

/// The largest envelope, in bytes: one with the quotas of [`MAX_QUOTAS`] buckets fits.
pub const MAX_ENVELOPE_BYTES: usize = 96 * 1024;
/// The most buckets whose quotas one command may set.
pub const MAX_QUOTAS: usize = 500;
/// The most grants that one command may make.
pub const MAX_GRANTS: usize = 100;
/// The longest grace that a rotation may give the old key: 90 days.
pub const MAX_GRACE_SECONDS: u32 = 90 * 24 * 3600;
/// The longest that a temporary key may live: 12 hours.
pub const MAX_TEMPORARY_SECONDS: u32 = 12 * 3600;
/// The longest age of an upload that a clean-up may ask for: ten years.
pub const MAX_UPLOAD_AGE_SECONDS: u64 = 3650 * 24 * 3600;
/// The most objects that a measurement counts.
pub const MAX_MEASURED_OBJECTS: u64 = 10_000_000;

whitelist! {
    /// Answers with the agent's clock and version. Touches nothing.
    read "agent.ping" => AgentPing {
    } -> Pong calls [];

    /// Reads the cluster's health.
    read "cluster.health" => ClusterHealthCommand {
    } -> ClusterHealth calls [GetClusterHealth, GetClusterStatus];

    /// Sweeps all buckets and keys of the cluster now and sends what changed.
    read "inventory.refresh" => InventoryRefresh {
    } -> InventoryRefreshed calls [ListBucketsInfo, ListKeysInfo];

    /// Gives up the role of the region's executor, once all changes that it has taken have ended.
    operator "executor.release" => ExecutorRelease {
    } -> ExecutorReleased calls [];

    /// Stops a job of the account that waits or runs. What it has done stays done.
    write "job.cancel" => JobCancel {
        /// The job's operation.
        operation: OperationId,
    } -> JobCancelled calls [];

    /// Makes a bucket under a global alias, with its limits and, if asked, its first key, which
    /// gets every right on it.
    access "bucket.create" => BucketCreate {
        /// The global alias, unique in the region.
        bucket: BucketName,
        /// The most bytes it may hold.
        quota_bytes: Option<Limit>,
        /// The most objects it may hold.
        quota_objects: Option<Limit>,
        /// Days after which an unfinished upload is removed; 1 to 3650.
        abort_uploads_after_days: Option<u16>,
        /// The label of its first key; no key without one.
        key: Option<KeyLabel>,
    } -> BucketCreated calls [
        ImportKey, CreateBucket, UpdateBucket, AllowBucketKey,
        GetBucketInfo, ListBucketsInfo, ListKeysInfo, AddBucketAlias, DeleteBucket, DeleteKey,
    ];

    /// Deletes an empty bucket and its unfinished uploads.
    destructive "bucket.delete" => BucketDelete {
        /// The bucket.
        bucket: BucketId,
    } -> BucketDeleted calls [
        GetBucketInfo, CleanupIncompleteUploads, DeleteBucket, AddBucketAlias, AllowBucketKey,
    ];

    /// Deletes all objects of a bucket that were written before, and its unfinished uploads.
    destructive [job] "bucket.clear" => BucketClear {
        /// The bucket.
        bucket: BucketId,
    } -> BucketCleared calls [
        GetBucketInfo, ImportKey, UpdateKey, AllowBucketKey, DeleteKey, CleanupIncompleteUploads,
    ];

    /// Counts the objects under a prefix and their bytes.
    write [job] "bucket.measure_prefix" => BucketMeasurePrefix {
        /// The bucket.
        bucket: BucketId,
        /// How the keys begin.
        prefix: ObjectPrefix,
        /// Stops after so many objects; 1 to 10,000,000.
        max_objects: u64,
    } -> PrefixMeasured calls [GetBucketInfo, ImportKey, UpdateKey, AllowBucketKey, DeleteKey];

    /// Sets both limits of a bucket; an absent one is lifted.
    write "bucket.set_quota" => BucketSetQuota {
        /// The bucket.
        bucket: BucketId,
        /// The most bytes it may hold.
        quota_bytes: Option<Limit>,
        /// The most objects it may hold.
        quota_objects: Option<Limit>,
    } -> QuotaSet calls [UpdateBucket];

    /// Sets which pages may use a bucket from a browser; none without a rule.
    write "bucket.set_cors" => BucketSetCors {
        /// The bucket.
        bucket: BucketId,
        /// All its rules.
        rules: Vec<CorsRule>,
    } -> CorsSet calls [UpdateBucket];

    /// Sets what a bucket deletes by itself; nothing without a rule.
    access "bucket.set_lifecycle" => BucketSetLifecycle {
        /// The bucket.
        bucket: BucketId,
        /// All its rules.
        rules: Vec<LifecycleRule>,
    } -> LifecycleSet calls [UpdateBucket];

    /// Shows a bucket as a website, or stops that.
    access "bucket.set_website" => BucketSetWebsite {
        /// The bucket.
        bucket: BucketId,
        /// Its pages; the website is off without them.
        website: Option<Website>,
    } -> WebsiteSet calls [UpdateBucket];

    /// Gives a bucket one more name.
    write "bucket.add_alias" => BucketAddAlias {
        /// The bucket.
        bucket: BucketId,
        /// The name, unique in the region.
        name: BucketName,
    } -> AliasAdded calls [GetBucketInfo, AddBucketAlias];

    /// Takes one of its names from a bucket. The last one stays.
    destructive "bucket.remove_alias" => BucketRemoveAlias {
        /// The bucket.
        bucket: BucketId,
        /// The name.
        name: BucketName,
    } -> AliasRemoved calls [GetBucketInfo, RemoveBucketAlias, AddBucketAlias];

    /// Removes a bucket's unfinished uploads that began longer ago than an age.
    destructive "bucket.cleanup_uploads" => BucketCleanupUploads {
        /// The bucket.
        bucket: BucketId,
        /// The age in seconds; 0 removes all, ten years at most.
        older_than_seconds: u64,
    } -> UploadsCleaned calls [CleanupIncompleteUploads];

    /// Sets a bucket's limits, rules and the named keys' rights to exactly what is given.
    access "bucket.restore" => BucketRestore {
        /// The bucket.
        bucket: BucketId,
        /// The most bytes it may hold.
        quota_bytes: Option<Limit>,
        /// The most objects it may hold.
        quota_objects: Option<Limit>,
        /// All its CORS rules.
        cors: Vec<CorsRule>,
        /// All its lifecycle rules.
        lifecycle: Vec<LifecycleRule>,
        /// Its website; off when absent.
        website: Option<Website>,
        /// Rights of keys, at most 100, each key named once; other keys keep theirs.
        grants: Vec<BucketGrant>,
    } -> BucketRestored calls [UpdateBucket, DenyBucketKey, AllowBucketKey];

    /// Gives a bucket that was made without us to an account, with its limits and, if free, a name.
    operator "bucket.adopt" => BucketAdopt {
        /// The bucket.
        bucket: BucketId,
        /// Whose it becomes.
        account: AccountId,
        /// The global alias that it gets when it has none and this one is free.
        name: Option<BucketName>,
        /// The most bytes it may hold; the limit that it has stays when absent.
        quota_bytes: Option<Limit>,
        /// The most objects it may hold; the limit that it has stays when absent.
        quota_objects: Option<Limit>,
    } -> BucketAdopted calls [GetBucketInfo, AddBucketAlias, UpdateBucket];

    /// Takes a bucket from its account: every key loses its rights on it, its objects stay.
    operator "bucket.release" => BucketRelease {
        /// The bucket.
        bucket: BucketId,
    } -> BucketReleased calls [GetBucketInfo, DenyBucketKey];

    /// Sets the limits of many buckets of one account, ten a second at most.
    operator "account.set_quotas" => AccountSetQuotas {
        /// The account.
        account: AccountId,
        /// The limits, at most 500 buckets, each named once.
        quotas: Vec<BucketQuota>,
    } -> QuotasSet calls [UpdateBucket];

    /// Makes a key with the given rights. The secret comes back sealed.
    access "key.create" => KeyCreate {
        /// What a person calls the key.
        label: KeyLabel,
        /// When it ends; never without one.
        expires_at: Option<Micros>,
        /// Whether it may make buckets over S3.
        create_buckets: bool,
        /// Its rights, at most 100 buckets, each named once.
        grants: Vec<KeyGrant>,
    } -> KeyCreated calls [ImportKey, UpdateKey, AllowBucketKey, ListKeysInfo, DeleteKey];

    /// Makes a key for one bucket that ends by itself within 12 hours. The secret comes back sealed.
    access "key.create_temporary" => KeyCreateTemporary {
        /// What a person calls the key.
        label: KeyLabel,
        /// The bucket.
        bucket: BucketId,
        /// Whether it may write and delete too.
        write: bool,
        /// Seconds that it lives; 1 to 43,200.
        valid_seconds: u32,
    } -> TemporaryKeyCreated calls [ImportKey, UpdateKey, AllowBucketKey, ListKeysInfo, DeleteKey];

    /// Calls a key something else.
    write "key.rename" => KeyRename {
        /// The key.
        key: AccessKeyId,
        /// Its new label.
        label: KeyLabel,
    } -> KeyRenamed calls [ListKeysInfo, UpdateKey];

    /// Sets when a key ends.
    access "key.set_expiry" => KeySetExpiry {
        /// The key.
        key: AccessKeyId,
        /// When it ends; never without one.
        expires_at: Option<Micros>,
    } -> KeyExpirySet calls [UpdateKey];

    /// Stops a key from working until it is resumed. Its rights stay.
    destructive "key.suspend" => KeySuspend {
        /// The key.
        key: AccessKeyId,
    } -> KeySuspended calls [ListKeysInfo, UpdateKey];

    /// Lets a suspended key work again.
    access "key.resume" => KeyResume {
        /// The key.
        key: AccessKeyId,
        /// When it ends; never without one.
        expires_at: Option<Micros>,
    } -> KeyResumed calls [UpdateKey];

    /// Deletes a key at once; whoever holds it loses access.
    destructive "key.delete" => KeyDelete {
        /// The key.
        key: AccessKeyId,
    } -> KeyDeleted calls [DeleteKey];

    /// Sets a key's rights on one bucket to exactly the given ones.
    access "key.set_grant" => KeySetGrant {
        /// The key.
        key: AccessKeyId,
        /// The bucket.
        bucket: BucketId,
        /// List and read objects.
        read: bool,
        /// Write and delete objects.
        write: bool,
        /// Delete the bucket; change its CORS, website and lifecycle.
        owner: bool,
    } -> GrantSet calls [DenyBucketKey, AllowBucketKey];

    /// Makes a new key with the same rights; the old one ends after a grace time.
    access "key.rotate" => KeyRotate {
        /// The key to replace.
        key: AccessKeyId,
        /// The new key's label; the old one's when absent.
        label: Option<KeyLabel>,
        /// Seconds that the old key keeps working; 0 to 7,776,000.
        grace_seconds: u32,
    } -> KeyRotated calls [ListKeysInfo, ListBucketsInfo, ImportKey, AllowBucketKey, UpdateKey, DeleteKey];

    /// Deletes a key that others may have, at once, and makes one with the same rights in its place.
    access "key.revoke_leaked" => KeyRevokeLeaked {
        /// The key to delete.
        key: AccessKeyId,
        /// The new key's label; the old one's when absent.
        label: Option<KeyLabel>,
    } -> KeyReplaced calls [ListKeysInfo, DeleteKey, ImportKey, UpdateKey, AllowBucketKey];
}

/// The rights of a key on one bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyGrant {
    /// The bucket.
    pub bucket: BucketId,
    /// List and read objects.
    pub read: bool,
    /// Write and delete objects.
    pub write: bool,
    /// Delete the bucket; change its CORS, website and lifecycle.
    pub owner: bool,
}

/// The rights of one key on the bucket at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BucketGrant {
    /// The key.
    pub key: AccessKeyId,
    /// List and read objects.
    pub read: bool,
    /// Write and delete objects.
    pub write: bool,
    /// Delete the bucket; change its CORS, website and lifecycle.
    pub owner: bool,
}

/// The limits of one bucket; an absent one is lifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BucketQuota {
    /// The bucket.
    pub bucket: BucketId,
    /// The most bytes it may hold.
    pub quota_bytes: Option<Limit>,
    /// The most objects it may hold.
    pub quota_objects: Option<Limit>,
}

/// A thing in Garage that a command acts on: the unit of ownership and of order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A bucket by its id.
    Bucket(BucketId),
    /// A bucket's name, before there is a bucket.
    Name(BucketName),
    /// A key.
    Key(AccessKeyId),
    /// All that an account's quotas are, one change of them after the other.
    Account(AccountId),
    /// Which key has rights on which bucket, all of it: whoever copies a key's rights and whoever takes all of
    /// a bucket's away go one after the other, or a right could be given that was just taken.
    Rights,
}

/// A command as it stands in an envelope: read, but not yet understood.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawCommand {
    /// Its name in the whitelist.
    pub name: String,
    /// Its parameters, a JSON object.
    pub parameters: Box<RawValue>,
}

impl RawCommand {
    /// Understands the command: first the name, then the parameters.
    ///
    /// Errors: [`Refusal::UnknownCommand`], [`Refusal::BadParameters`].
    pub fn parse(&self) -> Result<Command, Refusal> {
        let command = Command::from_parts(&self.name, self.parameters.get())?;
        command.check()?;
        Ok(command)
    }
}
