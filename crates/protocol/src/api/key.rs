//! Keys, without their secrets.

use serde::{Deserialize, Serialize};

use super::api_types;
use crate::{
    command::KeyGrant,
    ident::{AccessKeyId, BucketId, KeyLabel, Micros, RegionName},
    seal::SealKey,
};

api_types! {
    /// A key, without its secret, which the control plane never has.
    Key {
        /// Its id.
        id: AccessKeyId,
        /// Its region.
        region: RegionName,
        /// What a person calls it.
        label: KeyLabel,
        /// When it was made.
        created_at: Micros,
        /// When it ends.
        expires_at: Option<Micros>,
        /// Whether a client has confirmed that it holds the secret.
        acknowledged: bool,
        /// Whether it is suspended; `expires_at` is then when it was to end by itself.
        suspended: bool,
        /// Whether it is a temporary one.
        temporary: bool,
        /// Whether it may make buckets over S3.
        create_buckets: bool,
        /// Its rights.
        grants: Vec<KeyGrant>,
        /// When it vanished without having been asked to; only in the list of those that did.
        vanished_at: Option<Micros>,
    }

    /// Asks for a key.
    #[serde(deny_unknown_fields)]
    CreateKeyRequest {
        /// The region; the only one when absent.
        region: Option<RegionName>,
        /// What to call it.
        label: KeyLabel,
        /// When it ends; never when absent.
        expires_at: Option<Micros>,
        /// Whether it may make buckets over S3.
        #[serde(default)]
        create_buckets: bool,
        /// Its rights.
        #[serde(default)]
        grants: Vec<KeyGrant>,
        /// Where the secret is sealed to.
        seal_to: SealKey,
    }

    /// Asks to replace a key.
    #[serde(deny_unknown_fields)]
    RotateKeyRequest {
        /// The new key's label; the old one's when absent.
        label: Option<KeyLabel>,
        /// Seconds that the old key keeps working.
        grace_seconds: u32,
        /// Where the secret is sealed to.
        seal_to: SealKey,
    }

    /// Calls a key something else.
    #[serde(deny_unknown_fields)]
    RenameKeyRequest {
        /// Its new label.
        label: KeyLabel,
    }

    /// Sets when a key ends.
    #[serde(deny_unknown_fields)]
    SetKeyExpiryRequest {
        /// When it ends; never when absent.
        expires_at: Option<Micros>,
    }

    /// Replaces a key that others may have.
    #[serde(deny_unknown_fields)]
    RevokeLeakedRequest {
        /// The new key's label; the old one's when absent.
        label: Option<KeyLabel>,
        /// Where the secret is sealed to.
        seal_to: SealKey,
    }

    /// Asks for a key that ends by itself.
    #[serde(deny_unknown_fields)]
    CreateTemporaryKeyRequest {
        /// The bucket.
        bucket: BucketId,
        /// Whether it may write and delete too.
        write: bool,
        /// Seconds that it lives; an hour when absent, 43,200 at most.
        valid_seconds: Option<u32>,
        /// Where the secret is sealed to.
        seal_to: SealKey,
    }
}
