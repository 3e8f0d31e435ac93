//! A disk that is soon full.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::tools::succeed;

/// A file system in memory that a few pages fill; gone when the value goes.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one; only root can.
    pub fn mount(at: &Path) -> Result<Self> {
        fs::create_dir_all(at)?;
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs"])
            .arg(at);
        succeed(&mut mount)?;
        Ok(Self(at.to_owned()))
    }

    /// Leaves no byte.
    pub fn fill(&self) {
        // Fails at the last byte: that is the wish.
        let _ = fs::write(self.0.join("filler"), vec![0; 16 << 20]);
    }

    /// Makes the room again.
    pub fn empty(&self) -> Result<()> {
        Ok(fs::remove_file(self.0.join("filler"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that a failed test left may still hold it.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
