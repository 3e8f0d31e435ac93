//! What outlives a kill, in `traffic.json`: how far the log was read together with all that was
//! counted up to there, so that no request is lost or counted twice.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use storm_protocol::frame::TrafficFrame;

use super::{content::Position, sums::Sums};
use crate::{files, state::StateDir};

/// The largest state file, in bytes: as many rows as are held at most, and what is around them.
const MAX_STATE_BYTES: usize = 16 * 1024 * 1024;
const STATE_FILE: &str = "traffic.json";
const VERSION: u8 = 1;

/// The state.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    version: u8,
    /// The log that it is about.
    log: PathBuf,
    /// How far that was read.
    pub(super) position: Position,
    /// The last frame's number; 0 before the first.
    pub(super) sequence: u64,
    /// The frame on its way.
    pub(super) frame: Option<TrafficFrame>,
    /// What was counted and is in no frame yet.
    pub(super) sums: Sums,
}

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    /// The state of this log.
    State(Box<State>),
    /// None, or that of another log, which only its numbers and counts are taken from.
    New(Box<State>),
    /// One that cannot be read, and why: nobody knows what was counted.
    Damaged(String),
}

impl State {
    /// Nothing read, nothing counted.
    pub(super) fn new(log: &Path) -> Self {
        Self {
            version: VERSION,
            log: log.to_owned(),
            position: Position::default(),
            sequence: 0,
            frame: None,
            sums: Sums::default(),
        }
    }

    /// Reads the file.
    pub(super) fn load(folder: &StateDir, log: &Path) -> Found {
        let read = files::read_private(&folder.file(STATE_FILE), MAX_STATE_BYTES);
        let bytes = match read {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Found::New(Box::new(Self::new(log))),
            Err(error) => return Found::Damaged(format!("{error:#}")),
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(state) if state.version != VERSION => {
                Found::Damaged(format!("its version is {}", state.version))
            }
            Ok(state) if state.log == log => Found::State(Box::new(state)),
            Ok(state) => Found::New(Box::new(Self {
                log: log.to_owned(),
                position: Position::default(),
                ..state
            })),
            Err(error) => Found::Damaged(error.to_string()),
        }
    }

    /// Writes the file; it is on disk when this returns.
    pub(super) fn save(&self, folder: &StateDir) -> anyhow::Result<()> {
        files::write_private(&folder.file(STATE_FILE), &serde_json::to_vec(self)?)
    }
}
