//! Sealing of secrets: HPKE (RFC 9180) base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! AES-256-GCM. What is sealed is bound to its place, so that it opens nowhere else.

use hpke::{Deserializable, Kem as _, OpModeR, OpModeS, Serializable};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    encoding::{Base64, fixed_bytes},
    ident::{AccessKeyId, AccountId, AgentId, Digest, OperationId, RegionName},
};

type Kem = hpke::kem::X25519HkdfSha256;
type Kdf = hpke::kdf::HkdfSha256;
type Aead = hpke::aead::AesGcm256;

/// The longest secret, in bytes.
pub const MAX_SECRET_BYTES: usize = 4096;

fixed_bytes!(
    /// An X25519 public key that secrets are sealed to.
    SealKey,
    32
);

/// The private half of a [`SealKey`]; zeroed when dropped.
pub struct OpenKey(SecretBox<[u8; 32]>);

impl OpenKey {
    /// Makes a key pair.
    pub fn generate() -> Self {
        let (private, _) = Kem::gen_keypair();
        Self::from_bytes(private.to_bytes().into())
    }

    /// Takes the 32 bytes of a private key.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// The 32 bytes, for a file that only its owner reads.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    /// The public half.
    pub fn seal_key(&self) -> SealKey {
        SealKey(Kem::sk_to_pk(&self.private()).to_bytes().into())
    }

    fn private(&self) -> <Kem as hpke::Kem>::PrivateKey {
        // X25519 takes any 32 bytes as a private key.
        <Kem as hpke::Kem>::PrivateKey::from_bytes(self.0.expose_secret())
            .unwrap_or_else(|_| unreachable!("32 bytes are a private key"))
    }
}

/// The place that a secret is sealed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealContext<'a> {
    /// The operation that made the secret.
    pub operation: OperationId,
    /// The account that asked.
    pub account: AccountId,
    /// The region.
    pub region: &'a RegionName,
    /// The agent that sealed.
    pub agent: AgentId,
    /// The key that the secret belongs to.
    pub key: &'a AccessKeyId,
}

impl SealContext<'_> {
    /// HPKE's `info`: the label, then each part in text with its length as two bytes big-endian.
    pub fn info(&self) -> Vec<u8> {
        let mut info = b"storm-buckets/secret/v1".to_vec();
        let parts = [
            self.operation.to_string(),
            self.account.to_string(),
            self.region.to_string(),
            self.agent.to_string(),
            self.key.to_string(),
        ];
        for part in parts {
            // No part is longer than 36 bytes.
            info.extend((part.len() as u16).to_be_bytes());
            info.extend(part.as_bytes());
        }
        info
    }
}

/// A sealed secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The key that the secret belongs to.
    pub key: AccessKeyId,
    /// HPKE's encapsulated key.
    pub encapsulated: Base64,
    /// The ciphertext with its tag.
    pub ciphertext: Base64,
}

/// A sealed secret does not open: another key, another place, or changed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed secret does not open with this key in this place")]
pub struct SealError;

impl Sealed {
    /// Seals `secret` to `recipient`.
    pub fn seal(
        secret: &SecretString,
        recipient: &SealKey,
        context: &SealContext<'_>,
    ) -> Result<Self, SealError> {
        let recipient =
            <Kem as hpke::Kem>::PublicKey::from_bytes(&recipient.0).map_err(|_| SealError)?;
        let (encapsulated, ciphertext) = hpke::single_shot_seal::<Aead, Kdf, Kem>(
            &OpModeS::Base,
            &recipient,
            &context.info(),
            secret.expose_secret().as_bytes(),
            b"",
        )
        .map_err(|_| SealError)?;
        Ok(Self {
            key: context.key.clone(),
            encapsulated: Base64(encapsulated.to_bytes().to_vec()),
            ciphertext: Base64(ciphertext),
        })
    }

    /// Opens the secret.
    pub fn open(
        &self,
        key: &OpenKey,
        context: &SealContext<'_>,
    ) -> Result<SecretString, SealError> {
        if self.key != *context.key || self.ciphertext.0.len() > MAX_SECRET_BYTES {
            return Err(SealError);
        }
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(&self.encapsulated.0)
            .map_err(|_| SealError)?;
        let plain = hpke::single_shot_open::<Aead, Kdf, Kem>(
            &OpModeR::Base,
            &key.private(),
            &encapsulated,
            &context.info(),
            &self.ciphertext.0,
            b"",
        )
        .map_err(|_| SealError)?;
        String::from_utf8(plain)
            .map(SecretString::from)
            .map_err(|_| SealError)
    }

    /// What the receipt says of this secret: SHA-256 over key id, encapsulated key and ciphertext,
    /// each preceded by its length.
    pub fn digest(&self) -> Digest {
        Digest::of_parts(&[
            self.key.as_str().as_bytes(),
            &self.encapsulated.0,
            &self.ciphertext.0,
        ])
    }
}
