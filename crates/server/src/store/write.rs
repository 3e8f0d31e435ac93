//! Changes. There is one writer at a time: SQLite takes no more, and on PostgreSQL a lock of the database
//! makes it so over all processes. What is written here is small, and what one change read stands until
//! it is committed, whichever database it is.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use sqlx::{Any, AnyPool, Transaction};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard},
};

use super::{Result, sql::Connection, times::Turn};
use crate::auth::audit;

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A crash of the process. The next durable commit makes it durable too.
    Process,
    /// A crash of the machine: on disk when it returns.
    Machine,
}

/// The number of the lock of all writers on PostgreSQL.
pub(super) const WRITERS_LOCK: i64 = 495_874_699_885;

/// Begins and takes [`WRITERS_LOCK`], whose number is "storm" in ASCII, in one round trip.
macro_rules! begin_on_postgres {
    ($more:literal) => {
        concat!("BEGIN; SELECT pg_advisory_xact_lock(495874699885)", $more)
    };
}

/// The connections that write.
#[derive(Clone)]
pub(super) enum Writers {
    /// A connection for each [`Durability`], never reset, and a lock over both.
    Sqlite(Arc<Mutex<Pair>>),
    /// The turn of this process's writers, who would otherwise each hold a connection while they wait.
    Postgres(AnyPool, Arc<Mutex<()>>),
}

/// SQLite's two connections.
pub(super) struct Pair {
    process: Connection,
    machine: Connection,
    /// Where a transaction may be open. Set before it is begun and unset once it has ended, so that
    /// whoever was cut off in between leaves no doubt behind.
    open: Option<Durability>,
}

impl Pair {
    const fn connection(&mut self, durability: Durability) -> &mut Connection {
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

impl Writers {
    pub(super) fn sqlite(process: Connection, machine: Connection) -> Self {
        Self::Sqlite(Arc::new(Mutex::new(Pair {
            process,
            machine,
            open: None,
        })))
    }

    pub(super) fn postgres(pool: AnyPool) -> Self {
        Self::Postgres(pool, Arc::default())
    }

    /// For one statement. On SQLite it is its own transaction; take all its rows: the commit comes after
    /// the last.
    pub(super) async fn one(&self, durability: Durability) -> Result<Writing> {
        match self {
            Self::Sqlite(pair) => Ok(Writing::Sqlite(sqlite_turn(pair, durability).await)),
            Self::Postgres(..) => self.begin(durability).await,
        }
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self, durability: Durability) -> Result<Writing> {
        match self {
            Self::Sqlite(pair) => {
                let mut turn = sqlite_turn(pair, durability).await;
                turn.pair.open = Some(durability);
                sqlx::query("BEGIN IMMEDIATE")
                    .execute(turn.connection())
                    .await?;
                Ok(Writing::Sqlite(turn))
            }
            Self::Postgres(pool, turn) => {
                let turn = Arc::clone(turn).lock_owned().await;
                let begin = match durability {
                    Durability::Process => {
                        begin_on_postgres!("; SET LOCAL synchronous_commit = off")
                    }
                    Durability::Machine => begin_on_postgres!(""),
                };
                let pool = pool.clone();
                // Whoever is cut off while this waits for the lock leaves a transaction that is rolled
                // back, not one that begins later behind everybody's back.
                let begun = tokio::spawn(async move {
                    let transaction = pool.begin_with(begin).await?;
                    Ok(Writing::Postgres(transaction, turn, None))
                });
                begun
                    .await
                    .map_err(|error| sqlx::Error::AnyDriverError(Box::new(error)))?
            }
        }
    }
}

async fn sqlite_turn(pair: &Arc<Mutex<Pair>>, durability: Durability) -> SqliteTurn {
    let mut pair = Arc::clone(pair).lock_owned().await;
    pair.roll_back().await;
    SqliteTurn {
        pair,
        durability,
        timed: None,
    }
}

/// The right to write, until dropped. What was begun and not committed is rolled back.
pub(crate) enum Writing {
    Sqlite(SqliteTurn),
    Postgres(Transaction<'static, Any>, OwnedMutexGuard<()>, Option<Turn>),
}

/// SQLite's connections, for one change.
pub(crate) struct SqliteTurn {
    pair: OwnedMutexGuard<Pair>,
    durability: Durability,
    timed: Option<Turn>,
}

impl Writing {
    /// The same, timed.
    pub(super) fn in_turn(mut self, turn: Turn) -> Self {
        match &mut self {
            Self::Sqlite(SqliteTurn { timed, .. }) | Self::Postgres(_, _, timed) => {
                *timed = Some(turn);
            }
        }
        self
    }

    /// Ends the transaction, if one was begun.
    pub(crate) async fn commit(mut self) -> Result<()> {
        if let Self::Sqlite(turn) = &self
            && turn.pair.open.is_none()
        {
            return Ok(());
        }
        // What a person changes and that they did are one transaction.
        let due = audit::due();
        if let Some(entry) = &due {
            entry.insert(&mut self).await?;
        }
        match self {
            Self::Sqlite(mut turn) => turn.commit().await?,
            Self::Postgres(transaction, _turn, _timed) => transaction.commit().await?,
        }
        if due.is_some() {
            audit::written();
        }
        Ok(())
    }
}

impl SqliteTurn {
    fn connection(&mut self) -> &mut Connection {
        self.pair.connection(self.durability)
    }

    async fn commit(&mut self) -> Result<()> {
        sqlx::query("COMMIT").execute(self.connection()).await?;
        self.pair.open = None;
        Ok(())
    }
}

impl Deref for Writing {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Self::Sqlite(turn) => match turn.durability {
                Durability::Process => &turn.pair.process,
                Durability::Machine => &turn.pair.machine,
            },
            Self::Postgres(transaction, ..) => transaction,
        }
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut Connection {
        match self {
            Self::Sqlite(turn) => turn.connection(),
            Self::Postgres(transaction, ..) => transaction,
        }
    }
}

impl Drop for SqliteTurn {
    fn drop(&mut self) {
        if self.pair.open.is_none() {
            return;
        }
        // Soon, lest other processes wait for the lock; the next change here would do it too.
        let pair = Arc::clone(OwnedMutexGuard::mutex(&self.pair));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { pair.lock_owned().await.roll_back().await });
        }
    }
}
