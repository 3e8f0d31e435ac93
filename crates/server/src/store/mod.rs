//! The database. All SQL stands below this module, one file a noun; handlers hold none.
//!
//! Not found is `Ok(None)`. Each text runs on SQLite and PostgreSQL alike (`$1` parameters, BIGINT
//! booleans).

#[cfg(test)]
use std::panic::Location;
use std::{fmt::Display, str::FromStr, time::Instant};

use serde::de::DeserializeOwned;

pub use self::open::Place;
use self::open::{Reader, Readers};
pub use self::write::Durability;
pub(crate) use self::write::Writing;
use self::{times::WriteTimes, write::Writers};

mod account_remains;
pub(crate) mod account_states;
pub mod accounts;
pub mod admission;
pub(crate) mod adoption;
pub mod agents;
pub(crate) mod archive;
pub(crate) mod audit;
pub mod certificates;
pub(crate) mod challenges;
mod closing_days;
pub mod delivery;
pub(crate) mod device;
mod drift;
pub(crate) mod dump;
pub mod effects;
pub mod enrolment;
pub(crate) mod hubs;
pub mod inventory;
pub(crate) mod invitations;
pub(crate) mod job_progress;
pub(crate) mod late_epoch;
pub(crate) mod limits;
pub mod lost;
pub(crate) mod mails;
#[cfg(test)]
mod met;
pub(crate) mod oidc;
mod open;
pub mod operations;
pub(crate) mod orphans;
mod owner;
pub(crate) mod passkey_challenges;
pub(crate) mod passkeys;
pub(crate) mod passwords;
pub(crate) mod people;
pub mod receipts;
pub mod regions;
#[cfg(test)]
mod schema_tests;
pub(crate) mod second_factors;
pub mod security;
pub mod sessions;
pub(crate) mod settings;
mod settlement;
pub mod setup;
pub(crate) mod sign_ups;
pub mod signing;
pub(crate) mod sql;
pub(crate) mod standing;
mod statements;
pub(crate) mod strays;
pub mod succession;
pub(crate) mod system;
mod terms;
#[cfg(test)]
mod tests;
mod times;
pub mod tokens;
pub mod traffic;
pub(crate) mod usage;
pub mod users;
pub mod views;
mod wanted;
mod write;

/// The database's answer was not what it has to be.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Why the database did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database itself failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The database cannot be used as it was made.
    #[error("the database cannot be used: {0}")]
    Unsuitable(&'static str),
    /// Another process has taken this role over.
    #[error("another process is the {0} now")]
    Superseded(&'static str),
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

impl StoreError {
    /// Whether there was no room for what was to be written.
    pub(crate) fn is_full(&self) -> bool {
        /// SQLite's code for a full disk, and PostgreSQL's.
        const FULL: [&str; 2] = ["13", "53100"];
        match self {
            Self::Database(error) => error
                .as_database_error()
                .and_then(|error| error.code())
                .is_some_and(|code| FULL.contains(&&*code)),
            Self::Schema(_) | Self::Unsuitable(_) | Self::Superseded(_) | Self::Row { .. } => false,
        }
    }

    /// Whether no connection to the database came free, or was made, in time.
    pub(crate) fn is_late(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::PoolTimedOut))
    }
}

/// A handle to the database; clones share its connections.
#[derive(Clone)]
pub struct Store {
    readers: Readers,
    writers: Writers,
    write_times: WriteTimes,
    /// The term outside of which nothing is changed.
    fence: Option<terms::Fence>,
}

impl Store {
    /// A connection for queries that change nothing: one that is free, or soon will be.
    #[cfg_attr(test, track_caller)]
    pub(crate) fn read(&self) -> impl Future<Output = Result<Reader<'_>>> {
        #[cfg(test)]
        met::note(Location::caller());
        self.readers.one()
    }

    /// Begins a change.
    #[cfg_attr(test, track_caller)]
    pub(crate) fn write(&self, durability: Durability) -> impl Future<Output = Result<Writing>> {
        #[cfg(test)]
        met::note(Location::caller());
        self.begin(durability)
    }

    async fn begin(&self, durability: Durability) -> Result<Writing> {
        let asked = Instant::now();
        let writing = self.writers.begin(durability).await?;
        let mut writing = writing.in_turn(self.write_times.begin(asked));
        if let Some(fence) = &self.fence {
            fence.check(&mut writing).await?;
        }
        Ok(writing)
    }

    /// How long changes wait and take.
    pub(crate) const fn write_times(&self) -> &WriteTimes {
        &self.write_times
    }

    /// A change of one statement, which is its own transaction where the database lets it be.
    #[cfg_attr(test, track_caller)]
    pub(crate) fn write_one(
        &self,
        durability: Durability,
    ) -> impl Future<Output = Result<Writing>> {
        #[cfg(test)]
        met::note(Location::caller());
        self.begin_one(durability)
    }

    async fn begin_one(&self, durability: Durability) -> Result<Writing> {
        if self.fence.is_some() {
            // To look and to change is one transaction.
            return self.begin(durability).await;
        }
        let asked = Instant::now();
        let writing = self.writers.one(durability).await?;
        Ok(writing.in_turn(self.write_times.begin(asked)))
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
