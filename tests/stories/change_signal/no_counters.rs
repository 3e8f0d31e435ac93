//! A Garage that was restarted has no counters until something changes.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{garage::Cluster, wait};

use super::{BLIND, PUT_OFF, Signal, around, at_rest, sweeps};

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_garage_in_which_nothing_changes_is_swept_by_time_alone() -> Result<()> {
    let mut stack = around(Cluster::single().await?).await?;
    stack.create_bucket("photos", None).await?;
    let node = stack.cluster.nodes.first_mut();
    node.context("a node")?.restart()?;
    stack.cluster.healthy().await?;
    let counts = Signal::of(&stack.cluster)?.settled().await?;
    ensure!(counts[0].is_empty(), "{counts:?}");
    let mut skipped = Duration::ZERO;
    at_rest(&stack, &mut skipped, PUT_OFF).await?;
    let before = sweeps(&stack).await?;
    stack.agent.skip_to(skipped + BLIND)?;
    wait::until("a sweep by time", async || {
        Ok((sweeps(&stack).await? > before).then_some(()))
    })
    .await
}
