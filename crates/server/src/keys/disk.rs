//! How keys and their like are read and written: private, and whole or not at all.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use anyhow::{Context as _, bail, ensure};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, spki::der::pem::LineEnding},
};
use secrecy::{ExposeSecret as _, SecretString};

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
    let metadata = file
        .metadata()
        .with_context(|| format!("{} cannot be read", path.display()))?;
    refuse_loose(path, &metadata, 0o600)?;
    let text = std::io::read_to_string(file)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(SecretString::from(text))
}

/// Writes an Ed25519 key (PKCS #8, PEM) that only its owner may read, whole or not at all.
pub fn write_signing_key(path: &Path, key: &SigningKey) -> anyhow::Result<()> {
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|error| anyhow::anyhow!("the new key cannot be written as PKCS #8: {error}"))?;
    write_file(path, pem.as_bytes(), 0o600)
}

/// Writes a file whole or not at all, on disk when this returns.
pub(crate) fn write_file(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
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

/// Makes a directory that only its owner may enter, unless it is there.
pub(crate) fn make_private_dir(path: &Path) -> anyhow::Result<()> {
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

/// Reads a text file.
pub(super) fn read_text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}
