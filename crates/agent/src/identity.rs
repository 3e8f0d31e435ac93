//! Who this agent is: its keys, which it makes itself and never sends, and what the control plane
//! said at enrolment.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use ed25519_dalek::SigningKey;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use storm_protocol::{
    envelope::{Envelope, VERSION, VerifyKey},
    ident::{AgentId, Digest, RegionName},
    json,
    seal::OpenKey,
};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    clock::random,
    exit::{Code, OrStop as _, Stop, stop},
    files,
    state::StateDir,
};

/// The largest key file, in bytes.
const MAX_KEY_FILE_BYTES: usize = 4096;
/// The largest identity file, in bytes.
const MAX_IDENTITY_BYTES: usize = 64 * 1024;
const IDENTITY_FILE: &str = "identity.json";
const TLS_KEY_FILE: &str = "tls.key";
const RECEIPT_KEY_FILE: &str = "receipt.key";
const SEAL_KEY_FILE: &str = "seal.key";

/// The agent as it acts: its names and the keys that it signs and opens with.
pub struct Identity {
    /// The agent's id.
    pub agent: AgentId,
    /// Its region.
    pub region: RegionName,
    /// Signs receipts and heads.
    pub receipt_key: SigningKey,
    /// Opens secrets that are sealed to the agent.
    #[expect(
        dead_code,
        reason = "its public half is in the statement; no command brings one yet"
    )]
    pub open_key: OpenKey,
}

/// What the control plane said at enrolment; the file that makes an agent enrolled.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolment {
    /// [`VERSION`].
    pub version: u8,
    /// The agent's id.
    pub agent: AgentId,
    /// Its region.
    pub region: RegionName,
    /// Where the hub is: `https://HOST:PORT`.
    pub hub: String,
    /// The root key, pinned.
    pub root_key: VerifyKey,
    /// The hash of the token that was used: says whether a second `enroll` is the same one.
    pub token: Digest,
    /// The agent's statement, signed by a dispatch key.
    pub statement: Envelope,
    /// The head of the chain of the agent that this one replaces.
    pub predecessor_head: Option<Digest>,
}

/// The key of the agent's certificate (ECDSA P-256), PKCS #8 PEM.
pub(crate) struct TlsKey(SecretString);

/// The three keys, made once and kept.
pub(crate) struct Keys {
    /// The key of the certificate.
    pub tls: TlsKey,
    /// Signs receipts.
    pub receipt: SigningKey,
    /// Opens sealed secrets.
    pub open: OpenKey,
}

impl Keys {
    /// Reads the keys, making and storing those that are not there yet.
    pub(crate) fn load_or_make(state: &StateDir) -> anyhow::Result<Self> {
        if !state.file(TLS_KEY_FILE).exists() {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
            let pem = Zeroizing::new(key.serialize_pem());
            files::write_private(&state.file(TLS_KEY_FILE), pem.as_bytes())?;
        }
        for name in [RECEIPT_KEY_FILE, SEAL_KEY_FILE] {
            if !state.file(name).exists() {
                // Any 32 random bytes are a key of either kind.
                let bytes = Zeroizing::new(random::<32>());
                let text = Zeroizing::new(format!("{}\n", hex::encode(*bytes)));
                files::write_private(&state.file(name), text.as_bytes())?;
            }
        }
        Self::load(state)
    }

    /// Reads the keys.
    ///
    /// Errors: one is missing, can be read by others or is no key.
    pub(crate) fn load(state: &StateDir) -> anyhow::Result<Self> {
        let tls = TlsKey(read_key(&state.file(TLS_KEY_FILE))?);
        tls.pair().map_err(|_| no_key(&state.file(TLS_KEY_FILE)))?;
        let receipt = read_hex_key(&state.file(RECEIPT_KEY_FILE))?;
        let open = read_hex_key(&state.file(SEAL_KEY_FILE))?;
        Ok(Self {
            tls,
            receipt: SigningKey::from_bytes(&receipt),
            open: OpenKey::from_bytes(*open),
        })
    }
}

impl TlsKey {
    /// The key in PEM.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The key as rcgen has it.
    pub(crate) fn pair(&self) -> anyhow::Result<KeyPair> {
        Ok(KeyPair::from_pem(self.expose())?)
    }

    /// A certificate request (PKCS #10, DER). The names in the certificate are the signer's to
    /// choose.
    pub(crate) fn certificate_request(&self) -> anyhow::Result<Vec<u8>> {
        let request = rcgen::CertificateParams::default().serialize_request(&self.pair()?)?;
        Ok(request.der().to_vec())
    }
}

impl Enrolment {
    /// Reads the enrolment; `None` when there is none.
    pub(crate) fn find(state: &StateDir) -> anyhow::Result<Option<Self>> {
        let path = state.file(IDENTITY_FILE);
        let Some(bytes) = files::read_private(&path, MAX_IDENTITY_BYTES)? else {
            return Ok(None);
        };
        let enrolment: Self = json::from_slice(&bytes, MAX_IDENTITY_BYTES)
            .with_context(|| format!("{} is damaged", path.display()))?;
        if enrolment.version != VERSION {
            bail!(
                "{} is of a version that this agent does not know",
                path.display()
            );
        }
        Ok(Some(enrolment))
    }

    /// Reads the enrolment, or says that there is none.
    pub(crate) fn load(state: &StateDir) -> Result<Self, Stop> {
        match Self::find(state)? {
            Some(enrolment) => Ok(enrolment),
            None => stop(
                Code::NotEnrolled,
                "this agent is not enrolled: run `storm-pulse enroll URL TOKEN` with a token from \
                 `storm agent enrol-token create`",
            ),
        }
    }

    /// Writes the enrolment: from here on the agent is enrolled.
    pub(crate) fn keep(&self, state: &StateDir) -> anyhow::Result<()> {
        files::write_private(
            &state.file(IDENTITY_FILE),
            &serde_json::to_vec_pretty(self)?,
        )
    }
}

impl Identity {
    /// Reads enrolment, identity and TLS key.
    pub(crate) fn load(state: &StateDir) -> Result<(Enrolment, Self, TlsKey), Stop> {
        let enrolment = Enrolment::load(state)?;
        let keys = Keys::load(state).or_stop(Code::Usage)?;
        let identity = Self {
            agent: enrolment.agent,
            region: enrolment.region.clone(),
            receipt_key: keys.receipt,
            open_key: keys.open,
        };
        Ok((enrolment, identity, keys.tls))
    }
}

fn read_key(path: &Path) -> anyhow::Result<SecretString> {
    let bytes = files::read_private(path, MAX_KEY_FILE_BYTES)?.ok_or_else(|| {
        anyhow!(
            "{} is missing: put it back, or enrol this server anew with another state_dir",
            path.display()
        )
    })?;
    String::from_utf8(bytes)
        .map(SecretString::from)
        .map_err(|_| no_key(path))
}

fn read_hex_key(path: &Path) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let text = read_key(path)?;
    let mut key = Zeroizing::new([0; 32]);
    let decoded = hex::decode_to_slice(text.expose_secret().trim_end(), &mut *key);
    if decoded.is_err() {
        key.zeroize();
        return Err(no_key(path));
    }
    Ok(key)
}

fn no_key(path: &Path) -> anyhow::Error {
    anyhow!(
        "{} does not hold a key: put the right file back, or enrol this server anew with another \
         state_dir",
        path.display()
    )
}
