//! The tables of the journal's database, and everything that is written to them.

use redb::{
    Database, Durability, ReadableTable as _, ReadableTableMetadata as _, TableDefinition,
    WriteTransaction,
};
use storm_protocol::{
    ident::{AccountId, Digest, Micros, OperationId},
    seal::Sealed,
};
use uuid::Uuid;

use super::{Entry, Finished, Link, OwnerChange};

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const RUNNING: TableDefinition<&[u8; 16], &[u8]> = TableDefinition::new("running");
/// Intent digest, receipt sequence, time of ending (both big-endian), account.
const ENDED: TableDefinition<&[u8; 16], &[u8; 64]> = TableDefinition::new("ended");
/// Receipt envelopes as JSON, by sequence.
pub(super) const RECEIPTS: TableDefinition<u64, &[u8]> = TableDefinition::new("receipts");
/// Sealed secrets as JSON, by their receipt's sequence.
pub(super) const SEALED: TableDefinition<u64, &[u8]> = TableDefinition::new("sealed");
/// An account's last sequence (big-endian) and the identity of that receipt.
const ACCOUNTS: TableDefinition<&[u8; 16], &[u8; 40]> = TableDefinition::new("accounts");
/// `bucket:<id>` or `key:<id>` to account.
pub(super) const OWNERS: TableDefinition<&str, &[u8; 16]> = TableDefinition::new("owners");
pub(super) const BLOBS: TableDefinition<&str, &[u8]> = TableDefinition::new("blobs");
/// Unfinished jobs that were cancelled. A row goes with its job's.
pub(super) const CANCELLED: TableDefinition<&[u8; 16], ()> = TableDefinition::new("cancelled");

const BIRTH: &str = "birth";
const FLOOR: &str = "floor";
const NEWEST_ISSUED: &str = "newest_issued";
const EPOCH: &str = "epoch";
/// Epoch and time of signing, both big-endian.
const TENURE: &str = "tenure";
const HEAD: &str = "head";

/// Where a chain ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Head {
    /// The sequence of the last receipt; 0 for none.
    pub(crate) sequence: u64,
    /// Its identity.
    pub(crate) digest: Link,
}

/// The newest epoch that commands were taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tenure {
    /// The epoch; 0 before the first command.
    pub(crate) epoch: u64,
    /// When the first command of it was signed, by the control plane's clock.
    pub(crate) first_issued: Micros,
}

impl Tenure {
    /// The tenure once a command of `epoch` that was signed at `issued_at` is taken.
    pub(crate) fn with(self, epoch: u64, issued_at: Micros) -> Self {
        if epoch <= self.epoch {
            return self;
        }
        Self {
            epoch,
            first_issued: issued_at,
        }
    }
}

/// What stands in the database when it is opened.
pub(super) struct Known {
    pub(super) running: Vec<Entry>,
    pub(super) ended: Vec<(OperationId, Finished)>,
    pub(super) birth: Micros,
    pub(super) floor: Option<OperationId>,
    pub(super) newest_issued: Micros,
    pub(super) epoch: u64,
    pub(super) tenure: Tenure,
    pub(super) head: Head,
}

/// Makes what is missing and reads the rest.
pub(super) fn load(database: &Database, now: Micros) -> Result<Known, redb::Error> {
    let transaction = begin(database)?;
    {
        let mut tx = Tx {
            transaction: &transaction,
            audit: Vec::new(),
            head: None,
        };
        if tx.meta(BIRTH)?.is_none() {
            tx.set_meta(BIRTH, &now.0.to_be_bytes())?;
        }
        // Readers expect every table to be there.
        transaction.open_table(RUNNING)?;
        transaction.open_table(ENDED)?;
        transaction.open_table(RECEIPTS)?;
        transaction.open_table(SEALED)?;
        transaction.open_table(ACCOUNTS)?;
        transaction.open_table(OWNERS)?;
        transaction.open_table(BLOBS)?;
        transaction.open_table(CANCELLED)?;
    }
    let known = {
        let tx = Tx {
            transaction: &transaction,
            audit: Vec::new(),
            head: None,
        };
        let number = |name| Ok::<_, redb::Error>(tx.meta(name)?.map_or(0, |bytes| to_u64(&bytes)));
        let floor = tx.meta(FLOOR)?;
        let floor = floor.and_then(|bytes| Some(operation_of(&bytes.try_into().ok()?)));
        Known {
            running: running(&transaction)?,
            ended: ended(&transaction)?,
            birth: Micros(number(BIRTH)?.cast_signed()),
            floor: floor.flatten(),
            newest_issued: Micros(number(NEWEST_ISSUED)?.cast_signed()),
            epoch: number(EPOCH)?,
            tenure: tx.tenure()?,
            head: tx.head()?,
        }
    };
    transaction.commit()?;
    Ok(known)
}

pub(super) fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    Ok(transaction)
}

/// A commit being put together.
pub(crate) struct Tx<'a> {
    pub(super) transaction: &'a WriteTransaction,
    /// Lines for the audit file, written once the commit is durable.
    pub(super) audit: Vec<String>,
    /// The chain's end, when this commit moves it.
    pub(super) head: Option<Head>,
}

impl Tx<'_> {
    /// Takes an operation, or writes it again with what has changed.
    pub(crate) fn put_running(&mut self, entry: &Entry) -> Result<(), redb::Error> {
        let mut table = self.transaction.open_table(RUNNING)?;
        let json = serde_json::to_vec(entry).map_err(unserializable)?;
        table.insert(entry.operation.as_bytes(), json.as_slice())?;
        Ok(())
    }

    /// The operations that have not ended.
    #[cfg(test)]
    pub(crate) fn running(&self) -> Result<Vec<Entry>, redb::Error> {
        running(self.transaction)
    }

    /// Takes back an operation that has not begun.
    pub(crate) fn remove_running(&mut self, operation: OperationId) -> Result<(), redb::Error> {
        let mut table = self.transaction.open_table(RUNNING)?;
        table.remove(operation.as_bytes())?;
        // The mark must not outlive what it marks, whether that began or not.
        let mut cancelled = self.transaction.open_table(CANCELLED)?;
        if cancelled.len()? > 0 {
            cancelled.remove(operation.as_bytes())?;
        }
        Ok(())
    }

    /// Marks a job as cancelled, for this process and the next, unless it has ended: then `false`.
    pub(crate) fn cancel(&mut self, operation: OperationId) -> Result<bool, redb::Error> {
        let runs = self.transaction.open_table(RUNNING)?;
        let runs = runs.get(operation.as_bytes())?.is_some();
        if runs {
            let mut cancelled = self.transaction.open_table(CANCELLED)?;
            cancelled.insert(operation.as_bytes(), ())?;
        }
        Ok(runs)
    }

    /// Moves an operation to those that have ended.
    pub(crate) fn end(
        &mut self,
        operation: OperationId,
        finished: &Finished,
    ) -> Result<(), redb::Error> {
        self.remove_running(operation)?;
        let mut row = [0; 64];
        row[..32].copy_from_slice(&finished.intent.0);
        row[32..40].copy_from_slice(&finished.sequence.to_be_bytes());
        row[40..48].copy_from_slice(&finished.finished_at.0.to_be_bytes());
        row[48..].copy_from_slice(finished.account.as_bytes());
        self.transaction
            .open_table(ENDED)?
            .insert(operation.as_bytes(), &row)?;
        Ok(())
    }

    /// The operation, when it has ended: a commit that was said to have failed may have come
    /// through.
    pub(crate) fn ended(&self, operation: OperationId) -> Result<Option<Finished>, redb::Error> {
        let table = self.transaction.open_table(ENDED)?;
        let row = table.get(operation.as_bytes())?;
        Ok(row.and_then(|row| finished_of(row.value())))
    }

    /// Forgets operations that have ended, with their sealed secrets, and raises the floor to the
    /// largest of them.
    pub(crate) fn prune(
        &mut self,
        gone: &[(OperationId, Finished)],
    ) -> Result<Option<OperationId>, redb::Error> {
        let mut ended = self.transaction.open_table(ENDED)?;
        let mut sealed = self.transaction.open_table(SEALED)?;
        for (operation, finished) in gone {
            ended.remove(operation.as_bytes())?;
            sealed.remove(finished.sequence)?;
        }
        drop((ended, sealed));
        let before = self.meta(FLOOR)?;
        let before = before.and_then(|bytes| operation_of(&bytes.try_into().ok()?));
        let floor = gone
            .iter()
            .map(|(operation, _)| *operation)
            .chain(before)
            .max();
        if let Some(floor) = floor {
            self.set_meta(FLOOR, floor.as_bytes())?;
        }
        Ok(floor)
    }

    /// A command was taken: keeps the newest time of signing, the highest epoch, and when the first
    /// command of that epoch was signed.
    pub(crate) fn take(&mut self, issued_at: Micros, epoch: u64) -> Result<(), redb::Error> {
        let before = self.tenure()?;
        let tenure = before.with(epoch, issued_at);
        if tenure != before {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&tenure.epoch.to_be_bytes());
            bytes[8..].copy_from_slice(&tenure.first_issued.0.to_be_bytes());
            self.set_meta(TENURE, &bytes)?;
        }
        self.raise(issued_at, epoch)
    }

    /// Keeps the newest time of signing and the highest epoch.
    pub(crate) fn raise(&mut self, issued_at: Micros, epoch: u64) -> Result<(), redb::Error> {
        let stored = self.meta(NEWEST_ISSUED)?;
        if stored.is_none_or(|bytes| to_u64(&bytes).cast_signed() < issued_at.0) {
            self.set_meta(NEWEST_ISSUED, &issued_at.0.to_be_bytes())?;
        }
        let stored = self.meta(EPOCH)?;
        if stored.map_or(0, |bytes| to_u64(&bytes)) < epoch {
            self.set_meta(EPOCH, &epoch.to_be_bytes())?;
        }
        Ok(())
    }

    fn tenure(&self) -> Result<Tenure, redb::Error> {
        let stored = self.meta(TENURE)?.filter(|bytes| bytes.len() == 16);
        Ok(stored.map_or_else(Tenure::default, |bytes| Tenure {
            epoch: to_u64(&bytes[..8]),
            first_issued: Micros(to_u64(&bytes[8..]).cast_signed()),
        }))
    }

    /// Where the agent's chain ends.
    pub(crate) fn head(&self) -> Result<Head, redb::Error> {
        let stored = self.meta(HEAD)?;
        Ok(stored
            .and_then(|bytes| head_of(&bytes.try_into().ok()?))
            .unwrap_or_default())
    }

    /// Where the account's chain on this agent ends.
    pub(crate) fn account_head(&self, account: AccountId) -> Result<Head, redb::Error> {
        let table = self.transaction.open_table(ACCOUNTS)?;
        let stored = table.get(account.as_bytes())?;
        Ok(stored
            .and_then(|bytes| head_of(bytes.value()))
            .unwrap_or_default())
    }

    /// Puts a receipt at the end of both chains and into the audit file.
    pub(crate) fn append_receipt(
        &mut self,
        account: AccountId,
        account_sequence: u64,
        head: Head,
        envelope: String,
        sealed: Option<&Sealed>,
    ) -> Result<(), redb::Error> {
        let mut receipts = self.transaction.open_table(RECEIPTS)?;
        receipts.insert(head.sequence, envelope.as_bytes())?;
        drop(receipts);
        if let Some(sealed) = sealed {
            let json = serde_json::to_vec(sealed).map_err(unserializable)?;
            self.transaction
                .open_table(SEALED)?
                .insert(head.sequence, json.as_slice())?;
        }
        let account_head = Head {
            sequence: account_sequence,
            digest: head.digest,
        };
        let mut accounts = self.transaction.open_table(ACCOUNTS)?;
        accounts.insert(account.as_bytes(), &head_bytes(account_head))?;
        drop(accounts);
        self.set_meta(HEAD, &head_bytes(head))?;
        self.head = Some(head);
        self.audit.push(envelope);
        Ok(())
    }

    /// Writes down whose things are.
    pub(crate) fn change_owners(&mut self, changes: &[OwnerChange]) -> Result<(), redb::Error> {
        let mut table = self.transaction.open_table(OWNERS)?;
        for change in changes {
            match change {
                OwnerChange::Set(thing, account) => {
                    table.insert(thing.table_key().as_str(), account.as_bytes())?;
                }
                OwnerChange::Learn(thing, account) => {
                    let key = thing.table_key();
                    if table.get(key.as_str())?.is_none() {
                        table.insert(key.as_str(), account.as_bytes())?;
                    }
                }
                OwnerChange::Gone(thing) => {
                    table.remove(thing.table_key().as_str())?;
                }
            }
        }
        Ok(())
    }

    /// Keeps a named value for another part of the agent.
    pub(crate) fn put_blob(&mut self, name: &str, value: &[u8]) -> Result<(), redb::Error> {
        self.transaction.open_table(BLOBS)?.insert(name, value)?;
        Ok(())
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, redb::Error> {
        let table = self.transaction.open_table(META)?;
        let found = table.get(name)?;
        Ok(found.map(|bytes| bytes.value().to_vec()))
    }

    fn set_meta(&mut self, name: &str, value: &[u8]) -> Result<(), redb::Error> {
        self.transaction.open_table(META)?.insert(name, value)?;
        Ok(())
    }
}

/// The account in an owner's row.
pub(super) fn account_of(bytes: &[u8; 16]) -> Option<AccountId> {
    AccountId::from_uuid(Uuid::from_bytes(*bytes))
}

fn operation_of(bytes: &[u8; 16]) -> Option<OperationId> {
    OperationId::from_uuid(Uuid::from_bytes(*bytes))
}

fn running(transaction: &WriteTransaction) -> Result<Vec<Entry>, redb::Error> {
    let table = transaction.open_table(RUNNING)?;
    let mut entries = Vec::with_capacity(usize::try_from(table.len()?).unwrap_or(0));
    for row in table.iter()? {
        let entry: Entry = serde_json::from_slice(row?.1.value()).map_err(unserializable)?;
        entries.push(entry);
    }
    entries.sort_by_key(|entry| entry.place);
    Ok(entries)
}

fn ended(transaction: &WriteTransaction) -> Result<Vec<(OperationId, Finished)>, redb::Error> {
    let table = transaction.open_table(ENDED)?;
    let mut entries = Vec::with_capacity(usize::try_from(table.len()?).unwrap_or(0));
    for row in table.iter()? {
        let (operation, row) = row?;
        let operation = operation_of(operation.value());
        entries.extend(operation.zip(finished_of(row.value())));
    }
    Ok(entries)
}

fn finished_of(row: &[u8; 64]) -> Option<Finished> {
    let (mut intent, mut account) = ([0; 32], [0; 16]);
    intent.copy_from_slice(&row[..32]);
    account.copy_from_slice(&row[48..]);
    Some(Finished {
        account: account_of(&account)?,
        intent: Digest(intent),
        sequence: to_u64(&row[32..40]),
        finished_at: Micros(to_u64(&row[40..48]).cast_signed()),
    })
}

fn head_bytes(head: Head) -> [u8; 40] {
    let mut bytes = [0; 40];
    bytes[..8].copy_from_slice(&head.sequence.to_be_bytes());
    bytes[8..].copy_from_slice(&head.digest.map_or([0; 32], |digest| digest.0));
    bytes
}

fn head_of(bytes: &[u8; 40]) -> Option<Head> {
    let mut digest = [0; 32];
    digest.copy_from_slice(&bytes[8..]);
    Some(Head {
        sequence: to_u64(&bytes[..8]),
        digest: Some(Digest(digest)),
    })
}

fn to_u64(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(8)
        .fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

fn unserializable(error: serde_json::Error) -> redb::Error {
    redb::Error::Corrupted(error.to_string())
}
