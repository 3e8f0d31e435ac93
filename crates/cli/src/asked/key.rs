//! What is asked of a key.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use storm_protocol::{
    api::{
        CreateKeyRequest, CreateTemporaryKeyRequest, RenameKeyRequest, RevokeLeakedRequest,
        RotateKeyRequest, SetGrantRequest, SetKeyExpiryRequest,
    },
    command::{Command, CommandResult, KeyGrant},
    ident::{AccessKeyId, BucketId, Micros, RegionName},
    seal::SealKey,
};

use super::Request;

/// A change that is asked for of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    clippy::enum_variant_names,
    reason = "the names stand in kept requests, where nouns are not apart"
)]
pub(crate) enum KeyAsked {
    /// It is to be made.
    KeyCreate {
        /// The request.
        request: CreateKeyRequest,
    },
    /// One that ends by itself is to be made.
    KeyCreateTemporary {
        /// The request.
        request: CreateTemporaryKeyRequest,
    },
    /// It is to be called something else.
    KeyRename {
        /// The key.
        key: AccessKeyId,
        /// The request.
        request: RenameKeyRequest,
    },
    /// It is to end then.
    KeySetExpiry {
        /// The key.
        key: AccessKeyId,
        /// The request.
        request: SetKeyExpiryRequest,
    },
    /// It is to stop working.
    KeySuspend {
        /// The key.
        key: AccessKeyId,
    },
    /// It is to work again.
    KeyResume {
        /// The key.
        key: AccessKeyId,
        /// When it is to end by itself, as it was shown.
        expires_at: Option<Micros>,
    },
    /// It is to go.
    KeyDelete {
        /// The key.
        key: AccessKeyId,
    },
    /// Its rights on a bucket are to be these.
    KeySetGrant {
        /// The key.
        key: AccessKeyId,
        /// The bucket.
        bucket: BucketId,
        /// The rights.
        request: SetGrantRequest,
    },
    /// It is to be replaced.
    KeyRotate {
        /// The key.
        key: AccessKeyId,
        /// The request.
        request: RotateKeyRequest,
    },
    /// It is to go at once, and be replaced.
    KeyRevokeLeaked {
        /// The key.
        key: AccessKeyId,
        /// The request.
        request: RevokeLeakedRequest,
    },
}

impl KeyAsked {
    pub(super) fn request(&self) -> Result<Request, serde_json::Error> {
        let (post, put, delete) = (Method::POST, Method::PUT, Method::DELETE);
        match self {
            Self::KeyCreate { request } => Request::new(post, "/keys").with(request),
            Self::KeyCreateTemporary { request } => {
                Request::new(post, "/keys/temporary").with(request)
            }
            Self::KeyRename { key, request } => {
                Request::new(put, format!("/keys/{key}/label")).with(request)
            }
            Self::KeySetExpiry { key, request } => {
                Request::new(put, format!("/keys/{key}/expiry")).with(request)
            }
            Self::KeySuspend { key } => Ok(Request::new(post, format!("/keys/{key}/suspend"))),
            Self::KeyResume { key, .. } => Ok(Request::new(post, format!("/keys/{key}/resume"))),
            Self::KeyDelete { key } => Ok(Request::new(delete, format!("/keys/{key}"))),
            Self::KeySetGrant {
                key,
                bucket,
                request,
            } => Request::new(put, format!("/buckets/{bucket}/grants/{key}")).with(request),
            Self::KeyRotate { key, request } => {
                Request::new(post, format!("/keys/{key}/rotate")).with(request)
            }
            Self::KeyRevokeLeaked { key, request } => {
                Request::new(post, format!("/keys/{key}/revoke-leaked")).with(request)
            }
        }
    }

    pub(super) fn command(&self) -> &'static str {
        match self {
            Self::KeyCreate { .. } => "key.create",
            Self::KeyCreateTemporary { .. } => "key.create_temporary",
            Self::KeyRename { .. } => "key.rename",
            Self::KeySetExpiry { .. } => "key.set_expiry",
            Self::KeySuspend { .. } => "key.suspend",
            Self::KeyResume { .. } => "key.resume",
            Self::KeyDelete { .. } => "key.delete",
            Self::KeySetGrant { .. } => "key.set_grant",
            Self::KeyRotate { .. } => "key.rotate",
            Self::KeyRevokeLeaked { .. } => "key.revoke_leaked",
        }
    }

    pub(super) fn subject(&self) -> String {
        match self {
            Self::KeyCreate { request } => format!("key {}", request.label),
            Self::KeyCreateTemporary { request } => format!("bucket {}", request.bucket),
            Self::KeyRename { key, .. }
            | Self::KeySetExpiry { key, .. }
            | Self::KeySuspend { key }
            | Self::KeyResume { key, .. }
            | Self::KeyDelete { key }
            | Self::KeySetGrant { key, .. }
            | Self::KeyRotate { key, .. }
            | Self::KeyRevokeLeaked { key, .. } => format!("key {key}"),
        }
    }

    pub(super) fn seal_to(&self) -> Option<SealKey> {
        match self {
            Self::KeyCreate { request } => Some(request.seal_to),
            Self::KeyCreateTemporary { request } => Some(request.seal_to),
            Self::KeyRotate { request, .. } => Some(request.seal_to),
            Self::KeyRevokeLeaked { request, .. } => Some(request.seal_to),
            Self::KeyRename { .. }
            | Self::KeySetExpiry { .. }
            | Self::KeySuspend { .. }
            | Self::KeyResume { .. }
            | Self::KeyDelete { .. }
            | Self::KeySetGrant { .. } => None,
        }
    }

    pub(super) fn seal(&mut self, seal_key: SealKey) {
        match self {
            Self::KeyCreate { request } => request.seal_to = seal_key,
            Self::KeyCreateTemporary { request } => request.seal_to = seal_key,
            Self::KeyRotate { request, .. } => request.seal_to = seal_key,
            Self::KeyRevokeLeaked { request, .. } => request.seal_to = seal_key,
            Self::KeyRename { .. }
            | Self::KeySetExpiry { .. }
            | Self::KeySuspend { .. }
            | Self::KeyResume { .. }
            | Self::KeyDelete { .. }
            | Self::KeySetGrant { .. } => {}
        }
    }

    pub(super) fn region(&self) -> Option<&RegionName> {
        match self {
            Self::KeyCreate { request } => request.region.as_ref(),
            Self::KeyCreateTemporary { .. }
            | Self::KeyRename { .. }
            | Self::KeySetExpiry { .. }
            | Self::KeySuspend { .. }
            | Self::KeyResume { .. }
            | Self::KeyDelete { .. }
            | Self::KeySetGrant { .. }
            | Self::KeyRotate { .. }
            | Self::KeyRevokeLeaked { .. } => None,
        }
    }

    pub(super) fn is(&self, command: &Command) -> bool {
        match (self, command) {
            (Self::KeyCreate { request }, Command::KeyCreate(p)) => {
                p.label == request.label
                    && p.expires_at == request.expires_at
                    && p.create_buckets == request.create_buckets
                    && same_grants(&p.grants, &request.grants)
            }
            (Self::KeyCreateTemporary { request }, Command::KeyCreateTemporary(p)) => {
                p.bucket == request.bucket
                    && p.write == request.write
                    && request.valid_seconds.is_none_or(|s| p.valid_seconds == s)
            }
            (Self::KeyRename { key, request }, Command::KeyRename(p)) => {
                p.key == *key && p.label == request.label
            }
            (Self::KeySetExpiry { key, request }, Command::KeySetExpiry(p)) => {
                p.key == *key && p.expires_at == request.expires_at
            }
            (Self::KeySuspend { key }, Command::KeySuspend(p)) => p.key == *key,
            (Self::KeyResume { key, expires_at }, Command::KeyResume(p)) => {
                p.key == *key && p.expires_at == *expires_at
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
            (Self::KeyRevokeLeaked { key, request }, Command::KeyRevokeLeaked(p)) => {
                p.key == *key && (request.label.is_none() || p.label == request.label)
            }
            (
                Self::KeyCreate { .. }
                | Self::KeyCreateTemporary { .. }
                | Self::KeyRename { .. }
                | Self::KeySetExpiry { .. }
                | Self::KeySuspend { .. }
                | Self::KeyResume { .. }
                | Self::KeyDelete { .. }
                | Self::KeySetGrant { .. }
                | Self::KeyRotate { .. }
                | Self::KeyRevokeLeaked { .. },
                _,
            ) => false,
        }
    }

    pub(super) fn fits(&self, result: &CommandResult) -> bool {
        match (self, result) {
            (Self::KeyCreate { .. }, CommandResult::KeyCreate(_))
            | (Self::KeyCreateTemporary { .. }, CommandResult::KeyCreateTemporary(_)) => true,
            (Self::KeyRename { key, request }, CommandResult::KeyRename(renamed)) => {
                renamed.key == *key && renamed.label == request.label
            }
            (Self::KeySetExpiry { key, request }, CommandResult::KeySetExpiry(set)) => {
                set.key == *key && set.expires_at.is_some() == request.expires_at.is_some()
            }
            (Self::KeySuspend { key }, CommandResult::KeySuspend(suspended)) => {
                suspended.key == *key
            }
            (Self::KeyResume { key, expires_at }, CommandResult::KeyResume(resumed)) => {
                resumed.key == *key && resumed.expires_at.is_some() == expires_at.is_some()
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
            (Self::KeyRevokeLeaked { key, .. }, CommandResult::KeyRevokeLeaked(made)) => {
                made.previous == *key
            }
            (
                Self::KeyCreate { .. }
                | Self::KeyCreateTemporary { .. }
                | Self::KeyRename { .. }
                | Self::KeySetExpiry { .. }
                | Self::KeySuspend { .. }
                | Self::KeyResume { .. }
                | Self::KeyDelete { .. }
                | Self::KeySetGrant { .. }
                | Self::KeyRotate { .. }
                | Self::KeyRevokeLeaked { .. },
                _,
            ) => false,
        }
    }
}

fn same_grants(some: &[KeyGrant], others: &[KeyGrant]) -> bool {
    some.len() == others.len() && some.iter().all(|grant| others.contains(grant))
}
