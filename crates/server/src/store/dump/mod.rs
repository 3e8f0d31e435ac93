//! The database as a whole, table by table: what a copy into another database, a backup and its
//! restoration have in common.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, migrate::Migrator};

use self::{
    rows::{ROWS_AT_ONCE, Sum, Summing, insert, rows},
    schema::Table,
};
pub(crate) use self::{source::Source, target::Target};
use super::{
    Result, StoreError,
    open::{MIGRATIONS_OF_POSTGRES, MIGRATIONS_OF_SQLITE},
    sql::{Connection, is_postgres, view},
};

pub(crate) mod rows;
pub(crate) mod schema;
mod source;
mod target;
#[cfg(test)]
pub(crate) mod tests;

/// How often it is looked whether others have left a server's database, and how long between.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(300);

/// Copies every table into an empty database, in its one transaction. What was written is read back:
/// both sides have the same sums, or nothing is there. The target's [`Target::commit`] is the caller's.
pub(crate) async fn copy(
    source: &mut Source,
    target: &mut Target,
    mut told: impl FnMut(&Table, &Sum),
) -> Result<()> {
    if source.tables != target.tables {
        return Err(unsuitable("the two do not have the same tables"));
    }
    let mut here = view(&mut source.connection).await?;
    for table in &source.tables {
        let mut summing = Summing::default();
        let mut batch = vec![];
        {
            let mut rows = std::pin::pin!(rows(&mut here, table));
            while let Some(row) = rows.try_next().await? {
                summing.add(&row);
                batch.push(row);
                if batch.len() == ROWS_AT_ONCE {
                    insert(&mut target.connection, table, &batch).await?;
                    batch.clear();
                }
            }
        }
        insert(&mut target.connection, table, &batch).await?;
        let sum = summing.end();
        target.require(table, &sum).await?;
        told(table, &sum);
    }
    Ok(())
}

/// The migrations of a database.
fn migrations(connection: &Connection) -> &'static Migrator {
    if is_postgres(connection) {
        &MIGRATIONS_OF_POSTGRES
    } else {
        &MIGRATIONS_OF_SQLITE
    }
}

/// The newest schema that this version knows, by its migration's number: both databases count alike.
pub(crate) fn newest_schema() -> i64 {
    let versions = MIGRATIONS_OF_POSTGRES.iter().map(|one| one.version);
    versions.max().unwrap_or_default()
}

/// The schema that a database has; `None`: it has nothing of ours.
async fn schema_of(connection: &mut Connection) -> Result<Option<i64>> {
    let known = if is_postgres(connection) {
        "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')"
    } else {
        "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'"
    };
    if number(connection, known).await? == 0 {
        return Ok(None);
    }
    let newest = "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations";
    Ok(Some(number(connection, newest).await?))
}

/// Waits a little until nobody else has a server's database open, and refuses it if somebody has.
async fn require_alone(connection: &mut Connection) -> Result<()> {
    // Not everybody may see of what kind another's connection is; what cleans up has no user.
    const OTHERS: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND pid <> pg_backend_pid() AND usesysid IS NOT NULL \
         AND COALESCE(backend_type, 'client backend') = 'client backend'";
    if !is_postgres(connection) {
        return Ok(());
    }
    for _ in 0..LOOKS {
        if number(connection, OTHERS).await? == 0 {
            return Ok(());
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Err(unsuitable(
        "others are connected to it: stop every storm-buckets that uses it, and whoever else",
    ))
}

async fn number(connection: &mut Connection, text: &str) -> Result<i64> {
    let text = AssertSqlSafe(text);
    Ok(sqlx::query_scalar(text).fetch_one(connection).await?)
}

/// One sentence of why a database will not do.
fn unsuitable(why: &'static str) -> StoreError {
    StoreError::Unsuitable(why)
}
