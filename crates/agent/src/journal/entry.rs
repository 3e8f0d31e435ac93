//! The rows of the journal: unfinished operations with all that their recovery needs, ended ones
//! with what a repeated request needs, and whose each thing is.

use serde::{Deserialize, Serialize};
use storm_protocol::{
    command::{KeyGrant, RawCommand, Resource},
    envelope::{Actor, CommandPayload},
    ident::{AccessKeyId, AccountId, BucketId, Digest, KeyLabel, Micros, OperationId},
    seal::{SealKey, Sealed},
};

/// The way an envelope came, which decides who may have signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// Over the channel to the hub: dispatch keys.
    Channel,
    /// From the node's spool: offline keys.
    Spool,
}

/// An operation that has been taken and has not ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The operation.
    pub(crate) operation: OperationId,
    /// Its place in the order of taking.
    pub(crate) place: u64,
    /// The way it came.
    pub(crate) source: Source,
    /// The envelope's identity.
    pub(crate) envelope: Digest,
    /// The digest of its intent.
    pub(crate) intent: Digest,
    /// The attempt that was taken.
    pub(crate) attempt: u32,
    /// Who asks.
    pub(crate) actor: Actor,
    /// What is asked.
    pub(crate) command: RawCommand,
    /// Where a secret is sealed to.
    pub(crate) seal_to: Option<SealKey>,
    /// The executor epoch that it was signed for.
    #[serde(default)]
    pub(crate) epoch: u64,
    /// Whether another agent, which is lost, may have begun it.
    #[serde(default)]
    pub(crate) begun_elsewhere: bool,
    /// When it was taken.
    pub(crate) accepted_at: Micros,
    /// What this machine's clock said then, if that was earlier: `accepted_at` is never before the
    /// newest time of signing, and the control plane's clock may be ahead.
    #[serde(default)]
    pub(crate) own_clock: Option<Micros>,
    /// The key that it makes, if it makes one.
    pub(crate) key: Option<KeyTry>,
    /// What has to be known of the time before its first change.
    pub(crate) record: Option<Record>,
    /// How far it is, if it is a job that has begun. Entries from before there were jobs lack it.
    #[serde(default)]
    pub(crate) job: Option<JobState>,
}

impl Entry {
    /// The entry of an envelope that passed every check.
    pub(crate) fn new(
        payload: CommandPayload,
        envelope: Digest,
        source: Source,
        place: u64,
        accepted_at: Micros,
        key: Option<KeyTry>,
    ) -> Self {
        Self {
            operation: payload.operation,
            place,
            source,
            envelope,
            intent: payload.intent(),
            attempt: payload.attempt,
            epoch: payload.audience.epoch,
            begun_elsewhere: false,
            actor: payload.actor,
            command: payload.command,
            seal_to: payload.seal_to,
            accepted_at,
            own_clock: None,
            key,
            record: None,
            job: None,
        }
    }
}

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobState {
    /// The try of its own key, from 0: with the operation it gives the id.
    pub(crate) key_try: u32,
    /// The object's key up to and with which everything is done.
    pub(crate) cursor: Option<String>,
    /// Objects that are done.
    pub(crate) objects: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Of a clearing: the object's key up to and with which deleting has begun, and is counted.
    #[serde(default)]
    pub(crate) begun_to: Option<String>,
    /// Objects behind the cursor that are being deleted, or were before a kill.
    #[serde(default)]
    pub(crate) begun_objects: u64,
    /// Their bytes.
    #[serde(default)]
    pub(crate) begun_bytes: u64,
    /// Objects that are younger than the command.
    pub(crate) kept: u64,
    /// Objects whose keys no request can name.
    pub(crate) unnamed: u64,
    /// Objects in all, as they were counted at the start.
    pub(crate) total_objects: Option<u64>,
    /// Their bytes.
    pub(crate) total_bytes: Option<u64>,
}

/// One id that an operation tries for its new key, with the sealed secret of that try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyTry {
    /// The try, from 0: with the operation it gives the id.
    pub(crate) number: u32,
    /// The secret, sealed.
    pub(crate) sealed: Sealed,
}

/// What an operation must know of the time before its first change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    /// Of `bucket.delete`: what to put back when the bucket turns out not to be empty.
    Bucket(BucketRecord),
    /// Of `key.rotate`: when the old key was to end already.
    Expiry(Micros),
    /// Of `key.suspend`: when the key was to end, if at all.
    Ends(Option<Micros>),
    /// Of `key.revoke_leaked`: all that the replacement needs.
    Key(KeyRecord),
}

/// A key as it was, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRecord {
    /// Whose it is.
    pub(crate) account: AccountId,
    /// The label of its replacement.
    pub(crate) label: KeyLabel,
    /// When it ends.
    pub(crate) ends: Option<Micros>,
    /// Whether it may make buckets over S3.
    pub(crate) create_buckets: bool,
    /// Its rights.
    pub(crate) grants: Vec<KeyGrant>,
}

/// A bucket's names, keys and limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BucketRecord {
    /// Its global aliases.
    pub(crate) aliases: Vec<String>,
    /// Names that one key alone has for it.
    pub(crate) local_aliases: Vec<LocalAlias>,
    /// Rights on it.
    pub(crate) grants: Vec<GrantRecord>,
    /// The limit on bytes.
    pub(crate) max_size: Option<u64>,
    /// The limit on objects.
    pub(crate) max_objects: Option<u64>,
}

/// A name that one key alone has for a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocalAlias {
    /// The key, as Garage names it.
    pub(crate) key: String,
    /// The name.
    pub(crate) alias: String,
}

/// A key's rights on the bucket at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantRecord {
    /// The key, as Garage names it.
    pub(crate) key: String,
    /// Reads.
    pub(crate) read: bool,
    /// Writes.
    pub(crate) write: bool,
    /// Owns.
    pub(crate) owner: bool,
}

/// What stays of an operation that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finished {
    /// The account that asked.
    pub(crate) account: AccountId,
    /// The digest of its intent.
    pub(crate) intent: Digest,
    /// Its receipt.
    pub(crate) sequence: u64,
    /// When it ended.
    pub(crate) finished_at: Micros,
}

/// A thing that belongs to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owned {
    /// A bucket.
    Bucket(BucketId),
    /// A key.
    Key(AccessKeyId),
}

impl Owned {
    /// The thing behind a resource; a name and all rights are nobody's, and an account's quotas are for operators.
    pub(crate) fn of(resource: &Resource) -> Option<Self> {
        match resource {
            Resource::Bucket(bucket) => Some(Self::Bucket(*bucket)),
            Resource::Key(key) => Some(Self::Key(key.clone())),
            Resource::Name(_) | Resource::Account(_) | Resource::Rights => None,
        }
    }

    pub(super) fn table_key(&self) -> String {
        match self {
            Self::Bucket(bucket) => format!("bucket:{bucket}"),
            Self::Key(key) => format!("key:{key}"),
        }
    }
}

/// A change of whose a thing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OwnerChange {
    /// It belongs to the account.
    Set(Owned, AccountId),
    /// It belongs to the account, unless the journal knows better.
    Learn(Owned, AccountId),
    /// It is gone.
    Gone(Owned),
}
