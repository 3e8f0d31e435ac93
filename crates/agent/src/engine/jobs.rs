//! Jobs: long work that tells how far it is and can be cancelled. Here stands which have been taken
//! and have not ended; what they do stands in `execute/`, their places in `queue.rs`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use storm_protocol::{
    command::Command,
    envelope::Actor,
    error::Failure,
    frame::ProgressFrame,
    ident::{AccountId, OperationId},
};
use tokio_util::sync::CancellationToken;

use super::{Inner, Phase, Run, Stopped, lock, settle::RETRY_WRITE_SECONDS};
use crate::{
    execute::Stop,
    journal::{JobState, JournalError, Source},
};

/// Milliseconds between two tries to mark a job that is not written down yet.
const LOOK_AGAIN_MILLIS: u64 = 50;

/// The jobs that have been taken and have not ended.
#[derive(Default)]
pub(super) struct Jobs(Mutex<HashMap<OperationId, Job>>);

struct Job {
    account: AccountId,
    course: Course,
    cancelled: CancellationToken,
    /// How far it is; absent until it has begun.
    progress: Option<ProgressFrame>,
}

/// Where a job goes: whichever of its end and its cancel comes first stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Open,
    /// It is being cancelled: it cannot be done any more.
    Stopping,
    /// It is done: it cannot be cancelled any more.
    Done,
}

impl Jobs {
    /// Takes an operation in, if its command is a job; gives the account in whose name it waits.
    pub(super) fn begin(
        &self,
        operation: OperationId,
        account: AccountId,
        command: &Command,
    ) -> Option<AccountId> {
        command.row().job.then(|| {
            let job = Job {
                account,
                course: Course::Open,
                cancelled: CancellationToken::new(),
                progress: None,
            };
            lock(&self.0).insert(operation, job);
            account
        })
    }

    /// It has ended, or was never taken.
    pub(super) fn end(&self, operation: OperationId) {
        lock(&self.0).remove(&operation);
    }

    /// Begins to cancel a job for `actor`: their account's, or any for an operator. `false` when there
    /// is no such job, or it is done.
    fn stop(&self, operation: OperationId, actor: &Actor) -> bool {
        let mut jobs = lock(&self.0);
        let Some(job) = jobs.get_mut(&operation) else {
            return false;
        };
        let theirs = actor.operator || job.account == actor.account;
        if !theirs || job.course == Course::Done {
            return false;
        }
        job.course = Course::Stopping;
        true
    }

    /// The job is done; `false` when it is being cancelled.
    fn finish(&self, operation: OperationId) -> bool {
        let mut jobs = lock(&self.0);
        let Some(job) = jobs.get_mut(&operation) else {
            return true;
        };
        if job.course == Course::Stopping {
            return false;
        }
        job.course = Course::Done;
        true
    }

    fn knows(&self, operation: OperationId) -> bool {
        lock(&self.0).contains_key(&operation)
    }

    /// Stops the job at its next step.
    pub(super) fn cancel(&self, operation: OperationId) {
        if let Some(job) = lock(&self.0).get_mut(&operation) {
            job.course = Course::Stopping;
            job.cancelled.cancel();
        }
    }

    /// What tells that the job was cancelled; of no job it never does.
    pub(super) fn cancelled(&self, operation: OperationId) -> CancellationToken {
        let jobs = lock(&self.0);
        let job = jobs.get(&operation);
        job.map_or_else(CancellationToken::new, |job| job.cancelled.clone())
    }

    /// The job is so far.
    pub(super) fn tell(&self, operation: OperationId, state: &JobState) {
        if let Some(job) = lock(&self.0).get_mut(&operation) {
            job.progress = Some(ProgressFrame {
                operation,
                objects: state.objects,
                bytes: state.bytes,
                total_objects: state.total_objects,
                total_bytes: state.total_bytes,
            });
        }
    }

    /// How far the jobs are that have begun.
    pub(super) fn progress(&self) -> Vec<ProgressFrame> {
        let jobs = lock(&self.0);
        jobs.values()
            .filter_map(|job| job.progress.clone())
            .collect()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.0).is_empty()
    }
}

/// What lets the requests of one job through, or stops them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct JobGate {
    inner: Arc<Inner>,
    /// Whether it needs no hub.
    free: bool,
    cancelled: CancellationToken,
}

impl JobGate {
    /// Lets the next request start, or waits until the hub is heard. Tells whether it has waited.
    ///
    /// Errors: cancelled; halted, when the engine closes.
    pub(crate) async fn pass(&self) -> Stopped<bool> {
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => Err(Stop::because(Failure::Cancelled)),
            passed = self.inner.gate(self.free, true) => passed,
        }
    }

    /// Waits. Errors: those of [`JobGate::pass`].
    pub(crate) async fn pause(&self, duration: Duration) -> Stopped<()> {
        let mut phase = self.inner.phase();
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => Err(Stop::because(Failure::Cancelled)),
            _ = phase.wait_for(|phase| *phase != Phase::Open) => Err(Stop::Halted),
            () = tokio::time::sleep(duration) => Ok(()),
        }
    }
}

impl Run {
    /// What lets this job's requests through.
    pub(crate) fn job_gate(&self) -> JobGate {
        JobGate {
            inner: Arc::clone(&self.inner),
            free: self.entry.source == Source::Spool,
            cancelled: self.inner.jobs.cancelled(self.entry.operation),
        }
    }

    /// Tells how far the job is, to whoever listens.
    pub(crate) fn tell_job(&self) {
        if let Some(state) = &self.entry.job {
            self.inner.jobs.tell(self.entry.operation, state);
        }
    }

    /// The job is done, and from here on cannot be cancelled.
    pub(crate) fn finish_job(&self) -> Stopped<()> {
        if self.inner.jobs.finish(self.entry.operation) {
            Ok(())
        } else {
            Err(Stop::because(Failure::Cancelled))
        }
    }

    /// Writes down how far the job is.
    pub(crate) async fn write_job(&mut self) -> Stopped<()> {
        self.write_down("job").await
    }
}

impl Inner {
    /// Cancels a job for good; `false` when `actor` has no such job that has not ended.
    pub(crate) async fn cancel_job(&self, operation: OperationId, actor: &Actor) -> Stopped<bool> {
        if !self.jobs.stop(operation, actor) {
            return Ok(false);
        }
        loop {
            let marked = self
                .journal
                .commit("cancel", move |tx| tx.cancel(operation));
            match marked.await {
                Ok(true) => {
                    self.jobs.cancel(operation);
                    return Ok(true);
                }
                // It has ended meanwhile, not as done; or it is just being written down.
                Ok(false) => {
                    self.jobs.cancel(operation);
                    if !self.jobs.knows(operation) {
                        return Ok(true);
                    }
                    tokio::time::sleep(Duration::from_millis(LOOK_AGAIN_MILLIS)).await;
                }
                Err(JournalError::Closed) => return Err(Stop::Halted),
                Err(error) => {
                    tracing::error!(%error, %operation, "a job could not be cancelled; trying again");
                    tokio::time::sleep(Duration::from_secs(RETRY_WRITE_SECONDS)).await;
                }
            }
        }
    }
}
