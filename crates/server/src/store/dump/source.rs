//! A database that is read as a whole, and not changed: not even its schema.

use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

use super::{
    newest_schema, require_alone,
    schema::{Table, tables},
    schema_of, unsuitable,
};
use crate::store::{
    Place, Result,
    open::{server, sqlite},
    sql::{Connection, is_postgres},
    write::WRITERS_LOCK,
};

/// A database to be read.
pub(crate) struct Source {
    pub(crate) connection: Connection,
    pub(crate) tables: Vec<Table>,
    /// The number of its schema's last migration.
    pub(crate) schema: i64,
}

impl Source {
    /// Connects to a database whose schema is this version's.
    pub(crate) async fn open(place: &Place) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let mut connection = match place {
            Place::File(file) => {
                let options = SqliteConnectOptions::new().filename(file).read_only(true);
                sqlite(&options)?.connect().await?
            }
            Place::Server(url) => server(url)?.connect().await?,
        };
        let Some(schema) = schema_of(&mut connection).await? else {
            return Err(unsuitable("it holds nothing of Storm Buckets"));
        };
        if schema > newest_schema() {
            return Err(unsuitable("a newer version wrote it: use that version"));
        }
        if schema < newest_schema() {
            return Err(unsuitable(
                "an older version wrote it: start `storm-buckets serve` of this version on it once, which \
                 brings it up to date",
            ));
        }
        let tables = tables(&mut connection).await?;
        Ok(Self {
            connection,
            tables,
            schema,
        })
    }

    /// Sees to it that nobody changes a server's database as long as this is connected. (A file is
    /// locked by its directory.)
    pub(crate) async fn stop_writers(&mut self) -> Result<()> {
        require_alone(&mut self.connection).await?;
        if is_postgres(&self.connection) {
            sqlx::query("SELECT pg_advisory_lock($1)")
                .bind(WRITERS_LOCK)
                .execute(&mut self.connection)
                .await?;
        }
        Ok(())
    }

    /// Which of the two it is, in a word.
    pub(crate) fn database(&self) -> &'static str {
        if is_postgres(&self.connection) {
            "postgres"
        } else {
            "sqlite"
        }
    }
}
