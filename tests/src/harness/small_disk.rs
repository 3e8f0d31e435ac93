//! A disk that is soon full.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::tools::succeed;

/// A file system in memory that a few pages fill; gone when the value goes.
pub struct SmallDisk {
    place: PathBuf,
    bytes: usize,
}

impl SmallDisk {
    /// Mounts one; only root can.
    pub fn mount(at: &Path) -> Result<Self> {
        Self::mount_of(at, 8)
    }

    /// Mounts one of so many mebibytes; only root can.
    pub fn mount_of(at: &Path, mebibytes: u32) -> Result<Self> {
        fs::create_dir_all(at)?;
        let options = format!("size={mebibytes}m,mode=0700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at);
        succeed(&mut mount)?;
        Ok(Self {
            place: at.to_owned(),
            bytes: mebibytes as usize * 1024 * 1024,
        })
    }

    /// Leaves no byte.
    pub fn fill(&self) {
        // Fails at the last byte: that is the wish.
        let _ = fs::write(self.place.join("filler"), vec![0; self.bytes]);
    }

    /// Makes the room again.
    pub fn empty(&self) -> Result<()> {
        Ok(fs::remove_file(self.place.join("filler"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that a failed test left may still hold it.
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(&self.place)
            .status();
    }
}
