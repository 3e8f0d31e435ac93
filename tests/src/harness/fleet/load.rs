//! Buckets that are asked for at a steady pace, whatever became of those before, and how long each took
//! from the request to the answer that has its receipt.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::json;
use storm_protocol::{
    api::{OperationAnswer, OperationStatus},
    ident::RegionName,
};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval},
};

use super::{
    super::{api::Api, wait::PATIENCE, word},
    Fleet,
};

/// A load that runs until it is told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Result<Vec<Duration>>>,
}

impl Load {
    /// Begins to ask `per_second` times a second, each time for a bucket in a region whose executor is
    /// registered at that moment.
    pub fn start(api: &Api, fleet: &Fleet, per_second: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (api, hub, stopped) = (api.clone(), Arc::clone(&fleet.hub), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut asking = JoinSet::new();
            let mut ticks = interval(Duration::from_secs(1) / per_second.max(1));
            // Whoever asks does not wait for others.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            while !stopped.load(Ordering::Relaxed) {
                ticks.tick().await;
                let regions = super::held(&hub.present).executors.clone();
                if let Some(region) = any(&regions)? {
                    let (api, region) = (api.clone(), region.clone());
                    asking.spawn(async move { make_bucket(&api, &region).await });
                }
            }
            let asked: Vec<Result<Duration>> = asking.join_all().await;
            asked.into_iter().collect()
        });
        Self { stop, task }
    }

    /// Asks for no more, waits for what is under way, and tells how long each took.
    pub async fn end(self) -> Result<Vec<Duration>> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

/// Asks for a bucket; gives how long it took until its receipt was there.
pub async fn make_bucket(api: &Api, region: &RegionName) -> Result<Duration> {
    let name = format!("b-{}", word()?);
    let body = json!({ "region": region, "name": name, "key": null });
    let began = Instant::now();
    let operation = loop {
        // The same key asks for the same operation; the API waits for it for a while.
        let answer = api
            .send(Method::POST, "/buckets", Some(&body), Some(&name))
            .await?;
        let operation = answer.read::<OperationAnswer>()?.operation;
        if operation.state.is_final() {
            break operation;
        }
        ensure!(began.elapsed() < PATIENCE, "{operation:?} does not end");
    };
    let took = began.elapsed();
    ensure!(operation.state == OperationStatus::Done, "{operation:?}");
    operation.receipt.context("the operation has no receipt")?;
    Ok(took)
}

fn any(regions: &[RegionName]) -> Result<Option<&RegionName>> {
    let random = u64::from_le_bytes(super::super::random()?);
    let count = regions.len().max(1) as u64;
    let index = usize::try_from(random % count)?;
    Ok(regions.get(index))
}
