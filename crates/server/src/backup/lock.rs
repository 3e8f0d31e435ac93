//! Whom a backup is for: the owner of an age identity, or whoever has a passphrase.

use std::{io::Read, path::PathBuf};

use age::{DecryptError, Decryptor, Encryptor, scrypt, stream::StreamReader, x25519};
use anyhow::{bail, ensure};
use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};

use crate::keys::read_secret;

/// The fewest letters of a passphrase: whoever has the file may try for ever.
const MIN_PASSPHRASE_CHARS: usize = 16;

/// Whom a backup is encrypted to.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct To {
    /// Encrypt to this age recipient (`age1…`, as `age-keygen` prints it). Its identity is needed to
    /// restore, and is best kept elsewhere.
    #[arg(long, value_name = "RECIPIENT")]
    recipient: Option<String>,
    /// Encrypt with the passphrase in this file (mode 0600), 16 characters at least.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// What opens a backup.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct With {
    /// The age identity (`AGE-SECRET-KEY-1…`) in this file (mode 0600), as `age-keygen` writes it.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// The passphrase in this file (mode 0600).
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl To {
    pub(crate) fn encryptor(&self) -> anyhow::Result<Encryptor> {
        match (&self.recipient, &self.passphrase_file) {
            (Some(recipient), _) => {
                let recipient: x25519::Recipient = recipient.parse().map_err(|_| {
                    anyhow::anyhow!(
                        "--recipient is no age recipient: age1…, as `age-keygen` prints it"
                    )
                })?;
                let recipients = [&recipient as &dyn age::Recipient];
                Ok(Encryptor::with_recipients(recipients.into_iter())?)
            }
            (None, Some(file)) => {
                let passphrase = passphrase(file)?;
                ensure!(
                    passphrase.expose_secret().chars().count() >= MIN_PASSPHRASE_CHARS,
                    "the passphrase in {} is too short: whoever finds a backup may try for ever, so take \
                     {MIN_PASSPHRASE_CHARS} characters at least",
                    file.display()
                );
                Ok(Encryptor::with_user_passphrase(passphrase))
            }
            (None, None) => bail!("--recipient or --passphrase-file says whom it is for"),
        }
    }
}

/// What opens a backup, read once.
pub(crate) enum Key {
    Identity(Vec<x25519::Identity>),
    Passphrase(scrypt::Identity),
}

impl With {
    pub(crate) fn key(&self) -> anyhow::Result<Key> {
        match (&self.identity, &self.passphrase_file) {
            (Some(file), _) => {
                let text = read_secret(file)?;
                let lines = text.expose_secret().lines().map(str::trim);
                let identities: Result<Vec<x25519::Identity>, _> = lines
                    .filter(|line| !line.is_empty() && !line.starts_with('#'))
                    .map(str::parse)
                    .collect();
                match identities {
                    Ok(identities) if !identities.is_empty() => Ok(Key::Identity(identities)),
                    Ok(_) | Err(_) => bail!(
                        "{} holds no age identity: AGE-SECRET-KEY-1…, as `age-keygen` writes it",
                        file.display()
                    ),
                }
            }
            (None, Some(file)) => Ok(Key::Passphrase(scrypt::Identity::new(passphrase(file)?))),
            (None, None) => bail!("--identity or --passphrase-file opens it"),
        }
    }
}

impl Key {
    /// Opens what was encrypted to this.
    pub(crate) fn open<R: Read>(&self, input: R) -> anyhow::Result<StreamReader<R>> {
        let decryptor = Decryptor::new(input).map_err(said)?;
        match (self, decryptor.is_scrypt()) {
            (Self::Identity(_), true) => {
                bail!("it was encrypted with a passphrase: give that with --passphrase-file")
            }
            (Self::Passphrase(_), false) => {
                bail!("it was encrypted to a recipient: give the identity with --identity")
            }
            (Self::Identity(identities), false) => {
                let identities = identities.iter().map(|one| one as &dyn age::Identity);
                decryptor.decrypt(identities).map_err(said)
            }
            (Self::Passphrase(identity), true) => {
                let identity = identity as &dyn age::Identity;
                decryptor.decrypt(std::iter::once(identity)).map_err(said)
            }
        }
    }
}

/// Reads a passphrase: a line.
fn passphrase(file: &std::path::Path) -> anyhow::Result<SecretString> {
    let text = read_secret(file)?;
    let passphrase = text.expose_secret().trim_end_matches(['\r', '\n']);
    ensure!(!passphrase.is_empty(), "{} is empty", file.display());
    Ok(SecretString::from(passphrase))
}

fn said(error: DecryptError) -> anyhow::Error {
    match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            anyhow::anyhow!("the passphrase is wrong, or the file was changed")
        }
        DecryptError::NoMatchingKeys => {
            anyhow::anyhow!("the identity is another than the one that it was encrypted to")
        }
        DecryptError::ExcessiveWork { .. } => {
            anyhow::anyhow!(
                "its passphrase asks for more work than this machine does in a reasonable time"
            )
        }
        DecryptError::InvalidMac => anyhow::anyhow!("it was changed"),
        DecryptError::InvalidHeader | DecryptError::UnknownFormat => {
            anyhow::anyhow!("it is no backup, cut short, or was changed: it does not begin as one")
        }
        DecryptError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            anyhow::anyhow!("it is no backup, cut short, or was changed: it does not begin as one")
        }
        DecryptError::Io(error) => anyhow::Error::new(error).context("it cannot be read"),
        // The library may name more.
        other => anyhow::anyhow!("it cannot be opened: {other}"),
    }
}

/// What opens a backup in a test.
#[cfg(test)]
pub(crate) fn by_passphrase(file: &std::path::Path) -> (To, With) {
    let passphrase_file = Some(file.to_owned());
    let to = To {
        recipient: None,
        passphrase_file: passphrase_file.clone(),
    };
    let with = With {
        identity: None,
        passphrase_file,
    };
    (to, with)
}

/// The same for a recipient.
#[cfg(test)]
pub(crate) fn by_recipient(recipient: &str, identity: &std::path::Path) -> (To, With) {
    let to = To {
        recipient: Some(recipient.to_owned()),
        passphrase_file: None,
    };
    let with = With {
        identity: Some(identity.to_owned()),
        passphrase_file: None,
    };
    (to, with)
}
