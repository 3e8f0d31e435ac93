//! The journal: what the agent was asked, what it is doing, what came of it. One redb database in
//! the state directory, held by one process at a time. All writing goes through one thread, which
//! puts what waits into one commit; reading is direct.

mod entry;
mod tables;
mod writer;

use std::{
    fs, io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, RwLock},
};

use redb::{Database, ReadableDatabase as _};
use storm_protocol::{
    frame::ReceiptFrame,
    ident::{AccountId, Digest, Micros, OperationId},
    seal::Sealed,
};

pub(crate) use entry::{
    BucketRecord, Entry, Finished, GrantRecord, JobState, KeyRecord, KeyTry, LocalAlias, Owned,
    OwnerChange, Record, Source,
};
pub(crate) use tables::{Head, Tenure, Tx};
use writer::Writer;

/// redb's page cache, in bytes.
pub(crate) const CACHE_BYTES: usize = 1024 * 1024;
/// The most operations that the journal holds; full is busy, never forgetting. Commands that only
/// read are not among them.
pub(crate) const MAX_ENTRIES: usize = 10_000;
/// Hours that an operation is kept after it ended, if its receipt is acknowledged by then.
pub(crate) const KEEP_HOURS: i64 = 48;
/// The journal's file in the state directory.
pub(crate) const FILE_NAME: &str = "journal.redb";

/// The journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// Another process has it.
    #[error(
        "{0} is in use: another storm-pulse runs with this state directory. Stop it, or ask it \
         (storm-pulse status)"
    )]
    InUse(PathBuf),
    /// A file of the state directory cannot be made or read.
    #[error("{path}: {cause}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The database does not open.
    #[error("{path} cannot be opened: {cause}", path = .path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: Box<redb::Error>,
    },
    /// The audit file knows receipts that the journal does not.
    #[error(
        "{path} ends with receipt {audit}, but the journal with receipt {journal}: the journal was \
         replaced by an older one, and commands that ran already could run again. Put the newer \
         journal back, or enrol this server anew", path = .path.display()
    )]
    Behind {
        /// The audit file.
        path: PathBuf,
        /// Its last receipt.
        audit: u64,
        /// The journal's.
        journal: u64,
    },
}

/// Nothing was written.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum JournalError {
    /// The disk or the database failed.
    #[error("the journal cannot be written: {0}")]
    Storage(String),
    /// Too much waits to be written.
    #[error("the journal has more to write than it can hold")]
    Full,
    /// The journal is closed.
    #[error("the journal is closed")]
    Closed,
}

/// What the journal knew when it was opened.
pub(crate) struct Opened {
    /// The journal.
    pub(crate) journal: Journal,
    /// Unfinished operations, in the order in which they were taken.
    pub(crate) running: Vec<Entry>,
    /// Ended operations.
    pub(crate) ended: Vec<(OperationId, Finished)>,
    /// When the journal was made.
    pub(crate) birth: Micros,
    /// The largest operation that was pruned.
    pub(crate) floor: Option<OperationId>,
    /// The newest `issued_at` that was taken.
    pub(crate) newest_issued: Micros,
    /// The highest executor epoch that was seen.
    pub(crate) epoch: u64,
    /// The newest epoch that commands were taken of.
    pub(crate) tenure: Tenure,
}

/// A handle; cheap to clone.
#[derive(Clone)]
pub(crate) struct Journal {
    store: Arc<Store>,
    writer: Arc<Writer>,
}

/// The open database. The writer closes and opens it again after an I/O failure, which redb asks
/// for.
pub(crate) struct Store {
    path: PathBuf,
    database: RwLock<Option<Database>>,
    head: Mutex<Head>,
    /// Why the last commit failed, if it did.
    trouble: Mutex<Option<String>>,
}

impl Journal {
    /// Opens or makes the journal in `folder` and brings the audit file up to its end.
    pub(crate) fn open(folder: &Path, now: Micros) -> Result<Opened, OpenError> {
        let path = folder.join(FILE_NAME);
        // Made by us first, for its mode.
        let made = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path);
        made.map_err(|cause| OpenError::File {
            path: path.clone(),
            cause,
        })?;
        let database = open_database(&path)?;
        let failed = |cause: redb::Error| OpenError::Database {
            path: path.clone(),
            cause: Box::new(cause),
        };
        let known = tables::load(&database, now).map_err(failed)?;
        let store = Arc::new(Store {
            path: path.clone(),
            database: RwLock::new(Some(database)),
            head: Mutex::new(known.head),
            trouble: Mutex::default(),
        });
        let audit = crate::receipts::AuditFile::open(folder, &store, known.head.sequence)?;
        let journal = Self {
            writer: Arc::new(Writer::start(Arc::clone(&store), audit)),
            store,
        };
        Ok(Opened {
            journal,
            running: known.running,
            ended: known.ended,
            birth: known.birth,
            floor: known.floor,
            newest_issued: known.newest_issued,
            epoch: known.epoch,
            tenure: known.tenure,
        })
    }

    /// Does `work` in a commit, alone or with others', and comes back when it is durable. `name`
    /// names the commit's fault points.
    pub(crate) async fn commit<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, JournalError> {
        self.writer.commit(name, work).await
    }

    /// Why nothing can be written at the moment, in words.
    pub(crate) fn trouble(&self) -> Option<String> {
        if !self.writer.runs() {
            return Some(JournalError::Closed.to_string());
        }
        let trouble = self.store.trouble.lock();
        trouble.unwrap_or_else(|p| p.into_inner()).clone()
    }

    /// Where the chain ends.
    pub(crate) fn head(&self) -> Head {
        *self
            .store
            .head
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Receipts from `sequence` on, at most `limit`, with the secrets that are still kept.
    pub(crate) fn receipts(
        &self,
        sequence: u64,
        limit: usize,
    ) -> Result<Vec<ReceiptFrame>, JournalError> {
        self.store.receipts(sequence, limit)
    }

    /// Whose a bucket or key is, as far as the journal knows.
    pub(crate) fn owner(&self, thing: &Owned) -> Result<Option<AccountId>, JournalError> {
        self.store.read(|transaction| {
            let owners = transaction.open_table(tables::OWNERS)?;
            let found = owners.get(thing.table_key().as_str())?;
            Ok(found.and_then(|bytes| tables::account_of(bytes.value())))
        })
    }

    /// Whether an unfinished job was cancelled.
    pub(crate) fn is_cancelled(&self, operation: OperationId) -> Result<bool, JournalError> {
        self.store.read(|transaction| {
            let cancelled = transaction.open_table(tables::CANCELLED)?;
            Ok(cancelled.get(operation.as_bytes())?.is_some())
        })
    }

    /// A named value that another part of the agent keeps here.
    pub(crate) fn blob(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError> {
        self.store.read(|transaction| {
            let blobs = transaction.open_table(tables::BLOBS)?;
            Ok(blobs.get(name)?.map(|bytes| bytes.value().to_vec()))
        })
    }

    /// Writes what waits and lets go of the file. Blocks.
    pub(crate) fn close(&self) {
        self.writer.stop();
        let mut database = self
            .store
            .database
            .write()
            .unwrap_or_else(|p| p.into_inner());
        drop(database.take());
    }
}

impl Store {
    fn read<T>(
        &self,
        work: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, JournalError> {
        let database = self
            .database
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let database = database.as_ref().ok_or(JournalError::Closed)?;
        let done = (|| work(&database.begin_read()?))();
        done.map_err(|error| JournalError::Storage(error.to_string()))
    }

    /// Receipts from `sequence` on, at most `limit`.
    pub(crate) fn receipts(
        &self,
        sequence: u64,
        limit: usize,
    ) -> Result<Vec<ReceiptFrame>, JournalError> {
        let raw = self.read(|transaction| {
            let receipts = transaction.open_table(tables::RECEIPTS)?;
            let sealed = transaction.open_table(tables::SEALED)?;
            let mut frames = Vec::new();
            for row in receipts.range(sequence..)?.take(limit) {
                let (sequence, receipt) = row?;
                let kept = sealed.get(sequence.value())?;
                let kept = kept.map(|bytes| bytes.value().to_vec());
                frames.push((sequence.value(), receipt.value().to_vec(), kept));
            }
            Ok(frames)
        })?;
        let frames = raw.into_iter().map(|(sequence, receipt, sealed)| {
            Ok(ReceiptFrame {
                sequence,
                receipt: serde_json::from_slice(&receipt)?,
                sealed: sealed
                    .map(|bytes| serde_json::from_slice::<Sealed>(&bytes))
                    .transpose()?,
            })
        });
        let frames: Result<_, serde_json::Error> = frames.collect();
        frames.map_err(|error| JournalError::Storage(error.to_string()))
    }
}

fn open_database(path: &Path) -> Result<Database, OpenError> {
    let opened = Database::builder().set_cache_size(CACHE_BYTES).create(path);
    opened.map_err(|error| match error {
        redb::DatabaseError::DatabaseAlreadyOpen => OpenError::InUse(path.to_owned()),
        other => OpenError::Database {
            path: path.to_owned(),
            cause: Box::new(other.into()),
        },
    })
}

/// The identity that a chain's next receipt names.
pub(crate) type Link = Option<Digest>;

#[cfg(test)]
mod tests;
