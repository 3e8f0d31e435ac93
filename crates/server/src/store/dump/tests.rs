//! Every table there is moves to another database and back, whatever stands in it. With a PostgreSQL
//! server, between the two; without one, between files.

use std::{collections::BTreeMap, path::Path};

use sqlx::Row as _;
use storm_protocol::ident::{AccountId, Micros, UserId};

use super::{
    BETWEEN_LOOKS, Source, Target, copy, migrations, newest_schema,
    rows::{ROWS_AT_ONCE, Sum, Value, Values, insert, sum},
    schema::{Kind, Table},
};
use crate::{
    clock::random,
    store::{
        Place, Store, StoreError,
        open::{MIGRATIONS_OF_POSTGRES, MIGRATIONS_OF_SQLITE, connect, sqlite},
        setup::FirstOperator,
        sql::Connection,
    },
    testing::database,
};

/// Rows of each table.
const ROWS: usize = 5;
/// Rows of one: more than two statements take.
const MANY_ROWS: usize = 2 * ROWS_AT_ONCE + 7;
const MANY_ROWS_OF: &str = "mails";

/// What a table's columns may hold, as its own text says.
#[derive(Default)]
struct Rules {
    /// Column, and the table whose key it names.
    references: BTreeMap<String, String>,
    /// The text of its making, in SQLite's words.
    text: String,
}

impl Rules {
    /// The first value of `CHECK (column IN (…))`, or the one of `CHECK (column = …)`.
    fn only(&self, column: &str) -> Option<Value> {
        let after = |words: String| {
            let (_, rest) = self.text.split_once(&words)?;
            rest.split([',', ')']).next().map(str::trim)
        };
        if let Some(text) = after(format!("CHECK ({column} IN (")) {
            return Some(Value::Text(text.trim_matches('\'').to_owned()));
        }
        let number = after(format!("CHECK ({column} = "))?;
        Some(Value::Number(number.parse().unwrap()))
    }
}

async fn rules(connection: &mut Connection) -> BTreeMap<String, Rules> {
    let mut rules: BTreeMap<String, Rules> = BTreeMap::new();
    let made = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL";
    for row in sqlx::query(made).fetch_all(&mut *connection).await.unwrap() {
        rules.entry(row.get(0)).or_default().text = row.get(1);
    }
    let refers = "SELECT m.name, f.\"from\", f.\"table\" \
         FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
    for row in sqlx::query(refers).fetch_all(connection).await.unwrap() {
        let rules = rules.entry(row.get(0)).or_default();
        rules.references.insert(row.get(1), row.get(2));
    }
    rules
}

/// A row that a table takes, from nothing but the schema.
fn row(table: &Table, rules: &Rules, at: usize, nothing: bool) -> Values {
    let value = |(place, column): (usize, &super::schema::Column)| {
        if let Some(other) = rules.references.get(&column.name) {
            return Value::Text(text(other, "id", at));
        }
        if let Some(only) = rules.only(&column.name) {
            return only;
        }
        let in_key = table.key.contains(&column.name);
        if nothing && !in_key && may_be_nothing(rules, &column.name) {
            return Value::Nothing;
        }
        match column.kind {
            Kind::Text if in_key => Value::Text(text(&table.name, "id", at)),
            Kind::Text => Value::Text(text(&table.name, &column.name, at)),
            Kind::Number if at == 0 && !in_key => Value::Number(i64::MIN),
            Kind::Number => Value::Number(i64::MAX - i64::try_from(at * 100 + place).unwrap()),
        }
    };
    table.columns.iter().enumerate().map(value).collect()
}

fn may_be_nothing(rules: &Rules, column: &str) -> bool {
    let made = rules.text.lines().map(str::trim_start);
    // Columns that were added later stand in one line with the one before.
    let parts = made.flat_map(|line| line.split(", "));
    let mut of_column = parts.filter(|part| {
        let name = part.split_whitespace().next().unwrap_or_default();
        name.trim_matches('"') == column
    });
    of_column.next().is_some_and(|part| {
        let part = part.split("--").next().unwrap_or_default();
        !part.contains("NOT NULL") && !part.contains("PRIMARY KEY")
    })
}

/// Letters that sort and count differently elsewhere, quotation marks, lines, and nothing at all.
fn text(table: &str, column: &str, at: usize) -> String {
    let odd = [
        "é",
        "'\"\\",
        "a\nb\t",
        "\u{10ffff}",
        "Z",
        "z",
        "\u{fffd}",
        " ",
    ][at % 8];
    format!("{odd}{table}.{column}.{at}")
}

/// A database with rows in every table. Any other test may take it for a grown one.
pub(crate) async fn filled(place: &Place) {
    let scratch = tempfile::tempdir().unwrap();
    let file = Place::File(scratch.path().join("storm.db"));
    let mut schema = Target::open(&file, newest_schema()).await.unwrap();
    let rules = rules(&mut schema.connection).await;
    let mut target = Target::open(place, newest_schema()).await.unwrap();
    for table in target.tables.clone() {
        let rules = &rules[&table.name];
        let single = table.columns.iter().any(|column| {
            table.key == [column.name.clone()]
                && matches!(rules.only(&column.name), Some(Value::Number(_)))
        });
        let count = rows_of(&table.name, single);
        let all: Vec<_> = (0..count)
            .map(|at| row(&table, rules, at, at % 3 == 1))
            .collect();
        for some in all.chunks(ROWS_AT_ONCE) {
            let done = insert(&mut target.connection, &table, some).await;
            done.unwrap_or_else(|error| panic!("{}: {error}", table.name));
        }
    }
    target.commit().await.unwrap();
}

fn rows_of(table: &str, single: bool) -> usize {
    match table {
        MANY_ROWS_OF => MANY_ROWS,
        _ if single => 1,
        _ => ROWS,
    }
}

async fn sums(place: &Place) -> BTreeMap<String, Sum> {
    let mut source = Source::open(place).await.unwrap();
    let mut sums = BTreeMap::new();
    for table in &source.tables {
        let sum = sum(&mut source.connection, table).await.unwrap();
        sums.insert(table.name.clone(), sum);
    }
    sums
}

async fn move_all(from: &Place, to: &Place) -> Result<(), StoreError> {
    let mut source = Source::open(from).await?;
    source.stop_writers().await?;
    let mut target = Target::open(to, newest_schema()).await?;
    copy(&mut source, &mut target, |_, _| {}).await?;
    target.commit().await
}

fn file(dir: &Path, name: &str) -> Place {
    Place::File(dir.join(name))
}

fn words(done: Result<(), StoreError>) -> String {
    done.unwrap_err().to_string()
}

#[tokio::test]
async fn every_table_moves_there_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let (here, back) = (file(dir.path(), "here.db"), file(dir.path(), "back.db"));
    let there = database(dir.path()).await;
    filled(&here).await;
    let before = sums(&here).await;
    assert!(before.len() > 40, "{}", before.len());
    for (table, sum) in &before {
        let made = rows_of(table, table == "usage_closed");
        assert_eq!(sum.rows, made as u64, "{table}");
    }
    move_all(&here, &there).await.unwrap();
    assert_eq!(sums(&there).await, before);
    move_all(&there, &back).await.unwrap();
    assert_eq!(sums(&back).await, before);
    // It goes on from there.
    for place in [there, back] {
        let store = Store::open(place).await.unwrap();
        let first = FirstOperator {
            user: UserId::new(Micros(1), random()),
            account: AccountId::new(Micros(1), random()),
            email: "new@example.org",
            password_hash: "x",
        };
        store
            .create_first_operator(&first, Micros(1), || {})
            .await
            .unwrap();
    }
}

/// A copy and a backup name a schema by one number, whichever database it is.
#[test]
fn both_databases_count_their_schemas_alike() {
    let newest = |of: &sqlx::migrate::Migrator| of.iter().map(|one| one.version).max();
    assert_eq!(
        newest(&MIGRATIONS_OF_SQLITE),
        newest(&MIGRATIONS_OF_POSTGRES)
    );
}

#[tokio::test]
async fn one_with_anything_in_it_is_no_target() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (file(dir.path(), "here.db"), database(dir.path()).await);
    filled(&here).await;
    // Tables alone are nothing.
    drop(Store::open(there.clone()).await.unwrap());
    move_all(&here, &there).await.unwrap();
    let before = sums(&there).await;
    let refused = words(move_all(&here, &there).await);
    assert!(refused.contains("not empty"), "{refused}");
    assert_eq!(sums(&there).await, before);
}

#[tokio::test]
async fn whoever_is_cut_off_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (file(dir.path(), "here.db"), database(dir.path()).await);
    filled(&here).await;
    let mut source = Source::open(&here).await.unwrap();
    let mut target = Target::open(&there, newest_schema()).await.unwrap();
    copy(&mut source, &mut target, |_, _| {}).await.unwrap();
    drop(target);
    // The server may need a moment to see that it is gone.
    tokio::time::sleep(BETWEEN_LOOKS).await;
    move_all(&here, &there).await.unwrap();
    assert_eq!(sums(&there).await, sums(&here).await);
}

#[tokio::test]
async fn what_came_out_otherwise_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (file(dir.path(), "here.db"), database(dir.path()).await);
    filled(&here).await;
    let before = sums(&here).await;
    let mut source = Source::open(&here).await.unwrap();
    let mut target = Target::open(&there, newest_schema()).await.unwrap();
    copy(&mut source, &mut target, |_, _| {}).await.unwrap();
    let change = "UPDATE mails SET subject = subject || ' ' WHERE id = (SELECT MAX(id) FROM mails)";
    sqlx::query(change)
        .execute(&mut target.connection)
        .await
        .unwrap();
    for table in target.tables.clone() {
        let same = target.require(&table, &before[&table.name]).await;
        assert_eq!(same.is_err(), table.name == "mails", "{}", table.name);
    }
}

#[tokio::test]
async fn another_schema_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let old = dir.path().join("old.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&old)
        .create_if_missing(true);
    sqlx::any::install_default_drivers();
    let mut connection = connect(&sqlite(&options).unwrap(), "SELECT 1")
        .await
        .unwrap();
    let all = migrations(&connection).iter().map(|one| one.version);
    let before = all.filter(|one| *one < newest_schema()).max().unwrap();
    migrations(&connection)
        .run_to(before, &mut connection)
        .await
        .unwrap();
    let (old, there) = (Place::File(old), file(dir.path(), "there.db"));
    let refused = words(move_all(&old, &there).await);
    assert!(refused.contains("an older version"), "{refused}");
    let still: i64 = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(still, before);
    migrations(&connection).run(&mut connection).await.unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET version = 9999 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)")
        .execute(&mut connection)
        .await
        .unwrap();
    let refused = words(move_all(&old, &there).await);
    assert!(refused.contains("a newer version"), "{refused}");
    let Place::File(there) = there else {
        unreachable!()
    };
    assert!(!there.exists());
}
