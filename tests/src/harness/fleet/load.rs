//! Buckets that are asked for at a steady pace, whatever became of those before, and how long each took
//! from the request to the answer that has its receipt.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use reqwest::Method;
use serde_json::json;
use storm_protocol::{
    api::{OperationAnswer, OperationStatus},
    ident::RegionName,
};
use tokio::{
    runtime::Builder,
    task::{JoinSet, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

use super::{
    super::{api::Api, wait::PATIENCE, word},
    Fleet, Hub,
};

/// A load that runs until it is told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<Duration>>>,
}

impl Load {
    /// Begins to ask `per_second` times a second, each time for a bucket in a region whose executor is
    /// registered at that moment. On a thread of its own: whoever asks is not one of the agents.
    pub fn start(api: &Api, fleet: &Fleet, per_second: u32) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (api, hub, stopped) = (api.apart()?, Arc::clone(&fleet.hub), Arc::clone(&stop));
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new().name("load".to_owned());
        let thread = thread.spawn(move || runtime.block_on(ask(api, hub, stopped, per_second)))?;
        Ok(Self { stop, thread })
    }

    /// Asks for no more, waits for what is under way, and tells how long each took.
    pub async fn end(self) -> Result<Vec<Duration>> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = spawn_blocking(|| self.thread.join()).await?;
        ended.map_err(|_| anyhow!("the load's thread panicked"))?
    }
}

async fn ask(
    api: Api,
    hub: Arc<Hub>,
    stopped: Arc<AtomicBool>,
    per_second: u32,
) -> Result<Vec<Duration>> {
    let mut asking = JoinSet::new();
    let mut ticks = interval(Duration::from_secs(1) / per_second.max(1));
    // Whoever asks does not wait for others.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while !stopped.load(Ordering::Relaxed) {
        ticks.tick().await;
        let region = any(&super::held(&hub.present).executors)?.cloned();
        if let Some(region) = region {
            let api = api.clone();
            asking.spawn(async move { make_bucket(&api, &region).await });
        }
    }
    let asked: Vec<Result<Duration>> = asking.join_all().await;
    asked.into_iter().collect()
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
