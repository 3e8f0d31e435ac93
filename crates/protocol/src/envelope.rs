//! Signed envelopes: DSSE (Dead Simple Signing Envelope, secure-systems-lab) with Ed25519.
//!
//! The signature covers the pre-authentication encoding (PAE) of payload type and payload bytes, so
//! the bytes that were received are the bytes that are checked; nothing is serialised again.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::{
    command::{MAX_ENVELOPE_BYTES, RawCommand},
    encoding::{Base64, fixed_bytes},
    error::Refusal,
    ident::{AccountId, AgentId, Digest, Micros, OperationId, RegionName, UserId},
    json,
    seal::SealKey,
};

/// The only payload version there is.
pub const VERSION: u8 = 1;
/// The most signatures that an envelope may carry.
pub const MAX_SIGNATURES: usize = 4;
/// The longest a command may be valid on the channel, in seconds.
pub const MAX_VALIDITY_SECONDS: i64 = 60;
/// The longest an offline command may be valid, in seconds.
pub const MAX_OFFLINE_VALIDITY_SECONDS: i64 = 24 * 3600;
/// How far ahead of the agent's clock a command may be issued, in seconds.
pub const MAX_AHEAD_SECONDS: i64 = 5;

fixed_bytes!(
    /// An Ed25519 public key.
    VerifyKey,
    32
);
fixed_bytes!(
    /// An Ed25519 signature.
    SignatureBytes,
    64
);

impl VerifyKey {
    /// The public half of `key`.
    pub fn of(key: &SigningKey) -> Self {
        Self(key.verifying_key().to_bytes())
    }

    /// The key's id: the SHA-256 of its bytes. It selects candidates and proves nothing.
    pub fn id(&self) -> Digest {
        Digest::of(&self.0)
    }

    fn verifies(&self, message: &[u8], signature: &SignatureBytes) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| {
            key.verify_strict(message, &Signature::from_bytes(&signature.0))
                .is_ok()
        })
    }
}

/// What kind of statement an envelope holds. Checked before the payload is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PayloadType {
    /// A command to an agent: [`CommandPayload`].
    #[serde(rename = "application/vnd.storm.command.v1+json")]
    Command,
    /// An agent's answer: [`crate::receipt::Receipt`].
    #[serde(rename = "application/vnd.storm.receipt.v1+json")]
    Receipt,
    /// Who is trusted for what: [`crate::trust::TrustDocument`].
    #[serde(rename = "application/vnd.storm.trust.v1+json")]
    Trust,
    /// Which keys are an agent's: [`crate::trust::AgentStatement`].
    #[serde(rename = "application/vnd.storm.agent.v1+json")]
    Agent,
    /// The end of an agent's chain: [`crate::receipt::Head`].
    #[serde(rename = "application/vnd.storm.head.v1+json")]
    Head,
}

impl PayloadType {
    /// The media type, as it is signed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "application/vnd.storm.command.v1+json",
            Self::Receipt => "application/vnd.storm.receipt.v1+json",
            Self::Trust => "application/vnd.storm.trust.v1+json",
            Self::Agent => "application/vnd.storm.agent.v1+json",
            Self::Head => "application/vnd.storm.head.v1+json",
        }
    }
}

/// A payload with its signatures; nothing is known of either until [`Envelope::verify`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// The media type of the payload.
    pub payload_type: String,
    /// The payload's bytes.
    pub payload: Base64,
    /// One to four signatures over the PAE.
    pub signatures: Vec<EnvelopeSignature>,
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnvelopeSignature {
    /// The id of the key that is said to have signed.
    pub keyid: Digest,
    /// The signature.
    pub sig: SignatureBytes,
}

/// A payload whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<'a> {
    /// The payload's bytes, as received.
    pub payload: &'a [u8],
    /// The key that signed.
    pub signer: VerifyKey,
    /// The envelope's identity: SHA-256 of its PAE.
    pub identity: Digest,
}

impl Envelope {
    /// Signs `payload` as it is.
    pub fn sign(payload_type: PayloadType, payload: Vec<u8>, key: &SigningKey) -> Self {
        let message = pae(payload_type.as_str(), &payload);
        Self {
            payload_type: payload_type.as_str().to_owned(),
            payload: Base64(payload),
            signatures: vec![EnvelopeSignature {
                keyid: VerifyKey::of(key).id(),
                sig: SignatureBytes(key.sign(&message).to_bytes()),
            }],
        }
    }

    /// Serialises `payload` once and signs those bytes.
    pub fn sign_json<T: Serialize>(
        payload_type: PayloadType,
        payload: &T,
        key: &SigningKey,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self::sign(payload_type, serde_json::to_vec(payload)?, key))
    }

    /// Reads an envelope from outside.
    ///
    /// Errors: those of [`json::from_slice`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        json::from_slice(bytes, MAX_ENVELOPE_BYTES)
    }

    /// The envelope's identity: SHA-256 of its PAE. Independent of who signed.
    pub fn identity(&self) -> Digest {
        Digest::of(&pae(&self.payload_type, &self.payload.0))
    }

    /// Checks the type and finds a key among `trusted` that made one of the signatures.
    ///
    /// Errors: [`Refusal::WrongPayloadType`], [`Refusal::BadSignature`].
    pub fn verify(
        &self,
        payload_type: PayloadType,
        trusted: &[VerifyKey],
    ) -> Result<Verified<'_>, Refusal> {
        if self.payload_type != payload_type.as_str() {
            return Err(Refusal::WrongPayloadType);
        }
        if !(1..=MAX_SIGNATURES).contains(&self.signatures.len()) {
            return Err(Refusal::BadSignature);
        }
        let message = pae(&self.payload_type, &self.payload.0);
        let signer = self.signatures.iter().find_map(|signature| {
            trusted
                .iter()
                .filter(|key| key.id() == signature.keyid)
                .find(|key| key.verifies(&message, &signature.sig))
        });
        Ok(Verified {
            payload: &self.payload.0,
            signer: *signer.ok_or(Refusal::BadSignature)?,
            identity: Digest::of(&message),
        })
    }
}

/// DSSE's pre-authentication encoding: `DSSEv1 <len> <type> <len> <payload>`.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    [head.as_bytes(), payload].concat()
}

/// A command, as it is signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandPayload {
    /// [`VERSION`].
    pub version: u8,
    /// The intent.
    pub operation: OperationId,
    /// Grows by one with each signature of the same operation, from 1.
    pub attempt: u32,
    /// Who is to run it.
    pub audience: Audience,
    /// When it was signed.
    pub issued_at: Micros,
    /// When it may no longer be taken.
    pub expires_at: Micros,
    /// Who asked.
    pub actor: Actor,
    /// What is asked.
    pub command: RawCommand,
    /// Where secrets of the answer are sealed to.
    pub seal_to: Option<SealKey>,
}

/// The one agent that may run a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    /// The agent.
    pub agent: AgentId,
    /// Its region.
    pub region: RegionName,
    /// The region's executor epoch: grows each time the role moves.
    pub epoch: u64,
}

/// Who asks for a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The account on whose behalf: its chain holds the receipt, its things may be touched.
    pub account: AccountId,
    /// The person.
    pub user: UserId,
    /// Whether the person runs the platform, and so may touch what is not the account's.
    pub operator: bool,
    /// The way the request came.
    pub via: Via,
}

/// The way a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The dashboard.
    Web,
    /// The command line.
    Cli,
    /// Another client of the API.
    Api,
    /// Signed offline, run from the node's spool.
    Offline,
    /// The platform itself, which adopts what appeared and keeps limits.
    System,
}

impl Via {
    /// The name, the same in SQL, JSON and in the intent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Cli => "cli",
            Self::Api => "api",
            Self::Offline => "offline",
            Self::System => "system",
        }
    }
}

impl CommandPayload {
    /// Reads a payload whose signature holds.
    ///
    /// Errors: those of [`json::from_slice`], [`Refusal::UnsupportedVersion`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let payload: Self = json::from_slice(bytes, MAX_ENVELOPE_BYTES)?;
        if payload.version == VERSION {
            Ok(payload)
        } else {
            Err(Refusal::UnsupportedVersion)
        }
    }

    /// What makes two envelopes the same request: operation, actor, command and `seal_to`, over the
    /// received bytes of the parameters.
    pub fn intent(&self) -> Digest {
        Digest::of_parts(&[
            b"storm-buckets/intent/v1",
            self.operation.as_bytes(),
            self.actor.account.as_bytes(),
            self.actor.user.as_bytes(),
            &[u8::from(self.actor.operator)],
            self.actor.via.as_str().as_bytes(),
            self.command.name.as_bytes(),
            self.command.parameters.get().as_bytes(),
            self.seal_to.as_ref().map_or(&[], |key| &key.0),
        ])
    }
}
