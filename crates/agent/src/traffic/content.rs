//! A file's content, told from every other's by how it begins: names and inodes are of no use once a
//! log has been rotated, copied or moved.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind},
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use storm_protocol::ident::Digest;

/// The most bytes of a content that it is known by: several lines with their times.
const MAX_HEAD_BYTES: u64 = 1024;
/// The most files beside a log that are looked at.
const MAX_SIBLINGS: usize = 1000;

/// How far a content was read, and how it began. The place is always the end of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// Bytes that were read.
    pub(super) offset: u64,
    /// The first of them; none before any was read.
    head: Option<Head>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    bytes: u64,
    digest: Digest,
}

impl Position {
    /// Whether it says which content it is one in.
    pub(super) const fn is_known(&self) -> bool {
        self.head.is_some()
    }
}

/// An opened file.
#[derive(Debug)]
pub(super) struct Content {
    file: File,
    id: (u64, u64),
}

impl Content {
    /// Opens the regular file at `path`; a link is not followed.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // A pipe must not hold up whoever looks.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(path);
        let file = match opened {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                let words = "it is a link; name the file that it leads to";
                return Err(io::Error::new(ErrorKind::InvalidInput, words));
            }
            opened => opened?,
        };
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
        }
        Ok(Self {
            id: (found.dev(), found.ino()),
            file,
        })
    }

    /// Whether the file at `path` is this one.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        let found = std::fs::symlink_metadata(path);
        found.is_ok_and(|found| (found.dev(), found.ino()) == self.id)
    }

    /// Its length now.
    pub(super) fn bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Fills `buffer` from `offset` on, as far as the file goes.
    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Whether `position` is one in this content.
    pub(super) fn holds(&self, position: &Position) -> io::Result<bool> {
        if self.bytes()? < position.offset {
            return Ok(false);
        }
        match position.head {
            Some(head) => Ok(self.head(head.bytes)? == Some(head)),
            None => Ok(position.offset == 0),
        }
    }

    /// `position` moved on to `offset`.
    pub(super) fn at(&self, position: &Position, offset: u64) -> io::Result<Position> {
        let known = position.head.map_or(0, |head| head.bytes);
        let head = if known < MAX_HEAD_BYTES {
            // Emptied in this moment it is still known by what was read before.
            self.head(offset.min(MAX_HEAD_BYTES))?.or(position.head)
        } else {
            position.head
        };
        Ok(Position { offset, head })
    }

    fn head(&self, bytes: u64) -> io::Result<Option<Head>> {
        let mut buffer = [0; MAX_HEAD_BYTES as usize];
        let wanted = usize::try_from(bytes).unwrap_or(usize::MAX);
        let Some(buffer) = buffer.get_mut(..wanted).filter(|part| !part.is_empty()) else {
            return Ok(None);
        };
        let read = self.read_at(0, buffer)?;
        Ok((read == buffer.len()).then(|| Head {
            bytes,
            digest: Digest::of(buffer),
        }))
    }
}

/// Looks for the content that `position` is one in among the files beside `log` whose names begin as
/// its own does: what a rotation has made of it.
pub(super) fn find_rotated(log: &Path, position: &Position) -> Option<Content> {
    let (folder, name) = (log.parent()?, log.file_name()?);
    let stem = log.file_stem()?.as_encoded_bytes();
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let named_alike = entries.filter(|entry| {
        let found = entry.file_name();
        found != name && found.as_encoded_bytes().starts_with(stem)
    });
    named_alike
        .take(MAX_SIBLINGS)
        .filter_map(|entry| Content::open(&entry.path()).ok())
        .filter(|content| content.holds(position).unwrap_or(false))
        // A copy that is still being made, or was cut short, has less than the log had.
        .max_by_key(|content| content.bytes().unwrap_or(0))
}
