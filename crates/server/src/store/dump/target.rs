//! An empty database that is filled in one transaction: whoever is cut off leaves it empty.

use std::{fs, os::unix::fs::OpenOptionsExt as _, path::Path};

use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
use storm_protocol::ident::UserId;

use super::{
    migrations, number, require_alone,
    rows::{Sum, sum},
    schema::{Table, tables},
    schema_of, unsuitable,
};
use crate::store::{
    Place, Result, StoreError,
    open::{connect, require_byte_order, server, sqlite},
    sql::{Connection, is_postgres},
    write::WRITERS_LOCK,
};

/// A database to be filled, in its one transaction.
pub(crate) struct Target {
    pub(crate) connection: Connection,
    pub(crate) tables: Vec<Table>,
}

impl Target {
    /// Makes the tables as they were in `schema` and begins; the database has to have no rows of ours.
    /// What the migrations themselves wrote is taken out.
    pub(crate) async fn open(place: &Place, schema: i64) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let mut connection = match place {
            Place::File(file) => {
                make_private(file)?;
                let options = SqliteConnectOptions::new().filename(file);
                connect(&sqlite(&options)?, "PRAGMA journal_mode = WAL").await?
            }
            Place::Server(url) => server(url)?.connect().await?,
        };
        if is_postgres(&connection) {
            require_byte_order(&mut connection).await?;
            require_alone(&mut connection).await?;
        }
        if schema_of(&mut connection)
            .await?
            .is_some_and(|there| there > schema)
        {
            let tables = tables(&mut connection).await?;
            require_empty(&mut connection, &tables).await?;
            return Err(unsuitable(
                "a newer version made its tables: name a new one",
            ));
        }
        migrations(&connection)
            .run_to(schema, &mut connection)
            .await?;
        let tables = tables(&mut connection).await?;
        begin(&mut connection).await?;
        require_empty(&mut connection, &tables).await?;
        sqlx::query("DELETE FROM users WHERE id = $1")
            .bind(UserId::SYSTEM.to_string())
            .execute(&mut connection)
            .await?;
        Ok(Self { connection, tables })
    }

    /// Reads a table back and compares.
    pub(crate) async fn require(&mut self, table: &Table, sum: &Sum) -> Result<()> {
        let there = self::sum(&mut self.connection, table).await?;
        if there == *sum {
            return Ok(());
        }
        Err(StoreError::Row {
            table: "the copy",
            what: format!(
                "{} came out with {} rows, {} were given, or with others: nothing is kept",
                table.name, there.rows, sum.rows
            ),
        })
    }

    /// Ends the transaction: from here on it is all there, on disk.
    pub(crate) async fn commit(mut self) -> Result<()> {
        sqlx::query("COMMIT").execute(&mut self.connection).await?;
        sqlx::Connection::close(self.connection).await?;
        Ok(())
    }
}

async fn begin(connection: &mut Connection) -> Result<()> {
    if !is_postgres(connection) {
        sqlx::query("BEGIN IMMEDIATE").execute(connection).await?;
        return Ok(());
    }
    sqlx::query("BEGIN").execute(&mut *connection).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(WRITERS_LOCK)
        .execute(connection)
        .await?;
    Ok(())
}

/// Nobody's data are mixed with another's.
async fn require_empty(connection: &mut Connection, tables: &[Table]) -> Result<()> {
    for table in tables {
        let mut text = format!("SELECT COUNT(*) FROM (SELECT 1 FROM \"{}\"", table.name);
        if table.name == "users" {
            text.push_str(&format!(" WHERE id <> '{}'", UserId::SYSTEM));
        }
        text.push_str(" LIMIT 1) one");
        if number(connection, &text).await? != 0 {
            return Err(unsuitable(
                "it is not empty: name a new one, for nothing is ever mixed with what is there",
            ));
        }
    }
    Ok(())
}

/// Makes the file for its owner alone; SQLite gives those beside it the same mode.
fn make_private(file: &Path) -> Result<()> {
    let made = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(file);
    made.map_err(sqlx::Error::Io)?;
    Ok(())
}
