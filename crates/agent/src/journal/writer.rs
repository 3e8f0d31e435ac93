//! The one thread that writes. It takes a job, does it and all that wait behind it in one
//! transaction, commits once, and answers each: with what it made, or with why nothing was written.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use tokio::sync::oneshot;

use super::{JournalError, Store, Tx, open_database, tables};
use crate::{
    fault::{self, Moment},
    receipts::AuditFile,
};

/// The most jobs that wait to be written.
const QUEUE_JOBS: usize = 2048;
/// The most jobs in one commit.
const GROUP_JOBS: usize = 64;

/// Work for a commit, and someone who waits to hear of it.
trait Job: Send {
    /// Names the fault points of its commit.
    fn name(&self) -> &'static str;
    fn work(&mut self, tx: &mut Tx<'_>) -> Result<(), redb::Error>;
    fn answer(self: Box<Self>, committed: Result<(), JournalError>);
}

struct Pending<F, T> {
    name: &'static str,
    work: Option<F>,
    value: Option<T>,
    waiting: oneshot::Sender<Result<T, JournalError>>,
}

impl<F, T> Job for Pending<F, T>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, redb::Error> + Send,
    T: Send,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn work(&mut self, tx: &mut Tx<'_>) -> Result<(), redb::Error> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(tx)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), JournalError>) {
        let Self { value, waiting, .. } = *self;
        let answer = committed.and_then(|()| value.ok_or(JournalError::Closed));
        // Whoever asked may have gone away.
        let _ = waiting.send(answer);
    }
}

pub(super) struct Writer {
    jobs: Mutex<Option<SyncSender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(store: Arc<Store>, audit: AuditFile) -> Self {
        let (jobs, queue) = sync_channel(QUEUE_JOBS);
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || run(&store, &queue, audit));
        Self {
            jobs: Mutex::new(thread.is_ok().then_some(jobs)),
            thread: Mutex::new(thread.ok()),
        }
    }

    pub(super) async fn commit<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (waiting, answer) = oneshot::channel();
        let job = Box::new(Pending {
            name,
            work: Some(work),
            value: None,
            waiting,
        });
        {
            let jobs = lock(&self.jobs);
            let jobs = jobs.as_ref().ok_or(JournalError::Closed)?;
            jobs.try_send(job).map_err(|error| match error {
                TrySendError::Full(_) => JournalError::Full,
                TrySendError::Disconnected(_) => JournalError::Closed,
            })?;
        }
        answer.await.unwrap_or(Err(JournalError::Closed))
    }

    /// Whether anything can still be written.
    pub(super) fn runs(&self) -> bool {
        let thread = lock(&self.thread);
        thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Writes what waits, then ends the thread. Blocks.
    pub(super) fn stop(&self) {
        drop(lock(&self.jobs).take());
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn run(store: &Store, queue: &Receiver<Box<dyn Job>>, mut audit: AuditFile) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        while group.len() < GROUP_JOBS {
            match queue.try_recv() {
                Ok(job) => group.push(job),
                Err(_) => break,
            }
        }
        let written = write(store, &mut group, &mut audit);
        let outcome = written.map_err(|error| JournalError::Storage(error.to_string()));
        let trouble = outcome.as_ref().err().map(JournalError::to_string);
        if let Some(trouble) = &trouble {
            tracing::error!(%trouble, "no change is taken until the journal can be written again");
            audit.doubt();
            reopen(store);
        } else if lock(&store.trouble).is_some() {
            tracing::info!("the journal can be written again");
        }
        *lock(&store.trouble) = trouble;
        for job in group {
            job.answer(outcome.clone());
        }
    }
}

fn write(
    store: &Store,
    group: &mut [Box<dyn Job>],
    audit: &mut AuditFile,
) -> Result<(), redb::Error> {
    let (lines, head) = {
        let database = store
            .database
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or(redb::Error::PreviousIo)?;
        let transaction = tables::begin(database)?;
        let mut tx = Tx {
            transaction: &transaction,
            audit: Vec::new(),
            head: None,
        };
        for job in &mut *group {
            job.work(&mut tx)?;
        }
        let (lines, head) = (tx.audit, tx.head);
        for job in &*group {
            fault::journal(job.name(), Moment::Before);
        }
        transaction.commit()?;
        for job in &*group {
            fault::journal(job.name(), Moment::After);
        }
        (lines, head)
    };
    if let Some(head) = head {
        *lock(&store.head) = head;
        audit.append(store, &lines, head.sequence);
    }
    Ok(())
}

/// After an I/O failure (a full disk, for one) redb wants the database closed and opened again.
fn reopen(store: &Store) {
    let mut database = store
        .database
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    drop(database.take());
    match open_database(&store.path) {
        Ok(opened) => *database = Some(opened),
        Err(error) => tracing::error!(%error, "the journal cannot be opened again"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
