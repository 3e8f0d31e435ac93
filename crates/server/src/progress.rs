//! How far jobs are, as their agents last said. In memory: the receipt is the truth, and after a
//! restart the agents say it again. Processes that hold no agent read it from a table (`roles/progress.rs`).

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use storm_protocol::{
    api::{Operation, OperationStatus, Progress},
    ident::{AccountId, AgentId, Micros, OperationId},
};

/// Jobs that are remembered; with more, the one that was heard of longest ago goes.
const MAX_JOBS: usize = 10_000;
/// Microseconds between two words on a job that are passed on: a little less than agents leave.
const TELL_MICROS: i64 = 900_000;

/// How far jobs are.
#[derive(Default)]
pub struct JobProgress(Mutex<HashMap<OperationId, Heard>>);

struct Heard {
    agent: AgentId,
    account: AccountId,
    progress: Progress,
    told_at: Micros,
    /// Whether it was heard here since it was last taken.
    moved: bool,
}

impl Heard {
    fn new(agent: AgentId, account: AccountId, progress: Progress, moved: bool) -> Self {
        Self {
            agent,
            account,
            told_at: progress.at,
            progress,
            moved,
        }
    }
}

/// What to do about a word on a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Pass it on to the account.
    Tell(AccountId),
    /// It came soon after the last one, or from another agent than the job's.
    Quiet,
    /// The job is not known here: look whether it is one.
    Unknown,
}

impl JobProgress {
    /// Takes in how far a job is that has been admitted.
    pub fn hear(&self, agent: AgentId, operation: OperationId, progress: &Progress) -> Word {
        let mut heard = self.lock();
        let Some(job) = heard.get_mut(&operation) else {
            return Word::Unknown;
        };
        if job.agent != agent {
            return Word::Quiet;
        }
        job.progress = progress.clone();
        job.moved = true;
        if progress.at.0.saturating_sub(job.told_at.0) < TELL_MICROS {
            return Word::Quiet;
        }
        job.told_at = progress.at;
        Word::Tell(job.account)
    }

    /// Takes a job in: one of `account` that has not ended and that `agent` has taken.
    pub fn admit(
        &self,
        agent: AgentId,
        account: AccountId,
        operation: OperationId,
        progress: Progress,
    ) {
        let job = Heard::new(agent, account, progress, true);
        self.insert(operation, job);
    }

    /// Takes in what another process wrote down; `false`: it is nothing new.
    pub fn read(
        &self,
        agent: AgentId,
        account: AccountId,
        operation: OperationId,
        progress: Progress,
    ) -> bool {
        let known = self.lock().get(&operation).map(|job| job.progress.at);
        if known.is_some_and(|at| at >= progress.at) {
            return false;
        }
        let job = Heard::new(agent, account, progress, false);
        self.insert(operation, job);
        true
    }

    /// What was heard here since the last call.
    pub fn take_moved(&self) -> Vec<(OperationId, AgentId, Progress)> {
        let mut heard = self.lock();
        let moved = heard.iter_mut().filter(|(_, job)| job.moved);
        moved
            .map(|(operation, job)| {
                job.moved = false;
                (*operation, job.agent, job.progress.clone())
            })
            .collect()
    }

    fn insert(&self, operation: OperationId, job: Heard) {
        let mut heard = self.lock();
        if heard.len() >= MAX_JOBS {
            let oldest = heard.iter().min_by_key(|(_, job)| job.progress.at);
            if let Some(oldest) = oldest.map(|(operation, _)| *operation) {
                heard.remove(&oldest);
            }
        }
        heard.insert(operation, job);
    }

    /// The job has ended.
    pub fn end(&self, operation: OperationId) {
        self.lock().remove(&operation);
    }

    /// The operation, with how far it is when it is a job that runs.
    pub fn with(&self, mut operation: Operation) -> Operation {
        let runs = matches!(
            operation.state,
            OperationStatus::Sent | OperationStatus::Accepted
        );
        if runs {
            let heard = self.lock();
            let job = heard.get(&operation.id);
            operation.progress = job.map(|job| job.progress.clone());
        }
        operation
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OperationId, Heard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use storm_protocol::{
        api::Progress,
        ident::{AccountId, AgentId, Micros, OperationId},
    };

    use super::{JobProgress, MAX_JOBS, Word};

    fn progress(at: i64) -> Progress {
        Progress {
            objects: at.unsigned_abs(),
            bytes: 0,
            total_objects: None,
            total_bytes: None,
            at: Micros(at),
        }
    }

    fn operation(number: usize) -> OperationId {
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&(number as u64).to_be_bytes());
        OperationId::new(Micros(0), bytes)
    }

    #[test]
    fn a_job_is_told_of_once_a_second_and_by_its_own_agent_alone() {
        let (jobs, id) = (JobProgress::default(), operation(1));
        let agent = |number| AgentId::new(Micros(0), [number; 10]);
        let account = AccountId::new(Micros(0), [7; 10]);
        assert_eq!(jobs.hear(agent(1), id, &progress(0)), Word::Unknown);
        jobs.admit(agent(1), account, id, progress(0));
        assert_eq!(jobs.hear(agent(2), id, &progress(5_000_000)), Word::Quiet);
        assert_eq!(jobs.hear(agent(1), id, &progress(899_999)), Word::Quiet);
        assert_eq!(
            jobs.hear(agent(1), id, &progress(900_000)),
            Word::Tell(account)
        );
        assert_eq!(jobs.hear(agent(1), id, &progress(1_700_000)), Word::Quiet);
        assert_eq!(jobs.lock()[&id].progress, progress(1_700_000));
        jobs.end(id);
        assert_eq!(jobs.hear(agent(1), id, &progress(9_000_000)), Word::Unknown);
    }

    #[test]
    fn what_was_heard_here_is_written_down_once_and_what_was_read_is_not() {
        let (here, there, id) = (JobProgress::default(), JobProgress::default(), operation(1));
        let agent = AgentId::new(Micros(0), [1; 10]);
        let account = AccountId::new(Micros(0), [7; 10]);
        here.admit(agent, account, id, progress(5));
        let moved = here.take_moved();
        assert_eq!(moved, [(id, agent, progress(5))]);
        assert!(here.take_moved().is_empty());
        for (at, new) in [(5, true), (5, false), (4, false), (6, true)] {
            assert_eq!(there.read(agent, account, id, progress(at)), new, "{at}");
        }
        assert!(there.take_moved().is_empty());
        here.hear(agent, id, &progress(7));
        assert_eq!(here.take_moved(), [(id, agent, progress(7))]);
    }

    #[test]
    fn no_more_jobs_are_remembered_than_fit() {
        let jobs = JobProgress::default();
        let (agent, account) = (
            AgentId::new(Micros(0), [1; 10]),
            AccountId::new(Micros(0), [7; 10]),
        );
        for number in 0..=MAX_JOBS {
            let at = i64::try_from(number).unwrap();
            jobs.admit(agent, account, operation(number), progress(at));
        }
        assert_eq!(jobs.lock().len(), MAX_JOBS);
        let word = jobs.hear(agent, operation(0), &progress(99_000_000));
        assert_eq!(word, Word::Unknown, "the oldest is still there");
    }
}
