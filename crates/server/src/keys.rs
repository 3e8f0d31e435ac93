//! The files of the data directory that make this installation what it is: the three private keys,
//! the CA certificate and the trust document. Makes them at first start; what is public of them is
//! [`PublicTrust`]. The private keys are read elsewhere: dispatch and CA in `signer`, root in
//! `cli/trust.rs`.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, spki::der::pem::LineEnding},
};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose,
    SerialNumber,
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretString};
use storm_protocol::{
    encoding::Base64,
    envelope::{Envelope, PayloadType, VERSION, VerifyKey},
    ident::{Digest, Micros},
    trust::{KeyRole, TrustDocument, TrustedKey},
};

use crate::clock::random;

/// Days that the CA certificate is valid.
const CA_VALIDITY_DAYS: i64 = 20 * 365;
/// Days that the first dispatch key is trusted.
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

    /// Held by the one process that serves from this directory.
    pub fn lock(&self) -> PathBuf {
        self.data.join("lock")
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

/// Makes whatever the data directory does not have yet. Each file appears whole or not at all and
/// the trust document comes last, so that a start cut short is taken up by the next one. `true`:
/// this was the first start.
pub fn make_missing(files: &Files, database: &Path, now: Micros) -> anyhow::Result<bool> {
    make_private_dir(&files.data)?;
    make_private_dir(&files.data.join("keys"))?;
    if files.trust().exists() {
        for needed in [
            files.dispatch_key(),
            files.ca_key(),
            files.ca_certificate(),
            files.root_public(),
        ] {
            ensure!(
                needed.exists(),
                "{} is missing: restore it from a backup; a new one would be a stranger to every agent",
                needed.display()
            );
        }
        return Ok(false);
    }
    ensure!(
        !database.exists(),
        "{} is missing, but {} exists: restore the keys and trust.json from a backup, or name another data_dir",
        files.trust().display(),
        database.display()
    );
    let root = signing_key_or_new(&files.root_key())?;
    let root_public = VerifyKey::of(&root);
    write_file(
        &files.root_public(),
        format!("{root_public}\n").as_bytes(),
        0o644,
    )?;
    let dispatch = signing_key_or_new(&files.dispatch_key())?;
    let authority = authority_or_new(files, now)?;
    let document = TrustDocument {
        version: VERSION,
        serial: 1,
        issued_at: now,
        authorities: vec![Base64(authority)],
        keys: vec![TrustedKey {
            key: VerifyKey::of(&dispatch),
            role: KeyRole::Dispatch,
            not_before: now.plus_seconds(-BACKDATE_SECONDS),
            not_after: now.plus_seconds(DISPATCH_VALIDITY_DAYS * DAY_SECONDS),
        }],
    };
    write_trust(files, &document, &root)?;
    Ok(true)
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

/// Reads an Ed25519 key (PKCS #8, PEM) that only its owner may read.
pub fn read_signing_key(path: &Path) -> anyhow::Result<SigningKey> {
    let text = read_secret(path)?;
    SigningKey::from_pkcs8_pem(text.expose_secret()).map_err(|_| {
        anyhow::anyhow!(
            "{} is not an Ed25519 key in PKCS #8 PEM: restore it from a backup",
            path.display()
        )
    })
}

/// Reads a file that only its owner may read; a looser mode is refused.
pub fn read_secret(path: &Path) -> anyhow::Result<SecretString> {
    let file =
        fs::File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    refuse_loose(path, &file.metadata()?, 0o600)?;
    let text = std::io::read_to_string(file)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(SecretString::from(text))
}

/// Writes a file whole or not at all, on disk when this returns.
pub fn write_file(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let directory = path.parent().context("a file has a directory")?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = directory.join(name);
    let write = || -> std::io::Result<()> {
        // Left over from a start that was cut short.
        if let Err(error) = fs::remove_file(&new)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        fs::File::open(directory)?.sync_all()
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
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

fn signing_key_or_new(path: &Path) -> anyhow::Result<SigningKey> {
    if path.exists() {
        return read_signing_key(path);
    }
    let key = SigningKey::from_bytes(&random());
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|error| anyhow::anyhow!("the new key cannot be written as PKCS #8: {error}"))?;
    write_file(path, pem.as_bytes(), 0o600)?;
    Ok(key)
}

/// The CA's certificate (DER); makes key and certificate when absent.
fn authority_or_new(files: &Files, now: Micros) -> anyhow::Result<Vec<u8>> {
    let key = if files.ca_key().exists() {
        KeyPair::from_pem(read_secret(&files.ca_key())?.expose_secret())
            .with_context(|| format!("{} is not a key", files.ca_key().display()))?
    } else {
        let key = KeyPair::generate()?;
        let pem = SecretString::from(key.serialize_pem());
        write_file(&files.ca_key(), pem.expose_secret().as_bytes(), 0o600)?;
        key
    };
    if !files.ca_certificate().exists() {
        let until = now.plus_seconds(CA_VALIDITY_DAYS * DAY_SECONDS);
        let mut params = certificate_params("Storm Buckets CA", now, until)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        write_file(&files.ca_certificate(), certificate.pem().as_bytes(), 0o600)?;
    }
    let certificate = CertificateDer::from_pem_file(files.ca_certificate())
        .with_context(|| format!("{} is not a certificate", files.ca_certificate().display()))?;
    Ok(certificate.to_vec())
}

fn make_private_dir(path: &Path) -> anyhow::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(error).with_context(|| {
                format!(
                    "the directory {} cannot be made; make it or name another data_dir",
                    path.display()
                )
            });
        }
    }
    let metadata =
        fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
    ensure!(metadata.is_dir(), "{} is not a directory", path.display());
    refuse_loose(path, &metadata, 0o700)
}

fn refuse_loose(path: &Path, metadata: &fs::Metadata, want: u32) -> anyhow::Result<()> {
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "{} has mode {mode:04o}, so others on this machine may reach it: chmod {want:o} it",
            path.display()
        );
    }
    Ok(())
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt as _,
        path::PathBuf,
    };

    use tempfile::TempDir;

    use super::{Files, PublicTrust, make_missing, read_signing_key};
    use crate::clock::{Clock as _, SystemClock};

    fn start(dir: &TempDir) -> (Files, PathBuf, anyhow::Result<bool>) {
        let data = dir.path().join("data");
        let (files, database) = (Files::new(&data), data.join("storm.db"));
        let made = make_missing(&files, &database, SystemClock.now());
        (files, database, made)
    }

    fn words(result: anyhow::Result<bool>) -> String {
        format!("{:#}", result.unwrap_err())
    }

    #[test]
    fn the_second_start_finds_what_the_first_made() {
        let dir = tempfile::tempdir().unwrap();
        let (files, _, first) = start(&dir);
        assert!(first.unwrap());
        let trust = PublicTrust::load(&files).unwrap();
        assert_eq!(trust.document.serial, 1);
        assert!(!start(&dir).2.unwrap());
        assert_eq!(PublicTrust::load(&files).unwrap(), trust);
        for secret in [files.root_key(), files.dispatch_key(), files.ca_key()] {
            assert_eq!(
                fs::metadata(secret).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn a_first_start_cut_short_is_taken_up_with_the_same_keys() {
        let dir = tempfile::tempdir().unwrap();
        let (files, _, first) = start(&dir);
        first.unwrap();
        let root = fs::read(files.root_key()).unwrap();
        let order = [
            files.trust(),
            files.ca_certificate(),
            files.ca_key(),
            files.dispatch_key(),
            files.root_public(),
        ];
        for cut in 1..=order.len() {
            for lost in &order[..cut] {
                fs::remove_file(lost).unwrap();
            }
            fs::write(dir.path().join("data/trust.json.new"), "half").unwrap();
            assert!(start(&dir).2.unwrap());
            assert_eq!(fs::read(files.root_key()).unwrap(), root);
            PublicTrust::load(&files).unwrap();
        }
    }

    #[test]
    fn what_was_lost_is_named_and_never_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (files, database, first) = start(&dir);
        first.unwrap();
        fs::remove_file(files.dispatch_key()).unwrap();
        assert!(words(start(&dir).2).contains("dispatch.key is missing"));
        fs::write(&database, "").unwrap();
        fs::remove_file(files.trust()).unwrap();
        assert!(words(start(&dir).2).contains("trust.json is missing"));
        assert!(!files.dispatch_key().exists());
        // The root key may be kept elsewhere.
        let dir = tempfile::tempdir().unwrap();
        let (files, _, first) = start(&dir);
        first.unwrap();
        fs::remove_file(files.root_key()).unwrap();
        assert!(!start(&dir).2.unwrap());
    }

    #[test]
    fn loose_modes_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (files, _, first) = start(&dir);
        first.unwrap();
        fs::set_permissions(files.dispatch_key(), Permissions::from_mode(0o640)).unwrap();
        let error = format!("{:#}", read_signing_key(&files.dispatch_key()).unwrap_err());
        assert!(
            error.contains("mode 0640") && error.contains("chmod 600"),
            "{error}"
        );
        fs::set_permissions(dir.path().join("data"), Permissions::from_mode(0o755)).unwrap();
        assert!(words(start(&dir).2).contains("chmod 700"));
    }
}
