//! What Garage answers, as far as we use it. Members that stand here no more than Garage's newer
//! ones hinder: unknown ones are ignored. Key ids are text here, since Garage also holds keys that
//! others imported under ids of their own form.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;
use storm_protocol::ident::{AccessKeyId, AccountId, BucketId, Micros, parse_key_name};

/// A bucket.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BucketInfo {
    /// Its id.
    pub(crate) id: BucketId,
    /// When it was made, to the millisecond.
    #[serde(deserialize_with = "instant")]
    pub(crate) created: Micros,
    /// Its names.
    pub(crate) global_aliases: Vec<String>,
    /// Its website is on.
    pub(crate) website_access: bool,
    /// How it is shown, while it is on.
    #[serde(default)]
    pub(crate) website_config: Option<Value>,
    /// Its CORS rules, as Garage writes them.
    #[serde(default)]
    pub(crate) cors_rules: Option<Vec<Value>>,
    /// Its lifecycle rules, as Garage writes them.
    #[serde(default)]
    pub(crate) lifecycle_rules: Option<Vec<Value>>,
    /// Keys with a right on it or a name of their own for it.
    pub(crate) keys: Vec<BucketKey>,
    /// Whole objects.
    pub(crate) objects: u64,
    /// Bytes of whole objects.
    pub(crate) bytes: u64,
    /// Unfinished uploads, multipart ones included.
    pub(crate) unfinished_uploads: u64,
    /// Bytes in parts of unfinished uploads.
    pub(crate) unfinished_multipart_upload_bytes: u64,
    /// Its limits.
    pub(crate) quotas: BucketQuotas,
}

impl BucketInfo {
    /// Whether nobody can name or reach the bucket and nothing is in it.
    pub(crate) fn is_orphan(&self) -> bool {
        self.global_aliases.is_empty() && self.keys.is_empty() && self.is_empty()
    }

    /// Whether nothing is in it, whole or unfinished.
    pub(crate) fn is_empty(&self) -> bool {
        self.objects == 0 && self.unfinished_uploads == 0
    }

    /// The one account whose keys own the bucket, by the keys' names. `None` when there is no such
    /// account or more than one: a key that may merely read or write proves nothing, since anyone
    /// may have been given one.
    pub(crate) fn owner(&self) -> Option<AccountId> {
        let owning = self.keys.iter().filter(|key| key.permissions.owner);
        let mut accounts =
            owning.filter_map(|key| parse_key_name(&key.name).map(|(account, _)| account));
        let first = accounts.next()?;
        accounts.all(|other| other == first).then_some(first)
    }
}

/// Limits; absent is none.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BucketQuotas {
    /// On bytes.
    pub(crate) max_size: Option<u64>,
    /// On objects.
    pub(crate) max_objects: Option<u64>,
}

/// A key of a bucket.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BucketKey {
    /// The key's id as Garage has it.
    pub(crate) access_key_id: String,
    /// The key's name.
    pub(crate) name: String,
    /// Its rights.
    pub(crate) permissions: Permissions,
    /// The names that this key alone has for the bucket.
    pub(crate) bucket_local_aliases: Vec<String>,
}

/// Rights; an absent one is not given.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Permissions {
    /// Reads.
    pub(crate) read: bool,
    /// Writes.
    pub(crate) write: bool,
    /// Owns.
    pub(crate) owner: bool,
}

/// A key, without its secret.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyInfo {
    /// Its id as Garage has it.
    pub(crate) access_key_id: String,
    /// Its name.
    pub(crate) name: String,
    /// When it was made, if Garage knows.
    #[serde(default, deserialize_with = "maybe_instant")]
    pub(crate) created: Option<Micros>,
    /// When it ends.
    #[serde(default, deserialize_with = "maybe_instant")]
    pub(crate) expiration: Option<Micros>,
    /// What it may do besides.
    #[serde(default)]
    pub(crate) permissions: KeyPermissions,
    /// Buckets on which it has a right or for which it has a name of its own.
    #[serde(default)]
    pub(crate) buckets: Vec<KeyBucket>,
}

/// What a key may do besides its rights on buckets.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct KeyPermissions {
    /// Make buckets over S3.
    pub(crate) create_bucket: bool,
}

impl KeyInfo {
    /// The id, when it is of our form.
    pub(crate) fn id(&self) -> Option<AccessKeyId> {
        self.access_key_id.parse().ok()
    }
}

/// A bucket of a key.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KeyBucket {
    /// The bucket.
    pub(crate) id: BucketId,
    /// The rights that the key's side has.
    pub(crate) permissions: Permissions,
}

/// Garage's view of the cluster's health.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    /// healthy, degraded or unavailable.
    pub(crate) status: String,
    /// Nodes ever heard of.
    pub(crate) known_nodes: u32,
    /// Nodes that answer.
    pub(crate) connected_nodes: u32,
    /// Nodes with a storage role.
    pub(crate) storage_nodes: u32,
    /// Of those, the ones that answer; 2.3 called it `storageNodesOk`.
    #[serde(alias = "storageNodesOk")]
    pub(crate) storage_nodes_up: u32,
    /// Partitions.
    pub(crate) partitions: u32,
    /// Partitions that can be written.
    pub(crate) partitions_quorum: u32,
    /// Partitions with every copy in reach.
    pub(crate) partitions_all_ok: u32,
}

/// The nodes.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ClusterStatus {
    /// Each node that is known.
    pub(crate) nodes: Vec<Node>,
}

impl ClusterStatus {
    /// The version of the node that answered: the one that is up and was never "last seen".
    pub(crate) fn own_version(&self) -> Option<&str> {
        let own = |node: &&Node| node.is_up && node.last_seen_secs_ago.is_none();
        self.nodes.iter().find(own)?.garage_version.as_deref()
    }
}

/// What CleanupIncompleteUploads answers.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadsDeleted {
    /// Uploads that were removed.
    pub(crate) uploads_deleted: u64,
}

/// One node.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Node {
    /// It answers.
    pub(crate) is_up: bool,
    /// Seconds since it last answered; absent for the node that is asked.
    #[serde(default)]
    pub(crate) last_seen_secs_ago: Option<u64>,
    /// Its version.
    #[serde(default)]
    pub(crate) garage_version: Option<String>,
}

/// RFC 3339 text of an instant, for Garage.
pub(super) fn to_text(instant: Micros) -> Option<String> {
    jiff::Timestamp::from_microsecond(instant.0)
        .ok()
        .map(|at| at.to_string())
}

fn read_instant(text: &str) -> Result<Micros, jiff::Error> {
    let at: jiff::Timestamp = text.parse()?;
    Ok(Micros(at.as_microsecond()))
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Micros, D::Error> {
    read_instant(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn maybe_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Micros>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let read = text.map(|text| read_instant(&text).map_err(D::Error::custom));
    read.transpose()
}

#[cfg(test)]
mod tests {
    use storm_protocol::ident::{AccountId, BucketId, Micros};

    use super::{BucketInfo, BucketKey, BucketQuotas, Permissions};

    fn bucket(keys: &[(&str, bool)]) -> BucketInfo {
        let key = |(name, owner): &(&str, bool)| BucketKey {
            access_key_id: "GK000000000000000000000001".to_owned(),
            name: (*name).to_owned(),
            permissions: Permissions {
                read: true,
                write: true,
                owner: *owner,
            },
            bucket_local_aliases: vec![],
        };
        BucketInfo {
            id: BucketId([0; 32]),
            created: Micros(0),
            global_aliases: vec![],
            website_access: false,
            website_config: None,
            cors_rules: None,
            lifecycle_rules: None,
            keys: keys.iter().map(key).collect(),
            objects: 0,
            bytes: 0,
            unfinished_uploads: 0,
            unfinished_multipart_upload_bytes: 0,
            quotas: BucketQuotas::default(),
        }
    }

    #[test]
    fn only_keys_that_own_a_bucket_say_whose_it_is_and_they_must_agree() {
        let (one, other) = (
            AccountId::new(Micros(0), [1; 10]),
            AccountId::new(Micros(0), [2; 10]),
        );
        let (ours, second) = (&*format!("{one}/a"), &*format!("{one}/b"));
        let theirs = &*format!("{other}/a");
        let owner = |keys: &[(&str, bool)]| bucket(keys).owner();
        assert_eq!(owner(&[(ours, true), (second, true)]), Some(one));
        assert_eq!(owner(&[(theirs, false), (ours, true)]), Some(one));
        assert_eq!(owner(&[(ours, true), (theirs, true)]), None);
        assert_eq!(owner(&[(ours, false)]), None);
        assert_eq!(owner(&[("by hand", true)]), None);
        assert_eq!(owner(&[]), None);
    }
}
