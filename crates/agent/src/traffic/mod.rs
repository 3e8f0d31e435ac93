//! Requests and bytes sent, counted from the access log of the reverse proxy before Garage: by minute,
//! bucket, kind of method and kind of answer. Nothing else of a line is kept or leaves this server: no
//! URL, no address.

mod content;
mod counter;
mod hosts;
mod request;
mod state;
mod sums;
mod tail;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use storm_protocol::{frame::TrafficFrame, ident::Micros};
use tokio::{sync::watch, time::sleep};

use self::counter::Counter;
use crate::{config::TrafficConfig, run::Shell, status::TrafficStatus};

/// Milliseconds between two looks at the log.
const POLL_MILLISECONDS: u64 = 1000;
/// Milliseconds between two turns while there is more to read: a long log is no reason to take a whole
/// core from Garage.
const TURN_MILLISECONDS: u64 = 100;

/// Where counts and connection meet.
pub(crate) struct Traffic {
    frames: watch::Sender<Option<TrafficFrame>>,
    kept: watch::Sender<u64>,
}

impl Traffic {
    /// Nothing is counted yet.
    pub(crate) fn new() -> Self {
        Self {
            frames: watch::Sender::new(None),
            kept: watch::Sender::new(0),
        }
    }

    /// The frame on its way, for one connection: the first look at it shows what the connection before
    /// may have lost.
    pub(crate) fn frames(&self) -> watch::Receiver<Option<TrafficFrame>> {
        let mut frames = self.frames.subscribe();
        frames.mark_changed();
        frames
    }

    /// The hub has stored counts up to frame `sequence`.
    pub(crate) fn kept(&self, sequence: u64) {
        self.kept.send_replace(sequence);
    }

    fn publish(&self, frame: Option<&TrafficFrame>) {
        let number = |frame: &TrafficFrame| frame.sequence;
        self.frames.send_if_modified(|shown| {
            if shown.as_ref().map(number) == frame.map(number) {
                return false;
            }
            *shown = frame.cloned();
            true
        });
    }
}

/// Counts until it is dropped.
pub(crate) async fn count(shell: Arc<Shell>, config: TrafficConfig) {
    let mut kept = shell.traffic.kept.subscribe();
    let (log, folder) = (config.log.clone(), shell.state.clone());
    let mut shown = TrafficStatus::new(log);
    let opened = tokio::task::spawn_blocking(move || Counter::open(&config, folder)).await;
    let Ok(mut counter) = opened else { return };
    loop {
        let now = shell.clock.now();
        // The disk may be slow.
        let turn = tokio::task::spawn_blocking(move || {
            let turn = turn(&mut counter, now);
            (counter, turn)
        });
        let Ok((back, turn)) = turn.await else {
            tracing::error!("requests are no longer counted: the reader has failed");
            return;
        };
        counter = back;
        shell.traffic.publish(counter.frame());
        shown.show(&counter, &turn, now);
        shell.board.traffic(&shown);
        let pause = if turn.more {
            TURN_MILLISECONDS
        } else {
            POLL_MILLISECONDS
        };
        tokio::select! {
            () = sleep(Duration::from_millis(pause)) => {}
            Ok(()) = kept.changed() => {
                let sequence = *kept.borrow_and_update();
                counter.kept(sequence, Instant::now());
                shown.kept = shown.kept.max(sequence);
            }
        }
    }
}

/// What a turn came to.
struct Turn {
    more: bool,
    problem: Option<String>,
}

fn turn(counter: &mut Counter, now: Micros) -> Turn {
    let read = counter.read(now, Instant::now());
    let written = counter.next_frame(now, Instant::now());
    let problem = match (&read, &written) {
        (Err(error), _) => Some(error.to_string()),
        (Ok(_), Err(error)) => Some(format!("{error:#}")),
        (Ok(_), Ok(())) => None,
    };
    Turn {
        more: read.unwrap_or(false),
        problem,
    }
}

impl TrafficStatus {
    fn show(&mut self, counter: &Counter, turn: &Turn, now: Micros) {
        if turn.problem.is_none() {
            self.read_at = Some(now);
        } else if self.problem != turn.problem {
            let problem = turn.problem.as_deref();
            tracing::warn!(log = %self.log.display(), problem, "requests are not counted");
        }
        self.problem.clone_from(&turn.problem);
        self.requests = counter.seen.requests;
        self.other_lines = counter.seen.other_lines;
        self.unread_lines = counter.seen.unread_lines;
        self.dropped = counter.seen.dropped;
        self.waiting = counter.waiting();
    }
}
