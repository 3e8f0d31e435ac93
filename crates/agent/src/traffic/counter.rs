//! The log, counted: lines in, frames out. Knows no task and no clock of its own, so that tests can
//! kill it anywhere.

use std::time::{Duration, Instant};

use storm_protocol::{
    frame::{MAX_FRAME_ITEMS, TrafficFrame},
    ident::Micros,
};

use super::{
    hosts::Hosts,
    request::{self, Line},
    state::{Found, State},
    tail::Tail,
};
use crate::{
    config::{LogFormat, TrafficConfig},
    state::StateDir,
};

/// Seconds after which what was read is written down, at the latest. What a kill leaves unwritten is
/// read again, unless the log was rotated and compressed meanwhile.
pub(super) const SAVE_SECONDS: u64 = 10;

/// What was seen since the agent began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Requests that were counted.
    pub(super) requests: u64,
    /// Lines about something else.
    pub(super) other_lines: u64,
    /// Lines that could not be read.
    pub(super) unread_lines: u64,
    /// Requests that were not counted, or no longer are: too old, or too many kinds of them.
    pub(super) dropped: u64,
}

/// A log that is being counted.
pub(super) struct Counter {
    folder: StateDir,
    format: LogFormat,
    hosts: Hosts,
    tail: Tail,
    state: State,
    /// What was seen.
    pub(super) seen: Seen,
    /// Whether the log was there at any time.
    found: bool,
    /// Since when there is something that is not on disk.
    unsaved_since: Option<Instant>,
    /// Whether the frame is part of that: then nobody may have it yet.
    unsaved_frame: bool,
    /// Whether it is on disk which content of the log is being read: without that a rotation that
    /// nobody saw leaves no way back to its rest.
    unsaved_content: bool,
}

impl Counter {
    /// Takes up what was left.
    pub(super) fn open(config: &TrafficConfig, folder: StateDir) -> Self {
        let log = &config.log;
        let (tail, state) = match State::load(&folder, log) {
            Found::State(state) => (Tail::new(log, state.position), *state),
            Found::New(state) => (Tail::new(log, state.position), *state),
            Found::Damaged(why) => {
                tracing::error!(
                    why,
                    "traffic.json is damaged: requests are counted from the end of the log on"
                );
                (Tail::from_end(log), State::new(log))
            }
        };
        Self {
            folder,
            format: config.format,
            hosts: Hosts::new(&config.s3_hosts, &config.website_hosts),
            tail,
            state,
            seen: Seen::default(),
            found: false,
            unsaved_since: None,
            unsaved_frame: false,
            unsaved_content: false,
        }
    }

    /// Reads on for a turn; tells whether there is more.
    ///
    /// Errors: the log is not there or cannot be read.
    pub(super) fn read(&mut self, now: Micros, clock: Instant) -> std::io::Result<bool> {
        let (format, hosts, seen) = (self.format, &self.hosts, &mut self.seen);
        let sums = &mut self.state.sums;
        let turn = self.tail.read(
            clock,
            &mut |line| match request::read(format, hosts, line) {
                Some(Line::Request(request)) => {
                    let counted = sums.count(request, now);
                    seen.requests += u64::from(counted);
                    seen.dropped += u64::from(!counted);
                }
                Some(Line::Other) => seen.other_lines += 1,
                None => seen.unread_lines += 1,
            },
        );
        // A file may have been left with an error behind it.
        let (before, position) = (self.state.position, self.tail.position());
        let moved = before != position;
        self.unsaved_content |= !before.is_known() && position.is_known();
        self.state.position = position;
        let dropped = sums.bound(now);
        if dropped > 0 {
            tracing::warn!(
                dropped,
                "requests that waited too long for the control plane, or were too many, are not counted"
            );
            seen.dropped += dropped;
        }
        if moved || dropped > 0 {
            self.unsaved_since.get_or_insert(clock);
        }
        let turn = turn?;
        self.found = true;
        seen.unread_lines += turn.broken_lines;
        if turn.lost_track {
            tracing::warn!(
                "the log was replaced, and what was not read of it is not to be found beside it"
            );
        }
        Ok(turn.more)
    }

    /// Makes the next frame unless one is on its way: of minutes that are over, or, as the very first,
    /// an empty one, which says that requests are counted here. It is on disk before it is given out.
    ///
    /// Errors: it cannot be written down; nothing is lost by that.
    pub(super) fn next_frame(&mut self, now: Micros, clock: Instant) -> anyhow::Result<()> {
        if self.state.frame.is_none() {
            let sums = self.state.sums.take_over(now, MAX_FRAME_ITEMS);
            if !sums.is_empty() || (self.state.sequence == 0 && self.found) {
                self.state.sequence += 1;
                self.state.frame = Some(TrafficFrame {
                    sequence: self.state.sequence,
                    sums,
                });
                self.unsaved_frame = true;
            }
        }
        let waited = self.unsaved_since.is_some_and(|since| {
            clock.saturating_duration_since(since) >= Duration::from_secs(SAVE_SECONDS)
        });
        if self.unsaved_frame || self.unsaved_content || waited {
            self.state.save(&self.folder)?;
            (self.unsaved_since, self.unsaved_frame) = (None, false);
            self.unsaved_content = false;
        }
        Ok(())
    }

    /// The frame on its way; `None` while it is not on disk.
    pub(super) fn frame(&self) -> Option<&TrafficFrame> {
        self.state.frame.as_ref().filter(|_| !self.unsaved_frame)
    }

    /// The hub has stored what it got up to `sequence`.
    pub(super) fn kept(&mut self, sequence: u64, clock: Instant) {
        let Some(frame) = &mut self.state.frame else {
            return;
        };
        if sequence < frame.sequence {
            return;
        }
        self.unsaved_since.get_or_insert(clock);
        if sequence == frame.sequence {
            self.state.frame = None;
            return;
        }
        // It has had more from this agent than the state here knows of, and so did not count this.
        tracing::warn!(
            sequence,
            "the control plane has later counts of this agent: traffic.json was lost or is an old one"
        );
        self.state.sequence = sequence.saturating_add(1);
        frame.sequence = sequence.saturating_add(1);
        self.unsaved_frame = true;
    }

    /// Rows that wait for the control plane.
    pub(super) fn waiting(&self) -> u64 {
        let frame = self.state.frame.as_ref();
        (self.state.sums.rows() + frame.map_or(0, |frame| frame.sums.len())) as u64
    }
}

#[cfg(test)]
mod tests;
