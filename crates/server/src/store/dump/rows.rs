//! Rows as they are read from one database and written into another, and the sum over a table that says
//! whether both have the same.

use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Row as _};

use super::schema::{Column, Kind, Table};
use crate::store::{
    Result, StoreError,
    sql::{Builder, Connection, Record},
};

/// Rows that one statement inserts. SQLite takes 32,766 parameters, and no table has 100 columns.
pub(crate) const ROWS_AT_ONCE: usize = 300;

/// What stands in one place of a row. In a backup it is the JSON of the same kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Value {
    Nothing,
    Number(i64),
    Text(String),
}

/// A row, in the order of its table's columns.
pub(crate) type Values = Vec<Value>;

/// How many rows a table has, and a digest over all of them in the order of its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) rows: u64,
    /// SHA-256, hex.
    pub(crate) sha256: String,
}

/// A [`Sum`] that is being made.
#[derive(Default)]
pub(crate) struct Summing {
    rows: u64,
    sha256: Sha256,
}

impl Summing {
    pub(crate) fn add(&mut self, row: &[Value]) {
        self.rows += 1;
        for value in row {
            match value {
                Value::Nothing => self.sha256.update([0]),
                Value::Number(number) => {
                    self.sha256.update([1]);
                    self.sha256.update(number.to_be_bytes());
                }
                Value::Text(text) => {
                    self.sha256.update([2]);
                    self.sha256.update((text.len() as u64).to_be_bytes());
                    self.sha256.update(text);
                }
            }
        }
    }

    pub(crate) fn end(self) -> Sum {
        Sum {
            rows: self.rows,
            sha256: hex::encode(self.sha256.finalize()),
        }
    }
}

/// All rows of a table in the order of its key, as they come: nobody holds them all.
pub(crate) fn rows<'c>(
    connection: &'c mut Connection,
    table: &'c Table,
) -> impl Stream<Item = Result<Values>> + Send + 'c {
    let text = format!(
        "SELECT {} FROM \"{}\" ORDER BY {}",
        quoted(table.columns.iter().map(|column| &column.name)),
        table.name,
        quoted(&table.key)
    );
    sqlx::query(AssertSqlSafe(text))
        .persistent(false)
        .fetch(connection)
        .map(|row| read(&row?, &table.columns))
}

/// The sum of a table as it is.
pub(crate) async fn sum(connection: &mut Connection, table: &Table) -> Result<Sum> {
    let mut summing = Summing::default();
    let mut rows = std::pin::pin!(rows(connection, table));
    while let Some(row) = rows.try_next().await? {
        summing.add(&row);
    }
    Ok(summing.end())
}

/// Adds rows, [`ROWS_AT_ONCE`] at most.
pub(crate) async fn insert(
    connection: &mut Connection,
    table: &Table,
    rows: &[Values],
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns = quoted(table.columns.iter().map(|column| &column.name));
    let mut insert = Builder::on(
        connection,
        format!("INSERT INTO \"{}\" ({columns})", table.name),
    );
    insert.push_values(rows, |mut places, row| {
        for (value, column) in row.iter().zip(&table.columns) {
            match value {
                Value::Nothing if column.kind == Kind::Text => places.push_bind(None::<String>),
                Value::Nothing => places.push_bind(None::<i64>),
                Value::Number(number) => places.push_bind(*number),
                Value::Text(text) => places.push_bind(text.clone()),
            };
        }
    });
    insert.build().execute(connection).await?;
    Ok(())
}

/// Whether a row that came from outside fits its table.
pub(crate) fn fits(table: &Table, row: &[Value]) -> bool {
    let fit = |(value, column): (&Value, &Column)| match value {
        Value::Nothing => true,
        Value::Number(_) => column.kind == Kind::Number,
        Value::Text(_) => column.kind == Kind::Text,
    };
    row.len() == table.columns.len() && row.iter().zip(&table.columns).all(fit)
}

fn read(row: &Record, columns: &[Column]) -> Result<Values> {
    let value = |(at, column): (usize, &Column)| {
        let value = match column.kind {
            Kind::Text => row.try_get::<Option<String>, _>(at)?.map(Value::Text),
            Kind::Number => row.try_get::<Option<i64>, _>(at)?.map(Value::Number),
        };
        Ok::<_, StoreError>(value.unwrap_or(Value::Nothing))
    };
    columns.iter().enumerate().map(value).collect()
}

/// `"a", "b"`. Names come from a schema of ours and hold no quotation marks.
pub(super) fn quoted<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    let names: Vec<String> = names
        .into_iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    names.join(", ")
}
