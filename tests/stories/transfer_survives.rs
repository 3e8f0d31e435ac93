//! The control plane is killed in the middle of a transfer. The bytes never went through it, so the
//! transfer goes on; started again, it knows everything it knew.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    process::Process,
    stack::Stack,
    tools::{Tools, succeed},
    wait,
};
use reqwest::Method;
use serde_json::json;

const FILE_BYTES: usize = 40 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_control_plane_leaves_a_transfer_alone() -> Result<()> {
    let mut stack = Stack::single().await?;
    let (answer, key) = stack.create_bucket("photos", None).await?;
    let bucket = answer.bucket.context("a new bucket has a row")?.id;
    let directory = stack.directory().to_owned();
    let endpoint = stack.cluster.s3_endpoint()?;
    let tools = Tools::new(&directory, &endpoint, key.id.as_str(), &key.secret)?;
    let file = directory.join("large.bin");
    fs::write(&file, vec![42; FILE_BYTES])?;

    // Slow enough that it is still under way when the control plane is long dead.
    let mut rclone = tools.rclone()?;
    rclone
        .arg("copyto")
        .arg(&file)
        .arg("storm:photos/large.bin");
    rclone.args([
        "--bwlimit",
        "5M",
        "--s3-chunk-size",
        "5M",
        "--s3-upload-cutoff",
        "5M",
    ]);
    rclone.args([
        "--retries",
        "1",
        "--low-level-retries",
        "1",
        "--s3-no-check-bucket",
    ]);
    let mut transfer = Process::spawn("rclone", &mut rclone, &directory.join("rclone.log"))?;
    wait::until("the upload to begin", async || {
        let buckets = stack.cluster.admin.get("ListBucketsInfo?limit=10").await?;
        let bytes = buckets[0]["unfinishedMultipartUploadBytes"].as_u64();
        Ok((bytes > Some(0)).then_some(()))
    })
    .await?;
    stack.server.kill()?;
    ensure!(
        transfer.ended()?.is_none(),
        "the transfer was over before the kill: {}",
        transfer.output()
    );
    let status = transfer.wait().await?;
    ensure!(
        status.success(),
        "rclone ended with {status}: {}",
        transfer.output()
    );
    let listing = succeed(tools.aws()?.args(["s3", "ls", "s3://photos"]))?;
    ensure!(
        listing.contains(&format!("{FILE_BYTES} large.bin")),
        "{listing}"
    );

    stack.server.start().await?;
    stack.api = stack.server.api().await?;
    stack.connected().await?;
    let buckets = stack.api.buckets().await?.items;
    ensure!(buckets.len() == 1 && buckets[0].id == bucket, "{buckets:?}");
    let quota = json!({ "quota_bytes": 100_000_000, "quota_objects": null });
    let path = format!("/buckets/{bucket}/quota");
    let answer = stack
        .api
        .settle(Method::PUT, &path, Some(&quota), "quota")
        .await?;
    stack
        .api
        .verified_receipt(&answer.operation, stack.root_key)
        .await?;
    let contents = stack.cluster.admin.contents().await?;
    let (_, seen) = contents
        .bucket_named("photos")
        .context("the bucket is gone")?;
    ensure!(seen.quota_bytes == Some(100_000_000), "{seen:?}");
    Ok(())
}
