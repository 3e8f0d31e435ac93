//! Each admin call that changes or reads one thing, as a request that can be sent again.

use bytes::Bytes;
use http::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use storm_protocol::{
    command::{AdminCall, BucketGrant, KeyGrant},
    ident::{AccessKeyId, BucketId, BucketName, Limit, Micros},
    rules::{CorsRule, LifecycleRule, Website},
};
use zeroize::Zeroizing;

use super::{rules, types};

/// One admin call with all that it carries. A clone is the same call again.
#[derive(Clone)]
pub(crate) struct AdminRequest {
    /// Which call.
    pub(crate) call: AdminCall,
    /// The query with its question mark, or nothing.
    pub(super) query: String,
    /// The JSON body; zeroed when the last clone is dropped.
    pub(super) body: Option<Bytes>,
}

/// The limits of a bucket; an absent one is lifted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quotas {
    /// On bytes.
    pub(crate) bytes: Option<Limit>,
    /// On objects.
    pub(crate) objects: Option<Limit>,
}

/// What to set on a bucket; an absent member stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BucketUpdate<'a> {
    /// Both limits.
    pub(crate) quotas: Option<Quotas>,
    /// All CORS rules.
    pub(crate) cors: Option<&'a [CorsRule]>,
    /// All lifecycle rules.
    pub(crate) lifecycle: Option<&'a [LifecycleRule]>,
    /// The website; off when the inner one is absent.
    pub(crate) website: Option<Option<&'a Website>>,
}

/// What to set on a key; an absent member stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KeyUpdate<'a> {
    /// Its name.
    pub(crate) name: Option<&'a str>,
    /// When it ends; never when the inner one is absent.
    pub(crate) ends: Option<Option<Micros>>,
    /// Lets it make buckets over S3.
    pub(crate) create_buckets: bool,
}

/// A set of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rights {
    /// Reads.
    pub(crate) read: bool,
    /// Writes.
    pub(crate) write: bool,
    /// Owns.
    pub(crate) owner: bool,
}

impl Rights {
    /// Every right.
    pub(crate) const ALL: Self = Self {
        read: true,
        write: true,
        owner: true,
    };

    /// The rights that are not in the set.
    pub(crate) const fn complement(self) -> Self {
        Self {
            read: !self.read,
            write: !self.write,
            owner: !self.owner,
        }
    }

    /// Whether the set holds any right.
    pub(crate) const fn any(self) -> bool {
        self.read || self.write || self.owner
    }
}

impl From<&KeyGrant> for Rights {
    fn from(grant: &KeyGrant) -> Self {
        Self {
            read: grant.read,
            write: grant.write,
            owner: grant.owner,
        }
    }
}

impl From<&BucketGrant> for Rights {
    fn from(grant: &BucketGrant) -> Self {
        Self {
            read: grant.read,
            write: grant.write,
            owner: grant.owner,
        }
    }
}

impl AdminRequest {
    /// GET for calls that read, POST for calls that change.
    pub(super) fn method(&self) -> Method {
        if self.changes() {
            Method::POST
        } else {
            Method::GET
        }
    }

    /// Whether the call changes anything.
    pub(crate) const fn changes(&self) -> bool {
        match self.call {
            AdminCall::GetBucketInfo
            | AdminCall::GetClusterHealth
            | AdminCall::GetClusterStatus
            | AdminCall::ListBucketsInfo
            | AdminCall::ListKeysInfo => false,
            AdminCall::AddBucketAlias
            | AdminCall::AllowBucketKey
            | AdminCall::CleanupIncompleteUploads
            | AdminCall::CreateBucket
            | AdminCall::DeleteBucket
            | AdminCall::DeleteKey
            | AdminCall::DenyBucketKey
            | AdminCall::ImportKey
            | AdminCall::RemoveBucketAlias
            | AdminCall::UpdateBucket
            | AdminCall::UpdateKey => true,
        }
    }

    /// `GetClusterHealth`
    pub(crate) fn cluster_health() -> Self {
        Self::plain(AdminCall::GetClusterHealth)
    }

    /// `GetClusterStatus`
    pub(crate) fn cluster_status() -> Self {
        Self::plain(AdminCall::GetClusterStatus)
    }

    /// `GetBucketInfo` by id.
    pub(crate) fn bucket(id: BucketId) -> Self {
        Self::with_query(AdminCall::GetBucketInfo, &[("id", &id.to_string())])
    }

    /// `GetBucketInfo` by global alias.
    pub(crate) fn bucket_called(name: &BucketName) -> Self {
        Self::with_query(AdminCall::GetBucketInfo, &[("globalAlias", name.as_str())])
    }

    /// `ListKeysInfo` or `ListBucketsInfo`: a page from `offset`, inclusive.
    pub(super) fn list(call: AdminCall, offset: Option<&str>, limit: usize) -> Self {
        let limit = limit.to_string();
        match offset {
            Some(offset) => Self::with_query(call, &[("limit", &limit), ("offset", offset)]),
            None => Self::with_query(call, &[("limit", &limit)]),
        }
    }

    /// `ImportKey`
    pub(crate) fn import_key(id: &AccessKeyId, secret: &SecretString, name: &str) -> Self {
        // Built by hand around the secret, so that no copy of it stays behind in a JSON tree.
        let head = json!({ "accessKeyId": id, "name": name }).to_string();
        let body = Zeroizing::new(
            [
                head.trim_end_matches('}').as_bytes(),
                b",\"secretAccessKey\":\"",
                secret.expose_secret().as_bytes(),
                b"\"}",
            ]
            .concat(),
        );
        Self {
            call: AdminCall::ImportKey,
            query: String::new(),
            body: Some(Bytes::from_owner(body)),
        }
    }

    /// `UpdateKey`: what `update` names.
    pub(crate) fn update_key(id: &AccessKeyId, update: &KeyUpdate<'_>) -> Self {
        let mut body = json!({});
        if let Some(name) = update.name {
            body["name"] = json!(name);
        }
        match update.ends {
            Some(Some(ends)) => body["expiration"] = json!(types::to_text(ends)),
            Some(None) => body["neverExpires"] = json!(true),
            None => {}
        }
        if update.create_buckets {
            body["allow"] = json!({ "createBucket": true });
        }
        Self::with_query(AdminCall::UpdateKey, &[("id", id.as_str())]).with_body(&body)
    }

    /// `DeleteKey`
    pub(crate) fn delete_key(id: &AccessKeyId) -> Self {
        Self::with_query(AdminCall::DeleteKey, &[("id", id.as_str())])
    }

    /// `CreateBucket` under a global alias.
    pub(crate) fn create_bucket(name: &BucketName) -> Self {
        Self::plain(AdminCall::CreateBucket).with_body(&json!({ "globalAlias": name }))
    }

    /// `UpdateBucket`: what `update` names, each as a whole.
    pub(crate) fn update_bucket(id: BucketId, update: &BucketUpdate<'_>) -> Self {
        let mut body = json!({});
        if let Some(quotas) = update.quotas {
            body["quotas"] = json!({ "maxSize": quotas.bytes, "maxObjects": quotas.objects });
        }
        if let Some(rules) = update.cors {
            body["corsRules"] = rules::cors_json(rules);
        }
        if let Some(rules) = update.lifecycle {
            body["lifecycleRules"] = rules::lifecycle_json(rules);
        }
        if let Some(website) = update.website {
            body["websiteAccess"] = rules::website_json(website);
        }
        Self::with_query(AdminCall::UpdateBucket, &[("id", &id.to_string())]).with_body(&body)
    }

    /// `DeleteBucket`
    pub(crate) fn delete_bucket(id: BucketId) -> Self {
        Self::with_query(AdminCall::DeleteBucket, &[("id", &id.to_string())])
    }

    /// `CleanupIncompleteUploads`: a bucket's that began longer ago than `older_than_seconds`.
    pub(crate) fn cleanup_uploads(id: BucketId, older_than_seconds: u64) -> Self {
        let body = json!({ "bucketId": id, "olderThanSecs": older_than_seconds });
        Self::plain(AdminCall::CleanupIncompleteUploads).with_body(&body)
    }

    /// `AddBucketAlias`: a global one.
    pub(crate) fn add_alias(id: BucketId, alias: &str) -> Self {
        let body = json!({ "bucketId": id, "globalAlias": alias });
        Self::plain(AdminCall::AddBucketAlias).with_body(&body)
    }

    /// `RemoveBucketAlias`: a global one.
    pub(crate) fn remove_alias(id: BucketId, alias: &str) -> Self {
        let body = json!({ "bucketId": id, "globalAlias": alias });
        Self::plain(AdminCall::RemoveBucketAlias).with_body(&body)
    }

    /// `AddBucketAlias`: one that a single key knows.
    pub(crate) fn add_local_alias(id: BucketId, alias: &str, key: &str) -> Self {
        let body = json!({ "bucketId": id, "localAlias": alias, "accessKeyId": key });
        Self::plain(AdminCall::AddBucketAlias).with_body(&body)
    }

    /// `AllowBucketKey`: adds `rights`.
    pub(crate) fn allow(bucket: BucketId, key: &str, rights: Rights) -> Self {
        Self::plain(AdminCall::AllowBucketKey).with_body(&rights_body(bucket, key, rights))
    }

    /// `DenyBucketKey`: takes `rights` away.
    pub(crate) fn deny(bucket: BucketId, key: &str, rights: Rights) -> Self {
        Self::plain(AdminCall::DenyBucketKey).with_body(&rights_body(bucket, key, rights))
    }

    fn plain(call: AdminCall) -> Self {
        Self {
            call,
            query: String::new(),
            body: None,
        }
    }

    fn with_query(call: AdminCall, parameters: &[(&str, &str)]) -> Self {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        Self {
            call,
            query: format!("?{}", query.finish()),
            body: None,
        }
    }

    fn with_body(mut self, body: &Value) -> Self {
        self.body = Some(Bytes::from(body.to_string()));
        self
    }
}

fn rights_body(bucket: BucketId, key: &str, rights: Rights) -> Value {
    json!({
        "bucketId": bucket,
        "accessKeyId": key,
        "permissions": { "read": rights.read, "write": rights.write, "owner": rights.owner },
    })
}
