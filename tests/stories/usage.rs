//! What an account uses and what it may have, as its people, the operator and S3 itself see it.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::Start,
    api::Credential,
    cli::Cli,
    process::Process,
    require_fault_points,
    stack::{REGION, Stack},
    tools::said,
    wait, word,
};
use reqwest::Method;
use serde_json::{Value, json};

/// Bytes of the object that is stored.
const OBJECT_BYTES: u64 = 20_000_000;
/// The account's limit: the object is two thirds of it.
const LIMIT_BYTES: u64 = 30_000_000;
/// How `storm` ends when what is asked for cannot be, as things are.
const CONFLICT: i32 = 5;
/// How it ends when the line is wrong.
const USAGE: i32 = 2;

fn limits(storage: Option<u64>, buckets: Option<u64>, keys: Option<u64>) -> Value {
    json!({ "storage_bytes": storage, "buckets": buckets, "keys": keys })
}

async fn set_limits(stack: &Stack, limits: &Value) -> Result<()> {
    let path = format!("/accounts/{}/limits", stack.account);
    let answer = stack
        .api
        .send(Method::PUT, &path, Some(limits), None)
        .await?;
    ensure!(answer.status.is_success(), "{answer:?}");
    Ok(())
}

/// Waits until a bucket has this quota in Garage itself.
async fn quota_in_garage(stack: &Stack, bucket: &str, bytes: Option<u64>) -> Result<()> {
    wait::until("the quota to follow", async || {
        let contents = stack.cluster.admin.contents().await?;
        let (_, seen) = contents.bucket_named(bucket).context("no bucket")?;
        Ok((seen.quota_bytes == bytes).then_some(()))
    })
    .await
}

fn put(stack: &Stack, key: &Credential, bucket: &str) -> Result<u16> {
    let file = stack.directory().join("upload");
    std::fs::write(&file, vec![0; usize::try_from(OBJECT_BYTES)?])?;
    stack
        .tools(key)?
        .status("PUT", &format!("{bucket}/object"), Some(&file))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_stays_within_its_limits() -> Result<()> {
    let stack = Stack::single().await?;
    let (first, second) = (format!("one-{}", word()?), format!("two-{}", word()?));
    let (_, key) = stack.create_bucket(&first, None).await?;
    // Its people want a limit of their own, larger than the account's will be.
    let (_, other) = stack.create_bucket(&second, Some(2 * LIMIT_BYTES)).await?;
    set_limits(&stack, &limits(Some(LIMIT_BYTES), Some(2), Some(3))).await?;
    quota_in_garage(&stack, &first, Some(LIMIT_BYTES)).await?;
    quota_in_garage(&stack, &second, Some(LIMIT_BYTES)).await?;

    ensure!(put(&stack, &key, &first)? == 200);
    let refresh = format!("/regions/{REGION}/refresh");
    stack.done(Method::POST, &refresh, None).await?;
    // The other bucket gets what is left of the account, not what was left before.
    let left = LIMIT_BYTES - OBJECT_BYTES;
    quota_in_garage(&stack, &second, Some(left)).await?;
    ensure!(
        put(&stack, &other, &second)? == 403,
        "more than the account's limit went in"
    );
    let account: Value = stack.api.get("/account").await?;
    ensure!(
        account["used_bytes"] == OBJECT_BYTES && account["buckets"] == 2 && account["keys"] == 2,
        "{account}"
    );

    let third = format!("three-{}", word()?);
    let body = json!({ "region": REGION, "name": third });
    let refused = stack.api.post("/buckets", &body).await?;
    ensure!(
        refused.status.as_u16() == 409 && refused.code() == "limit_reached",
        "{refused:?}"
    );
    // A new one gets no more than what is left, from the start.
    set_limits(&stack, &limits(Some(LIMIT_BYTES), Some(3), None)).await?;
    stack.create_bucket(&third, Some(2 * LIMIT_BYTES)).await?;
    let contents = stack.cluster.admin.contents().await?;
    let (_, seen) = contents.bucket_named(&third).context("no bucket")?;
    ensure!(seen.quota_bytes == Some(left), "{seen:?}");

    // A lifted limit gives back what their people want.
    set_limits(&stack, &limits(None, None, None)).await?;
    quota_in_garage(&stack, &first, None).await?;
    quota_in_garage(&stack, &second, Some(2 * LIMIT_BYTES)).await?;
    quota_in_garage(&stack, &third, Some(2 * LIMIT_BYTES)).await?;
    ensure!(put(&stack, &other, &second)? == 200);
    stack.agent.expect(&["audit", "verify"])?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_that_a_kill_left_half_set_are_all_set_afterwards() -> Result<()> {
    require_fault_points()?;
    let mut stack = Stack::single().await?;
    let mut names = vec![];
    for _ in 0..4 {
        let name = format!("many-{}", word()?);
        stack.create_bucket(&name, None).await?;
        names.push(name);
    }
    for (turn, point) in [
        "journal.intent.after",
        "call.UpdateBucket.before:3",
        "call.UpdateBucket.after:3",
        "journal.outcome.before",
        "journal.outcome.after",
    ]
    .into_iter()
    .enumerate()
    {
        let fault = Start {
            fault: Some(point),
            ..Start::default()
        };
        stack.restart_agent(&fault).await?;
        let bytes = LIMIT_BYTES + u64::try_from(turn)?;
        set_limits(&stack, &limits(Some(bytes), None, None)).await?;
        let died = wait::until("the agent to die", async || stack.agent.ended()).await?;
        ensure!(
            Process::was_killed(died),
            "{point}: the agent ended with {died}"
        );
        stack.agent.start(&Start::default())?;
        stack.connected().await?;
        for name in &names {
            let set = quota_in_garage(&stack, name, Some(bytes)).await;
            set.with_context(|| format!("{point}: {name}"))?;
        }
        // One operation, one receipt.
        wait::until("the operation to end", async || {
            let operations: Value = stack.api.get("/operations?limit=1000").await?;
            let of_quotas: Vec<&Value> = operations["items"]
                .as_array()
                .context("no list")?
                .iter()
                .filter(|operation| operation["command"] == "account.set_quotas")
                .collect();
            ensure!(of_quotas.len() == turn + 1, "{point}: {of_quotas:?}");
            let all_done = of_quotas.iter().all(|found| found["state"] == "done");
            Ok(all_done.then_some(()))
        })
        .await?;
    }
    stack.agent.expect(&["audit", "verify"])?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn use_and_limits_by_the_command_line() -> Result<()> {
    let stack = Stack::single().await?;
    let home = stack.directory().join("home");
    std::fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let url = stack.server.web_url.as_str();
    cli.text(&["login", "--url", url, "--token", stack.api.token()])?;
    let name = format!("photos-{}", word()?);
    let (_, key) = stack.create_bucket(&name, None).await?;
    ensure!(put(&stack, &key, &name)? == 200);
    cli.text(&["region", "refresh"])?;

    let used = cli.json(&["usage", &name, "--since", "1d", "--step", "change"])?;
    let last = used["points"]
        .as_array()
        .and_then(|points| points.last())
        .context("no points")?;
    ensure!(last["bytes"] == OBJECT_BYTES, "{used}");
    let chart = cli.text(&["usage"])?;
    ensure!(
        chart.contains("20.0 MB") && chart.contains('█') && chart.contains("Byte-hours"),
        "{chart}"
    );
    let future = cli.run(&["usage", "--since", "2999-01-01"])?;
    ensure!(future.status.code() == Some(USAGE), "{}", said(&future));

    let month = &jiff::Timestamp::now().to_string()[..7];
    let table = cli.text(&["usage", "export", "--month", month])?;
    let lines: Vec<&str> = table.split_terminator("\r\n").collect();
    ensure!(
        lines.len() == 3 && lines[0].starts_with("month,account,region,bucket,name,byte_hours"),
        "{table}"
    );
    ensure!(lines[1].contains(&name), "{table}");
    let file = home.join("bill.json");
    let path = file.to_str().context("a path")?;
    cli.text(&["usage", "export", "--format", "json", "--output", path])?;
    let bill: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    ensure!(bill["total"]["peak_bytes"] == OBJECT_BYTES, "{bill}");

    let account = stack.account.to_string();
    let shown = cli.json(&["account", "show"])?;
    ensure!(shown["id"] == account && shown["limits"]["storage_bytes"].is_null());
    let nothing = cli.run(&["account", "set-limits", &account])?;
    ensure!(nothing.status.code() == Some(USAGE), "{}", said(&nothing));
    cli.text(&[
        "account",
        "set-limits",
        &account,
        "--storage",
        "30MB",
        "--buckets",
        "1",
    ])?;
    // What is not named stays.
    let keys = cli.json(&["account", "set-limits", &account, "--keys", "5"])?;
    ensure!(keys["limits"] == limits(Some(LIMIT_BYTES), Some(1), Some(5)));
    let listed = cli.text(&["account", "list"])?;
    ensure!(
        listed.contains(&account) && listed.contains("30.0 MB"),
        "{listed}"
    );
    let full = cli.run(&["bucket", "create", "one-more", "--no-key"])?;
    ensure!(full.status.code() == Some(CONFLICT), "{}", said(&full));
    ensure!(
        said(&full).contains("may have 1 bucket and"),
        "{}",
        said(&full)
    );
    // A quota that the storage limit leaves less of: the receipt is accepted, and the rest is told.
    let set = cli.run(&["bucket", "set-quota", &name, "--quota", "1GB"])?;
    ensure!(
        set.status.success() && said(&set).contains("leaves 30.0 MB"),
        "{}",
        said(&set)
    );
    let bucket = cli.json(&["bucket", "show", &name])?;
    ensure!(
        bucket["quota_bytes"] == 1_000_000_000 && bucket["effective_quota_bytes"] == LIMIT_BYTES,
        "{bucket}"
    );
    cli.text(&["account", "set-limits", &account, "--storage", "none"])?;
    quota_in_garage(&stack, &name, Some(1_000_000_000)).await?;
    cli.text(&["audit", "verify"])?;
    Ok(())
}
