//! What the first start makes.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use ed25519_dalek::SigningKey;
use rcgen::{BasicConstraints, IsCa, KeyPair, KeyUsagePurpose};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretString};
use storm_protocol::{
    encoding::Base64,
    envelope::{VERSION, VerifyKey},
    ident::Micros,
    trust::TrustDocument,
};

use super::{
    DAY_SECONDS, Files, certificate_params,
    disk::{make_private_dir, read_secret, read_signing_key, write_file, write_signing_key},
    trusted_dispatch, write_trust,
};
use crate::{clock::random, store::Place};

/// Days that the CA certificate is valid.
const CA_VALIDITY_DAYS: i64 = 20 * 365;

/// Makes whatever the data directory does not have yet. Each file appears whole or not at all and
/// the trust document comes last, so that a start cut short is taken up by the next one. `true`:
/// this was the first start.
pub fn make_missing(files: &Files, known: Option<&Place>, now: Micros) -> anyhow::Result<bool> {
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
    if let Some(database) = known {
        bail!(
            "{} is missing, but {database} exists: restore the keys and trust.json from a backup, copy the \
             data_dir of the signer that serves, or name another data_dir",
            files.trust().display()
        );
    }
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
        keys: vec![trusted_dispatch(VerifyKey::of(&dispatch), now)],
    };
    write_trust(files, &document, &root)?;
    Ok(true)
}

fn signing_key_or_new(path: &Path) -> anyhow::Result<SigningKey> {
    if path.exists() {
        return read_signing_key(path);
    }
    let key = SigningKey::from_bytes(&random());
    write_signing_key(path, &key)?;
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

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt as _,
        path::PathBuf,
    };

    use tempfile::TempDir;

    use super::make_missing;
    use crate::{
        clock::{Clock as _, SystemClock},
        keys::{Files, PublicTrust, read_signing_key},
        store::Place,
    };

    fn start(dir: &TempDir) -> (Files, PathBuf, anyhow::Result<bool>) {
        let data = dir.path().join("data");
        let (files, database) = (Files::new(&data), data.join("storm.db"));
        let known = database.exists().then(|| Place::from(database.as_path()));
        let made = make_missing(&files, known.as_ref(), SystemClock.now());
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
