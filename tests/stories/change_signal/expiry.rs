//! What a lifecycle rule deletes is counted like any other change. Garage does it at midnight; its
//! clock is set to a little before.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::harness::{clock_shift, garage::Cluster, now, random, tools::Tools, wait, word};
use serde_json::{Value, json};
use storm_protocol::ident::Micros;

use super::{Signal, begin_upload, put};

const DAY_SECONDS: i64 = 86_400;
/// Seconds before midnight at which the nodes start; more at each try, for a machine that is busy.
const BEFORE_MIDNIGHT_SECONDS: [i64; 3] = [40, 120, 360];
/// Longer than the longest of them, with time for Garage's work.
const PATIENCE: Duration = Duration::from_secs(480);

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_is_counted_on_a_single_node() -> Result<()> {
    expire(async || Cluster::single().await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_is_counted_on_every_one_of_three_nodes() -> Result<()> {
    expire(async || Cluster::three().await).await
}

async fn expire(start: impl AsyncFn() -> Result<Cluster>) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let library = clock_shift::build(directory.path())?;
    for before_midnight in BEFORE_MIDNIGHT_SECONDS {
        let mut cluster = start().await?;
        let signal = Signal::of(&cluster)?;
        // Objects of today that live for a day go at the midnight that ends tomorrow.
        let today = now().0 / Micros::SECOND / DAY_SECONDS;
        let bucket = fill(&cluster, directory.path()).await?;
        let start = (today + 2) * DAY_SECONDS - before_midnight;
        for node in &mut cluster.nodes {
            node.shift_clock(&library, start - now().0 / Micros::SECOND);
            node.restart()?;
        }
        cluster.healthy().await?;
        let before = signal.settled().await?;
        // Read after the counters: what is there now was there when they were read.
        if objects(&cluster, &bucket).await? == (1, 1) {
            return gone(&cluster, &signal, &bucket, &before).await;
        }
    }
    bail!("midnight was always over before the counters were read")
}

/// A bucket with an object and an unfinished upload that live for a day.
async fn fill(cluster: &Cluster, directory: &std::path::Path) -> Result<String> {
    let (key, secret) = (
        format!("GK{}", hex::encode(random::<12>()?)),
        "ab".repeat(32),
    );
    let name = format!("photos-{}", word()?);
    cluster
        .admin
        .import_key(&key, &secret, "somebody's")
        .await?;
    let bucket = cluster.admin.create_bucket(&name).await?;
    cluster.admin.allow_all(&bucket, &key).await?;
    let rule = json!({
        "ID": "a day", "Status": "Enabled", "Expiration": { "Days": 1 },
        "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 1 },
    });
    let update = format!("UpdateBucket?id={bucket}");
    cluster
        .admin
        .post(&update, &json!({ "lifecycleRules": [rule] }))
        .await?;
    let tools = Tools::new(directory, &cluster.s3_endpoint()?, &key, &secret)?;
    put(&tools, directory, &format!("{name}/one"), 10)?;
    begin_upload(&tools, directory, &name, "parts", 100)?;
    ensure!(objects(cluster, &bucket).await? == (1, 1));
    Ok(bucket)
}

/// Objects and unfinished uploads of a bucket.
async fn objects(cluster: &Cluster, bucket: &str) -> Result<(u64, u64)> {
    let info: Value = cluster
        .admin
        .get(&format!("GetBucketInfo?id={bucket}"))
        .await?;
    let count = |member: &str| info[member].as_u64().context("not a count");
    Ok((count("objects")?, count("unfinishedMultipartUploads")?))
}

async fn gone(
    cluster: &Cluster,
    signal: &Signal,
    bucket: &str,
    before: &super::Counts,
) -> Result<()> {
    wait::within(PATIENCE, "Garage to delete what has expired", async || {
        Ok((objects(cluster, bucket).await? == (0, 0)).then_some(()))
    })
    .await?;
    for table in ["bucket_object_counter", "bucket_mpu_counter"] {
        signal.moved("what has expired", table, before).await?;
    }
    Ok(())
}
