//! The data directory: what lies where in it, the lock that one `storm up` holds on it, and what is
//! remembered from one start to the next.

use std::{
    env,
    fs::{self, File},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use rustix::fs::{FlockOperation, flock, statvfs};
use serde::{Deserialize, Serialize};

use super::{child::Part, ports::Ports};
use crate::{clock, files, output};

/// The least free disk to start on: below it Garage's and our own databases fail at their first write.
const MIN_FREE_MEGABYTES: u64 = 64;
/// The mode of files that hold something private.
pub(super) const OWNER_ONLY: u32 = 0o600;
/// The mode of directories that do.
const OWNER_ONLY_DIR: u32 = 0o700;
/// Marks a directory as one of `storm up`.
const MEMORY_FILE: &str = "up.toml";
const LOCK_FILE: &str = "lock";
/// The longest path of a unix socket that we use, in bytes; Linux takes 107.
const MAX_SOCKET_PATH_BYTES: usize = 100;

/// The data directory, locked until this is dropped.
pub(super) struct Data {
    root: PathBuf,
    is_new: bool,
    _lock: File,
}

/// What is kept from start to start.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {
    /// Whether the first start came to its end: the operator has seen the password.
    #[serde(default)]
    pub(super) complete: bool,
    /// The operator's e-mail address.
    pub(super) admin_email: Option<String>,
    /// Where Garage's admin socket is when its path below the data directory would be too long.
    pub(super) socket_dir: Option<PathBuf>,
    /// The ports.
    pub(super) ports: Option<Ports>,
}

impl Data {
    /// Makes the directory if need be, closes it to others and locks it.
    ///
    /// # Errors
    /// When it holds what no `storm up` has put there; it is left as it was.
    pub(super) fn open(asked: Option<&Path>) -> anyhow::Result<Self> {
        let root = match asked {
            Some(path) => path.to_owned(),
            None => default_root()?,
        };
        let is_new = !root.exists();
        ensure!(
            is_new || root.is_dir(),
            "{} is not a directory. Name another one with --data.",
            root.display()
        );
        refuse_foreign(&root)?;
        files::create_private_dir(&root).context("Name another directory with --data")?;
        fs::set_permissions(&root, fs::Permissions::from_mode(OWNER_ONLY_DIR)).with_context(
            || {
                format!(
                    "{} cannot be closed to others. Name another directory with --data",
                    root.display()
                )
            },
        )?;
        let root = root
            .canonicalize()
            .with_context(|| format!("{} cannot be read", root.display()))?;
        ensure!(
            root.to_str()
                .is_some_and(|text| !text.contains(char::is_control)),
            "The path {} cannot stand in a configuration file. Name another directory with --data.",
            root.display()
        );
        let lock = lock(&root)?;
        Ok(Self {
            root,
            is_new,
            _lock: lock,
        })
    }

    /// Makes the directories in it that the parts do not make themselves.
    pub(super) fn make_directories(&self) -> anyhow::Result<()> {
        [self.logs(), self.garage(), self.pulse()]
            .iter()
            .try_for_each(|path| files::create_private_dir(path))
    }

    /// Takes back what [`Data::open`] made, after a start that made nothing else.
    pub(super) fn abandon(self) {
        if self.is_new {
            let _ = fs::remove_file(self.root.join(LOCK_FILE));
            // It goes only when it is empty.
            let _ = fs::remove_dir(&self.root);
        }
    }

    /// The directory.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Garage's configuration, secret, metadata and objects.
    pub(super) fn garage(&self) -> PathBuf {
        self.root.join("garage")
    }

    /// The control plane's keys and database. It makes this directory itself.
    pub(super) fn server(&self) -> PathBuf {
        self.root.join("server")
    }

    /// The control plane's configuration.
    pub(super) fn server_config(&self) -> PathBuf {
        self.root.join("server.toml")
    }

    /// The agent's configuration and state.
    pub(super) fn pulse(&self) -> PathBuf {
        self.root.join("pulse")
    }

    /// The configuration that we write for `storm`.
    pub(super) fn cli_config(&self) -> PathBuf {
        self.root.join("cli.toml")
    }

    /// The generated password, until it has been shown.
    pub(super) fn first_password(&self) -> PathBuf {
        self.root.join("first-password")
    }

    /// Which processes we started.
    pub(super) fn pids(&self) -> PathBuf {
        self.root.join("pids.json")
    }

    /// What the three processes print.
    pub(super) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// What one process prints.
    pub(super) fn log(&self, part: Part) -> PathBuf {
        self.logs().join(part.log_name())
    }

    /// What was kept from the last start.
    pub(super) fn memory(&self) -> anyhow::Result<Memory> {
        let path = self.memory_path();
        let bytes = files::read_if_there(&path)?.unwrap_or_default();
        toml::from_slice(&bytes)
            .with_context(|| format!("{} is damaged. Put it back from a backup", path.display()))
    }

    /// Keeps `memory` for the next start.
    pub(super) fn remember(&self, memory: &Memory) -> anyhow::Result<()> {
        files::write_private(&self.memory_path(), toml::to_string(memory)?.as_bytes())
    }

    /// Where Garage's admin socket is: below the data directory, or in a short directory of its own
    /// that `memory` then names.
    pub(super) fn admin_socket(&self, memory: &mut Memory) -> anyhow::Result<PathBuf> {
        let near = self.garage().join("admin.sock");
        if near.as_os_str().len() <= MAX_SOCKET_PATH_BYTES {
            return Ok(near);
        }
        let directory = match memory
            .socket_dir
            .take()
            .filter(|path| make_own_dir(path).is_ok())
        {
            Some(directory) => directory,
            None => self.new_socket_dir()?,
        };
        memory.socket_dir = Some(directory.clone());
        Ok(directory.join("admin.sock"))
    }

    fn memory_path(&self) -> PathBuf {
        self.root.join(MEMORY_FILE)
    }

    fn new_socket_dir(&self) -> anyhow::Result<PathBuf> {
        let runtime = env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|path| path.is_dir());
        let above = runtime.unwrap_or_else(|| PathBuf::from("/tmp"));
        let directory = above.join(format!("storm-up-{}", hex::encode(clock::random::<8>()?)));
        make_own_dir(&directory).with_context(|| {
            format!(
                "{} cannot be made for Garage's admin socket",
                directory.display()
            )
        })?;
        ensure!(
            directory.as_os_str().len() + "/admin.sock".len() <= MAX_SOCKET_PATH_BYTES,
            "The path {} is too long for a unix socket. Name a shorter directory with --data.",
            directory.display()
        );
        Ok(directory)
    }

    /// Refuses a disk with no room to work in.
    pub(super) fn refuse_full_disk(&self) -> anyhow::Result<()> {
        let disk = statvfs(&self.root)
            .with_context(|| format!("{} cannot be read", self.root.display()))?;
        let megabytes = disk.f_bavail.saturating_mul(disk.f_frsize) / 1_000_000;
        ensure!(
            megabytes >= MIN_FREE_MEGABYTES,
            "The disk of {} is full: {megabytes} MB are free, {MIN_FREE_MEGABYTES} MB are needed to \
             start. Free some, or name a directory on another disk with --data.",
            self.root.display()
        );
        Ok(())
    }
}

fn default_root() -> anyhow::Result<PathBuf> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let above = absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    let above = above
        .context("There is no home directory to put the data in. Name a directory with --data.")?;
    Ok(above.join("storm-buckets"))
}

/// Refuses a directory that holds something and was never ours: what is in it would be mixed with
/// ours, and closed to others.
fn refuse_foreign(root: &Path) -> anyhow::Result<()> {
    if !root.exists() || root.join(MEMORY_FILE).exists() {
        return Ok(());
    }
    let entries = fs::read_dir(root).with_context(|| {
        format!(
            "{} cannot be read. Name another directory with --data",
            root.display()
        )
    })?;
    for entry in entries {
        let name = entry?.file_name();
        // All that a start leaves that was cut short before it wrote its memory.
        let ours = name == LOCK_FILE
            || name
                .to_str()
                .is_some_and(|name| name.starts_with(&format!(".{MEMORY_FILE}.")));
        ensure!(
            ours,
            "{} holds files that are not from `storm up`, such as {}. Name an empty directory, or \
             one that does not exist yet, with --data.",
            root.display(),
            output::clean(&name.to_string_lossy())
        );
    }
    Ok(())
}

fn lock(root: &Path) -> anyhow::Result<File> {
    let path = root.join(LOCK_FILE);
    let open = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(OWNER_ONLY)
        .open(&path);
    let mut file = open.with_context(|| {
        format!(
            "The directory {} cannot be written to. Name another one with --data",
            root.display()
        )
    })?;
    if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
        ensure!(
            error == rustix::io::Errno::WOULDBLOCK,
            "{} cannot be locked: {error}.",
            path.display()
        );
        let mut holder = String::new();
        let _ = file.read_to_string(&mut holder);
        bail!(
            "Another `storm up` (process {}) already runs on {}. Use that one, stop it with Ctrl-C, \
             or name another directory with --data.",
            holder.trim(),
            root.display()
        );
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(file)
}

/// Makes a directory for this user alone, or finds it so.
fn make_own_dir(path: &Path) -> anyhow::Result<()> {
    files::create_private_dir(path)?;
    let metadata = fs::symlink_metadata(path)?;
    let mine = metadata.uid() == rustix::process::geteuid().as_raw();
    ensure!(
        metadata.is_dir() && mine && metadata.permissions().mode() & 0o077 == 0,
        "{} belongs to somebody else or is open to others.",
        path.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_somebody_else_is_left_as_it_was() {
        let above = tempfile::tempdir().unwrap();
        let root = above.path().join("data");
        fs::create_dir(&root).unwrap();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        let mode = || root.metadata().unwrap().permissions().mode() & 0o777;
        fs::write(root.join("thesis.txt"), "mine").unwrap();
        let error = Data::open(Some(&root)).err().unwrap().to_string();
        assert!(
            error.contains("thesis.txt") && error.contains("--data"),
            "{error}"
        );
        assert_eq!(mode(), 0o755);
        assert_eq!(fs::read_dir(&root).unwrap().count(), 1);

        fs::remove_file(root.join("thesis.txt")).unwrap();
        let data = Data::open(Some(&root)).unwrap();
        assert_eq!(mode(), 0o700);
        drop(data);
        // Only the lock is there, as after a start that was cut short.
        let data = Data::open(Some(&root)).unwrap();
        data.remember(&Memory::default()).unwrap();
        drop(data);
        fs::write(root.join("later"), "in ours").unwrap();
        assert!(Data::open(Some(&root)).is_ok());
    }
}
