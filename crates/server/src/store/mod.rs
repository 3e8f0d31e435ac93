//! The database. All SQL stands below this module, one file a noun; handlers hold none.
//!
//! Not found is `Ok(None)`. Each text runs on SQLite and PostgreSQL alike (`$1` parameters, BIGINT
//! booleans). SQLite has one writing connection, so a write never meets a lock of our own.

use std::{fmt::Display, path::Path, str::FromStr, sync::Arc};

use serde::de::DeserializeOwned;
use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Mutex;

pub mod accounts;
pub mod agents;
pub mod certificates;
pub mod delivery;
pub mod effects;
pub mod enrolment;
pub mod inventory;
pub mod operations;
pub mod receipts;
pub mod regions;
pub mod sessions;
mod settlement;
pub mod setup;
pub mod signing;
#[cfg(test)]
mod tests;
pub mod tokens;
pub mod users;
pub mod views;

/// Connections that read at the same time.
const READERS: u32 = 4;
/// Milliseconds that a statement waits for another process's lock.
const BUSY_TIMEOUT_MILLISECONDS: u64 = 5_000;

/// The database's answer was not what it has to be.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Why the database did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database itself failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// A newer version wrote this database, or a migration failed.
    #[error("the database's schema cannot be used: {0}")]
    Schema(#[from] sqlx::migrate::MigrateError),
    /// A row holds what this version cannot read.
    #[error("a row of {table} cannot be read: {what}")]
    Row {
        /// The table.
        table: &'static str,
        /// What is wrong.
        what: String,
    },
}

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A crash of the process. The next durable commit makes it durable too.
    Process,
    /// A crash of the machine: on disk when it returns.
    Machine,
}

/// A handle to the database; clones share its connections.
#[derive(Clone)]
pub struct Store {
    read: SqlitePool,
    write: SqlitePool,
    /// What the writing connection is set to; held until the transaction has begun.
    set_to: Arc<Mutex<Durability>>,
}

impl Store {
    /// Opens the database in `file`, makes it if absent, and runs the migrations. A schema newer
    /// than this version is refused.
    pub async fn open(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What a connection begins with, should it ever be opened anew.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MILLISECONDS));
        let pool = || {
            SqlitePoolOptions::new()
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        let write = pool()
            .max_connections(1)
            .connect_with(options.clone())
            .await?;
        sqlx::migrate!("migrations/sqlite").run(&write).await?;
        let read = pool()
            .max_connections(READERS)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self {
            read,
            write,
            set_to: Arc::new(Mutex::new(Durability::Machine)),
        })
    }

    /// For queries that change nothing.
    pub(crate) fn read(&self) -> &SqlitePool {
        &self.read
    }

    /// Begins a change.
    pub(crate) async fn write(
        &self,
        durability: Durability,
    ) -> Result<Transaction<'static, Sqlite>> {
        let mut set_to = self.set_to.lock().await;
        if *set_to != durability {
            // The setting cannot change inside a transaction, and there is one writing connection.
            let pragma = match durability {
                Durability::Process => "PRAGMA synchronous = NORMAL",
                Durability::Machine => "PRAGMA synchronous = FULL",
            };
            sqlx::query(pragma).execute(&self.write).await?;
            *set_to = durability;
        }
        Ok(self.write.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Reads a text column into the type that it has to be.
pub(crate) fn parsed<T: FromStr<Err: Display>>(table: &'static str, text: &str) -> Result<T> {
    text.parse().map_err(|error: T::Err| StoreError::Row {
        table,
        what: error.to_string(),
    })
}

/// Reads a text column that may be NULL.
pub(crate) fn parsed_option<T: FromStr<Err: Display>>(
    table: &'static str,
    text: Option<&str>,
) -> Result<Option<T>> {
    text.map(|text| parsed(table, text)).transpose()
}

/// Reads a JSON column.
pub(crate) fn from_json<T: DeserializeOwned>(table: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| StoreError::Row {
        table,
        what: error.to_string(),
    })
}

/// Reads a JSON column that may be NULL.
pub(crate) fn from_json_option<T: DeserializeOwned>(
    table: &'static str,
    text: Option<&str>,
) -> Result<Option<T>> {
    text.map(|text| from_json(table, text)).transpose()
}

/// Writes a JSON column.
pub(crate) fn to_json<T: serde::Serialize>(table: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Row {
        table,
        what: error.to_string(),
    })
}

/// A count or size as the database holds it.
pub(crate) fn to_big(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A count or size out of the database.
pub(crate) fn from_big(table: &'static str, value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|error| StoreError::Row {
        table,
        what: error.to_string(),
    })
}
