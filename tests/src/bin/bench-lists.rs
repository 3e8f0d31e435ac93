//! How long the first and a deep page of every list take in a grown installation, on both databases, beside the
//! control plane's own `/healthz` in the same run.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    api::Api,
    connection::{Connection, Request},
    crowd,
    process::hide_logs,
    server::{EMAIL, PASSWORD, Server},
};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use sqlx::Connection as _;
use storm_protocol::envelope::{Envelope, PayloadType};

/// Operations in the database, run by run.
const OPERATIONS: [u32; 2] = [100_000, 1_000_000];
/// How often each page is asked for.
const TIMES: usize = 300;
/// The database that is made there.
const DATABASE: &str = "bench_lists";
/// Bytes of a usual receipt's payload.
const RECEIPT_BYTES: usize = 900;

/// Lists, and whether the account's own pages are gone through to about their middle.
const LISTS: &[&str] = &[
    "/buckets?limit=50",
    "/buckets?limit=50&largest=true",
    "/buckets?name=bucket-4711",
    "/keys?limit=50",
    "/operations?limit=50",
    "/operations?limit=50&state=failed",
    "/operations?limit=50&everyones=true",
    "/operations?limit=50&everyones=true&open=true",
    "/operations?limit=50&everyones=true&not_done=true",
    "/audit?limit=50",
    "/audit?limit=50&result=failed",
    "/audit?limit=50&act=key.set_grant",
    "/accounts?limit=50",
    "/members?limit=50",
    "/tokens?limit=50",
    "/strays?limit=50",
    "/security-events?limit=50",
    "/account",
];

#[tokio::main]
async fn main() -> Result<()> {
    hide_logs();
    let sizes = match std::env::args().nth(1) {
        Some(text) => vec![text.parse().context("usage: bench-lists [OPERATIONS]")?],
        None => OPERATIONS.to_vec(),
    };
    ensure!(
        sizes.iter().all(|size| (1000..=10_000_000).contains(size)),
        "OPERATIONS is a number from 1000 to 10000000"
    );
    println!(
        "{} buckets and keys in one account, {} other accounts of {} each; milliseconds, one request after the \
         other",
        crowd::LARGE,
        crowd::ACCOUNTS,
        crowd::SMALL,
    );
    for operations in sizes {
        measure("SQLite", None, operations).await?;
        if let Ok(server) = std::env::var(test_postgres::VARIABLE) {
            let url = fresh(&server).await?;
            measure("PostgreSQL", Some(&url), operations).await?;
            drop_database(&server).await?;
        }
    }
    Ok(())
}

async fn measure(name: &str, database: Option<&str>, operations: u32) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut server = Server::prepare(directory.path())?;
    server.log_only("warn");
    server.lift_limits()?;
    if let Some(url) = database {
        let text = std::fs::read_to_string(&server.config)?;
        std::fs::write(
            &server.config,
            format!("{text}[database]\nurl = \"{url}\"\n"),
        )?;
    }
    server.start().await?;
    server.stop().await?;
    let began = Instant::now();
    let file = format!("sqlite://{}", server.data().join("storm.db").display());
    crowd::fill(database.unwrap_or(&file), operations, &receipt()?).await?;
    println!(
        "\n{name}, {operations} operations (filled in {:.0} s)",
        began.elapsed().as_secs_f64()
    );
    server.start().await?;
    let api = Api::sign_in(&server.web_url, EMAIL, PASSWORD).await?;
    let address: SocketAddr = server.web_url.trim_start_matches("http://").parse()?;
    line(
        "/healthz, the floor",
        &ask(address, "/healthz", None).await?,
    );
    for list in LISTS {
        let times = ask(address, &format!("/api/v1{list}"), Some(api.token())).await?;
        line(list, &times);
    }
    for list in [
        "/buckets?limit=1000",
        "/keys?limit=1000",
        "/operations?limit=1000",
    ] {
        let path = deep(&api, list).await?;
        let times = ask(address, &format!("/api/v1{path}"), Some(api.token())).await?;
        line(&format!("{list}, the fifth page by 50"), &times);
    }
    let bucket = crowd::a_bucket();
    let now = jiff::Timestamp::now().as_microsecond();
    let year = now - 365 * 86_400_000_000;
    for path in [
        format!("/buckets/{bucket}"),
        format!("/buckets/{bucket}/grants?limit=50"),
        format!("/usage?from={year}&to={now}&step=day"),
        format!("/usage?bucket={bucket}&from={year}&to={now}&step=day"),
    ] {
        let times = ask(address, &format!("/api/v1{path}"), Some(api.token())).await?;
        line(
            path.replace(&bucket, "BUCKET")
                .split("from")
                .next()
                .unwrap_or_default(),
            &times,
        );
    }
    server.stop().await
}

/// The same list, far into it.
async fn deep(api: &Api, list: &str) -> Result<String> {
    let mut path = list.to_owned();
    for _ in 0..4 {
        let page: Value = api.get(&path).await?;
        let cursor = page["next_cursor"]
            .as_str()
            .context("the list ends early")?;
        path = format!("{list}&cursor={cursor}");
    }
    Ok(path.replace("limit=1000", "limit=50"))
}

/// The same request over and over; how long each took.
async fn ask(address: SocketAddr, path: &str, token: Option<&str>) -> Result<Vec<Duration>> {
    let request = Request::get(path, token);
    let mut connection = Connection::open(address).await?;
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let began = Instant::now();
        let status = connection.send(&request).await?;
        times.push(began.elapsed());
        ensure!(status == 200, "{path} answers {status}");
    }
    Ok(times)
}

fn line(name: &str, times: &[Duration]) {
    let mut times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied();
    println!(
        "{name:<50} p50 {:>8.2}   p99 {:>8.2}",
        at(0.5).unwrap_or_default(),
        at(0.99).unwrap_or_default()
    );
}

/// A signed text as long as a receipt.
fn receipt() -> Result<String> {
    let payload = json!({ "padding": "x".repeat(RECEIPT_BYTES) }).to_string();
    let key = SigningKey::from_bytes(&[1; 32]);
    let envelope = Envelope::sign(PayloadType::Receipt, payload.into_bytes(), &key);
    Ok(serde_json::to_string(&envelope)?)
}

/// Makes the database anew; gives its URL.
async fn fresh(server: &str) -> Result<String> {
    drop_database(server).await?;
    let mut connection = sqlx::PgConnection::connect(server).await?;
    let text = format!("CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'");
    sqlx::raw_sql(sqlx::AssertSqlSafe(text))
        .execute(&mut connection)
        .await?;
    let (before, _) = server
        .rsplit_once('/')
        .context("the URL names no database")?;
    Ok(format!("{before}/{DATABASE}"))
}

async fn drop_database(server: &str) -> Result<()> {
    let mut connection = sqlx::PgConnection::connect(server).await?;
    let text = format!("DROP DATABASE IF EXISTS {DATABASE}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(text))
        .execute(&mut connection)
        .await?;
    Ok(())
}
