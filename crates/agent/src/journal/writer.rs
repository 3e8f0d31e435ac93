//! The one thread that writes. It takes a job, does it and all that wait behind it in one
//! transaction, commits once, and answers each.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use tokio::sync::oneshot;

use super::{Head, JournalError, Store, Tx, open_database, tables};
use crate::{
    fault::{self, Moment},
    receipts::AuditFile,
};

/// The most jobs that wait to be written.
const QUEUE_JOBS: usize = 2048;
/// The most jobs in one commit.
const GROUP_JOBS: usize = 64;

type Answer = Box<dyn FnOnce(Result<(), JournalError>) + Send>;
type Work = Box<dyn FnOnce(&mut Tx<'_>) -> Result<Answer, redb::Error> + Send>;

struct Job {
    name: &'static str,
    work: Work,
}

pub(super) struct Writer {
    jobs: Mutex<Option<SyncSender<Job>>>,
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
        let (sender, receiver) = oneshot::channel::<Result<T, JournalError>>();
        let work: Work = Box::new(move |tx| match work(tx) {
            Ok(value) => Ok(Box::new(move |committed| {
                let _ = sender.send(committed.map(|()| value));
            })),
            Err(error) => {
                let _ = sender.send(Err(JournalError::Storage(error.to_string())));
                Err(error)
            }
        });
        {
            let jobs = self
                .jobs
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            let jobs = jobs.as_ref().ok_or(JournalError::Closed)?;
            jobs.try_send(Job { name, work })
                .map_err(|_| JournalError::Full)?;
        }
        receiver.await.unwrap_or(Err(JournalError::Closed))
    }

    /// Writes what waits, then ends the thread. Blocks.
    pub(super) fn stop(&self) {
        drop(
            self.jobs
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .take(),
        );
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn run(store: &Store, queue: &Receiver<Job>, mut audit: AuditFile) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        while group.len() < GROUP_JOBS {
            match queue.try_recv() {
                Ok(job) => group.push(job),
                Err(_) => break,
            }
        }
        if let Err(error) = write(store, group, &mut audit) {
            tracing::error!(%error, "the journal cannot be written");
            reopen(store);
        }
    }
}

fn write(store: &Store, group: Vec<Job>, audit: &mut AuditFile) -> Result<(), redb::Error> {
    let mut answers = Vec::with_capacity(group.len());
    let names: Vec<_> = group.iter().map(|job| job.name).collect();
    let mut committed: Result<(Vec<String>, Option<Head>), redb::Error> = (|| {
        let database = store
            .database
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let database = database.as_ref().ok_or(redb::Error::PreviousIo)?;
        let transaction = tables::begin(database)?;
        let mut tx = Tx {
            transaction: &transaction,
            audit: Vec::new(),
            head: None,
        };
        for job in group {
            answers.push((job.work)(&mut tx)?);
        }
        let (lines, head) = (tx.audit, tx.head);
        names
            .iter()
            .for_each(|name| fault::journal(name, Moment::Before));
        transaction.commit()?;
        names
            .iter()
            .for_each(|name| fault::journal(name, Moment::After));
        Ok((lines, head))
    })();
    if let Ok((lines, head)) = &mut committed {
        if let Some(head) = head {
            *store
                .head
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner()) = *head;
        }
        audit.append(lines);
    }
    let committed = committed.map(|_| ());
    let outcome: Result<(), JournalError> = match &committed {
        Ok(()) => Ok(()),
        Err(error) => Err(JournalError::Storage(error.to_string())),
    };
    for answer in answers {
        answer(outcome.clone());
    }
    committed
}

/// After an I/O failure (a full disk, for one) redb wants the database closed and opened again.
fn reopen(store: &Store) {
    let mut database = store
        .database
        .write()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    drop(database.take());
    match open_database(&store.path) {
        Ok(opened) => *database = Some(opened),
        Err(error) => tracing::error!(%error, "the journal cannot be opened again"),
    }
}
