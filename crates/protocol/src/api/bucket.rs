//! Buckets: what they are, what can be set on them, whose they are.

use serde::{Deserialize, Serialize};

use super::api_types;
use crate::{
    command::BucketGrant,
    ident::{
        AccessKeyId, AccountId, BucketId, BucketName, KeyLabel, Limit, Micros, ObjectPrefix,
        RegionName,
    },
    rules::{CorsMethod, CorsRule, LifecycleRule, Website},
    seal::SealKey,
};

api_types! {
    /// A bucket, as last heard.
    Bucket {
        /// Its id.
        id: BucketId,
        /// Its region.
        region: RegionName,
        /// Its name: the first global alias.
        name: Option<BucketName>,
        /// All its global aliases.
        aliases: Vec<BucketName>,
        /// Bytes in whole objects, as last heard; absent before the first sweep.
        bytes: Option<u64>,
        /// Objects, as last heard.
        objects: Option<u64>,
        /// Bytes in unfinished uploads.
        unfinished_bytes: Option<u64>,
        /// Unfinished uploads.
        unfinished_uploads: Option<u64>,
        /// The limit on bytes that was asked for.
        quota_bytes: Option<Limit>,
        /// The limit on objects.
        quota_objects: Option<Limit>,
        /// The limit on bytes that counts, as last heard: the account's storage limit may leave less
        /// than was asked for.
        effective_quota_bytes: Option<Limit>,
        /// When it was made.
        created_at: Micros,
        /// When the figures were read.
        seen_at: Option<Micros>,
        /// Whether it is shown as a website.
        website: bool,
        /// Whether the storage has other settings or rights than were asked for; `GET …/settings`
        /// says which.
        drift: bool,
        /// When it vanished without having been asked to; only in the list of those that did.
        vanished_at: Option<Micros>,
        /// Whose it is; only in lists of everyone's buckets.
        account: Option<AccountId>,
    }

    /// A bucket's settings, as asked for and as the storage has them.
    BucketSettings {
        /// What was asked for here. What never was is as found.
        wanted: SettingsValue,
        /// What the storage has, as last heard.
        found: SettingsValue,
        /// Whether the storage has CORS, lifecycle or website rules that cannot be said here.
        other_rules: bool,
        /// What differs, once it has for a while.
        drift: Vec<Setting>,
        /// Keys that are not the account's and have other rights on it than were given here.
        foreign_keys: u64,
    }

    /// One set of a bucket's settings.
    SettingsValue {
        /// The limit on bytes.
        quota_bytes: Option<Limit>,
        /// The limit on objects.
        quota_objects: Option<Limit>,
        /// CORS rules.
        cors: Vec<CorsRule>,
        /// Lifecycle rules.
        lifecycle: Vec<LifecycleRule>,
        /// The website; off when absent.
        website: Option<Website>,
        /// Rights of the account's keys, temporary ones aside.
        grants: Vec<BucketGrant>,
    }

    /// Gives a bucket that nobody has to an account.
    #[serde(deny_unknown_fields)]
    AdoptRequest {
        /// Whose it becomes.
        account: AccountId,
        /// The name that it gets when it has none.
        name: Option<BucketName>,
        /// The most bytes it may hold; the limit that it has stays when absent.
        quota_bytes: Option<Limit>,
        /// The most objects it may hold; the limit that it has stays when absent.
        quota_objects: Option<Limit>,
    }

    /// A bucket or key in a cluster that belongs to no account.
    Stray {
        /// Its region.
        region: RegionName,
        /// The bucket, if it is one.
        bucket: Option<BucketId>,
        /// The key, if it is one.
        key: Option<AccessKeyId>,
        /// Its name: a bucket's first one, or what a key is called.
        name: Option<String>,
        /// Bytes in whole objects of the bucket.
        bytes: Option<u64>,
        /// Objects of the bucket.
        objects: Option<u64>,
        /// When it was made.
        created_at: Micros,
        /// Whether an operator has said to leave it alone.
        ignored: bool,
        /// Accounts whose keys own the bucket.
        claimed_by: Vec<AccountId>,
    }

    /// Says whether a stray is to be left alone: one of bucket and key.
    #[serde(deny_unknown_fields)]
    IgnoreStrayRequest {
        /// The bucket, if it is one.
        bucket: Option<BucketId>,
        /// The key, if it is one.
        key: Option<AccessKeyId>,
        /// Whether to leave it alone.
        ignored: bool,
    }

    /// Gives a bucket one more name.
    #[serde(deny_unknown_fields)]
    AddAliasRequest {
        /// The name, unique in the region.
        name: BucketName,
    }

    /// A key's rights on a bucket.
    Grant {
        /// The key.
        key: AccessKeyId,
        /// What a person calls it.
        label: KeyLabel,
        /// List and read objects.
        read: bool,
        /// Write and delete objects.
        write: bool,
        /// Delete the bucket; change its CORS, website and lifecycle.
        owner: bool,
    }

    /// Asks for a bucket.
    #[serde(deny_unknown_fields)]
    CreateBucketRequest {
        /// The region; the only one when absent.
        region: Option<RegionName>,
        /// The bucket's name.
        name: BucketName,
        /// The most bytes it may hold.
        quota_bytes: Option<Limit>,
        /// The most objects it may hold.
        quota_objects: Option<Limit>,
        /// The label of its first key; no key without one.
        key: Option<KeyLabel>,
        /// Where the secret is sealed to; needed with a key.
        seal_to: Option<SealKey>,
    }

    /// Sets both limits of a bucket; an absent one is lifted.
    #[serde(deny_unknown_fields)]
    SetQuotaRequest {
        /// The most bytes it may hold.
        quota_bytes: Option<Limit>,
        /// The most objects it may hold.
        quota_objects: Option<Limit>,
    }

    /// Sets all CORS rules of a bucket.
    #[serde(deny_unknown_fields)]
    SetCorsRequest {
        /// The rules; none lets no page in. At most 100, in 12 KiB of JSON.
        rules: Vec<CorsRule>,
    }

    /// Asks whether a page may do something with a bucket from a browser.
    #[serde(deny_unknown_fields)]
    CheckCorsRequest {
        /// The page's origin, such as `https://example.org`.
        origin: String,
        /// The method.
        method: CorsMethod,
        /// Request headers that the page sets.
        #[serde(default)]
        headers: Vec<String>,
    }

    /// Whether a page may.
    CorsVerdict {
        /// Whether a rule lets it.
        allowed: bool,
        /// The rule that lets it: its place in the list, from 0.
        rule: Option<u32>,
        /// Why, in a sentence.
        why: String,
    }

    /// Sets all lifecycle rules of a bucket.
    #[serde(deny_unknown_fields)]
    SetLifecycleRequest {
        /// The rules; without any, nothing is deleted by itself. At most 100, in 12 KiB of JSON.
        rules: Vec<LifecycleRule>,
    }

    /// Shows a bucket as a website, or stops that.
    #[serde(deny_unknown_fields)]
    SetWebsiteRequest {
        /// Its pages; off when absent.
        website: Option<Website>,
    }

    /// Removes unfinished uploads.
    #[serde(deny_unknown_fields)]
    CleanupUploadsRequest {
        /// Only those that began longer ago, in seconds; 0 removes all.
        older_than_seconds: u64,
    }

    /// Counts the objects under a prefix.
    #[serde(deny_unknown_fields)]
    MeasurePrefixRequest {
        /// How the keys begin; all objects when absent.
        prefix: Option<ObjectPrefix>,
        /// Stops after so many objects, 1 to 10,000,000; 1,000,000 when absent.
        max_objects: Option<u64>,
    }

    /// Sets a key's rights on a bucket to exactly these.
    #[serde(deny_unknown_fields)]
    SetGrantRequest {
        /// List and read objects.
        read: bool,
        /// Write and delete objects.
        write: bool,
        /// Delete the bucket; change its CORS, website and lifecycle.
        owner: bool,
    }
}

/// A part of a bucket's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Its limits.
    Quota,
    /// Its CORS rules.
    Cors,
    /// Its lifecycle rules.
    Lifecycle,
    /// Its website.
    Website,
    /// Rights of keys on it.
    Grants,
}

impl Setting {
    /// The name, the same in JSON and on screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::Cors => "cors",
            Self::Lifecycle => "lifecycle",
            Self::Website => "website",
            Self::Grants => "grants",
        }
    }
}
