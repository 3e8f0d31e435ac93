//! Files of the state directory: written whole or not at all, readable by their owner alone.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use anyhow::{Context as _, bail};

use crate::folder::{Folder, Owner, Writing};

/// Bits of a mode that let anyone but the owner in.
pub(crate) const LOOSE_MODE_BITS: u32 = 0o077;
/// Files being written begin like this until they are renamed.
pub(crate) const UNFINISHED_PREFIX: &str = ".unfinished-";

/// Writes `bytes` to `path` with mode 0600: a temporary file, synced, renamed, the folder synced.
/// After a crash either the old or the new content is there.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write(path, bytes, true, None)
}

/// Like [`write_private`], given to `owner` before it has its name.
pub(crate) fn write_private_for(owner: Owner, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write(path, bytes, true, Some(owner))
}

/// Like [`write_private`] without waiting for the disk: for what is written anew all the time.
pub(crate) fn write_volatile(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write(path, bytes, false, None)
}

fn write(path: &Path, bytes: &[u8], durable: bool, owner: Option<Owner>) -> anyhow::Result<()> {
    let written = match (
        path.parent(),
        path.file_name().and_then(|name| name.to_str()),
    ) {
        (Some(folder), Some(name)) => Folder::open(folder)
            .and_then(|folder| folder.write(name, bytes, Writing { durable, owner })),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    };
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Reads a file that only its owner may read. `None` when there is no such file.
///
/// Errors: others may read it, or it is larger than `max_bytes`.
pub(crate) fn read_private(path: &Path, max_bytes: usize) -> anyhow::Result<Option<Vec<u8>>> {
    match File::open(path) {
        Ok(file) => read_opened(file, path, max_bytes).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Reads an opened file as [`read_private`] does.
pub(crate) fn read_opened(file: File, path: &Path, max_bytes: usize) -> anyhow::Result<Vec<u8>> {
    let mode = file.metadata()?.mode();
    if mode & LOOSE_MODE_BITS != 0 {
        bail!(
            "{} can be read by others (mode {:04o}): make it 0600 with `chmod 600 {0}`",
            path.display(),
            mode & 0o7777,
        );
    }
    read_bounded(file, path, max_bytes)
}

/// Reads a file that anyone may read.
///
/// Errors: it cannot be read, or is larger than `max_bytes`.
pub(crate) fn read_public(path: &Path, max_bytes: usize) -> anyhow::Result<Vec<u8>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    read_bounded(file, path, max_bytes)
}

fn read_bounded(file: File, path: &Path, max_bytes: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(max_bytes as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() > max_bytes {
        bail!(
            "{} is larger than the {max_bytes} bytes that it may have",
            path.display()
        );
    }
    Ok(bytes)
}
