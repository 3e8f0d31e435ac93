//! What appears in Garage without us, what vanishes, and what is changed behind our back: found by
//! the sweep, given to whom it belongs, shown, and set right with one command.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    cli::Cli,
    stack::{REGION, Stack},
    tools::said,
    wait, word,
};
use reqwest::Method;
use serde_json::{Value, json};

/// What an account with a storage limit may store.
const LIMIT_BYTES: u64 = 30_000_000;
/// How `storm` ends when what is asked for cannot be, as things are.
const CONFLICT: i32 = 5;
/// How it ends when there is no such thing.
const NOT_FOUND: i32 = 4;

async fn refresh(stack: &Stack) -> Result<()> {
    let path = format!("/regions/{REGION}/refresh");
    stack.done(Method::POST, &path, None).await?;
    Ok(())
}

/// The item of a list that `wanted` picks, once there is one.
async fn listed(stack: &Stack, path: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
    wait::until(&format!("{path} to show it"), async || {
        let page: Value = stack.api.get(path).await?;
        let items = page["items"].as_array().context("no items")?;
        Ok(items.iter().find(|item| wanted(item)).cloned())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_made_over_s3_becomes_the_accounts_own_under_its_name() -> Result<()> {
    let stack = Stack::single().await?;
    let body = json!({
        "region": REGION, "label": "terraform", "expires_at": null, "create_buckets": true, "grants": [],
    });
    let key = stack.create_key("/keys", body).await?;
    let name = format!("made-over-s3-{}", word()?);
    ensure!(stack.tools(&key)?.status("PUT", &name, None)? == 200);
    let contents = stack.cluster.admin.contents().await?;
    ensure!(
        contents.bucket_named(&name).is_none(),
        "it has a global name already"
    );
    refresh(&stack).await?;
    let bucket = listed(&stack, "/buckets?limit=1000", |bucket| {
        bucket["name"] == *name
    })
    .await?;
    wait::until("Garage to know the name", async || {
        let contents = stack.cluster.admin.contents().await?;
        Ok(contents.bucket_named(&name).map(|_| ()))
    })
    .await?;
    // Who asked is no mystery.
    let operations: Value = stack.api.get("/operations?limit=100").await?;
    let adopted = operations["items"].as_array().context("no items")?.iter();
    let adopted: Vec<_> = adopted
        .filter(|operation| operation["command"] == "bucket.adopt")
        .collect();
    ensure!(adopted.len() == 1, "{adopted:?}");
    ensure!(adopted[0]["actor"]["via"] == "system", "{adopted:?}");
    // It is a bucket like any other.
    let id = bucket["id"].as_str().context("no id")?;
    let quota = json!({ "quota_bytes": 1_000_000, "quota_objects": null });
    stack
        .done(Method::PUT, &format!("/buckets/{id}/quota"), Some(quota))
        .await?;
    stack.agent.expect(&["audit", "verify"])?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_bucket_has_its_quota_with_the_adoption() -> Result<()> {
    let stack = Stack::single().await?;
    let admin = &stack.cluster.admin;
    let limits = json!({ "storage_bytes": LIMIT_BYTES, "buckets": null, "keys": null });
    let path = format!("/accounts/{}/limits", stack.account);
    let answer = stack.api.send(Method::PUT, &path, Some(&limits), None);
    ensure!(answer.await?.status.is_success());

    // By itself: a bucket of a key of the account's.
    let body = json!({
        "region": REGION, "label": "terraform", "expires_at": null, "create_buckets": true, "grants": [],
    });
    let key = stack.create_key("/keys", body).await?;
    ensure!(
        stack
            .tools(&key)?
            .status("PUT", &format!("own-{}", word()?), None)?
            == 200
    );
    refresh(&stack).await?;
    let adoption = listed(&stack, "/operations?limit=100", |operation| {
        operation["command"] == "bucket.adopt" && operation["state"] == "done"
    })
    .await?;
    let bucket = has_quota(&stack, &adoption).await?;
    let shown: Value = stack.api.get(&format!("/buckets/{bucket}")).await?;
    ensure!(
        shown["quota_bytes"].is_null() && shown["effective_quota_bytes"] == LIMIT_BYTES,
        "{shown}"
    );

    // By an operator, who says nothing of a quota.
    let stray = admin.create_bucket(&format!("stray-{}", word()?)).await?;
    refresh(&stack).await?;
    listed(&stack, "/strays?limit=1000", |found| {
        found["bucket"] == *stray
    })
    .await?;
    let adopt = json!({ "account": stack.account });
    let path = format!("/buckets/{stray}/adopt");
    let answer = stack.settle_post(&path, &adopt).await?;
    let adoption = serde_json::to_value(&answer.operation)?;
    ensure!(has_quota(&stack, &adoption).await? == stray);
    Ok(())
}

/// Checks that an adoption that is done sent the storage limit along and that it stands in Garage; the
/// bucket.
async fn has_quota(stack: &Stack, adoption: &Value) -> Result<String> {
    ensure!(
        adoption["parameters"]["quota_bytes"] == LIMIT_BYTES,
        "{adoption}"
    );
    let bucket = adoption["parameters"]["bucket"].as_str().context("no id")?;
    let info = format!("GetBucketInfo?id={bucket}");
    let info = stack.cluster.admin.get(&info).await?;
    ensure!(info["quotas"]["maxSize"] == LIMIT_BYTES, "{info}");
    Ok(bucket.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn strays_are_listed_ignored_and_adopted_and_what_vanishes_is_marked() -> Result<()> {
    let stack = Stack::single().await?;
    let (one, two) = (format!("stray-{}", word()?), format!("stray-{}", word()?));
    let first = stack.cluster.admin.create_bucket(&one).await?;
    let second = stack.cluster.admin.create_bucket(&two).await?;
    let key = format!("GK{}", hex::encode(e2e::harness::random::<12>()?));
    stack
        .cluster
        .admin
        .import_key(&key, &"ab".repeat(32), "somebody's own")
        .await?;
    refresh(&stack).await?;
    for (member, id) in [("bucket", &first), ("bucket", &second), ("key", &key)] {
        listed(&stack, "/strays?limit=1000", |stray| stray[member] == **id).await?;
    }
    let ignore = json!({ "bucket": first, "key": null, "ignored": true });
    let answer = stack.api.post("/strays/ignore", &ignore).await?;
    ensure!(answer.status.is_success(), "{answer:?}");
    let stray = listed(&stack, "/strays?limit=1000", |stray| {
        stray["bucket"] == *first
    })
    .await?;
    ensure!(stray["ignored"] == true, "{stray}");

    let adopt = json!({
        "account": stack.account, "name": null, "quota_bytes": 5_000_000, "quota_objects": null,
    });
    stack
        .done(
            Method::POST,
            &format!("/buckets/{second}/adopt"),
            Some(adopt),
        )
        .await?;
    let bucket: Value = stack.api.get(&format!("/buckets/{second}")).await?;
    ensure!(
        bucket["name"] == *two && bucket["quota_bytes"] == 5_000_000,
        "{bucket}"
    );
    let info = stack
        .cluster
        .admin
        .get(&format!("GetBucketInfo?id={second}"))
        .await?;
    ensure!(info["quotas"]["maxSize"] == 5_000_000, "{info}");

    stack
        .cluster
        .admin
        .post(&format!("DeleteBucket?id={second}"), &json!({}))
        .await?;
    refresh(&stack).await?;
    let gone = listed(&stack, "/buckets?vanished=true", |bucket| {
        bucket["id"] == *second
    })
    .await?;
    ensure!(gone["vanished_at"].is_i64(), "{gone}");
    let there = stack.api.buckets().await?;
    ensure!(
        there
            .items
            .iter()
            .all(|bucket| bucket.id.to_string() != second),
        "{there:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_shown_and_set_right_with_one_command() -> Result<()> {
    let stack = Stack::single().await?;
    let name = format!("photos-{}", word()?);
    let (answer, key) = stack.create_bucket(&name, Some(10_000_000)).await?;
    let bucket = answer.bucket.context("a new bucket has a row")?.id;
    let path = |rest: &str| format!("/buckets/{bucket}{rest}");
    let rules = json!({ "rules": [{ "allowed_origins": ["*"], "allowed_methods": ["GET"] }] });
    stack.done(Method::PUT, &path("/cors"), Some(rules)).await?;

    // Somebody with a root token of their own changes quota and rules and takes a right away.
    let admin = &stack.cluster.admin;
    let change = json!({ "quotas": { "maxSize": 99, "maxObjects": 7 }, "corsRules": [], "lifecycleRules": [] });
    admin
        .post(&format!("UpdateBucket?id={bucket}"), &change)
        .await?;
    let deny = json!({
        "bucketId": bucket, "accessKeyId": key.id,
        "permissions": { "read": false, "write": true, "owner": false },
    });
    admin.post("DenyBucketKey", &deny).await?;
    refresh(&stack).await?;
    let settings = wait::until("the drift to show", async || {
        let settings: Value = stack.api.get(&path("/settings")).await?;
        let parts = settings["drift"].as_array().map_or(0, Vec::len);
        Ok((parts == 4).then_some(settings))
    })
    .await?;
    ensure!(
        settings["drift"] == json!(["quota", "cors", "lifecycle", "grants"]),
        "{settings}"
    );
    ensure!(
        settings["found"]["quota_bytes"] == 99 && settings["wanted"]["quota_bytes"] == 10_000_000
    );
    let shown: Value = stack.api.get(&path("")).await?;
    ensure!(shown["drift"] == true, "{shown}");

    stack.done(Method::POST, &path("/restore"), None).await?;
    let info = admin.get(&format!("GetBucketInfo?id={bucket}")).await?;
    ensure!(
        info["quotas"]["maxSize"] == 10_000_000 && info["quotas"]["maxObjects"].is_null(),
        "{info}"
    );
    ensure!(
        info["corsRules"][0]["AllowedOrigin"] == json!(["*"]),
        "{info}"
    );
    ensure!(
        info["lifecycleRules"]
            .as_array()
            .is_some_and(|rules| rules.len() == 1),
        "{info}"
    );
    let rights = admin
        .contents()
        .await?
        .rights(&bucket.to_string(), key.id.as_str());
    ensure!(rights.read && rights.write && rights.owner, "{rights:?}");
    wait::until("the drift to be gone", async || {
        let settings: Value = stack.api.get(&path("/settings")).await?;
        Ok((settings["drift"] == json!([])).then_some(()))
    })
    .await?;

    // Or what is found is right.
    let change = json!({ "quotas": { "maxSize": 12_345, "maxObjects": null } });
    admin
        .post(&format!("UpdateBucket?id={bucket}"), &change)
        .await?;
    refresh(&stack).await?;
    wait::until("the drift to show", async || {
        let settings: Value = stack.api.get(&path("/settings")).await?;
        Ok((settings["drift"] == json!(["quota"])).then_some(()))
    })
    .await?;
    let accepted = stack
        .api
        .send(Method::POST, &path("/accept"), None, None)
        .await?;
    ensure!(accepted.status.is_success(), "{accepted:?}");
    let settings: Value = stack.api.get(&path("/settings")).await?;
    ensure!(
        settings["drift"] == json!([]) && settings["wanted"]["quota_bytes"] == 12_345,
        "{settings}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_and_decides_it_all_on_the_command_line() -> Result<()> {
    let stack = Stack::single().await?;
    let home = stack.directory().join("home");
    std::fs::create_dir(&home)?;
    let cli = Cli::new(&home.join("config.toml"), &home);
    let url = stack.server.web_url.as_str();
    cli.text(&["login", "--url", url, "--token", stack.api.token()])?;
    let made = cli.json(&["bucket", "create", "photos", "--quota", "10MB"])?;
    let key = made["access_key_id"].as_str().context("no key")?.to_owned();
    let bucket = cli.json(&["bucket", "show", "photos"])?["id"].clone();
    let bucket = bucket.as_str().context("no id")?.to_owned();

    let admin = &stack.cluster.admin;
    let update = format!("UpdateBucket?id={bucket}");
    let change = json!({ "quotas": { "maxSize": 99, "maxObjects": null } });
    admin.post(&update, &change).await?;
    cli.text(&["region", "refresh"])?;
    wait::until("the drift to be listed", async || {
        let listed = cli.json(&["bucket", "list", "--drift"])?;
        Ok(listed
            .as_array()
            .is_some_and(|found| found.len() == 1)
            .then_some(()))
    })
    .await?;
    let shown = cli.text(&["bucket", "settings", "photos"])?;
    ensure!(
        shown.contains("Not as asked for  quota") && shown.contains(&key),
        "{shown}"
    );
    cli.text(&["bucket", "restore", "photos"])?;
    ensure!(cli.json(&["bucket", "list", "--drift"])? == json!([]));
    let info = admin.get(&format!("GetBucketInfo?id={bucket}")).await?;
    ensure!(info["quotas"]["maxSize"] == 10_000_000, "{info}");
    cli.text(&["bucket", "accept", "photos"])?;

    let stray = admin.create_bucket("somebodys").await?;
    cli.text(&["region", "refresh"])?;
    wait::until("the stray to be listed", async || {
        Ok(cli.text(&["stray", "list"])?.contains(&stray).then_some(()))
    })
    .await?;
    cli.text(&["stray", "ignore", &stray])?;
    ensure!(cli.json(&["stray", "list"])? == json!([]));
    ensure!(cli.text(&["stray", "list", "--all"])?.contains("somebodys"));
    cli.text(&["stray", "unignore", &stray])?;
    let nobodys = cli.run(&["bucket", "adopt", "photos"])?;
    ensure!(
        nobodys.status.code() == Some(NOT_FOUND) && said(&nobodys).contains("storm stray list"),
        "{}",
        said(&nobodys)
    );
    let adopted = cli.text(&["bucket", "adopt", "somebodys", "--quota", "1GB"])?;
    ensure!(adopted.contains("Bucket somebodys belongs"), "{adopted}");
    let released = cli.text(&["bucket", "release", "photos", "--yes"])?;
    ensure!(released.contains("1 keys lost"), "{released}");
    ensure!(!cli.text(&["bucket", "list"])?.contains("photos"));
    let none = cli.run(&["bucket", "release", &bucket, "--yes"])?;
    ensure!(none.status.code() == Some(CONFLICT), "{}", said(&none));

    admin
        .post(&format!("DeleteKey?id={key}"), &json!({}))
        .await?;
    cli.text(&["region", "refresh"])?;
    wait::until("the key to be listed as vanished", async || {
        Ok(cli
            .text(&["key", "list", "--vanished"])?
            .contains(&key)
            .then_some(()))
    })
    .await?;
    cli.text(&["audit", "verify"])?;
    Ok(())
}
