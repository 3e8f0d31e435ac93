//! The state directory: where each file lies, who may use it, and the lock of the one process that
//! is the agent.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};

use crate::{
    exit::{Code, OrStop as _, Stop, stop},
    files::LOOSE_MODE_BITS,
    folder::{self, Folder, Owner},
};

/// Times that the lock is tried.
const LOCK_TRIES: u32 = 20;
/// Milliseconds between two tries.
const LOCK_PAUSE_MILLISECONDS: u64 = 50;
const LOCK_FILE: &str = "lock";
const SPOOL: &str = "spool";
/// Root looks at the lock too, in a directory where the service's user may put links.
const NO_LINK: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// The agent's state directory.
#[derive(Debug, Clone)]
pub(crate) struct StateDir(PathBuf);

/// Held by the process that is the agent; free again when that process ends, however it ends.
#[derive(Debug)]
pub(crate) struct AgentLock(#[expect(dead_code, reason = "held, never read")] File);

impl StateDir {
    /// Bytes that its disk has left for us.
    pub(crate) fn room_bytes(&self) -> anyhow::Result<u64> {
        let disk = rustix::fs::statvfs(&self.0)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Opens an existing directory.
    ///
    /// Errors: there is none; others may enter it.
    pub(crate) fn open(path: &Path) -> Result<Self, Stop> {
        match fs::metadata(path) {
            Ok(found) if !found.is_dir() => stop(
                Code::Usage,
                format!("state_dir {} is not a directory", path.display()),
            ),
            Ok(found) if found.mode() & LOOSE_MODE_BITS != 0 => stop(
                Code::Usage,
                format!(
                    "state_dir {} can be entered by others (mode {:04o}): make it 0700 with \
                     `chmod 700 {0}`",
                    path.display(),
                    found.mode() & 0o7777,
                ),
            ),
            Ok(_) => Ok(Self(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => stop(
                Code::NotEnrolled,
                format!(
                    "there is no state directory {}: this agent is not enrolled; run \
                     `storm-pulse enroll URL TOKEN`",
                    path.display()
                ),
            ),
            Err(error) => Err(anyhow!(error))
                .with_context(|| format!("cannot open state_dir {}", path.display()))
                .or_stop(Code::Usage),
        }
    }

    /// Makes the directory unless it is there, then opens it.
    pub(crate) fn create(path: &Path) -> Result<Self, Stop> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.with_context(|| format!("cannot make state_dir {}", path.display()))
            .or_stop(Code::Usage)?;
        Self::open(path)
    }

    /// Refuses whoever does not own the directory: files made by another user would lock the agent
    /// out of its own state.
    pub(crate) fn must_be_ours(&self) -> Result<(), Stop> {
        let owner = self.owner().or_stop(Code::Usage)?;
        if owner.is_us() {
            return Ok(());
        }
        stop(
            Code::Usage,
            format!(
                "{} belongs to user {}: run this as that user, for example with \
                 `sudo -u '#{1}' storm-pulse …`",
                self.0.display(),
                owner.user()
            ),
        )
    }

    /// Whose the directory is: files for the agent are given to that user.
    pub(crate) fn owner(&self) -> anyhow::Result<Owner> {
        folder::owner_of(&self.0).with_context(|| format!("cannot read {}", self.0.display()))
    }

    /// Takes the lock of the agent; `None` when a running agent holds it.
    pub(crate) fn try_lock(&self) -> anyhow::Result<Option<AgentLock>> {
        let path = self.file(LOCK_FILE);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(NO_LINK)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(AgentLock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// Whether an agent runs. Takes nothing and makes nothing.
    pub(crate) fn is_locked(&self) -> io::Result<bool> {
        let mut options = OpenOptions::new();
        let opened = options.read(true).custom_flags(NO_LINK);
        let file = match opened.open(self.file(LOCK_FILE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Takes the lock, or says that an agent runs.
    pub(crate) fn lock(&self) -> anyhow::Result<AgentLock> {
        // `status` and `exec` look at the lock for a moment.
        for _ in 0..LOCK_TRIES {
            if let Some(lock) = self.try_lock()? {
                return Ok(lock);
            }
            std::thread::sleep(Duration::from_millis(LOCK_PAUSE_MILLISECONDS));
        }
        bail!(
            "an agent is running on {}: stop it first (`systemctl stop storm-pulse`)",
            self.0.display()
        )
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A file in the directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The folder of offline commands, made for the directory's owner when it is not there.
    pub(crate) fn spool(&self) -> anyhow::Result<Folder> {
        let state = Folder::open(&self.0);
        let state = state.with_context(|| format!("cannot open {}", self.0.display()))?;
        state.inside(SPOOL)
    }

    /// Where the folder of offline commands is.
    pub(crate) fn spool_path(&self) -> PathBuf {
        self.file(SPOOL)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::{LOCK_FILE, StateDir};

    #[test]
    fn a_lock_that_is_a_link_is_not_made_where_it_leads() {
        let place = tempfile::tempdir().unwrap();
        let state = StateDir::create(&place.path().join("state")).unwrap();
        let elsewhere = place.path().join("elsewhere");
        symlink(&elsewhere, state.file(LOCK_FILE)).unwrap();
        assert!(state.try_lock().is_err() && state.is_locked().is_err());
        assert!(!elsewhere.exists());
        fs::remove_file(state.file(LOCK_FILE)).unwrap();
        assert!(!state.is_locked().unwrap());
        assert!(state.try_lock().unwrap().is_some());
    }
}
