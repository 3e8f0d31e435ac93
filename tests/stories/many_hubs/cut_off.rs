//! A hub that is cut off from PostgreSQL alone: it answers its agents, and can do nothing for them. They go
//! where something is done, and it comes back when PostgreSQL does.

use std::path::Path;

use anyhow::{Result, ensure};
use e2e::harness::{
    databases::Database,
    relay::Relay,
    split::{SERVES, Split},
    wait,
};

use super::{AGAIN, BUCKETS, CAST, Scene, make, until_made};

/// Buckets that are made at a time, one part of a story after the other.
const SOME: usize = 5;
const NOT_HEARD: &str = "the hub sends its agents away";

/// Each hub reaches PostgreSQL over a network of its own.
async fn set(directory: &Path) -> Result<(Scene, Vec<Relay>)> {
    let mut split = Split::start(directory, Database::new().await?, &CAST).await?;
    let mut gaps = Vec::new();
    for hub in &mut split.hubs {
        hub.stop().await?;
        let gap = Relay::start(split.database.address().await?).await?;
        hub.reach_database_at(&split.database, gap.address)?;
        hub.start(SERVES).await?;
        gaps.push(gap);
    }
    Ok((Scene::on(split, directory).await?, gaps))
}

/// Waits until another hub than this one holds the agent.
async fn moved_from(split: &Split, before: usize) -> Result<usize> {
    wait::until("another hub to hold the agent", async || {
        let holder = split.holder().await?;
        Ok((holder != before).then_some(holder))
    })
    .await
}

/// The hub holds the agent and does what is asked for, when there is no other one.
async fn is_back(scene: &mut Scene, hub: usize) -> Result<()> {
    scene.split.hubs[hub].says(AGAIN).await?;
    for (number, other) in scene.split.hubs.iter_mut().enumerate() {
        if number != hub {
            other.kill()?;
        }
    }
    let holder = wait::until("the hub to hold the agent", async || {
        let holder = scene.split.holder().await?;
        Ok((holder == hub).then_some(holder))
    });
    ensure!(holder.await? == hub);
    Ok(())
}

// The networks go on while a program is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_cut_off_under_load_loses_nothing_and_late_bytes_do_nothing() -> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-late-").tempdir()?;
    let (mut scene, gaps) = set(directory.path()).await?;
    let (api, root) = (scene.api.clone(), scene.root);
    let cut = async {
        until_made(&scene.api, BUCKETS / 5).await?;
        let cut = scene.split.holder().await?;
        gaps[cut].hold(true);
        moved_from(&scene.split, cut).await?;
        Ok(cut)
    };
    let ((), cut) = tokio::try_join!(make(&api, root, 0..BUCKETS), cut)?;
    // What it had wanted to write arrives now.
    gaps[cut].hold(false);
    scene.split.hubs[cut].says(AGAIN).await?;
    make(&api, root, BUCKETS..BUCKETS + SOME).await?;
    let holder = scene.split.holder().await?;
    ensure!(holder != cut, "the agent went back to hub {cut}");
    is_back(&mut scene, cut).await?;
    make(&api, root, BUCKETS + SOME..BUCKETS + 2 * SOME).await?;
    scene.check(BUCKETS + 2 * SOME).await
}

// The networks go on while a program is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_cut_off_sends_its_agents_away_and_needs_no_connection_of_before()
-> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-cut-").tempdir()?;
    let (mut scene, gaps) = set(directory.path()).await?;
    let (api, root) = (scene.api.clone(), scene.root);
    make(&api, root, 0..SOME).await?;
    let cut = scene.split.holder().await?;
    gaps[cut].hold(true);
    let asked = make(&api, root, SOME..2 * SOME);
    tokio::try_join!(asked, moved_from(&scene.split, cut))?;
    scene.split.hubs[cut].says(NOT_HEARD).await?;
    gaps[cut].forget();
    is_back(&mut scene, cut).await?;
    make(&api, root, 2 * SOME..3 * SOME).await?;
    scene.check(3 * SOME).await
}
