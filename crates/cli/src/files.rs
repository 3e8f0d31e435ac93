//! Files that only their owner reads: written whole or not at all, refused when others can read them.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use zeroize::Zeroizing;

use crate::{
    clock,
    errors::{Exit, fault},
};

/// The largest file that is read whole, in bytes.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;
const OWNER_ONLY: u32 = 0o600;
const OWNER_ONLY_DIR: u32 = 0o700;

/// Writes `bytes` to `path` with mode 0600: into a file beside it, synced, then renamed over it. A
/// symbolic link stays, what it points to is replaced.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = parent(&target);
    let temporary = beside(&target)?;
    let written = write_new(&temporary, bytes)
        .and_then(|()| std::fs::rename(&temporary, &target))
        .and_then(|()| File::open(&directory)?.sync_all());
    written.map_err(|error| {
        // Nothing may stay half-made; it is fine when there is nothing to remove.
        let _ = std::fs::remove_file(&temporary);
        cannot("write", path, &error)
    })
}

/// Makes `path` with mode 0600; refuses when there is a file already.
pub(crate) fn create_private(path: &Path, bytes: &[u8]) -> Result<()> {
    write_new(path, bytes).map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            let text = format!(
                "{} exists already and was left as it is. Choose another name.",
                path.display()
            );
            return fault(Exit::Conflict, "file_exists", text);
        }
        let _ = std::fs::remove_file(path);
        cannot("write", path, &error)
    })
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Reads a secret file. A regular file that others can read is refused; `-` is standard input.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    if path == Path::new("-") {
        std::io::stdin()
            .take(MAX_FILE_BYTES)
            .read_to_end(&mut bytes)
            .context("Standard input cannot be read.")?;
        return Ok(bytes);
    }
    let file = File::open(path).map_err(|error| cannot("read", path, &error))?;
    let metadata = file
        .metadata()
        .map_err(|error| cannot("read", path, &error))?;
    let mode = metadata.permissions().mode() & 0o777;
    if metadata.is_file() && mode & 0o077 != 0 {
        let text = format!(
            "{0} can be read by others (mode {mode:04o}) and holds a secret. Run: chmod 600 {0}",
            path.display()
        );
        return Err(fault(Exit::Failed, "loose_mode", text));
    }
    read_limited(file, path, &mut bytes)?;
    Ok(bytes)
}

/// Reads a file that is no secret, or is another tool's; `None` when there is none.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match File::open(path) {
        Ok(file) => {
            let mut bytes = Zeroizing::new(Vec::new());
            read_limited(file, path, &mut bytes)?;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot("read", path, &error)),
    }
}

/// Reads a file that has to be there.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    read_if_there(path)?.ok_or_else(|| {
        let text = format!("There is no file {}.", path.display());
        fault(Exit::NotFound, "no_such_file", text)
    })
}

fn read_limited(file: File, path: &Path, bytes: &mut Vec<u8>) -> Result<()> {
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(bytes)
        .map_err(|error| cannot("read", path, &error))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let text = format!("{} is too large to be what it should be.", path.display());
        return Err(fault(Exit::Failed, "file_too_large", text));
    }
    Ok(())
}

/// Makes a directory, and those above it, with mode 0700; one that is there stays as it is.
pub(crate) fn create_private_dir(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ONLY_DIR)
        .create(path)
        .map_err(|error| cannot("make", path, &error))
}

/// The directory that `path` stands in.
pub(crate) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Fails when a file could not be made at `path`, before anything that cannot be taken back: makes
/// one beside it, as [`write_private`] will, and removes it.
pub(crate) fn check_can_write(path: &Path) -> Result<()> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if target.is_dir() || target.file_name().is_none() {
        let text = format!("{} is a directory; name a file in it.", path.display());
        return Err(fault(Exit::Usage, "usage", text));
    }
    let probe = beside(&target)?;
    let made = write_new(&probe, b"probe");
    // It is fine when there is nothing to remove.
    let _ = std::fs::remove_file(&probe);
    made.map_err(|error| {
        let text = format!(
            "Cannot write {}: {error}. Name a file in a directory that you can write to.",
            path.display()
        );
        fault(Exit::Failed, "file", text)
    })
}

/// A new name in the directory of `target`, for what is renamed over it later.
fn beside(target: &Path) -> Result<PathBuf> {
    let suffix = hex::encode(clock::random::<8>()?);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    Ok(parent(target).join(format!(".{name}.{suffix}")))
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> anyhow::Error {
    let text = format!("Cannot {verb} {}: {error}.", path.display());
    fault(Exit::Failed, "file", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_private_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "old and readable").unwrap();
        assert!(read_private(&path).is_err());
        write_private(&path, b"new").unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, OWNER_ONLY);
        assert_eq!(read_private(&path).unwrap().as_slice(), b"new");
        assert!(create_private(&path, b"third").is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        std::fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_private(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&real).unwrap(), b"new");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_found_before() {
        let dir = tempfile::tempdir().unwrap();
        assert!(check_can_write(&dir.path().join("no/such/file")).is_err());
        assert!(check_can_write(dir.path()).is_err());
        assert!(check_can_write(&dir.path().join("file")).is_ok());
        // Root may write everywhere, but not even root makes files there.
        let error = check_can_write(Path::new("/proc/storm.conf"))
            .err()
            .unwrap();
        assert!(error.to_string().contains("/proc/storm.conf"), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
