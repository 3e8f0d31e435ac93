//! Secrets that have to be read again, sealed for the database: a stolen database alone gives none of them
//! away. The key is a file of its own beside the others, made when it is first needed.

use std::{path::PathBuf, sync::OnceLock};

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use anyhow::{Context as _, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretSlice};
use zeroize::Zeroizing;

use crate::{
    clock::random,
    keys::{make_private_dir, read_secret, write_file},
};

/// Bytes of the key.
const KEY_BYTES: usize = 32;
/// Bytes of the nonce that stands before what is sealed.
const NONCE_BYTES: usize = 12;

/// Seals and opens.
pub(crate) struct Sealer {
    path: PathBuf,
    cipher: OnceLock<Aes256Gcm>,
}

impl Sealer {
    /// With the key in the file `path`, which is looked at when something is first sealed or opened.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            cipher: OnceLock::new(),
        }
    }

    /// Makes the key now, where there is none.
    pub(crate) fn make_key(&self) -> anyhow::Result<()> {
        self.cipher().map(drop)
    }

    /// Seals `secret` for `owner`, who is needed to open it: no row helps in another one's place.
    pub(crate) fn seal(&self, secret: &[u8], owner: &str) -> anyhow::Result<String> {
        let nonce = random::<NONCE_BYTES>();
        let payload = Payload {
            msg: secret,
            aad: owner.as_bytes(),
        };
        let sealed = self.cipher()?.encrypt(&nonce.into(), payload);
        let sealed = sealed.map_err(|_| anyhow::anyhow!("a secret cannot be sealed"))?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what [`seal`](Self::seal) made for `owner`.
    pub(crate) fn open(&self, sealed: &str, owner: &str) -> anyhow::Result<SecretSlice<u8>> {
        let bytes = STANDARD.decode(sealed)?;
        let parts = bytes.split_first_chunk::<NONCE_BYTES>();
        let (nonce, msg) = parts.context("a sealed secret is too short")?;
        let payload = Payload {
            msg,
            aad: owner.as_bytes(),
        };
        let opened = self.cipher()?.decrypt(&(*nonce).into(), payload);
        let opened = opened.map_err(|_| {
            anyhow::anyhow!(
                "a sealed secret does not open with {}: restore that file from a backup, or let the person \
                 begin anew (`storm-buckets user reset-second-factor`)",
                self.path.display()
            )
        })?;
        Ok(opened.into())
    }

    fn cipher(&self) -> anyhow::Result<&Aes256Gcm> {
        if let Some(cipher) = self.cipher.get() {
            return Ok(cipher);
        }
        let key = Zeroizing::new(self.key()?);
        let cipher = Aes256Gcm::new_from_slice(key.as_slice())
            .map_err(|_| anyhow::anyhow!("{} is no key", self.path.display()))?;
        Ok(self.cipher.get_or_init(|| cipher))
    }

    /// The key in the file; a new one where there is none.
    fn key(&self) -> anyhow::Result<Vec<u8>> {
        if !self.path.exists() {
            let new = Zeroizing::new(random::<KEY_BYTES>());
            let text = Zeroizing::new(format!("{}\n", STANDARD.encode(new.as_slice())));
            make_private_dir(self.path.parent().context("a file has a directory")?)?;
            write_file(&self.path, text.as_bytes(), 0o600)?;
        }
        let text = read_secret(&self.path)?;
        let key = STANDARD
            .decode(text.expose_secret().trim())
            .unwrap_or_default();
        ensure!(
            key.len() == KEY_BYTES,
            "{} is not {KEY_BYTES} bytes in base64: restore it from a backup",
            self.path.display()
        );
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use secrecy::ExposeSecret as _;

    use super::Sealer;

    #[test]
    fn opens_for_its_owner_alone_and_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/second-factor.key");
        let sealed = Sealer::new(path.clone()).seal(b"a secret", "ann").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = Sealer::new(path.clone());
        let opened = again.open(&sealed, "ann").unwrap();
        assert_eq!(opened.expose_secret(), b"a secret");
        assert!(again.open(&sealed, "bob").is_err());
        assert_ne!(again.seal(b"a secret", "ann").unwrap(), sealed);
        for broken in ["", "AAAA", &sealed[4..], "not base64"] {
            assert!(again.open(broken, "ann").is_err());
        }
        fs::remove_file(&path).unwrap();
        assert!(Sealer::new(path.clone()).open(&sealed, "ann").is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Sealer::new(path).open(&sealed, "ann").is_err());
    }
}
