//! Which tables there are, as the database itself says: nobody has to keep a list of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use crate::store::{
    Result, StoreError,
    sql::{Connection, is_postgres},
};

/// What a column holds. There is nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Text,
    Number,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// A table. Its columns stand by name: migrations added them in another order on each database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    /// The columns of its primary key, in the key's order.
    pub(crate) key: Vec<String>,
}

const SQLITE_COLUMNS: &str = "SELECT m.name, c.name, upper(c.type), CAST(c.pk AS BIGINT) \
     FROM sqlite_master m, pragma_table_info(m.name) c \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND m.name <> '_sqlx_migrations' \
     ORDER BY m.name, c.name";
const POSTGRES_COLUMNS: &str = "SELECT t.relname::TEXT, a.attname::TEXT, \
     upper(format_type(a.atttypid, a.atttypmod))::TEXT, \
     COALESCE(array_position(i.indkey::SMALLINT[], a.attnum) + 1, 0)::BIGINT \
     FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace \
     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped \
     LEFT JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary \
     WHERE n.nspname = current_schema() AND t.relkind = 'r' AND t.relname <> '_sqlx_migrations' \
     ORDER BY t.relname::TEXT, a.attname::TEXT";
const SQLITE_REFERENCES: &str = "SELECT m.name, f.\"table\" \
     FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
const POSTGRES_REFERENCES: &str = "SELECT a.relname::TEXT, b.relname::TEXT FROM pg_constraint c \
     JOIN pg_class a ON a.oid = c.conrelid JOIN pg_class b ON b.oid = c.confrelid \
     JOIN pg_namespace n ON n.oid = a.relnamespace \
     WHERE c.contype = 'f' AND n.nspname = current_schema()";

/// Every table of ours, each behind those that it refers to.
pub(crate) async fn tables(connection: &mut Connection) -> Result<Vec<Table>> {
    let (columns, references) = if is_postgres(connection) {
        (POSTGRES_COLUMNS, POSTGRES_REFERENCES)
    } else {
        (SQLITE_COLUMNS, SQLITE_REFERENCES)
    };
    let mut found: BTreeMap<String, (Vec<Column>, BTreeMap<i64, String>)> = BTreeMap::new();
    for row in sqlx::query(columns).fetch_all(&mut *connection).await? {
        let (table, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let kind = kind(&table, &name, row.try_get(2)?)?;
        let (columns, key) = found.entry(table).or_default();
        let place: i64 = row.try_get(3)?;
        if place > 0 {
            key.insert(place, name.clone());
        }
        columns.push(Column { name, kind });
    }
    let mut after: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in sqlx::query(references).fetch_all(&mut *connection).await? {
        after
            .entry(row.try_get(0)?)
            .or_default()
            .insert(row.try_get(1)?);
    }
    let tables = found.into_iter().map(|(name, (columns, key))| Table {
        name,
        columns,
        key: key.into_values().collect(),
    });
    sorted(tables.collect(), &after)
}

fn kind(table: &str, column: &str, words: &str) -> Result<Kind> {
    match words {
        "TEXT" => Ok(Kind::Text),
        "BIGINT" | "INTEGER" => Ok(Kind::Number),
        other => Err(StoreError::Row {
            table: "the schema",
            what: format!("{table}.{column} is {other}"),
        }),
    }
}

/// Whatever a table refers to comes before it.
fn sorted(
    mut tables: Vec<Table>,
    after: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Vec<Table>> {
    let mut sorted: Vec<Table> = vec![];
    while !tables.is_empty() {
        let waits = |table: &Table| {
            let before = after.get(&table.name).into_iter().flatten();
            before
                .filter(|other| **other != table.name)
                .any(|other| !sorted.iter().any(|done| done.name == *other))
        };
        let (waiting, ready): (Vec<_>, Vec<_>) = tables.into_iter().partition(waits);
        if ready.is_empty() {
            return Err(StoreError::Row {
                table: "the schema",
                what: "tables refer to each other in a circle".to_owned(),
            });
        }
        sorted.extend(ready);
        tables = waiting;
    }
    Ok(sorted)
}
