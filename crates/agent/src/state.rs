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
};

/// Times that the lock is tried.
const LOCK_TRIES: u32 = 20;
/// Milliseconds between two tries.
const LOCK_PAUSE_MILLISECONDS: u64 = 50;
const LOCK_FILE: &str = "lock";

/// The agent's state directory.
#[derive(Debug, Clone)]
pub(crate) struct StateDir(PathBuf);

/// Held by the process that is the agent; free again when that process ends, however it ends.
#[derive(Debug)]
pub(crate) struct AgentLock(#[expect(dead_code, reason = "held, never read")] File);

impl StateDir {
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
        if owner.0 == rustix::process::geteuid().as_raw() {
            return Ok(());
        }
        stop(
            Code::Usage,
            format!(
                "{} belongs to user {}: run this as that user, for example with \
                 `sudo -u '#{1}' storm-pulse …`",
                self.0.display(),
                owner.0
            ),
        )
    }

    /// Gives `path` to the directory's owner, where that is another user and we may.
    pub(crate) fn hand_over(&self, path: &Path) -> anyhow::Result<()> {
        let (user, group) = self.owner()?;
        if user != rustix::process::geteuid().as_raw() {
            std::os::unix::fs::chown(path, Some(user), Some(group))
                .with_context(|| format!("cannot give {} to user {user}", path.display()))?;
        }
        Ok(())
    }

    /// Takes the lock of the agent; `None` when a running agent holds it.
    pub(crate) fn try_lock(&self) -> anyhow::Result<Option<AgentLock>> {
        let path = self.file(LOCK_FILE);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
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
        let file = match File::open(self.file(LOCK_FILE)) {
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

    /// The folder of offline commands, made when it is not there.
    pub(crate) fn spool(&self) -> anyhow::Result<PathBuf> {
        let path = self.0.join("spool");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        let mode = fs::metadata(&path)?.mode();
        if mode & LOOSE_MODE_BITS != 0 {
            bail!(
                "{} can be entered by others (mode {:04o}): make it 0700 with `chmod 700 {0}`",
                path.display(),
                mode & 0o7777
            );
        }
        Ok(path)
    }

    fn owner(&self) -> anyhow::Result<(u32, u32)> {
        let found =
            fs::metadata(&self.0).with_context(|| format!("cannot read {}", self.0.display()))?;
        Ok((found.uid(), found.gid()))
    }
}
