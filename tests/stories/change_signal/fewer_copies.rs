//! More nodes than copies: the executor's node stores the sizes of some buckets only. The agents of the
//! other nodes tell what it cannot see; where there is none, it sweeps by time.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::harness::{
    agent::{Agent, Start},
    garage::Cluster,
    random,
    stack::{REGION, Stack},
    tools::Tools,
    wait,
};
use storm_protocol::ident::BucketId;

use super::{BLIND, PUT_OFF, SWEEPS, Signal, TWO_LOOKS, around, at_rest, known, put, sweeps};

/// Buckets among which there is, but for chance in a thousand, one that is stored elsewhere alone.
const TRIES: usize = 20;
const SIZES: &str = "bucket_object_counter";

/// A bucket whose sizes the executor's node does not store: a write to it moved none of its counters.
async fn stored_elsewhere(stack: &Stack) -> Result<(BucketId, String, Tools)> {
    let signal = Signal::of(&stack.cluster)?;
    for number in 0..TRIES {
        let name = format!("bucket-{number}");
        let (answer, key) = stack.create_bucket(&name, None).await?;
        let tools = stack.tools(&key)?;
        let before = signal.settled().await?;
        put(&tools, stack.directory(), &format!("{name}/one"), 10)?;
        let after = wait::until("some node to count the write", async || {
            let now = signal.settled().await?;
            Ok((now != before).then_some(now))
        })
        .await?;
        if after[0] == before[0] {
            let bucket = answer.bucket.context("a new bucket has a row")?;
            return Ok((bucket.id, name, tools));
        }
    }
    bail!("the executor's node stores {TRIES} buckets of {TRIES}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_is_counted_on_as_many_nodes_as_there_are_copies() -> Result<()> {
    let cluster = Cluster::with_copies(3, 2).await?;
    let signal = Signal::of(&cluster)?;
    let (key, secret) = (
        format!("GK{}", hex::encode(random::<12>()?)),
        "ab".repeat(32),
    );
    cluster
        .admin
        .import_key(&key, &secret, "somebody's")
        .await?;
    let directory = tempfile::tempdir()?;
    let tools = Tools::new(directory.path(), &cluster.s3_endpoint()?, &key, &secret)?;
    for name in ["films", "music", "notes", "photos"] {
        let bucket = cluster.admin.create_bucket(name).await?;
        cluster.admin.allow_all(&bucket, &key).await?;
        let before = signal.settled().await?;
        put(&tools, directory.path(), &format!("{name}/one"), 10)?;
        // So any two of the three nodes see every change.
        wait::until("two nodes to count the write", async || {
            let after = signal.settled().await?;
            let nodes = after.iter().zip(&before);
            let moved = nodes
                .filter(|(after, before)| after.get(SIZES) > before.get(SIZES))
                .count();
            Ok((moved == 2).then_some(()))
        })
        .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_executor_cannot_see_the_other_agents_tell() -> Result<()> {
    let stack = Stack::around(Cluster::with_copies(3, 1).await?).await?;
    let others = [other(&stack, 1).await?, other(&stack, 2).await?];
    let (bucket, name, tools) = stored_elsewhere(&stack).await?;
    undisturbed(&stack).await?;
    put(&tools, stack.directory(), &format!("{name}/one"), 4321)?;
    known(&stack, bucket, 4321).await?;
    for mut agent in others {
        agent.stop().await?;
    }
    Ok(())
}

/// Waits until the executor has nothing more to sweep for. Its timers are left alone: moved, they would
/// break its connection, and the next begins with what others have told.
async fn undisturbed(stack: &Stack) -> Result<()> {
    for _ in 0..SWEEPS {
        let before = sweeps(stack).await?;
        tokio::time::sleep(PUT_OFF + TWO_LOOKS).await;
        if sweeps(stack).await? == before {
            return Ok(());
        }
    }
    bail!("the executor goes on sweeping though nothing changes")
}

/// An agent beside another node.
async fn other(stack: &Stack, number: usize) -> Result<Agent> {
    let node = stack.cluster.nodes.get(number).context("no such node")?;
    let token = stack.api.enrol_token(REGION).await?;
    let directory = stack.directory().join(format!("agent{number}"));
    let mut agent = Agent::prepare(Path::new(&directory), node, &[])?;
    agent.enrol(&token.url, &token.secret)?;
    agent.start(&Start::default())?;
    wait::until("the agents to connect", async || {
        let agents = stack.api.agents().await?.items;
        let connected = agents.iter().filter(|agent| agent.connected).count();
        Ok((connected == number + 1).then_some(()))
    })
    .await?;
    Ok(agent)
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_tells_the_executor_sweeps_by_time() -> Result<()> {
    let stack = around(Cluster::with_copies(3, 1).await?).await?;
    let (bucket, name, tools) = stored_elsewhere(&stack).await?;
    let mut skipped = Duration::ZERO;
    at_rest(&stack, &mut skipped, PUT_OFF).await?;
    let signal = Signal::of(&stack.cluster)?;
    let before = signal.settled().await?;
    put(&tools, stack.directory(), &format!("{name}/one"), 4321)?;
    let after = signal.settled().await?;
    ensure!(after[0] == before[0], "the executor's node has counted it");
    at_rest(&stack, &mut skipped, PUT_OFF).await?;
    let known_so_far: serde_json::Value = stack.api.get(&format!("/buckets/{bucket}")).await?;
    ensure!(known_so_far["bytes"] != 4321, "{known_so_far}");
    stack.agent.skip_to(skipped + BLIND)?;
    known(&stack, bucket, 4321).await
}
