//! Garage's counters of changes, which the inventory takes for a signal: where they show every change,
//! where they do not, and what the agent does there.

mod expiry;
mod fewer_copies;
mod full_copies;
mod no_counters;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::Start, clock_shift, garage::Cluster, node_admin::NodeAdmin, stack::Stack, tools::Tools,
    wait,
};
use serde_json::Value;
use storm_protocol::ident::BucketId;

/// How long the counters stand still once nothing is on its way any more.
const QUIET: Duration = Duration::from_secs(2);
/// Two of the agent's looks at the counters, at least.
const TWO_LOOKS: Duration = Duration::from_secs(12);
/// Time after which a sweep that was put off is made.
const PUT_OFF: Duration = Duration::from_secs(61);
/// Time after which an executor whose counters do not show everything sweeps.
const BLIND: Duration = Duration::from_secs(601);
/// The most sweeps that follow on each other when nothing changes any more.
const SWEEPS: usize = 6;

/// Each node's counters, by table.
type Counts = Vec<BTreeMap<String, u64>>;

/// The counters of a cluster's nodes.
struct Signal(Vec<NodeAdmin>);

impl Signal {
    fn of(cluster: &Cluster) -> Result<Self> {
        let nodes = cluster.nodes.iter();
        let clients = nodes.map(|node| NodeAdmin::without_token(&node.admin_socket));
        Ok(Self(clients.collect::<Result<_>>()?))
    }

    async fn read(&self) -> Result<Counts> {
        let mut counts = vec![];
        for node in &self.0 {
            counts.push(node.changes().await?);
        }
        Ok(counts)
    }

    /// The counters once all that was changed before is counted.
    async fn settled(&self) -> Result<Counts> {
        let mut quiet: Option<(Instant, Counts)> = None;
        wait::until("all changes to be counted", async || {
            let mut waiting = 0;
            for node in &self.0 {
                waiting += node.changes_waiting().await?;
            }
            let now = self.read().await?;
            match &quiet {
                Some((since, counts)) if waiting == 0 && *counts == now => {
                    Ok((since.elapsed() >= QUIET).then_some(now))
                }
                _ => {
                    quiet = Some((Instant::now(), now));
                    Ok(None)
                }
            }
        })
        .await
    }

    /// Waits until every node has counted more changes of `table` than `before`.
    async fn moved(&self, what: &str, table: &str, before: &Counts) -> Result<()> {
        for (node, before) in self.0.iter().zip(before) {
            wait::until(&format!("every node to count: {what}"), async || {
                let now = node.changes().await?;
                Ok((now.get(table) > before.get(table)).then_some(()))
            })
            .await?;
        }
        Ok(())
    }
}

/// A stack whose agent's timers can be moved.
async fn around(cluster: Cluster) -> Result<Stack> {
    let mut stack = Stack::around(cluster).await?;
    let library = clock_shift::build(stack.directory())?;
    stack.agent.shift_clock(&library, 0);
    stack.restart_agent(&Start::default()).await?;
    Ok(stack)
}

/// Moves the agent's timers on by `time` until it finds nothing more to sweep for.
async fn at_rest(stack: &Stack, skipped: &mut Duration, time: Duration) -> Result<()> {
    for _ in 0..SWEEPS {
        let before = sweeps(stack).await?;
        *skipped += time;
        stack.agent.skip_to(*skipped)?;
        tokio::time::sleep(TWO_LOOKS).await;
        if sweeps(stack).await? == before {
            return Ok(());
        }
    }
    anyhow::bail!("the executor goes on sweeping though nothing changes")
}

/// Pages of buckets that the executor's node has been asked for.
async fn sweeps(stack: &Stack) -> Result<u64> {
    let calls = stack.cluster.admin.calls().await?;
    Ok(calls.get("ListBucketsInfo").copied().unwrap_or(0))
}

/// Waits until the control plane knows a bucket's size; nobody asks the agent for it.
async fn known(stack: &Stack, bucket: BucketId, bytes: u64) -> Result<()> {
    wait::until("the bucket's size to be known", async || {
        let bucket: Value = stack.api.get(&format!("/buckets/{bucket}")).await?;
        Ok((bucket["bytes"] == bytes).then_some(()))
    })
    .await
}

/// Writes an object of that many bytes.
fn put(tools: &Tools, directory: &Path, path: &str, bytes: usize) -> Result<()> {
    let status = tools.status("PUT", path, Some(&file_of(directory, bytes)?))?;
    ensure!(status == 200, "writing {path} answers {status}");
    Ok(())
}

fn file_of(directory: &Path, bytes: usize) -> Result<PathBuf> {
    let file = directory.join(format!("{bytes}-bytes"));
    std::fs::write(&file, vec![7; bytes])?;
    Ok(file)
}

/// Begins an upload in parts and gives its id; `bytes` are in its only part.
fn begin_upload(
    tools: &Tools,
    directory: &Path,
    bucket: &str,
    key: &str,
    bytes: usize,
) -> Result<String> {
    let begun = aws(
        tools,
        &["create-multipart-upload", "--bucket", bucket, "--key", key],
    )?;
    let id = begun["UploadId"]
        .as_str()
        .context("no upload id")?
        .to_owned();
    let file = file_of(directory, bytes)?;
    let file = file.to_str().context("a path is text")?;
    let part = [
        "upload-part",
        "--bucket",
        bucket,
        "--key",
        key,
        "--part-number",
        "1",
    ];
    aws(
        tools,
        &[&part[..], &["--upload-id", &id, "--body", file]].concat(),
    )?;
    Ok(id)
}

/// One call of the AWS command line; null when it says nothing.
fn aws(tools: &Tools, arguments: &[&str]) -> Result<Value> {
    let said = e2e::harness::tools::succeed(tools.aws()?.arg("s3api").args(arguments))?;
    if said.trim().is_empty() {
        return Ok(Value::Null);
    }
    Ok(serde_json::from_str(&said)?)
}
