//! A grown installation, written straight into the database of a control plane that stands still: an account
//! with ten thousand buckets and keys among a thousand others, a year of use, a million operations.

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};

/// Buckets, and keys, of the large account.
pub const LARGE: u32 = 10_000;
/// Other accounts.
pub const ACCOUNTS: u32 = 1000;
/// Buckets, and keys, of each of those.
pub const SMALL: u32 = 10;
/// Days of use that are written down.
const DAYS: u32 = 365;
/// Buckets whose use changes every day.
const BUSY: u32 = 1000;
/// Rows that come of one statement.
const BATCH: u32 = 1000;
/// Days back from now in which the operations were asked for; none is old enough to be archived.
const SPREAD_DAYS: i64 = 80;
/// The region that all of it is in.
pub const REGION: &str = "crowded";

/// Another account's id, as SQL of its number.
const ACCOUNT: &str = "'aaaaaaaa-aaaa-7000-8000-' || CAST(100000000000 + ";
/// Its owner's.
const USER: &str = "'bbbbbbbb-bbbb-7000-8000-' || CAST(100000000000 + ";
/// A bucket's.
const BUCKET: &str =
    "'0000000000000000000000000000000000000000000000000000' || CAST(100000000000 + ";
/// A key's.
const KEY: &str = "'GK000000000000' || CAST(100000000000 + ";

/// Who is there already: the first operator.
struct Host {
    account: String,
    user: String,
}

/// The id of a bucket of the large account.
pub fn a_bucket() -> String {
    format!("{}100000000042", "0".repeat(52))
}

/// Fills the database at `url`. `operations` are made, a fifth of them the large account's, and a third
/// as many events of the audit trail.
pub async fn fill(url: &str, operations: u32, receipt: &str) -> Result<()> {
    sqlx::any::install_default_drivers();
    let mut database = AnyConnection::connect(url).await?;
    let host = sqlx::query(r#"SELECT account, "user" FROM members LIMIT 1"#)
        .fetch_one(&mut database)
        .await?;
    let host = Host {
        account: host.try_get("account")?,
        user: host.try_get("user")?,
    };
    run(&mut database, &people()).await?;
    run(&mut database, &things(&host)).await?;
    run(&mut database, &usage(&host)).await?;
    let receipt = receipt.replace('\'', "''");
    for batch in 0..operations / BATCH {
        let at = Timestamp::now().as_microsecond() - SPREAD_DAYS * 86_400_000_000
            + SPREAD_DAYS * 86_400_000_000 * i64::from(batch) / i64::from(operations / BATCH);
        let text = asked(&host, batch, at, &receipt)?;
        run(&mut database, &[text]).await?;
    }
    if url.starts_with("postgres") {
        // As its own housekeeping would soon. Not in a transaction: it refuses.
        let text = "VACUUM (ANALYZE)";
        sqlx::raw_sql(text).execute(&mut database).await?;
    }
    Ok(database.close().await?)
}

async fn run(database: &mut AnyConnection, texts: &[String]) -> Result<()> {
    let mut change = database.begin().await?;
    for text in texts {
        sqlx::raw_sql(AssertSqlSafe(text.as_str()))
            .execute(&mut *change)
            .await
            .with_context(|| text.chars().take(400).collect::<String>())?;
    }
    Ok(change.commit().await?)
}

/// `INSERT INTO into SELECT what` for each number `i` below `count`.
fn insert(into: &str, count: u32, what: &str) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {last}) \
         INSERT INTO {into} SELECT {what} FROM n",
        last = count - 1
    )
}

fn people() -> [String; 4] {
    [
        format!(
            "INSERT INTO regions (name, s3_endpoint, s3_region, created_at) \
             VALUES ('{REGION}', 'http://127.0.0.1:1', 'garage', 0)"
        ),
        insert(
            "accounts (id, name, created_at)",
            ACCOUNTS,
            &format!("{ACCOUNT} i AS TEXT), 'Account ' || i, i"),
        ),
        insert(
            "users (id, email, created_at)",
            ACCOUNTS,
            &format!("{USER} i AS TEXT), 'owner-' || i || '@example.org', i"),
        ),
        insert(
            "members (account, \"user\", role)",
            ACCOUNTS,
            &format!("{ACCOUNT} i AS TEXT), {USER} i AS TEXT), 'owner'"),
        ),
    ]
}

/// Buckets, keys, and a grant of each key on the bucket of its number. The first ones are the large
/// account's.
fn things(host: &Host) -> [String; 3] {
    let all = LARGE + ACCOUNTS * SMALL;
    let owner = format!(
        "CASE WHEN i < {LARGE} THEN '{}' ELSE {ACCOUNT} (i - {LARGE}) / {SMALL} AS TEXT) END",
        host.account
    );
    [
        insert(
            "buckets (id, region, account, name, aliases, bytes, objects, unfinished_bytes, \
             unfinished_uploads, created_at, seen_at)",
            all,
            &format!(
                "{BUCKET} i AS TEXT), '{REGION}', {owner}, 'bucket-' || i, \
                 '[\"bucket-' || i || '\"]', (i * 7919 % 104729) * 1000000, i % 977, 0, 0, i, 1"
            ),
        ),
        insert(
            "keys (id, region, account, label, created_at, seen_at)",
            all,
            &format!("{KEY} i AS TEXT), '{REGION}', {owner}, 'key ' || i, i, 1"),
        ),
        insert(
            "grants (region, bucket, key, read, write, owner)",
            all,
            &format!("'{REGION}', {BUCKET} i AS TEXT), {KEY} i AS TEXT), 1, 1, 1"),
        ),
    ]
}

fn usage(host: &Host) -> Vec<String> {
    let day = 86_400_000_000_i64;
    let first = Timestamp::now().as_microsecond() / day * day - i64::from(DAYS) * day;
    let account = &host.account;
    let figures = "1000000 * i, i, 0, 1000000 * i, 24000000 * i";
    let mut texts = vec![insert(
        "account_usage_days (account, at, bytes, objects, unfinished_bytes, peak_bytes, byte_hours)",
        DAYS,
        &format!("'{account}', {first} + i * {day}, {figures}"),
    )];
    let days = (0..DAYS).map(|number| {
        let at = first + i64::from(number) * day;
        insert(
            "usage_days (account, bucket, at, region, bytes, objects, unfinished_bytes, peak_bytes, byte_hours)",
            BUSY,
            &format!("'{account}', {BUCKET} i AS TEXT), {at}, '{REGION}', {figures}"),
        )
    });
    texts.extend(days);
    texts
}

/// A thousand operations, and the events that tell of every third.
fn asked(host: &Host, batch: u32, at: i64, receipt: &str) -> Result<String> {
    let millis = u64::try_from(at / 1000)?;
    let id = format!(
        "'{:08x}-{:04x}-7000-8000-' || CAST(100000000000 + i AS TEXT)",
        millis >> 16,
        millis & 0xffff
    );
    let whose = format!(
        "CASE WHEN i % 5 = 0 THEN '{}' ELSE {ACCOUNT} (i + {batch}) % {ACCOUNTS} AS TEXT) END",
        host.account
    );
    let state = "CASE WHEN i % 500 = 0 THEN 'failed' ELSE 'done' END";
    let operations = insert(
        "operations (id, state, account, \"user\", operator, via, region, attempt, command, parameters, \
         request_digest, requested_at, give_up_at, signed_at, finished_at, envelope, receipt)",
        BATCH,
        &format!(
            "{id}, {state}, {whose}, '{user}', 0, 'api', '{REGION}', 1, 'key.set_grant', \
             '{{\"bucket\":\"' || {BUCKET} i AS TEXT) || '\",\"key\":\"' || {KEY} i AS TEXT) || '\"}}', \
             '', {at}, {at}, {at}, {at}, '{receipt}', '{receipt}'",
            user = host.user
        ),
    );
    let events = insert(
        "audit_events (id, at, account, \"user\", via, act, thing, operation, result, count)",
        BATCH / 3,
        &format!(
            "{id}, {at}, {whose}, '{user}', 'api', CASE WHEN i % 9 = 0 THEN 'key.set_grant' ELSE 'session.create' END, \
             {BUCKET} i AS TEXT), NULL, CASE WHEN i % 100 = 0 THEN 'forbidden' ELSE 'done' END, 1",
            user = host.user
        ),
    );
    Ok(format!("{operations}; {events}"))
}
