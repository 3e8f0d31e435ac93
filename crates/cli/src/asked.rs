//! What a person asked for: the request to the API, and what the agent's command and result have to
//! be for it to be that.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use storm_protocol::{
    api::{
        CreateBucketRequest, CreateKeyRequest, RotateKeyRequest, SetGrantRequest, SetQuotaRequest,
    },
    command::{Command, CommandResult, KeyGrant},
    ident::{AccessKeyId, BucketId, RegionName},
    seal::SealKey,
};

/// A change that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Asked {
    /// A region's agent is to answer.
    Ping {
        /// The region.
        region: RegionName,
    },
    /// A region's buckets and keys are to be read anew.
    Refresh {
        /// The region.
        region: RegionName,
    },
    /// A bucket is to be made.
    BucketCreate {
        /// The request.
        request: CreateBucketRequest,
    },
    /// A bucket is to go.
    BucketDelete {
        /// The bucket.
        bucket: BucketId,
    },
    /// A bucket's limits are to be these.
    BucketSetQuota {
        /// The bucket.
        bucket: BucketId,
        /// The limits.
        request: SetQuotaRequest,
    },
    /// A key is to be made.
    KeyCreate {
        /// The request.
        request: CreateKeyRequest,
    },
    /// A key is to go.
    KeyDelete {
        /// The key.
        key: AccessKeyId,
    },
    /// A key's rights on a bucket are to be these.
    KeySetGrant {
        /// The key.
        key: AccessKeyId,
        /// The bucket.
        bucket: BucketId,
        /// The rights.
        request: SetGrantRequest,
    },
    /// A key is to be replaced.
    KeyRotate {
        /// The key.
        key: AccessKeyId,
        /// The request.
        request: RotateKeyRequest,
    },
}

/// A request to the API.
pub(crate) struct Request {
    /// The method.
    pub(crate) method: Method,
    /// The path below `/api/v1`.
    pub(crate) path: String,
    /// The body.
    pub(crate) body: Option<Value>,
}

impl Asked {
    /// The request that asks for it.
    pub(crate) fn request(&self) -> Result<Request, serde_json::Error> {
        let (method, path, body) = match self {
            Self::Ping { region } => (Method::POST, format!("/regions/{region}/ping"), None),
            Self::Refresh { region } => (Method::POST, format!("/regions/{region}/refresh"), None),
            Self::BucketCreate { request } => {
                let body = serde_json::to_value(request)?;
                (Method::POST, "/buckets".to_owned(), Some(body))
            }
            Self::BucketDelete { bucket } => (Method::DELETE, format!("/buckets/{bucket}"), None),
            Self::BucketSetQuota { bucket, request } => {
                let body = serde_json::to_value(request)?;
                (Method::PUT, format!("/buckets/{bucket}/quota"), Some(body))
            }
            Self::KeyCreate { request } => {
                let body = serde_json::to_value(request)?;
                (Method::POST, "/keys".to_owned(), Some(body))
            }
            Self::KeyDelete { key } => (Method::DELETE, format!("/keys/{key}"), None),
            Self::KeySetGrant {
                key,
                bucket,
                request,
            } => {
                let body = serde_json::to_value(request)?;
                let path = format!("/buckets/{bucket}/grants/{key}");
                (Method::PUT, path, Some(body))
            }
            Self::KeyRotate { key, request } => {
                let body = serde_json::to_value(request)?;
                (Method::POST, format!("/keys/{key}/rotate"), Some(body))
            }
        };
        Ok(Request { method, path, body })
    }

    /// The command's name in the whitelist.
    pub(crate) fn command(&self) -> &'static str {
        match self {
            Self::Ping { .. } => "agent.ping",
            Self::Refresh { .. } => "inventory.refresh",
            Self::BucketCreate { .. } => "bucket.create",
            Self::BucketDelete { .. } => "bucket.delete",
            Self::BucketSetQuota { .. } => "bucket.set_quota",
            Self::KeyCreate { .. } => "key.create",
            Self::KeyDelete { .. } => "key.delete",
            Self::KeySetGrant { .. } => "key.set_grant",
            Self::KeyRotate { .. } => "key.rotate",
        }
    }

    /// What it is about, for people: `bucket photos`.
    pub(crate) fn subject(&self) -> String {
        match self {
            Self::Ping { region } | Self::Refresh { region } => format!("region {region}"),
            Self::BucketCreate { request } => format!("bucket {}", request.name),
            Self::BucketDelete { bucket } | Self::BucketSetQuota { bucket, .. } => {
                format!("bucket {bucket}")
            }
            Self::KeyCreate { request } => format!("key {}", request.label),
            Self::KeyDelete { key } | Self::KeyRotate { key, .. } => format!("key {key}"),
            Self::KeySetGrant { key, .. } => format!("key {key}"),
        }
    }

    /// Where its secret is sealed to.
    pub(crate) fn seal_to(&self) -> Option<SealKey> {
        match self {
            Self::BucketCreate { request } => request.seal_to,
            Self::KeyCreate { request } => Some(request.seal_to),
            Self::KeyRotate { request, .. } => Some(request.seal_to),
            Self::Ping { .. }
            | Self::Refresh { .. }
            | Self::BucketDelete { .. }
            | Self::BucketSetQuota { .. }
            | Self::KeyDelete { .. }
            | Self::KeySetGrant { .. } => None,
        }
    }

    /// The same with another key to seal to: two requests are alike whatever they are sealed to.
    pub(crate) fn sealed_to(mut self, seal_key: SealKey) -> Self {
        match &mut self {
            Self::BucketCreate { request } => request.seal_to = Some(seal_key),
            Self::KeyCreate { request } => request.seal_to = seal_key,
            Self::KeyRotate { request, .. } => request.seal_to = seal_key,
            Self::Ping { .. }
            | Self::Refresh { .. }
            | Self::BucketDelete { .. }
            | Self::BucketSetQuota { .. }
            | Self::KeyDelete { .. }
            | Self::KeySetGrant { .. } => {}
        }
        self
    }

    /// The region that was named.
    pub(crate) fn region(&self) -> Option<&RegionName> {
        match self {
            Self::Ping { region } | Self::Refresh { region } => Some(region),
            Self::BucketCreate { request } => request.region.as_ref(),
            Self::KeyCreate { request } => request.region.as_ref(),
            Self::BucketDelete { .. }
            | Self::BucketSetQuota { .. }
            | Self::KeyDelete { .. }
            | Self::KeySetGrant { .. }
            | Self::KeyRotate { .. } => None,
        }
    }

    /// Whether `command` is what was asked.
    pub(crate) fn is(&self, command: &Command) -> bool {
        match (self, command) {
            (Self::Ping { .. }, Command::AgentPing(_))
            | (Self::Refresh { .. }, Command::InventoryRefresh(_)) => true,
            (Self::BucketCreate { request }, Command::BucketCreate(p)) => {
                p.bucket == request.name
                    && p.quota_bytes == request.quota_bytes
                    && p.quota_objects == request.quota_objects
                    && p.key == request.key
            }
            (Self::BucketDelete { bucket }, Command::BucketDelete(p)) => p.bucket == *bucket,
            (Self::BucketSetQuota { bucket, request }, Command::BucketSetQuota(p)) => {
                p.bucket == *bucket
                    && p.quota_bytes == request.quota_bytes
                    && p.quota_objects == request.quota_objects
            }
            (Self::KeyCreate { request }, Command::KeyCreate(p)) => {
                p.label == request.label
                    && p.expires_at == request.expires_at
                    && same_grants(&p.grants, &request.grants)
            }
            (Self::KeyDelete { key }, Command::KeyDelete(p)) => p.key == *key,
            (
                Self::KeySetGrant {
                    key,
                    bucket,
                    request,
                },
                Command::KeySetGrant(p),
            ) => {
                p.key == *key
                    && p.bucket == *bucket
                    && p.read == request.read
                    && p.write == request.write
                    && p.owner == request.owner
            }
            (Self::KeyRotate { key, request }, Command::KeyRotate(p)) => {
                p.key == *key
                    && p.grace_seconds == request.grace_seconds
                    && (request.label.is_none() || p.label == request.label)
            }
            (
                Self::Ping { .. }
                | Self::Refresh { .. }
                | Self::BucketCreate { .. }
                | Self::BucketDelete { .. }
                | Self::BucketSetQuota { .. }
                | Self::KeyCreate { .. }
                | Self::KeyDelete { .. }
                | Self::KeySetGrant { .. }
                | Self::KeyRotate { .. },
                _,
            ) => false,
        }
    }

    /// Whether `result` is of what was asked.
    pub(crate) fn fits(&self, result: &CommandResult) -> bool {
        match (self, result) {
            (Self::Ping { .. }, CommandResult::AgentPing(_))
            | (Self::Refresh { .. }, CommandResult::InventoryRefresh(_))
            | (Self::KeyCreate { .. }, CommandResult::KeyCreate(_)) => true,
            (Self::BucketCreate { request }, CommandResult::BucketCreate(made)) => {
                made.name == request.name && made.key.is_some() == request.key.is_some()
            }
            (Self::BucketDelete { bucket }, CommandResult::BucketDelete(gone)) => {
                gone.bucket == *bucket
            }
            (Self::BucketSetQuota { bucket, .. }, CommandResult::BucketSetQuota(set)) => {
                set.bucket == *bucket
            }
            (Self::KeyDelete { key }, CommandResult::KeyDelete(gone)) => gone.key == *key,
            (
                Self::KeySetGrant {
                    key,
                    bucket,
                    request,
                },
                CommandResult::KeySetGrant(set),
            ) => {
                set.key == *key
                    && set.grant
                        == KeyGrant {
                            bucket: *bucket,
                            read: request.read,
                            write: request.write,
                            owner: request.owner,
                        }
            }
            (Self::KeyRotate { key, .. }, CommandResult::KeyRotate(made)) => made.previous == *key,
            (
                Self::Ping { .. }
                | Self::Refresh { .. }
                | Self::BucketCreate { .. }
                | Self::BucketDelete { .. }
                | Self::BucketSetQuota { .. }
                | Self::KeyCreate { .. }
                | Self::KeyDelete { .. }
                | Self::KeySetGrant { .. }
                | Self::KeyRotate { .. },
                _,
            ) => false,
        }
    }
}

/// The key that a result says was made.
pub(crate) fn new_key(result: &CommandResult) -> Option<AccessKeyId> {
    match result {
        CommandResult::BucketCreate(made) => made.key.clone(),
        CommandResult::KeyCreate(made) => Some(made.key.clone()),
        CommandResult::KeyRotate(made) => Some(made.key.clone()),
        CommandResult::AgentPing(_)
        | CommandResult::ClusterHealthCommand(_)
        | CommandResult::InventoryRefresh(_)
        | CommandResult::BucketDelete(_)
        | CommandResult::BucketSetQuota(_)
        | CommandResult::KeyDelete(_)
        | CommandResult::KeySetGrant(_) => None,
    }
}

fn same_grants(some: &[KeyGrant], others: &[KeyGrant]) -> bool {
    some.len() == others.len() && some.iter().all(|grant| others.contains(grant))
}
