//! As many copies as nodes: the executor's own node stores everything, and its counters show every
//! change, through whichever node it was made.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    garage::{Cluster, Node},
    node_admin::NodeAdmin,
    random,
    tools::Tools,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{BLIND, Signal, around, at_rest, aws, begin_upload, known, put};

/// How long nothing is written; Garage compares its full tables every ten seconds.
const IDLE: Duration = Duration::from_secs(5);
const IDLE_TIMES: usize = 5;

/// A way into a cluster through a node that is not the executor's.
struct Elsewhere {
    signal: Signal,
    admin: NodeAdmin,
    tools: Tools,
    key: String,
    directory: TempDir,
}

impl Elsewhere {
    async fn of(cluster: &Cluster) -> Result<Self> {
        let node: &Node = cluster.nodes.get(1).context("a second node")?;
        let token = node.create_token("elsewhere", None)?;
        let admin = NodeAdmin::without_token(&node.admin_socket)?.with_token(&token);
        let (key, secret) = (new_key()?, hex::encode(random::<32>()?));
        admin.import_key(&key, &secret, "elsewhere").await?;
        let may = json!({ "allow": { "createBucket": true } });
        admin.post(&format!("UpdateKey?id={key}"), &may).await?;
        let directory = tempfile::tempdir()?;
        Ok(Self {
            signal: Signal::of(cluster)?,
            tools: Tools::new(directory.path(), &node.s3_endpoint(), &key, &secret)?,
            admin,
            key,
            directory,
        })
    }

    /// An admin call after which every node has counted a change of `table`.
    async fn call(&self, call: &str, table: &str, body: Value) -> Result<Value> {
        let before = self.signal.settled().await?;
        let answer = self.admin.post(call, &body).await?;
        self.signal.moved(call, table, &before).await?;
        Ok(answer)
    }

    /// The same for what is done over S3.
    async fn s3<T>(&self, what: &str, table: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let before = self.signal.settled().await?;
        let done = work()?;
        self.signal.moved(what, table, &before).await?;
        Ok(done)
    }

    fn put(&self, path: &str, bytes: usize) -> Result<()> {
        put(&self.tools, self.directory.path(), path, bytes)
    }

    fn status(&self, method: &str, path: &str, wanted: u16) -> Result<()> {
        let status = self.tools.status(method, path, None)?;
        ensure!(status == wanted, "{method} {path} answers {status}");
        Ok(())
    }
}

fn new_key() -> Result<String> {
    Ok(format!("GK{}", hex::encode(random::<12>()?)))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_over_s3_is_counted_on_every_node() -> Result<()> {
    let cluster = Cluster::three().await?;
    let there = Elsewhere::of(&cluster).await?;
    let sizes = "bucket_object_counter";
    there
        .s3("CreateBucket", "bucket_v2", || {
            there.status("PUT", "photos", 200)
        })
        .await?;
    there
        .s3("PUT", sizes, || there.put("photos/one", 10))
        .await?;
    there
        .s3("a larger PUT over it", sizes, || {
            there.put("photos/one", 5000)
        })
        .await?;
    there
        .s3("a smaller PUT over it", sizes, || {
            there.put("photos/one", 1)
        })
        .await?;
    let place = there.directory.path();
    let begin = || begin_upload(&there.tools, place, "photos", "parts", 100);
    let upload = there.s3("a part", "bucket_mpu_counter", begin).await?;
    let parts = [
        "--bucket",
        "photos",
        "--key",
        "parts",
        "--upload-id",
        &upload,
    ];
    there
        .s3("AbortMultipartUpload", "bucket_mpu_counter", || {
            aws(
                &there.tools,
                &[&["abort-multipart-upload"], &parts[..]].concat(),
            )
        })
        .await?;
    let upload = there.s3("an unfinished upload", sizes, begin).await?;
    let parts = [
        "--bucket",
        "photos",
        "--key",
        "parts",
        "--upload-id",
        &upload,
    ];
    there
        .s3("CompleteMultipartUpload", sizes, || {
            complete(&there, &parts)
        })
        .await?;
    there
        .s3("DELETE", sizes, || {
            there.status("DELETE", "photos/one", 204)
        })
        .await?;
    there
        .s3("PutBucketCors", "bucket_v2", || {
            let rule = r#"{"CORSRules":[{"AllowedMethods":["GET"],"AllowedOrigins":["*"]}]}"#;
            aws(
                &there.tools,
                &[
                    "put-bucket-cors",
                    "--bucket",
                    "photos",
                    "--cors-configuration",
                    rule,
                ],
            )
        })
        .await?;
    there
        .s3("DELETE", sizes, || {
            there.status("DELETE", "photos/parts", 204)
        })
        .await?;
    there
        .s3("DeleteBucket", "bucket_v2", || {
            there.status("DELETE", "photos", 204)
        })
        .await?;
    Ok(())
}

fn complete(there: &Elsewhere, upload: &[&str]) -> Result<Value> {
    let listed = aws(&there.tools, &[&["list-parts"], upload].concat())?;
    let tag = listed["Parts"][0]["ETag"].clone();
    let parts = json!({ "Parts": [{ "PartNumber": 1, "ETag": tag }] }).to_string();
    let rest = ["--multipart-upload", parts.as_str()];
    aws(
        &there.tools,
        &[&["complete-multipart-upload"], upload, &rest].concat(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_by_an_admin_is_counted_on_every_node_and_reading_is_not() -> Result<()> {
    let cluster = Cluster::three().await?;
    let there = Elsewhere::of(&cluster).await?;
    let (key, secret) = (new_key()?, "ab".repeat(32));
    let body = json!({ "accessKeyId": key, "secretAccessKey": secret, "name": "one" });
    there.call("ImportKey", "key", body).await?;
    let update = format!("UpdateKey?id={key}");
    there
        .call(&update, "key", json!({ "name": "other" }))
        .await?;
    let ends = json!({ "expiration": "2100-01-01T00:00:00Z" });
    there.call(&update, "key", ends).await?;
    let made = there
        .call(
            "CreateBucket",
            "bucket_v2",
            json!({ "globalAlias": "photos" }),
        )
        .await?;
    let id = made["id"].as_str().context("no id")?;
    let update = format!("UpdateBucket?id={id}");
    let quotas = json!({ "quotas": { "maxSize": 5000, "maxObjects": null } });
    there.call(&update, "bucket_v2", quotas).await?;
    let alias = json!({ "bucketId": id, "globalAlias": "pictures" });
    there
        .call("AddBucketAlias", "bucket_alias", alias.clone())
        .await?;
    there
        .call("RemoveBucketAlias", "bucket_alias", alias)
        .await?;
    let rights = json!({ "read": true, "write": true, "owner": true });
    let grant = |key: &str| json!({ "bucketId": id, "accessKeyId": key, "permissions": rights });
    there.call("AllowBucketKey", "key", grant(&key)).await?;
    there
        .call("DenyBucketKey", "bucket_v2", grant(&key))
        .await?;
    there
        .call("AllowBucketKey", "bucket_v2", grant(&there.key))
        .await?;
    there.put("photos/one", 10)?;

    let still = there.signal.settled().await?;
    for _ in 0..IDLE_TIMES {
        there.status("GET", "photos/one", 200)?;
        there.status("GET", "photos?list-type=2", 200)?;
        cluster.admin.contents().await?;
        there.admin.get(&format!("GetBucketInfo?id={id}")).await?;
        tokio::time::sleep(IDLE).await;
    }
    let now = there.signal.read().await?;
    ensure!(
        now == still,
        "something was counted: {still:?}, then {now:?}"
    );

    there.status("DELETE", "photos/one", 204)?;
    there
        .call(&format!("DeleteBucket?id={id}"), "bucket_v2", json!({}))
        .await?;
    there
        .call(&format!("DeleteKey?id={key}"), "key", json!({}))
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_through_another_node_is_known_and_no_time_makes_the_executor_sweep() -> Result<()>
{
    let stack = around(Cluster::three().await?).await?;
    let (answer, key) = stack.create_bucket("photos", None).await?;
    let bucket = answer.bucket.context("a new bucket has a row")?.id;
    let mut skipped = Duration::ZERO;
    at_rest(&stack, &mut skipped, BLIND).await?;
    let node = stack.cluster.nodes.get(2).context("a third node")?;
    let place = stack.directory();
    let tools = Tools::new(place, &node.s3_endpoint(), key.id.as_str(), &key.secret)?;
    put(&tools, place, "photos/one", 4321)?;
    known(&stack, bucket, 4321).await?;
    at_rest(&stack, &mut skipped, BLIND).await
}
