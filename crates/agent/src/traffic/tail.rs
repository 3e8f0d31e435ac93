//! Reads a log's lines as they are written, over either kind of rotation: the file is moved away and
//! another takes its name, or it is copied and emptied. What was not read of the old content is read
//! first, wherever it is by then.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::content::{Content, Position, find_rotated};

/// The longest line that is read, in bytes.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;
/// Bytes that are read in one go; a line of the longest kind fits.
const CHUNK_BYTES: usize = 4 * MAX_LINE_BYTES;
/// The most bytes that are read before the reader lets others have a turn.
const TURN_BYTES: usize = 4 * 1024 * 1024;
/// Seconds for which a file that was moved away is still watched: nginx's workers go on writing into
/// it until each has opened the new one.
const QUIET_SECONDS: u64 = 5;

/// A log that is being read.
#[derive(Debug)]
pub(super) struct Tail {
    log: PathBuf,
    position: Position,
    open: Option<Content>,
    /// Begin with what comes: what came before was counted once already.
    from_end: bool,
    /// How far a line that is too long has been passed over.
    too_long: Option<u64>,
    quiet_since: Option<Instant>,
}

/// What a turn came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// Whether there is more to read at once.
    pub(super) more: bool,
    /// Whether anything was read.
    pub(super) read: bool,
    /// Lines that could not be read for their length, or that have no end.
    pub(super) broken_lines: u64,
    /// Whether a content was left with a part of it unread, which was not found.
    pub(super) lost_track: bool,
}

impl Tail {
    /// Goes on at `position`; a new one is the log's beginning.
    pub(super) fn new(log: &Path, position: Position) -> Self {
        Self {
            log: log.to_owned(),
            position,
            open: None,
            from_end: false,
            too_long: None,
            quiet_since: None,
        }
    }

    /// Begins at the log's end.
    pub(super) fn from_end(log: &Path) -> Self {
        Self {
            from_end: true,
            ..Self::new(log, Position::default())
        }
    }

    /// How far it is.
    pub(super) const fn position(&self) -> Position {
        self.position
    }

    /// Reads on; `each` gets every line without its end. `now` is a time that only goes forward.
    ///
    /// Errors: the log cannot be read, or is not there; nothing of what is known is lost by that.
    pub(super) fn read(&mut self, now: Instant, each: &mut impl FnMut(&[u8])) -> io::Result<Turn> {
        let mut turn = Turn::default();
        let content = match self.open.take() {
            Some(content) => content,
            None => self.find(&mut turn)?,
        };
        // Put back whatever happens: a file that was moved away is found by nothing else.
        let done = self.read_content(content, now, each, &mut turn);
        done.map(|()| turn)
    }

    fn read_content(
        &mut self,
        content: Content,
        now: Instant,
        each: &mut impl FnMut(&[u8]),
        turn: &mut Turn,
    ) -> io::Result<()> {
        let content = self.open.insert(content);
        if !content.holds(&self.position)? {
            // It was emptied, and what was in it is elsewhere, unless it was read to its end.
            self.open = None;
            self.too_long = None;
            let content = self.find(turn)?;
            self.open = Some(content);
            turn.more = true;
            return Ok(());
        }
        let before = self.position;
        let more = read_lines(content, &mut self.position, &mut self.too_long, each, turn)?;
        turn.more = more;
        turn.read = self.position != before || more;
        if turn.read {
            self.quiet_since = None;
            return Ok(());
        }
        if content.is_at(&self.log) {
            self.quiet_since = None;
            return Ok(());
        }
        let quiet_since = *self.quiet_since.get_or_insert(now);
        if now.saturating_duration_since(quiet_since) < Duration::from_secs(QUIET_SECONDS) {
            return Ok(());
        }
        // The next one is opened first: this one may still be the only one.
        let next = Content::open(&self.log)?;
        if content.bytes()? > self.position.offset {
            turn.broken_lines += 1;
        }
        (self.open, self.position) = (Some(next), Position::default());
        (self.too_long, self.quiet_since) = (None, None);
        turn.more = true;
        Ok(())
    }

    /// The file in which the position is: the log itself, or what a rotation made of it. When there is
    /// none, the log from its beginning.
    fn find(&mut self, turn: &mut Turn) -> io::Result<Content> {
        let log = Content::open(&self.log);
        if self.from_end {
            let log = log?;
            self.position = log.at(&Position::default(), end_of_lines(&log)?)?;
            self.from_end = false;
            return Ok(log);
        }
        if let Ok(log) = log {
            if log.holds(&self.position)? {
                return Ok(log);
            }
            if let Some(rotated) = find_rotated(&self.log, &self.position) {
                return Ok(rotated);
            }
            turn.lost_track = true;
            self.position = Position::default();
            return Ok(log);
        }
        let started = self.position != Position::default();
        let rotated = started.then(|| find_rotated(&self.log, &self.position));
        match rotated.flatten() {
            Some(rotated) => Ok(rotated),
            None => log,
        }
    }
}

/// Reads whole lines, a turn's worth at most; tells whether there are more.
fn read_lines(
    content: &Content,
    position: &mut Position,
    too_long: &mut Option<u64>,
    each: &mut impl FnMut(&[u8]),
    turn: &mut Turn,
) -> io::Result<bool> {
    let mut offset = position.offset;
    if content.bytes()? <= too_long.unwrap_or(offset) {
        return Ok(false);
    }
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut taken = 0;
    while taken < TURN_BYTES {
        let from = too_long.unwrap_or(offset);
        let read = content.read_at(from, &mut chunk)?;
        let bytes = chunk.get(..read).unwrap_or_default();
        taken += read;
        let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') else {
            if read < CHUNK_BYTES && too_long.is_none() && read <= MAX_LINE_BYTES {
                // A line that is still being written.
                break;
            }
            *too_long = Some(from + read as u64);
            if read < CHUNK_BYTES {
                break;
            }
            continue;
        };
        let lines = bytes.get(..last).unwrap_or_default();
        for (at, line) in lines.split(|byte| *byte == b'\n').enumerate() {
            let cut = at == 0 && too_long.is_some();
            if cut || line.len() > MAX_LINE_BYTES {
                turn.broken_lines += 1;
            } else {
                each(line);
            }
        }
        *too_long = None;
        offset = from + last as u64 + 1;
    }
    if offset != position.offset {
        *position = content.at(position, offset)?;
    }
    Ok(taken >= TURN_BYTES)
}

/// Where the last whole line ends.
fn end_of_lines(content: &Content) -> io::Result<u64> {
    let bytes = content.bytes()?;
    let from = bytes.saturating_sub(CHUNK_BYTES as u64);
    let mut chunk = vec![0; CHUNK_BYTES];
    let read = content.read_at(from, &mut chunk)?;
    let end = chunk.get(..read).unwrap_or_default();
    Ok(match end.iter().rposition(|byte| *byte == b'\n') {
        Some(last) => from + last as u64 + 1,
        None if from == 0 => 0,
        None => return Err(io::Error::new(ErrorKind::InvalidData, "it has no lines")),
    })
}

#[cfg(test)]
mod tests;
