//! The files of the data directory that make this installation what it is: the three private keys,
//! the CA certificate and the trust document. `first` makes them, `disk` reads and writes them; what
//! is public of them is [`PublicTrust`]. The private keys are used elsewhere: dispatch and CA in
//! `signer`, root in `cli/trust.rs`.

mod disk;
mod first;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use ed25519_dalek::SigningKey;
use rcgen::{CertificateParams, DistinguishedName, DnType, SerialNumber};
use storm_protocol::{
    envelope::{Envelope, PayloadType, VerifyKey},
    ident::{Digest, Micros},
    trust::{KeyRole, TrustDocument, TrustedKey},
};

use self::disk::read_text;
pub(crate) use self::disk::{make_private_dir, write_file};
pub use self::{
    disk::{read_secret, read_signing_key, write_signing_key},
    first::make_missing,
};
use crate::clock::random;

/// Days that a dispatch key is trusted.
const DISPATCH_VALIDITY_DAYS: i64 = 10 * 365;
/// Seconds before now from which new keys count: peers' clocks may be behind.
const BACKDATE_SECONDS: i64 = 3600;
const DAY_SECONDS: i64 = 24 * 3600;

/// Where each file of the data directory is.
#[derive(Debug, Clone)]
pub struct Files {
    data: PathBuf,
}

impl Files {
    /// The files below `data`.
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
        }
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Signs trust documents; may be taken offline.
    pub fn root_key(&self) -> PathBuf {
        self.data.join("keys/root.key")
    }

    /// Signs commands.
    pub fn dispatch_key(&self) -> PathBuf {
        self.data.join("keys/dispatch.key")
    }

    /// Issues certificates.
    pub fn ca_key(&self) -> PathBuf {
        self.data.join("keys/ca.key")
    }

    /// Seals what the database keeps of second factors.
    pub fn second_factor_key(&self) -> PathBuf {
        self.data.join("keys/second-factor.key")
    }

    /// The CA's certificate.
    pub fn ca_certificate(&self) -> PathBuf {
        self.data.join("keys/ca.pem")
    }

    /// The public half of the root key.
    pub fn root_public(&self) -> PathBuf {
        self.data.join("root.pub")
    }

    /// The trust document, signed.
    pub fn trust(&self) -> PathBuf {
        self.data.join("trust.json")
    }

    /// Waits for nobody: one process at a time serves from this directory or changes its keys, for
    /// as long as it keeps the file open.
    pub fn lock(&self) -> anyhow::Result<fs::File> {
        let path = self.data.join("lock");
        let file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("{} cannot be opened", path.display()))?;
        let taken = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
        ensure!(
            taken.is_ok(),
            "another storm-buckets serves from {}: stop it first",
            self.data.display()
        );
        Ok(file)
    }
}

/// What everyone may know of this installation's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicTrust {
    /// The root key.
    pub root_key: VerifyKey,
    /// The trust document as the root key signed it.
    pub envelope: Envelope,
    /// What it says.
    pub document: TrustDocument,
    /// SHA-256 of the CA certificate's SubjectPublicKeyInfo, as enrolment tokens carry it.
    pub ca_key: Digest,
}

impl PublicTrust {
    /// Reads and verifies the trust document of a data directory.
    pub fn load(files: &Files) -> anyhow::Result<Self> {
        let root = read_text(&files.root_public())?;
        let root_key: VerifyKey = root.trim().parse().with_context(|| {
            format!(
                "{} is damaged: restore it from a backup",
                files.root_public().display()
            )
        })?;
        let text = read_text(&files.trust())?;
        let damaged = || {
            format!(
                "{} is damaged: restore it from a backup",
                files.trust().display()
            )
        };
        let envelope = Envelope::parse(text.trim().as_bytes()).with_context(damaged)?;
        let document = TrustDocument::open(&envelope, root_key).with_context(damaged)?;
        let authority = document
            .authorities
            .first()
            .context("the trust document names no CA")?;
        let ca_key = spki_digest(&authority.0).with_context(damaged)?;
        Ok(Self {
            root_key,
            envelope,
            document,
            ca_key,
        })
    }
}

/// The trust document's entry for a key that counts from now on, for so many days.
pub fn trusted(key: VerifyKey, role: KeyRole, now: Micros, days: i64) -> TrustedKey {
    TrustedKey {
        key,
        role,
        not_before: now.plus_seconds(-BACKDATE_SECONDS),
        not_after: now.plus_seconds(days * DAY_SECONDS),
    }
}

/// The same for a dispatch key.
pub fn trusted_dispatch(key: VerifyKey, now: Micros) -> TrustedKey {
    trusted(key, KeyRole::Dispatch, now, DISPATCH_VALIDITY_DAYS)
}

/// Signs `document` with the root key and puts it in the place of the one before.
pub fn write_trust(
    files: &Files,
    document: &TrustDocument,
    root: &SigningKey,
) -> anyhow::Result<()> {
    let envelope = Envelope::sign_json(PayloadType::Trust, document, root)?;
    write_file(&files.trust(), &serde_json::to_vec(&envelope)?, 0o644)
}

/// SHA-256 of a certificate's SubjectPublicKeyInfo.
pub fn spki_digest(certificate: &[u8]) -> anyhow::Result<Digest> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate)
        .map_err(|_| anyhow::anyhow!("not a certificate"))?;
    Ok(Digest::of(certificate.public_key().raw))
}

/// Parameters of a certificate for `name`, valid from a little before `now` until `until`.
pub fn certificate_params(
    name: &str,
    now: Micros,
    until: Micros,
) -> anyhow::Result<CertificateParams> {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let since =
        |at: Micros| u64::try_from(at.0 / Micros::SECOND).map(std::time::Duration::from_secs);
    let mut params = CertificateParams::default();
    params.not_before = epoch + since(now.plus_seconds(-BACKDATE_SECONDS))?;
    params.not_after = epoch + since(until)?;
    params.serial_number = Some(SerialNumber::from_slice(&serial()));
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

/// A positive serial number that nobody guesses.
fn serial() -> [u8; 16] {
    let mut serial = random::<16>();
    serial[0] = (serial[0] & 0x7f) | 0x40;
    serial
}
