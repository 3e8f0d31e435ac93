//! Many agents on one hub: all are registered, each region does what it is told, and all come back by
//! themselves after the hub was killed.

use std::{collections::HashSet, sync::atomic::Ordering};

use anyhow::{Result, ensure};
use e2e::harness::{
    api::Api,
    fleet::{AGENTS_PER_REGION, Fleet, load::make_bucket},
    server::Server,
    wait,
};
use storm_protocol::api::AgentPage;

/// Agents, in seventeen regions.
const AGENTS: usize = 51;

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_comes_back_after_the_hub_was_killed() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut server = Server::prepare(directory.path())?;
    server.start().await?;
    let api = server.api().await?;
    server.stop().await?;
    let mut fleet = Fleet::enrol(&server, AGENTS).await?;
    server.start().await?;
    fleet.start(AGENTS);
    fleet.all_registered(wait::PATIENCE).await?;
    one_bucket_in_each_region(&api, &fleet).await?;
    let connected = api.get::<AgentPage>("/agents?limit=1000").await?.items;
    ensure!(connected.iter().filter(|agent| agent.connected).count() == AGENTS);

    server.kill()?;
    wait::until("all connections to end", async || {
        Ok((fleet.registered() == 0).then_some(()))
    })
    .await?;
    fleet.forget();
    server.start().await?;
    let welcomes = fleet.all_registered(wait::PATIENCE).await?;
    ensure!(welcomes.len() >= AGENTS);
    one_bucket_in_each_region(&api, &fleet).await?;

    let regions = AGENTS / AGENTS_PER_REGION;
    let counts = fleet.counts();
    ensure!(counts.commands.load(Ordering::Relaxed) == 2 * regions as u64);
    ensure!(counts.refused.load(Ordering::Relaxed) == 0, "{counts:?}");
    server.stop().await
}

/// Each is made through API, signer, hub and agent, and its receipt stands in the answer.
async fn one_bucket_in_each_region(api: &Api, fleet: &Fleet) -> Result<()> {
    let regions: HashSet<_> = fleet.executors().into_iter().collect();
    ensure!(regions.len() == AGENTS / AGENTS_PER_REGION, "{regions:?}");
    for region in &regions {
        make_bucket(api, region).await?;
    }
    Ok(())
}
