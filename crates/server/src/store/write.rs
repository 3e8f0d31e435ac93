//! Changes. SQLite takes one writer at a time, so there is one place to write from: a connection for
//! each [`Durability`], never reset, and a lock over both.

use std::{ops::Deref, ops::DerefMut, sync::Arc};

use sqlx::sqlite::SqliteSynchronous;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Result;
use crate::auth::audit;

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A crash of the process. The next durable commit makes it durable too.
    Process,
    /// A crash of the machine: on disk when it returns.
    Machine,
}

/// The connections that write.
pub(super) struct Writers {
    process: SqliteConnection,
    machine: SqliteConnection,
    /// Where a transaction may be open. Set before it is begun and unset once it has ended, so that
    /// whoever was cut off in between leaves no doubt behind.
    open: Option<Durability>,
}

impl Writers {
    pub(super) async fn open(options: &SqliteConnectOptions) -> Result<Self> {
        let connect = |synchronous| {
            let options = options.clone().synchronous(synchronous);
            async move { SqliteConnection::connect_with(&options).await }
        };
        Ok(Self {
            machine: connect(SqliteSynchronous::Full).await?,
            process: connect(SqliteSynchronous::Normal).await?,
            open: None,
        })
    }

    pub(super) fn connection(&mut self, durability: Durability) -> &mut SqliteConnection {
        match durability {
            Durability::Process => &mut self.process,
            Durability::Machine => &mut self.machine,
        }
    }

    async fn roll_back(&mut self) {
        let Some(open) = self.open else { return };
        // It may have ended already: then there is nothing to roll back.
        let _ = sqlx::query("ROLLBACK").execute(self.connection(open)).await;
        self.open = None;
    }
}

/// The right to write, until dropped. What was begun and not committed is rolled back.
pub(crate) struct Writing {
    writers: OwnedMutexGuard<Writers>,
    durability: Durability,
}

impl Writing {
    /// For one statement, which is its own transaction. Take all its rows: SQLite commits after the
    /// last.
    pub(super) async fn new(writers: &Arc<Mutex<Writers>>, durability: Durability) -> Self {
        let mut writers = Arc::clone(writers).lock_owned().await;
        writers.roll_back().await;
        Self {
            writers,
            durability,
        }
    }

    /// Begins a transaction.
    pub(super) async fn begin(mut self) -> Result<Self> {
        self.writers.open = Some(self.durability);
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *self).await?;
        Ok(self)
    }

    /// Ends the transaction, if one was begun.
    pub(crate) async fn commit(mut self) -> Result<()> {
        if self.writers.open.is_none() {
            return Ok(());
        }
        // What a person changes and that they did are one transaction.
        let due = audit::due();
        if let Some(entry) = &due {
            entry.insert(&mut self).await?;
        }
        sqlx::query("COMMIT").execute(&mut *self).await?;
        self.writers.open = None;
        if due.is_some() {
            audit::written();
        }
        Ok(())
    }
}

impl Deref for Writing {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self.durability {
            Durability::Process => &self.writers.process,
            Durability::Machine => &self.writers.machine,
        }
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        let durability = self.durability;
        self.writers.connection(durability)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.writers.open.is_none() {
            return;
        }
        // Soon, lest other processes wait for the lock; the next change here would do it too.
        let writers = Arc::clone(OwnedMutexGuard::mutex(&self.writers));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { writers.lock_owned().await.roll_back().await });
        }
    }
}
