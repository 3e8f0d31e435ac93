//! From the taking to the receipt: runs an operation when its turn has come, ends it in one commit
//! with its receipt, and forgets what no longer has to be remembered.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use secrecy::SecretString;
use storm_protocol::{
    command::{Command, CommandResult},
    error::Failure,
    ident::{Micros, OperationId},
    receipt::Outcome,
};

use super::{EngineEvent, Inner, Run, lock, owners::stripped, queue::Ticket, run::Report};
use crate::{
    execute::{self, Stop},
    journal::{Entry, Finished, JournalError, KEEP_HOURS},
    receipts::{self, Draft},
};

/// Seconds between two tries to write an outcome.
pub(super) const RETRY_WRITE_SECONDS: u64 = 1;
/// Seconds between two looks for operations to forget.
const PRUNE_SECONDS: i64 = 600;
/// The most operations that one commit forgets.
const PRUNE_ENTRIES: usize = 1000;

/// Where an operation that is to be run comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// It was written down and has not begun.
    Journal,
    /// It only reads, so it was not written down; what its envelope taught is, with its receipt.
    Read { issued_at: Micros, epoch: u64 },
    /// An earlier process left it unfinished.
    Recovered,
}

impl Inner {
    /// Runs an operation to its end, or until the engine closes.
    pub(super) async fn drive(
        self: Arc<Self>,
        entry: Entry,
        secret: Option<SecretString>,
        mut ticket: Ticket,
        origin: Origin,
    ) {
        let operation = entry.operation;
        let cancelled = self.jobs.cancelled(operation);
        let goes_on = tokio::select! {
            biased;
            turn = ticket.turn() => turn,
            // It ends without its turn: of what is left it touches its own key alone.
            () = cancelled.cancelled() => true,
        };
        if !goes_on {
            return;
        }
        let command = entry.command.parse();
        let mut run = Run::new(
            Arc::clone(&self),
            entry,
            command.as_ref().ok(),
            secret,
            origin == Origin::Recovered,
        );
        let ended = match &command {
            Ok(command) => self.run_if_allowed(&mut run, command, origin).await,
            // Another version of the agent took it.
            Err(refusal) => Err(Stop::failed(
                Failure::GaveUp,
                format!("This version of the agent cannot run the command: {refusal}."),
            )),
        };
        let outcome = match ended {
            Ok(result) => Some(Outcome::Done(result)),
            Err(Stop::Failed { code, message }) => Some(Outcome::Failed { code, message }),
            Err(Stop::Halted) => None,
        };
        let ended = match outcome {
            Some(outcome) => self.end(run, command.ok(), outcome, origin).await,
            None => false,
        };
        match origin {
            _ if ended => drop(ticket),
            Origin::Read { .. } => self.forget(operation, ticket),
            // The next start drives it to its end; until then nothing newer touches its things.
            Origin::Journal | Origin::Recovered => ticket.hold(),
        }
    }

    /// Runs what is still allowed now that its turn has come. What an earlier process has begun goes
    /// on in any case: it may stand half-way.
    async fn run_if_allowed(
        &self,
        run: &mut Run,
        command: &Command,
        origin: Origin,
    ) -> Result<CommandResult, Stop> {
        if origin == Origin::Journal {
            let resources = command.resources();
            let stripped = stripped(command, run.entry.begun_elsewhere);
            let allowed = self.still_owns(&resources, &run.entry.actor, stripped);
            allowed.await.map_err(Stop::because)?;
        }
        execute::execute(run, command).await
    }

    /// Writes the outcome down; tells whether it stands in the journal.
    async fn end(
        self: &Arc<Self>,
        run: Run,
        command: Option<Command>,
        outcome: Outcome,
        origin: Origin,
    ) -> bool {
        let report = run.into_report();
        let entry = &report.entry;
        let finished_at = self.now();
        let done = matches!(outcome, Outcome::Done(_));
        let draft = Draft {
            account: entry.actor.account,
            operation: entry.operation,
            attempt: entry.attempt,
            envelope: entry.envelope,
            intent: entry.intent,
            command: entry.command.name.clone(),
            accepted_at: entry.accepted_at,
            finished_at,
            outcome,
            sealed: entry
                .key
                .as_ref()
                .filter(|_| done)
                .map(|key| key.sealed.clone()),
        };
        let began = Instant::now();
        let Some(sequence) = self.write_outcome(draft, &report, origin).await else {
            return false;
        };
        tracing::info!(
            target: "storm_pulse::timing",
            operation = %entry.operation,
            admin_micros = micros(report.admin),
            journal_micros = micros(report.journal + began.elapsed()),
            "ended"
        );
        let finished = Finished {
            account: entry.actor.account,
            intent: entry.intent,
            sequence,
            finished_at,
        };
        lock(&self.operations).end(entry.operation, finished);
        lock(&self.creating).remove(&entry.operation);
        self.jobs.end(entry.operation);
        self.emit(EngineEvent::Ended);
        let mut touched = report.touched;
        touched.extend(command.iter().flat_map(Command::resources));
        if !touched.is_empty() {
            self.emit(EngineEvent::Touched(touched));
        }
        true
    }

    /// Appends the receipt and ends the operation in one commit; gives the receipt's sequence. A
    /// change is tried again until the disk takes it, and holds its place meanwhile; `None` once the
    /// journal is closed. A read is given up at once: whoever asked asks again.
    async fn write_outcome(&self, draft: Draft, report: &Report, origin: Origin) -> Option<u64> {
        self.mark_given_up(&report.owners);
        loop {
            let (identity, predecessor) = (Arc::clone(&self.identity), self.predecessor);
            let (draft, owners) = (draft.clone(), report.owners.clone());
            let (operation, released) = (draft.operation, report.released);
            let written = self.journal.commit("outcome", move |tx| {
                if let Origin::Read { issued_at, epoch } = origin {
                    tx.take(issued_at, epoch)?;
                    return Ok(receipts::append(tx, &identity, predecessor, draft)?.sequence);
                }
                if let Some(ended) = tx.ended(operation)? {
                    return Ok(ended.sequence);
                }
                let (account, intent) = (draft.account, draft.intent);
                let finished_at = draft.finished_at;
                let sequence = receipts::append(tx, &identity, predecessor, draft)?.sequence;
                let finished = Finished {
                    account,
                    intent,
                    sequence,
                    finished_at,
                };
                tx.end(operation, &finished)?;
                tx.change_owners(&owners)?;
                if let Some(epoch) = released {
                    tx.raise(Micros(0), epoch + 1)?;
                }
                Ok(sequence)
            });
            match written.await {
                Ok(sequence) => {
                    if let Some(epoch) = released {
                        self.has_left(epoch);
                    }
                    return Some(sequence);
                }
                Err(error @ JournalError::Closed) => {
                    tracing::error!(%error, %operation, "no receipt: the next start drives the operation to its end, and nothing newer touches its things until then");
                    return None;
                }
                Err(error) if matches!(origin, Origin::Read { .. }) => {
                    tracing::error!(%error, %operation, "a read could not be answered");
                    return None;
                }
                Err(error) => {
                    tracing::error!(%error, %operation, "an outcome could not be written down; trying again");
                    tokio::time::sleep(Duration::from_secs(RETRY_WRITE_SECONDS)).await;
                }
            }
        }
    }

    /// Forgets old operations, unless it was done a short while ago.
    pub(super) fn prune_sometimes(self: &Arc<Self>) {
        let now = self.now();
        let last = self.pruned_at.load(Ordering::SeqCst);
        if now.0 >= last.saturating_add(PRUNE_SECONDS * Micros::SECOND) {
            self.pruned_at.store(now.0, Ordering::SeqCst);
            let inner = Arc::clone(self);
            tokio::spawn(async move { inner.prune().await });
        }
    }

    /// Lets the next acknowledgement forget what can be forgotten.
    pub(super) fn prune_soon(&self) {
        self.pruned_at.store(0, Ordering::SeqCst);
    }

    /// Forgets operations whose receipts are acknowledged and that ended long enough ago, and
    /// raises the floor under which nothing is taken. One that was asked for while the control plane's
    /// clock was ahead waits until its time has come: the floor under it would shut out all others.
    pub(super) async fn prune(&self) {
        loop {
            let gone = self.forgettable();
            if gone.is_empty() {
                return;
            }
            let whole = gone.len() == PRUNE_ENTRIES;
            let rows = gone.clone();
            match self
                .journal
                .commit("prune", move |tx| tx.prune(&rows))
                .await
            {
                Ok(floor) => {
                    // The floor first: in between, an operation is known twice, never not at all.
                    *lock(&self.floor) = floor;
                    let mut operations = lock(&self.operations);
                    for (operation, _) in &gone {
                        operations.forget(*operation);
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "old operations could not be forgotten");
                    return;
                }
            }
            if !whole {
                return;
            }
        }
    }

    fn forgettable(&self) -> Vec<(OperationId, Finished)> {
        let acknowledged = self.acknowledged.load(Ordering::SeqCst);
        let before = self.now().plus_seconds(-KEEP_HOURS * 3600);
        let operations = lock(&self.operations);
        let old = operations.ended().filter(|(operation, finished)| {
            finished.sequence <= acknowledged
                && finished.finished_at <= before
                && operation.made_at() <= before
        });
        old.take(PRUNE_ENTRIES).collect()
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
