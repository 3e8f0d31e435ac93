//! An opened folder. What is done in it stays in it, whatever becomes of its path meanwhile, and no
//! link in it is followed: root may work here in the state of a service that is not to be trusted
//! with what root may do.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, fchown},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use rustix::{
    fs::{AtFlags, Mode, OFlags, mkdirat, openat, renameat, unlinkat},
    io::Errno,
};

use crate::{
    clock::random,
    files::{self, LOOSE_MODE_BITS, UNFINISHED_PREFIX},
};

/// Whose a file is: user and group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    /// The user's number.
    pub(crate) const fn user(self) -> u32 {
        self.user
    }

    /// Whether it is the user of this process.
    pub(crate) fn is_us(self) -> bool {
        self.user == rustix::process::geteuid().as_raw()
    }
}

/// How a file is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing {
    /// Whether it is on disk before the call comes back.
    pub(crate) durable: bool,
    /// Whom it is given to before it gets its name; nobody is this process's user.
    pub(crate) owner: Option<Owner>,
}

/// A folder, held by a descriptor.
#[derive(Debug)]
pub(crate) struct Folder {
    opened: File,
    path: PathBuf,
}

impl Folder {
    /// Opens the folder at `path`, which may be a link: it comes from the configuration.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self {
            opened: opened.into(),
            path: path.to_owned(),
        })
    }

    /// Opens the folder called `name` in this one, made for this one's owner when it is absent.
    ///
    /// Errors: it is a link or a file; others may enter it.
    pub(crate) fn inside(&self, name: &str) -> anyhow::Result<Self> {
        let path = self.path.join(name);
        let owner = self.owner()?;
        let open = || {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            openat(&self.opened, name, flags, Mode::empty()).map(File::from)
        };
        let named = || format!("{} is not a folder of the agent's", path.display());
        if matches!(open(), Err(Errno::NOENT)) {
            mkdirat(&self.opened, name, Mode::RWXU)
                .with_context(|| format!("cannot make {}", path.display()))?;
            let made = open().with_context(named)?;
            give(&made, owner).with_context(named)?;
        }
        let opened = open().with_context(named)?;
        let mode = opened.metadata()?.mode();
        if mode & LOOSE_MODE_BITS != 0 {
            bail!(
                "{} can be entered by others (mode {:04o}): make it 0700 with `chmod 700 {0}`",
                path.display(),
                mode & 0o7777
            );
        }
        Ok(Self { opened, path })
    }

    /// Whose the folder is.
    pub(crate) fn owner(&self) -> io::Result<Owner> {
        let found = self.opened.metadata()?;
        Ok(Owner {
            user: found.uid(),
            group: found.gid(),
        })
    }

    /// Writes `bytes` to the file called `name` with mode 0600: a file under another name, renamed.
    /// After a crash either the old or the new content is there.
    pub(crate) fn write(&self, name: &str, bytes: &[u8], writing: Writing) -> io::Result<()> {
        let suffix = hex::encode(random::<8>());
        let unfinished = format!("{UNFINISHED_PREFIX}{name}-{suffix}");
        let written = self.write_then_rename(&unfinished, name, bytes, writing);
        if written.is_err() {
            // The error at hand says more than a failure to tidy up would.
            let _ = self.remove(&unfinished);
        }
        written
    }

    fn write_then_rename(
        &self,
        from: &str,
        to: &str,
        bytes: &[u8],
        writing: Writing,
    ) -> io::Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.opened, from, flags, Mode::RUSR | Mode::WUSR)?);
        file.write_all(bytes)?;
        if let Some(owner) = writing.owner {
            // By the descriptor: whatever stands under the name by now, this is our own file.
            give(&file, owner)?;
        }
        if writing.durable {
            file.sync_all()?;
        }
        renameat(&self.opened, from, &self.opened, to)?;
        if writing.durable {
            self.opened.sync_all()?;
        }
        Ok(())
    }

    /// Reads a file that only its owner may read. `None` when there is no such file.
    ///
    /// Errors: it is a link or no file; others may read it; it is larger than `max_bytes`.
    pub(crate) fn read(&self, name: &str, max_bytes: usize) -> anyhow::Result<Option<Vec<u8>>> {
        let path = self.path.join(name);
        // A pipe must not hold up whoever looks.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match openat(&self.opened, name, flags, Mode::empty()) {
            Ok(opened) => {
                let file = File::from(opened);
                if !file.metadata()?.is_file() {
                    bail!("{} is not a file", path.display());
                }
                files::read_opened(file, &path, max_bytes).map(Some)
            }
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(io::Error::from(error))
                .with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.opened, name, AtFlags::empty())?)
    }
}

/// Whose the file or folder at `path` is.
pub(crate) fn owner_of(path: &Path) -> io::Result<Owner> {
    let found = fs::metadata(path)?;
    Ok(Owner {
        user: found.uid(),
        group: found.gid(),
    })
}

fn give(file: &File, owner: Owner) -> io::Result<()> {
    if owner.is_us() {
        return Ok(());
    }
    fchown(file, Some(owner.user), Some(owner.group))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    };

    use super::{Folder, Writing};

    /// A user that is not root; nobody need be called so.
    const SERVICE: u32 = 61_234;

    #[test]
    fn a_planted_link_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let (state, elsewhere) = (place.path().join("state"), place.path().join("elsewhere"));
        fs::create_dir(&state).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(elsewhere.join("secret"), "x").unwrap();
        let folder = Folder::open(&state).unwrap();
        symlink(&elsewhere, state.join("spool")).unwrap();
        symlink(elsewhere.join("secret"), state.join("answer")).unwrap();

        let error = folder.inside("spool").unwrap_err();
        assert!(error.to_string().contains("spool"), "{error}");
        let error = folder.read("answer", 10).unwrap_err();
        assert!(error.to_string().contains("answer"), "{error}");
        // The link itself is replaced, not what it leads to.
        let writing = Writing {
            durable: true,
            owner: None,
        };
        folder.write("answer", b"new", writing).unwrap();
        assert_eq!(folder.read("answer", 10).unwrap().unwrap(), b"new");
        assert_eq!(fs::read(elsewhere.join("secret")).unwrap(), b"x");
        assert_eq!(folder.read("absent", 10).unwrap(), None);
    }

    #[test]
    fn what_root_writes_belongs_to_the_folders_owner_and_nothing_else_changes_hands() {
        let place = tempfile::tempdir().unwrap();
        let state = place.path().join("state");
        fs::create_dir(&state).unwrap();
        fs::write(place.path().join("roots"), "x").unwrap();
        let root = rustix::process::geteuid().is_root();
        if root {
            chown(&state, Some(SERVICE), Some(SERVICE)).unwrap();
        }
        let service = fs::metadata(&state).unwrap().uid();
        symlink("../roots", state.join("file")).unwrap();
        let folder = Folder::open(&state).unwrap();
        let spool = folder.inside("spool").unwrap();
        let owner = folder.owner().unwrap();
        assert_eq!(owner.is_us(), !root);
        let writing = Writing {
            durable: false,
            owner: Some(owner),
        };
        spool.write("file", b"1", writing).unwrap();
        folder.write("file", b"2", writing).unwrap();
        for name in ["spool", "spool/file", "file"] {
            assert_eq!(
                fs::symlink_metadata(state.join(name)).unwrap().uid(),
                service
            );
        }
        let roots = fs::metadata(place.path().join("roots")).unwrap();
        assert_eq!(roots.uid(), rustix::process::geteuid().as_raw());
    }
}
