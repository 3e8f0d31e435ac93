//! What is asked of a bucket.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use storm_protocol::{
    api::{
        AdoptRequest, CleanupUploadsRequest, CreateBucketRequest, MeasurePrefixRequest,
        SetCorsRequest, SetLifecycleRequest, SetQuotaRequest, SetWebsiteRequest, SettingsValue,
    },
    command::{BucketGrant, BucketRestore, Command, CommandResult},
    ident::{BucketId, BucketName, Limit, ObjectPrefix, RegionName},
    seal::SealKey,
};

use super::Request;

/// A change that is asked for of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    clippy::enum_variant_names,
    reason = "the names stand in kept requests, where nouns are not apart"
)]
pub(crate) enum BucketAsked {
    /// It is to be made.
    BucketCreate {
        /// The request.
        request: CreateBucketRequest,
    },
    /// It is to go.
    BucketDelete {
        /// The bucket.
        bucket: BucketId,
    },
    /// Its objects are to go.
    BucketClear {
        /// The bucket.
        bucket: BucketId,
    },
    /// Objects under a prefix are to be counted.
    BucketMeasurePrefix {
        /// The bucket.
        bucket: BucketId,
        /// What is counted.
        request: MeasurePrefixRequest,
    },
    /// Its limits are to be these.
    BucketSetQuota {
        /// The bucket.
        bucket: BucketId,
        /// The limits.
        request: SetQuotaRequest,
    },
    /// Its CORS rules are to be these.
    BucketSetCors {
        /// The bucket.
        bucket: BucketId,
        /// The rules.
        request: SetCorsRequest,
    },
    /// Its lifecycle rules are to be these.
    BucketSetLifecycle {
        /// The bucket.
        bucket: BucketId,
        /// The rules.
        request: SetLifecycleRequest,
    },
    /// Its website is to be this.
    BucketSetWebsite {
        /// The bucket.
        bucket: BucketId,
        /// The website.
        request: SetWebsiteRequest,
    },
    /// It is to have one more name.
    BucketAddAlias {
        /// The bucket.
        bucket: BucketId,
        /// The name.
        name: BucketName,
    },
    /// It is to lose a name.
    BucketRemoveAlias {
        /// The bucket.
        bucket: BucketId,
        /// The name.
        name: BucketName,
    },
    /// Its unfinished uploads are to go.
    BucketCleanupUploads {
        /// The bucket.
        bucket: BucketId,
        /// How old they have to be.
        request: CleanupUploadsRequest,
    },
    /// It is to have again what was asked for.
    BucketRestore {
        /// The bucket.
        bucket: BucketId,
        /// What was asked for, as it was shown.
        wanted: Box<SettingsValue>,
    },
    /// It is to become an account's.
    BucketAdopt {
        /// The bucket.
        bucket: BucketId,
        /// Whose.
        request: AdoptRequest,
    },
    /// It is to be nobody's.
    BucketRelease {
        /// The bucket.
        bucket: BucketId,
    },
}

impl BucketAsked {
    pub(super) fn request(&self) -> Result<Request, serde_json::Error> {
        let (post, put, delete) = (Method::POST, Method::PUT, Method::DELETE);
        match self {
            Self::BucketCreate { request } => Request::new(post, "/buckets").with(request),
            Self::BucketDelete { bucket } => Ok(Request::new(delete, format!("/buckets/{bucket}"))),
            Self::BucketClear { bucket } => {
                Ok(Request::new(post, format!("/buckets/{bucket}/clear")))
            }
            Self::BucketMeasurePrefix { bucket, request } => {
                Request::new(post, format!("/buckets/{bucket}/measure")).with(request)
            }
            Self::BucketSetQuota { bucket, request } => {
                Request::new(put, format!("/buckets/{bucket}/quota")).with(request)
            }
            Self::BucketSetCors { bucket, request } => {
                Request::new(put, format!("/buckets/{bucket}/cors")).with(request)
            }
            Self::BucketSetLifecycle { bucket, request } => {
                Request::new(put, format!("/buckets/{bucket}/lifecycle")).with(request)
            }
            Self::BucketSetWebsite { bucket, request } => {
                Request::new(put, format!("/buckets/{bucket}/website")).with(request)
            }
            Self::BucketAddAlias { bucket, name } => {
                let body = serde_json::json!({ "name": name });
                Request::new(post, format!("/buckets/{bucket}/aliases")).with(&body)
            }
            Self::BucketRemoveAlias { bucket, name } => {
                let path = format!("/buckets/{bucket}/aliases/{name}");
                Ok(Request::new(delete, path))
            }
            Self::BucketCleanupUploads { bucket, request } => {
                Request::new(post, format!("/buckets/{bucket}/cleanup-uploads")).with(request)
            }
            Self::BucketRestore { bucket, .. } => {
                Ok(Request::new(post, format!("/buckets/{bucket}/restore")))
            }
            Self::BucketAdopt { bucket, request } => {
                Request::new(post, format!("/buckets/{bucket}/adopt")).with(request)
            }
            Self::BucketRelease { bucket } => {
                Ok(Request::new(post, format!("/buckets/{bucket}/release")))
            }
        }
    }

    pub(super) fn command(&self) -> &'static str {
        match self {
            Self::BucketCreate { .. } => "bucket.create",
            Self::BucketDelete { .. } => "bucket.delete",
            Self::BucketClear { .. } => "bucket.clear",
            Self::BucketMeasurePrefix { .. } => "bucket.measure_prefix",
            Self::BucketSetQuota { .. } => "bucket.set_quota",
            Self::BucketSetCors { .. } => "bucket.set_cors",
            Self::BucketSetLifecycle { .. } => "bucket.set_lifecycle",
            Self::BucketSetWebsite { .. } => "bucket.set_website",
            Self::BucketAddAlias { .. } => "bucket.add_alias",
            Self::BucketRemoveAlias { .. } => "bucket.remove_alias",
            Self::BucketCleanupUploads { .. } => "bucket.cleanup_uploads",
            Self::BucketRestore { .. } => "bucket.restore",
            Self::BucketAdopt { .. } => "bucket.adopt",
            Self::BucketRelease { .. } => "bucket.release",
        }
    }

    pub(super) fn subject(&self) -> String {
        match self {
            Self::BucketCreate { request } => format!("bucket {}", request.name),
            Self::BucketDelete { bucket }
            | Self::BucketClear { bucket }
            | Self::BucketMeasurePrefix { bucket, .. }
            | Self::BucketSetQuota { bucket, .. }
            | Self::BucketSetCors { bucket, .. }
            | Self::BucketSetLifecycle { bucket, .. }
            | Self::BucketSetWebsite { bucket, .. }
            | Self::BucketAddAlias { bucket, .. }
            | Self::BucketRemoveAlias { bucket, .. }
            | Self::BucketCleanupUploads { bucket, .. }
            | Self::BucketRestore { bucket, .. }
            | Self::BucketAdopt { bucket, .. }
            | Self::BucketRelease { bucket } => format!("bucket {bucket}"),
        }
    }

    pub(super) fn seal_to(&self) -> Option<SealKey> {
        match self {
            Self::BucketCreate { request } => request.seal_to,
            Self::BucketDelete { .. }
            | Self::BucketClear { .. }
            | Self::BucketMeasurePrefix { .. }
            | Self::BucketSetQuota { .. }
            | Self::BucketSetCors { .. }
            | Self::BucketSetLifecycle { .. }
            | Self::BucketSetWebsite { .. }
            | Self::BucketAddAlias { .. }
            | Self::BucketRemoveAlias { .. }
            | Self::BucketCleanupUploads { .. }
            | Self::BucketRestore { .. }
            | Self::BucketAdopt { .. }
            | Self::BucketRelease { .. } => None,
        }
    }

    pub(super) fn seal(&mut self, seal_key: SealKey) {
        match self {
            Self::BucketCreate { request } => request.seal_to = Some(seal_key),
            Self::BucketDelete { .. }
            | Self::BucketClear { .. }
            | Self::BucketMeasurePrefix { .. }
            | Self::BucketSetQuota { .. }
            | Self::BucketSetCors { .. }
            | Self::BucketSetLifecycle { .. }
            | Self::BucketSetWebsite { .. }
            | Self::BucketAddAlias { .. }
            | Self::BucketRemoveAlias { .. }
            | Self::BucketCleanupUploads { .. }
            | Self::BucketRestore { .. }
            | Self::BucketAdopt { .. }
            | Self::BucketRelease { .. } => {}
        }
    }

    pub(super) fn region(&self) -> Option<&RegionName> {
        match self {
            Self::BucketCreate { request } => request.region.as_ref(),
            Self::BucketDelete { .. }
            | Self::BucketClear { .. }
            | Self::BucketMeasurePrefix { .. }
            | Self::BucketSetQuota { .. }
            | Self::BucketSetCors { .. }
            | Self::BucketSetLifecycle { .. }
            | Self::BucketSetWebsite { .. }
            | Self::BucketAddAlias { .. }
            | Self::BucketRemoveAlias { .. }
            | Self::BucketCleanupUploads { .. }
            | Self::BucketRestore { .. }
            | Self::BucketAdopt { .. }
            | Self::BucketRelease { .. } => None,
        }
    }

    pub(super) fn is(&self, command: &Command) -> bool {
        match (self, command) {
            (Self::BucketCreate { request }, Command::BucketCreate(p)) => {
                p.bucket == request.name
                    && is_within(p.quota_bytes, request.quota_bytes)
                    && p.quota_objects == request.quota_objects
                    && p.key == request.key
            }
            (Self::BucketDelete { bucket }, Command::BucketDelete(p)) => p.bucket == *bucket,
            (Self::BucketClear { bucket }, Command::BucketClear(p)) => p.bucket == *bucket,
            (Self::BucketMeasurePrefix { bucket, request }, Command::BucketMeasurePrefix(p)) => {
                // What was left open, the server may have filled in.
                let prefix = request.prefix.as_ref().map_or("", ObjectPrefix::as_str);
                p.bucket == *bucket
                    && p.prefix.as_str() == prefix
                    && request.max_objects.is_none_or(|most| most == p.max_objects)
            }
            (Self::BucketSetQuota { bucket, request }, Command::BucketSetQuota(p)) => {
                p.bucket == *bucket
                    && is_within(p.quota_bytes, request.quota_bytes)
                    && p.quota_objects == request.quota_objects
            }
            (Self::BucketSetCors { bucket, request }, Command::BucketSetCors(p)) => {
                p.bucket == *bucket && p.rules == request.rules
            }
            (Self::BucketSetLifecycle { bucket, request }, Command::BucketSetLifecycle(p)) => {
                p.bucket == *bucket && p.rules == request.rules
            }
            (Self::BucketSetWebsite { bucket, request }, Command::BucketSetWebsite(p)) => {
                p.bucket == *bucket && p.website == request.website
            }
            (Self::BucketAddAlias { bucket, name }, Command::BucketAddAlias(p)) => {
                p.bucket == *bucket && p.name == *name
            }
            (Self::BucketRemoveAlias { bucket, name }, Command::BucketRemoveAlias(p)) => {
                p.bucket == *bucket && p.name == *name
            }
            (Self::BucketCleanupUploads { bucket, request }, Command::BucketCleanupUploads(p)) => {
                p.bucket == *bucket && p.older_than_seconds == request.older_than_seconds
            }
            (Self::BucketRestore { bucket, wanted }, Command::BucketRestore(p)) => {
                p.bucket == *bucket && is_wanted(p, wanted)
            }
            (Self::BucketAdopt { bucket, request }, Command::BucketAdopt(p)) => {
                p.bucket == *bucket
                    && p.account == request.account
                    && p.name == request.name
                    && is_within(p.quota_bytes, request.quota_bytes)
                    && p.quota_objects == request.quota_objects
            }
            (Self::BucketRelease { bucket }, Command::BucketRelease(p)) => p.bucket == *bucket,
            (
                Self::BucketCreate { .. }
                | Self::BucketDelete { .. }
                | Self::BucketClear { .. }
                | Self::BucketMeasurePrefix { .. }
                | Self::BucketSetQuota { .. }
                | Self::BucketSetCors { .. }
                | Self::BucketSetLifecycle { .. }
                | Self::BucketSetWebsite { .. }
                | Self::BucketAddAlias { .. }
                | Self::BucketRemoveAlias { .. }
                | Self::BucketCleanupUploads { .. }
                | Self::BucketRestore { .. }
                | Self::BucketAdopt { .. }
                | Self::BucketRelease { .. },
                _,
            ) => false,
        }
    }

    pub(super) fn fits(&self, result: &CommandResult) -> bool {
        match (self, result) {
            (Self::BucketCreate { request }, CommandResult::BucketCreate(made)) => {
                made.name == request.name && made.key.is_some() == request.key.is_some()
            }
            (Self::BucketDelete { bucket }, CommandResult::BucketDelete(gone)) => {
                gone.bucket == *bucket
            }
            (Self::BucketClear { bucket }, CommandResult::BucketClear(cleared)) => {
                cleared.bucket == *bucket
            }
            (
                Self::BucketMeasurePrefix { bucket, request },
                CommandResult::BucketMeasurePrefix(measured),
            ) => {
                let prefix = request.prefix.as_ref().map_or("", ObjectPrefix::as_str);
                measured.bucket == *bucket && measured.prefix.as_str() == prefix
            }
            (Self::BucketSetQuota { bucket, .. }, CommandResult::BucketSetQuota(set)) => {
                set.bucket == *bucket
            }
            (Self::BucketSetCors { bucket, .. }, CommandResult::BucketSetCors(set)) => {
                set.bucket == *bucket
            }
            (Self::BucketSetLifecycle { bucket, .. }, CommandResult::BucketSetLifecycle(set)) => {
                set.bucket == *bucket
            }
            (Self::BucketSetWebsite { bucket, .. }, CommandResult::BucketSetWebsite(set)) => {
                set.bucket == *bucket
            }
            (Self::BucketAddAlias { bucket, name }, CommandResult::BucketAddAlias(added)) => {
                added.bucket == *bucket && added.name == *name
            }
            (
                Self::BucketRemoveAlias { bucket, name },
                CommandResult::BucketRemoveAlias(removed),
            ) => removed.bucket == *bucket && removed.name == *name,
            (
                Self::BucketCleanupUploads { bucket, .. },
                CommandResult::BucketCleanupUploads(cleaned),
            ) => cleaned.bucket == *bucket,
            (Self::BucketRestore { bucket, .. }, CommandResult::BucketRestore(set)) => {
                set.bucket == *bucket
            }
            (Self::BucketAdopt { bucket, request }, CommandResult::BucketAdopt(adopted)) => {
                adopted.bucket == *bucket && adopted.account == request.account
            }
            (Self::BucketRelease { bucket }, CommandResult::BucketRelease(released)) => {
                released.bucket == *bucket
            }
            (
                Self::BucketCreate { .. }
                | Self::BucketDelete { .. }
                | Self::BucketClear { .. }
                | Self::BucketMeasurePrefix { .. }
                | Self::BucketSetQuota { .. }
                | Self::BucketSetCors { .. }
                | Self::BucketSetLifecycle { .. }
                | Self::BucketSetWebsite { .. }
                | Self::BucketAddAlias { .. }
                | Self::BucketRemoveAlias { .. }
                | Self::BucketCleanupUploads { .. }
                | Self::BucketRestore { .. }
                | Self::BucketAdopt { .. }
                | Self::BucketRelease { .. },
                _,
            ) => false,
        }
    }
}

/// Whether a command sets just what is wanted. It names only keys whose rights differ: such a key gets
/// the rights that are wanted for it, or none when none are.
fn is_wanted(command: &BucketRestore, wanted: &SettingsValue) -> bool {
    let right = |grant: &BucketGrant| {
        let found = wanted.grants.iter().find(|wanted| wanted.key == grant.key);
        match found {
            Some(wanted) => wanted == grant,
            None => !(grant.read || grant.write || grant.owner),
        }
    };
    command.quota_bytes == wanted.quota_bytes
        && command.quota_objects == wanted.quota_objects
        && command.cors == wanted.cors
        && command.lifecycle == wanted.lifecycle
        && command.website == wanted.website
        && command.grants.iter().all(right)
}

/// Whether a limit on bytes is the one that was asked for, or a smaller one: the account's storage limit
/// may leave less. Never a larger one.
fn is_within(set: Option<Limit>, asked: Option<Limit>) -> bool {
    match (set, asked) {
        (_, None) => true,
        (Some(set), Some(asked)) => set <= asked,
        (None, Some(_)) => false,
    }
}
