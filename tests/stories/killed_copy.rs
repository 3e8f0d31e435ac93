//! The program that moves a database is killed half-way: nothing of it counts, the old database is as it was, and
//! the same command once more does it all.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    databases::{Database, Kind},
    process::Process,
    server::Server,
    tools::{said, succeed},
    wait,
};
use sqlx::{AnyConnection, ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

/// Rows of the old database: more than SQLite keeps in memory, and than a copy writes at once.
const ROWS: u32 = 30_000;
/// Bytes that a copy has written by when it is killed.
const WRITTEN_BYTES: u64 = 1 << 20;

/// A control plane's database that has grown.
async fn grown(directory: &Path) -> Result<Server> {
    let mut server = Server::prepare_on(Kind::Sqlite, directory)?;
    server.start().await?;
    server.stop().await?;
    let mut database = SqliteConnectOptions::new()
        .filename(server.data().join("storm.db"))
        .connect()
        .await?;
    sqlx::query(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $1) \
         INSERT INTO audit_events (id, at, account, via, act, thing, result, count) \
         SELECT printf('%036d', n), n, printf('%036d', n), 'web', 'bucket.create', printf('%064d', n), \
         'done', 1 FROM n",
    )
    .bind(ROWS)
    .execute(&mut database)
    .await?;
    database.close().await?;
    Ok(server)
}

/// Kills a copy to `to` once it has `begun`, and lets another one go to its end.
async fn kill_and_repeat(
    server: &Server,
    to: &str,
    begun: impl AsyncFn() -> Result<bool>,
) -> Result<()> {
    let copy = || server.command(&["db", "copy", "--to", to]);
    let log = server.directory.join("copy.log");
    let mut running = Process::spawn("db copy", &mut copy()?, &log)?;
    wait::until("the copy to be half-way", async || {
        ensure!(running.ended()?.is_none(), "it ended: {}", running.output());
        Ok(begun().await?.then_some(()))
    })
    .await?;
    running.kill()?;
    let ended = running.ended()?.context("it runs")?;
    ensure!(Process::was_killed(ended), "it was done before: {ended}");
    let done = succeed(&mut copy()?)?;
    ensure!(
        done.lines()
            .any(|line| line.contains("audit_events") && line.contains(&ROWS.to_string())),
        "{done}"
    );
    ensure!(done.contains("start the service"), "{done}");
    // Now it counts.
    let again = copy()?.output()?;
    ensure!(!again.status.success(), "{}", said(&again));
    ensure!(said(&again).contains("not empty"), "{}", said(&again));
    Ok(())
}

#[tokio::test]
async fn a_killed_copy_leaves_nothing_and_is_repeated() -> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-copy-").tempdir()?;
    let mut server = grown(&directory.path().join("server")).await?;

    let file = directory.path().join("other.db");
    let name = file.to_str().context("not UTF-8")?;
    let log = directory.path().join("other.db-wal");
    kill_and_repeat(&server, &format!("sqlite:{name}"), async || {
        Ok(fs::metadata(&log).is_ok_and(|log| log.len() > WRITTEN_BYTES))
    })
    .await?;

    let database = Database::new().await?;
    kill_and_repeat(&server, &database.owner_url(), async || {
        let mut watching = AnyConnection::connect(&database.server_url()).await?;
        let writing: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = $1 \
             AND query LIKE 'INSERT INTO \"audit_events\"%'",
        )
        .bind(database.name())
        .fetch_one(&mut watching)
        .await?;
        watching.close().await?;
        Ok(writing == 1)
    })
    .await?;

    // The old one serves as if nothing had been.
    server.start().await?;
    server.api().await?;
    server.stop().await
}
