//! Both databases have the same tables, columns and indexes.

use std::collections::BTreeSet;

use super::{Store, sql};
use crate::testing::database;

const SQLITE_COLUMNS: &str = "SELECT m.name || '.' || c.name || ' ' || c.type || \
     CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN ' NOT NULL' ELSE '' END \
     FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name <> '_sqlx_migrations'";
const POSTGRES_COLUMNS: &str = "SELECT table_name || '.' || column_name || ' ' || upper(data_type) || \
     CASE WHEN is_nullable = 'NO' THEN ' NOT NULL' ELSE '' END \
     FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'";
const SQLITE_INDEXES: &str =
    "SELECT tbl_name || '.' || name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
/// Those that stand behind a constraint have names of PostgreSQL's own.
const POSTGRES_INDEXES: &str = "SELECT tablename || '.' || indexname FROM pg_indexes \
     WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)";

async fn texts(store: &Store, query: &'static str) -> BTreeSet<String> {
    let mut reader = store.read().await.unwrap();
    let found: Vec<String> = sqlx::query_scalar(query)
        .fetch_all(&mut *reader)
        .await
        .unwrap();
    found.into_iter().collect()
}

/// Compares where there is a PostgreSQL server to compare with.
#[tokio::test]
async fn the_schemas_are_alike() {
    let dir = tempfile::tempdir().unwrap();
    let here = Store::open(dir.path().join("storm.db").as_path())
        .await
        .unwrap();
    let there = Store::open(database(dir.path()).await).await.unwrap();
    let (columns, indexes) = (
        texts(&here, SQLITE_COLUMNS).await,
        texts(&here, SQLITE_INDEXES).await,
    );
    assert!(columns.contains("users.id TEXT NOT NULL"), "{columns:?}");
    assert!(
        indexes.contains("operations.operations_open"),
        "{indexes:?}"
    );
    if !sql::is_postgres(&there.read().await.unwrap()) {
        return;
    }
    assert_eq!(texts(&there, POSTGRES_COLUMNS).await, columns);
    assert_eq!(texts(&there, POSTGRES_INDEXES).await, indexes);
}
