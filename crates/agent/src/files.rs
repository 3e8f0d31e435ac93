//! Files of the state directory: written whole or not at all, readable by their owner alone.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::clock::random;

/// Bits of a mode that let anyone but the owner in.
pub(crate) const LOOSE_MODE_BITS: u32 = 0o077;
/// Files being written begin like this until they are renamed.
pub(crate) const UNFINISHED_PREFIX: &str = ".unfinished-";

/// Writes `bytes` to `path` with mode 0600: a temporary file, synced, renamed, the folder synced.
/// After a crash either the old or the new content is there.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    replace(path, bytes, true).with_context(|| format!("cannot write {}", path.display()))
}

/// Like [`write_private`] without waiting for the disk: for what is written anew all the time.
pub(crate) fn write_volatile(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    replace(path, bytes, false).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads a file that only its owner may read. `None` when there is no such file.
///
/// Errors: others may read it, or it is larger than `max_bytes`.
pub(crate) fn read_private(path: &Path, max_bytes: usize) -> anyhow::Result<Option<Vec<u8>>> {
    match File::open(path) {
        Ok(file) => {
            let mode = file.metadata()?.mode();
            if mode & LOOSE_MODE_BITS != 0 {
                bail!(
                    "{} can be read by others (mode {:04o}): make it 0600 with `chmod 600 {0}`",
                    path.display(),
                    mode & 0o7777,
                );
            }
            read_bounded(file, path, max_bytes).map(Some)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
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

fn replace(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let unfinished = unfinished_name(path)?;
    let result = write_then_rename(&unfinished, path, bytes, durable);
    if result.is_err() {
        // The error at hand says more than a failure to tidy up would.
        let _ = fs::remove_file(&unfinished);
    }
    result
}

fn unfinished_name(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let suffix = hex::encode(random::<8>());
    let name = format!("{UNFINISHED_PREFIX}{}-{suffix}", name.to_string_lossy());
    Ok(path.with_file_name(name))
}

fn write_then_rename(from: &Path, to: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(from)?;
    file.write_all(bytes)?;
    if durable {
        file.sync_all()?;
    }
    fs::rename(from, to)?;
    if durable && let Some(folder) = to.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
