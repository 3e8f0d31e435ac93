//! `cluster.health` and `inventory.refresh`: read the cluster, change nothing.

use storm_protocol::{
    error::Failure,
    result::{ClusterHealth, InventoryRefreshed},
};

use super::Stop;
use crate::{
    engine::Run,
    garage::{AdminRequest, ClusterStatus, Health},
};

pub(super) async fn health(run: &mut Run) -> Result<ClusterHealth, Stop> {
    let health: Health = run
        .read(async |garage| garage.ask(AdminRequest::cluster_health()).await)
        .await?;
    let status: ClusterStatus = run
        .read(async |garage| garage.ask(AdminRequest::cluster_status()).await)
        .await?;
    Ok(ClusterHealth {
        status: health.status,
        garage_version: status.own_version().unwrap_or("unknown").to_owned(),
        known_nodes: health.known_nodes,
        connected_nodes: health.connected_nodes,
        storage_nodes: health.storage_nodes,
        storage_nodes_up: health.storage_nodes_up,
        partitions: health.partitions,
        partitions_quorum: health.partitions_quorum,
        partitions_all_ok: health.partitions_all_ok,
    })
}

pub(super) async fn refresh(run: &mut Run) -> Result<InventoryRefreshed, Stop> {
    let refresher = run.inner.refresher().ok_or_else(|| {
        let words = "This agent keeps no inventory at the moment. Try again when it runs.";
        Stop::failed(Failure::GarageUnavailable, words.to_owned())
    })?;
    let swept = refresher().await;
    swept.map_err(|cause| {
        let words = format!("{} {cause}", Failure::GarageUnavailable.sentence());
        Stop::failed(Failure::GarageUnavailable, words)
    })
}
