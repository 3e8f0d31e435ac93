//! Opening the database: a file of SQLite, or a PostgreSQL server.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Arc,
    time::Duration,
};

use futures_util::future;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{
    Any, AnyPool, ConnectOptions as _, Connection as _,
    any::{AnyConnectOptions, AnyPoolOptions},
    migrate::{MigrateError, Migrator},
    pool::PoolConnection,
    sqlite::SqliteConnectOptions,
};
use tokio::sync::{Mutex, MutexGuard};

use super::{Result, Store, StoreError, owner, sql::Connection, times::WriteTimes, write::Writers};

/// Connections that read at the same time.
const READERS: usize = 4;
/// Connections to a PostgreSQL server from one process, at most.
const CONNECTIONS: u32 = 10;
/// The longest that a query waits for a connection to it.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that was unused for longer is asked for a sign of life before it is used.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// A process that stops in the middle of a change keeps all others waiting no longer than this, which is shorter
/// than what hubs are given for a sign of life.
const LET_GO: &str = "SET idle_in_transaction_session_timeout = '5s'";

/// How the schema came to be, on either database.
pub(super) static MIGRATIONS_OF_SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
pub(super) static MIGRATIONS_OF_POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// Where the database is.
#[derive(Debug, Clone)]
pub enum Place {
    /// SQLite, in this file.
    File(PathBuf),
    /// PostgreSQL, at this URL, which may hold a password.
    Server(SecretString),
}

impl Place {
    /// Whether there is anything in it.
    pub async fn is_known(&self) -> Result<bool> {
        match self {
            Self::File(file) => Ok(file.exists()),
            Self::Server(_) => {
                let store = Store::open(self.clone()).await?;
                Ok(store.is_claimed().await? || store.has_users().await?)
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Server(_) => f.write_str("the PostgreSQL database"),
        }
    }
}

impl From<&Path> for Place {
    fn from(file: &Path) -> Self {
        Self::File(file.to_owned())
    }
}

impl Store {
    /// Opens the database, makes its file if absent, and runs the migrations. A schema newer than this
    /// version is refused.
    pub async fn open(place: impl Into<Place>) -> Result<Self> {
        sqlx::any::install_default_drivers();
        match place.into() {
            Place::File(file) => Self::open_file(&file).await,
            Place::Server(url) => Self::open_server(&url).await,
        }
    }

    async fn open_file(file: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new().filename(file);
        let writing = sqlite(&options.clone().create_if_missing(true))?;
        // Stays with the file. Without it readers would wait for the writer.
        let mut machine = connect(&writing, "PRAGMA journal_mode = WAL").await?;
        MIGRATIONS_OF_SQLITE.run(&mut machine).await?;
        let process = connect(&writing, "PRAGMA synchronous = NORMAL").await?;
        let reading = sqlite(&options.read_only(true))?;
        let mut readers = vec![];
        for _ in 0..READERS {
            readers.push(Mutex::new(reading.connect().await?));
        }
        Ok(Self {
            readers: Readers::Sqlite(readers.into()),
            writers: Writers::sqlite(process, machine),
            write_times: WriteTimes::default(),
            fence: None,
        })
    }

    /// Opens the database as a process that makes nothing in it. `None`: it is not set up yet, or not yet
    /// for this version.
    pub async fn open_when_set_up(place: &Place) -> Result<Option<Self>> {
        sqlx::any::install_default_drivers();
        let Place::Server(url) = place else {
            return Self::open(place.clone()).await.map(Some);
        };
        let pool = connect_server(url).await?;
        if !is_set_up(&mut *pool.acquire().await?).await? {
            return Ok(None);
        }
        let store = Self::on(pool);
        Ok(store.has_users().await?.then_some(store))
    }

    async fn open_server(url: &SecretString) -> Result<Self> {
        let pool = connect_server(url).await?;
        set_up(&mut *pool.acquire().await?).await?;
        Ok(Self::on(pool))
    }

    /// The same by new connections: those that there are may lead nowhere, and would say so after a quarter of
    /// an hour.
    pub(crate) async fn reconnected(&self, place: &Place) -> Result<Self> {
        let Place::Server(url) = place else {
            return Ok(self.clone());
        };
        let Self {
            readers, writers, ..
        } = Self::on(connect_server(url).await?);
        Ok(Self {
            readers,
            writers,
            ..self.clone()
        })
    }

    fn on(pool: AnyPool) -> Self {
        Self {
            readers: Readers::Postgres(pool.clone()),
            writers: Writers::postgres(pool),
            write_times: WriteTimes::default(),
            fence: None,
        }
    }
}

pub(super) async fn connect_server(url: &SecretString) -> Result<AnyPool> {
    sqlx::any::install_default_drivers();
    let options = server(url)?;
    let pool = AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move { sqlx::raw_sql(LET_GO).execute(connection).await.map(drop) })
        })
        .before_acquire(|connection, age| {
            Box::pin(
                async move { Ok(age.idle_for < TRUSTED_FOR || connection.ping().await.is_ok()) },
            )
        })
        .connect_with(options)
        .await?;
    require_byte_order(&mut *pool.acquire().await?).await?;
    Ok(pool)
}

/// Runs the migrations; whoever may not finds that they ran.
async fn set_up(connection: &mut Connection) -> Result<()> {
    let ready = is_set_up(connection).await?;
    match owner::require_owner(connection).await {
        Ok(()) => {}
        Err(_) if ready => return Ok(()),
        Err(error) => return Err(error),
    }
    MIGRATIONS_OF_POSTGRES.run(&mut *connection).await?;
    if !ready {
        owner::renew_grants(connection).await?;
    }
    Ok(())
}

/// Whether all migrations of this version ran. A schema that is newer is refused.
async fn is_set_up(connection: &mut Connection) -> Result<bool> {
    // What somebody may not see is there nevertheless.
    let begun: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')",
    )
    .fetch_one(&mut *connection)
    .await?;
    if begun == 0 {
        return Ok(false);
    }
    owner::require_grants(connection).await?;
    let there: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(connection)
        .await?;
    let wanted = MIGRATIONS_OF_POSTGRES
        .iter()
        .map(|migration| migration.version)
        .max();
    match there {
        Some(version) if there > wanted => Err(MigrateError::VersionMissing(version).into()),
        _ => Ok(there == wanted),
    }
}

impl Store {
    /// Whether the schema is the one of this program still: another process may have brought it to a newer
    /// one since.
    pub(crate) async fn is_schema_current(&self) -> Result<bool> {
        let ours = match &self.readers {
            Readers::Sqlite(_) => &MIGRATIONS_OF_SQLITE,
            Readers::Postgres(_) => &MIGRATIONS_OF_POSTGRES,
        };
        let ours = ours.iter().map(|migration| migration.version).max();
        let newest = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations");
        let newest: Option<i64> = newest.fetch_one(&mut *self.read().await?).await?;
        Ok(newest == ours)
    }
}

/// Pages go on after the last id that was seen, so texts have to be sorted as SQLite does.
pub(super) async fn require_byte_order(connection: &mut Connection) -> Result<()> {
    let sorted: i64 = sqlx::query_scalar(
        "SELECT CASE WHEN pg_encoding_to_char(encoding) = 'UTF8' AND datcollate IN ('C', 'POSIX', 'C.UTF-8') \
         THEN 1 ELSE 0 END::BIGINT FROM pg_database WHERE datname = current_database()",
    )
    .fetch_one(connection)
    .await?;
    if sorted == 1 {
        return Ok(());
    }
    Err(StoreError::Unsuitable(
        "it does not sort texts by their bytes: make it with \
         `createdb --template=template0 --encoding=UTF8 --locale=C NAME`",
    ))
}

/// The options of a server.
pub(super) fn server(url: &SecretString) -> Result<AnyConnectOptions> {
    Ok(AnyConnectOptions::from_str(url.expose_secret())?)
}

/// The options of SQLite in the form that is told apart later.
pub(super) fn sqlite(options: &SqliteConnectOptions) -> Result<AnyConnectOptions> {
    Ok(AnyConnectOptions::from_url(&options.to_url_lossy())?)
}

pub(super) async fn connect(
    options: &AnyConnectOptions,
    pragma: &'static str,
) -> Result<Connection> {
    let mut connection = options.connect().await?;
    sqlx::raw_sql(pragma).execute(&mut connection).await?;
    Ok(connection)
}

/// The connections that read.
#[derive(Clone)]
pub(super) enum Readers {
    /// No pool, which would ask each connection for a sign of life after each query.
    Sqlite(Arc<[Mutex<Connection>]>),
    Postgres(AnyPool),
}

impl Readers {
    /// One that is free, or soon will be.
    pub(super) async fn one(&self) -> Result<Reader<'_>> {
        match self {
            Self::Sqlite(readers) => Ok(Reader::Sqlite(first_free(readers).await)),
            Self::Postgres(pool) => Ok(Reader::Postgres(pool.acquire().await?)),
        }
    }
}

async fn first_free(readers: &[Mutex<Connection>]) -> MutexGuard<'_, Connection> {
    for reader in readers {
        if let Ok(free) = reader.try_lock() {
            return free;
        }
    }
    let waiting = readers.iter().map(|reader| Box::pin(reader.lock()));
    future::select_all(waiting).await.0
}

/// A connection that reads, until dropped.
pub(crate) enum Reader<'a> {
    Sqlite(MutexGuard<'a, Connection>),
    Postgres(PoolConnection<Any>),
}

impl Deref for Reader<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match self {
            Self::Sqlite(connection) => connection,
            Self::Postgres(connection) => connection,
        }
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        match self {
            Self::Sqlite(connection) => connection,
            Self::Postgres(connection) => connection,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        store::{Durability, Store},
        testing::World,
    };

    #[tokio::test]
    async fn a_process_that_sleeps_in_a_change_lets_the_others_go_on() {
        let world = World::new().await;
        if !world.is_on_postgres() {
            // A file has one process.
            return;
        }
        let other = Store::open(world.place.clone()).await.unwrap();
        let asleep = world.app.store.write(Durability::Machine).await.unwrap();
        // Waits for the lock that the sleeper holds.
        other.hub_beats("none").await.unwrap();
        assert!(asleep.commit().await.is_err());
        world.app.store.hub_beats("none").await.unwrap();
    }
}
