//! Who is trusted for what: the trust document, which the root key signs, and the statement that
//! binds an agent's id to its keys, which a dispatch key signs.

use serde::{Deserialize, Serialize};

use crate::{
    encoding::Base64,
    envelope::{Envelope, PayloadType, VERSION, VerifyKey},
    error::Refusal,
    ident::{AgentId, Digest, Micros, RegionName},
    json,
    seal::SealKey,
};

/// The largest trust document, in bytes.
pub const MAX_TRUST_BYTES: usize = 64 * 1024;

/// The versioned list of everything an agent or client trusts. Kept whole, replaced whole; a lower
/// serial than the one held is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TrustDocument {
    /// [`VERSION`].
    pub version: u8,
    /// Grows with each document.
    pub serial: u64,
    /// When it was signed.
    pub issued_at: Micros,
    /// CA certificates (DER) that agents' and hubs' certificates chain to.
    pub authorities: Vec<Base64>,
    /// Keys that may sign commands.
    pub keys: Vec<TrustedKey>,
}

/// A key that may sign commands in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// The key.
    pub key: VerifyKey,
    /// Where it is accepted.
    pub role: KeyRole,
    /// From when.
    pub not_before: Micros,
    /// Until when.
    pub not_after: Micros,
}

/// Where a key's signatures are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    /// On the channel to the hub alone; also signs agents' statements.
    Dispatch,
    /// In a node's spool alone.
    Offline,
}

impl TrustDocument {
    /// Verifies `envelope` with the root key and reads the document in it.
    pub fn open(envelope: &Envelope, root: VerifyKey) -> Result<Self, Refusal> {
        let verified = envelope.verify(PayloadType::Trust, &[root])?;
        let document: Self = json::from_slice(verified.payload, MAX_TRUST_BYTES)?;
        if document.version == VERSION {
            Ok(document)
        } else {
            Err(Refusal::UnsupportedVersion)
        }
    }

    /// The keys that have `role` at `now`.
    pub fn keys(&self, role: KeyRole, now: Micros) -> Vec<VerifyKey> {
        let valid =
            |key: &&TrustedKey| key.role == role && key.not_before <= now && now < key.not_after;
        self.keys.iter().filter(valid).map(|key| key.key).collect()
    }

    /// The keys that have or had `role`: for statements that were made while they were valid.
    pub fn all_keys(&self, role: KeyRole) -> Vec<VerifyKey> {
        let keys = self.keys.iter().filter(|key| key.role == role);
        keys.map(|key| key.key).collect()
    }
}

/// Which keys are an agent's. Made by the signer at enrolment; with it anyone who holds the trust
/// document can check the agent's receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AgentStatement {
    /// [`VERSION`].
    pub version: u8,
    /// The agent.
    pub agent: AgentId,
    /// Its region.
    pub region: RegionName,
    /// Verifies its receipts and heads.
    pub receipt_key: VerifyKey,
    /// Secrets for the agent are sealed to this.
    pub seal_key: SealKey,
    /// When this was signed.
    pub issued_at: Micros,
}

impl AgentStatement {
    /// Verifies `envelope` with the trust document's dispatch keys and reads the statement in it.
    pub fn open(envelope: &Envelope, trust: &TrustDocument) -> Result<Self, Refusal> {
        let keys = trust.all_keys(KeyRole::Dispatch);
        let verified = envelope.verify(PayloadType::Agent, &keys)?;
        let statement: Self = json::from_slice(verified.payload, MAX_TRUST_BYTES)?;
        if statement.version == VERSION {
            Ok(statement)
        } else {
            Err(Refusal::UnsupportedVersion)
        }
    }
}

/// What `storm-pulse enroll` takes: a single-use secret with the digests that authenticate the
/// first contact. Text form: `ste1.<secret, 64 hex>.<root key digest>.<CA key digest>`.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolToken {
    /// The single-use secret.
    pub secret: [u8; 32],
    /// SHA-256 of the root key.
    pub root_key: Digest,
    /// SHA-256 of the CA certificate's SubjectPublicKeyInfo (DER).
    pub ca_key: Digest,
}

impl EnrolToken {
    /// How the control plane stores the secret.
    pub fn hash(&self) -> Digest {
        Digest::of_parts(&[b"storm-buckets/enrol-token/v1", &self.secret])
    }

    /// The text that a person copies to the node. A secret until it is spent.
    pub fn expose(&self) -> String {
        format!(
            "ste1.{}.{}.{}",
            hex::encode(self.secret),
            self.root_key,
            self.ca_key
        )
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("ste1.")?.split('.');
        let secret: Digest = parts.next()?.parse().ok()?;
        let root_key = parts.next()?.parse().ok()?;
        let ca_key = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self {
            secret: secret.0,
            root_key,
            ca_key,
        })
    }
}
