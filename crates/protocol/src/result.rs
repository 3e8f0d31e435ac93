//! What each command answers when it has done its work. No secret stands here: a new key's secret
//! travels sealed, beside the receipt.

use serde::{Deserialize, Serialize};

use crate::{
    command::KeyGrant,
    ident::{
        AccessKeyId, AccountId, BucketId, BucketName, KeyLabel, Limit, Micros, ObjectPrefix,
        OperationId,
    },
};

macro_rules! results {
    ($( $(#[$meta:meta])+ $name:ident { $( $(#[doc = $doc:literal])+ $field:ident: $type:ty, )* } )+) => {
        $(
            $(#[$meta])+
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
            #[serde(deny_unknown_fields)]
            pub struct $name { $( $(#[doc = $doc])+ pub $field: $type, )* }
        )+
    };
}

results! {
    /// `agent.ping`
    Pong {
        /// The agent's clock.
        clock: Micros,
        /// The agent's version.
        version: String,
    }

    /// `cluster.health`
    ClusterHealth {
        /// Garage's word: healthy, degraded or unavailable.
        status: String,
        /// Garage's version on the agent's node.
        garage_version: String,
        /// Nodes that the cluster has ever heard of.
        known_nodes: u32,
        /// Nodes that answer.
        connected_nodes: u32,
        /// Nodes with a storage role.
        storage_nodes: u32,
        /// Of those, the ones that answer.
        storage_nodes_up: u32,
        /// Partitions of the data.
        partitions: u32,
        /// Partitions that can be written.
        partitions_quorum: u32,
        /// Partitions with every copy in reach.
        partitions_all_ok: u32,
    }

    /// `inventory.refresh`
    InventoryRefreshed {
        /// The generation of this sweep.
        generation: u64,
        /// Buckets in the cluster.
        buckets: u64,
        /// Keys in the cluster.
        keys: u64,
    }

    /// `executor.release`
    ExecutorReleased {
        /// The epoch whose executor the agent was; it takes no change of this epoch any more.
        epoch: u64,
    }

    /// `job.cancel`
    JobCancelled {
        /// The job that stops.
        operation: OperationId,
    }

    /// `bucket.create`
    BucketCreated {
        /// The new bucket.
        bucket: BucketId,
        /// Its global alias.
        name: BucketName,
        /// Its first key, when one was asked for.
        key: Option<AccessKeyId>,
    }

    /// `bucket.delete`
    BucketDeleted {
        /// The bucket that is gone.
        bucket: BucketId,
    }

    /// `bucket.clear`
    BucketCleared {
        /// The bucket.
        bucket: BucketId,
        /// Objects of before that are gone.
        objects: u64,
        /// Their bytes.
        bytes: u64,
        /// Objects that were written after the command was taken, and stay.
        kept: u64,
    }

    /// `bucket.measure_prefix`
    PrefixMeasured {
        /// The bucket.
        bucket: BucketId,
        /// How the keys begin.
        prefix: ObjectPrefix,
        /// Objects under it.
        objects: u64,
        /// Their bytes.
        bytes: u64,
        /// Whether that is all of them.
        complete: bool,
    }

    /// `bucket.set_quota`
    QuotaSet {
        /// The bucket.
        bucket: BucketId,
    }

    /// `key.create`
    KeyCreated {
        /// The new key.
        key: AccessKeyId,
    }

    /// `key.delete`
    KeyDeleted {
        /// The key that is gone.
        key: AccessKeyId,
    }

    /// `key.set_grant`
    GrantSet {
        /// The key.
        key: AccessKeyId,
        /// Its rights, as they now are.
        grant: KeyGrant,
    }

    /// `key.rotate`
    KeyRotated {
        /// The new key.
        key: AccessKeyId,
        /// The rights that it took over.
        grants: Vec<KeyGrant>,
        /// The old key.
        previous: AccessKeyId,
        /// When the old key ends.
        previous_expires_at: Micros,
    }

    /// `bucket.set_cors`
    CorsSet {
        /// The bucket.
        bucket: BucketId,
    }

    /// `bucket.set_lifecycle`
    LifecycleSet {
        /// The bucket.
        bucket: BucketId,
    }

    /// `bucket.set_website`
    WebsiteSet {
        /// The bucket.
        bucket: BucketId,
    }

    /// `bucket.add_alias`
    AliasAdded {
        /// The bucket.
        bucket: BucketId,
        /// Its further name.
        name: BucketName,
    }

    /// `bucket.remove_alias`
    AliasRemoved {
        /// The bucket.
        bucket: BucketId,
        /// The name that it had.
        name: BucketName,
    }

    /// `bucket.cleanup_uploads`
    UploadsCleaned {
        /// The bucket.
        bucket: BucketId,
        /// Unfinished uploads that were removed.
        uploads: u64,
    }

    /// `bucket.restore`
    BucketRestored {
        /// The bucket.
        bucket: BucketId,
    }

    /// `bucket.adopt`
    BucketAdopted {
        /// The bucket.
        bucket: BucketId,
        /// Whose it is now.
        account: AccountId,
        /// Its global alias; none when it has none and the wanted one was taken.
        name: Option<BucketName>,
        /// The most bytes it may hold now.
        quota_bytes: Option<Limit>,
        /// The most objects it may hold now.
        quota_objects: Option<Limit>,
    }

    /// `bucket.release`
    BucketReleased {
        /// The bucket, which is nobody's now.
        bucket: BucketId,
        /// Keys that lost their rights on it.
        keys: u64,
    }

    /// `account.set_quotas`
    QuotasSet {
        /// The account.
        account: AccountId,
        /// Buckets whose limits were set.
        set: u64,
        /// Buckets that are no more.
        gone: Vec<BucketId>,
    }

    /// `key.create_temporary`
    TemporaryKeyCreated {
        /// The new key.
        key: AccessKeyId,
        /// When it ends.
        expires_at: Micros,
    }

    /// `key.rename`
    KeyRenamed {
        /// The key.
        key: AccessKeyId,
        /// What it is called now.
        label: KeyLabel,
    }

    /// `key.set_expiry`
    KeyExpirySet {
        /// The key.
        key: AccessKeyId,
        /// When it ends.
        expires_at: Option<Micros>,
    }

    /// `key.suspend`
    KeySuspended {
        /// The key.
        key: AccessKeyId,
        /// When it was to end by itself.
        expires_at: Option<Micros>,
    }

    /// `key.resume`
    KeyResumed {
        /// The key.
        key: AccessKeyId,
        /// When it ends.
        expires_at: Option<Micros>,
    }

    /// `key.revoke_leaked`
    KeyReplaced {
        /// The new key.
        key: AccessKeyId,
        /// The rights that it has in the old one's place.
        grants: Vec<KeyGrant>,
        /// The key that is gone.
        previous: AccessKeyId,
    }
}
