//! THE WHITELIST. Everything an agent can be asked to do stands in the one table of this file; the
//! enum, the dispatch, the permission scopes, `storm-pulse commands` and docs/commands.md derive
//! from it. Nothing else runs: no shell, no command from configuration, no plug-in.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    error::Refusal,
    ident::{AccessKeyId, BucketId, BucketName, Digest, KeyLabel, Limit, Micros},
    result::{
        BucketCreated, BucketDeleted, ClusterHealth, GrantSet, InventoryRefreshed, KeyCreated,
        KeyDeleted, KeyRotated, Pong, QuotaSet,
    },
};

/// The largest envelope, in bytes.
pub const MAX_ENVELOPE_BYTES: usize = 64 * 1024;
/// The most grants that one command may make.
pub const MAX_GRANTS: usize = 100;
/// The longest grace that a rotation may give the old key: 90 days.
pub const MAX_GRACE_SECONDS: u32 = 90 * 24 * 3600;

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

    /// Sets both limits of a bucket; an absent one is lifted.
    write "bucket.set_quota" => BucketSetQuota {
        /// The bucket.
        bucket: BucketId,
        /// The most bytes it may hold.
        quota_bytes: Option<Limit>,
        /// The most objects it may hold.
        quota_objects: Option<Limit>,
    } -> QuotaSet calls [UpdateBucket];

    /// Makes a key with the given rights. The secret comes back sealed.
    access "key.create" => KeyCreate {
        /// What a person calls the key.
        label: KeyLabel,
        /// When it ends; never without one.
        expires_at: Option<Micros>,
        /// Its rights, at most 100 buckets, each named once.
        grants: Vec<KeyGrant>,
    } -> KeyCreated calls [ImportKey, UpdateKey, AllowBucketKey, ListKeysInfo, DeleteKey];

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

/// What a command may touch, which decides who may ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Changes nothing.
    Read,
    /// Changes settings.
    Write,
    /// Makes or widens rights or expiry.
    Access,
    /// Removes data or access.
    Destructive,
    /// Only for whoever runs the platform.
    Operator,
}

impl Class {
    /// The class's name in the table and in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Access => "access",
            Self::Destructive => "destructive",
            Self::Operator => "operator",
        }
    }
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

impl Command {
    /// The checks on parameters that their types do not make.
    fn check(&self) -> Result<(), Refusal> {
        let sound = match self {
            Self::BucketCreate(p) => p
                .abort_uploads_after_days
                .is_none_or(|days| (1..=3650).contains(&days)),
            Self::KeyCreate(p) => {
                let mut buckets: Vec<_> = p.grants.iter().map(|grant| grant.bucket).collect();
                buckets.sort_unstable();
                buckets.dedup();
                buckets.len() == p.grants.len() && buckets.len() <= MAX_GRANTS
            }
            Self::KeyRotate(p) => p.grace_seconds <= MAX_GRACE_SECONDS,
            Self::AgentPing(_)
            | Self::ClusterHealthCommand(_)
            | Self::InventoryRefresh(_)
            | Self::BucketDelete(_)
            | Self::BucketSetQuota(_)
            | Self::KeyDelete(_)
            | Self::KeySetGrant(_) => true,
        };
        sound.then_some(()).ok_or(Refusal::BadParameters)
    }

    /// What the command acts on: each existing thing must belong to the account that asks, and two
    /// commands with a resource in common run in order.
    pub fn resources(&self) -> Vec<Resource> {
        match self {
            Self::AgentPing(_) | Self::ClusterHealthCommand(_) | Self::InventoryRefresh(_) => {
                vec![]
            }
            Self::BucketCreate(p) => vec![Resource::Name(p.bucket.clone())],
            Self::BucketDelete(p) => vec![Resource::Bucket(p.bucket)],
            Self::BucketSetQuota(p) => vec![Resource::Bucket(p.bucket)],
            Self::KeyCreate(p) => {
                let buckets = p.grants.iter().map(|grant| grant.bucket);
                buckets.map(Resource::Bucket).collect()
            }
            Self::KeyDelete(p) => vec![Resource::Key(p.key.clone())],
            Self::KeySetGrant(p) => {
                vec![Resource::Key(p.key.clone()), Resource::Bucket(p.bucket)]
            }
            Self::KeyRotate(p) => vec![Resource::Key(p.key.clone())],
        }
    }

    /// Whether the answer holds a secret, which needs a key to seal it to.
    pub fn makes_secret(&self) -> bool {
        match self {
            Self::BucketCreate(p) => p.key.is_some(),
            Self::KeyCreate(_) | Self::KeyRotate(_) => true,
            Self::AgentPing(_)
            | Self::ClusterHealthCommand(_)
            | Self::InventoryRefresh(_)
            | Self::BucketDelete(_)
            | Self::BucketSetQuota(_)
            | Self::KeyDelete(_)
            | Self::KeySetGrant(_) => false,
        }
    }
}

/// One row of the whitelist, as documents and peers see it.
#[derive(Debug)]
pub struct Row {
    /// The command's name, which is also its permission scope.
    pub name: &'static str,
    /// Its class.
    pub class: Class,
    /// What it does, in one line.
    pub doc: &'static str,
    /// Its parameters: name, type, meaning.
    pub parameters: &'static [(&'static str, &'static str, &'static str)],
    /// The type of its result.
    pub result: &'static str,
    /// The Garage admin calls that it may make, recovery included.
    pub calls: &'static [AdminCall],
}

impl Row {
    /// The row of the command called `name`.
    pub fn find(name: &str) -> Option<&'static Self> {
        Command::TABLE.iter().find(|row| row.name == name)
    }

    /// What two peers compare: all of the row but its words for people.
    pub fn digest(&self) -> Digest {
        let mut parts = vec![self.name, self.class.as_str(), self.result];
        parts.extend(self.parameters.iter().flat_map(|p| [p.0, p.1]));
        parts.extend(self.calls.iter().map(|call| call.as_str()));
        let bytes: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
        Digest::of_parts(&bytes)
    }
}

macro_rules! admin_calls {
    ($($call:ident),+ $(,)?) => {
        /// An operation of Garage's admin API (v2) that the agent uses. The agent's token is made
        /// for exactly these.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the names are Garage's")]
        pub enum AdminCall { $($call,)+ }

        impl AdminCall {
            /// Every call in use: the scope of the agent's token.
            pub const ALL: &'static [Self] = &[$(Self::$call,)+];

            /// Garage's name for the call.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$call => stringify!($call),)+ }
            }
        }
    };
}

admin_calls!(
    AddBucketAlias,
    AllowBucketKey,
    CleanupIncompleteUploads,
    CreateBucket,
    DeleteBucket,
    DeleteKey,
    DenyBucketKey,
    GetBucketInfo,
    GetClusterHealth,
    GetClusterStatus,
    ImportKey,
    ListBucketsInfo,
    ListKeysInfo,
    UpdateBucket,
    UpdateKey,
);

macro_rules! class {
    (read) => {
        Class::Read
    };
    (write) => {
        Class::Write
    };
    (access) => {
        Class::Access
    };
    (destructive) => {
        Class::Destructive
    };
    (operator) => {
        Class::Operator
    };
}

macro_rules! whitelist {
    ($(
        $(#[doc = $doc:literal])+
        $class:ident $name:literal => $command:ident {
            $( $(#[doc = $field_doc:literal])+ $field:ident: $type:ty, )*
        } -> $result:ident calls [$($call:ident),* $(,)?];
    )+) => {
        $(
            #[doc = concat!("Parameters of `", $name, "`.")]
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $command {
                $( $(#[doc = $field_doc])+ pub $field: $type, )*
            }
        )+

        /// A command of the whitelist with its parameters, understood and checked.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Command {
            $( #[doc = concat!("`", $name, "`")] $command($command), )+
        }

        impl Command {
            /// The table itself, for documents, peers and permission checks.
            pub const TABLE: &'static [Row] = &[$(
                Row {
                    name: $name,
                    class: class!($class),
                    doc: concat!($($doc),+),
                    parameters: &[$((stringify!($field), stringify!($type), concat!($($field_doc),+)),)*],
                    result: stringify!($result),
                    calls: &[$(AdminCall::$call,)*],
                },
            )+];

            /// The command's name.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$command(_) => $name,)+ }
            }

            /// The command's row of the table.
            pub fn row(&self) -> &'static Row {
                let mut index = 0;
                $( if matches!(self, Self::$command(_)) { return &Self::TABLE[index]; } index += 1; )+
                let _ = index;
                unreachable!("every command has its row")
            }

            fn from_parts(name: &str, parameters: &str) -> Result<Self, Refusal> {
                match name {
                    $( $name => serde_json::from_str(parameters)
                        .map(Self::$command)
                        .map_err(|_| Refusal::BadParameters), )+
                    _ => Err(Refusal::UnknownCommand),
                }
            }

            /// The command as it stands in an envelope.
            pub fn to_raw(&self) -> RawCommand {
                let parameters = match self { $(Self::$command(p) => serde_json::value::to_raw_value(p),)+ };
                RawCommand {
                    name: self.name().to_owned(),
                    parameters: parameters.unwrap_or_else(|_| RawValue::NULL.to_owned()),
                }
            }
        }

        /// What a command that did its work answers.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(tag = "command", content = "value", deny_unknown_fields)]
        pub enum CommandResult {
            $( #[doc = concat!("Of `", $name, "`.")] #[serde(rename = $name)] $command($result), )+
        }
    };
}
use {class, whitelist};
