//! Three hubs share the agents. The one that holds the agent dies, or sleeps and wakes, under load: nothing
//! is lost, and nothing is done twice.

mod cut_off;

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::{Agent, Start},
    api::Api,
    databases::Database,
    garage::Cluster,
    split::{Cast, Split},
    stack::REGION,
    wait, word,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use storm_protocol::{api::OperationStatus, ident::Digest};

/// Buckets that are made while hubs come and go.
const BUCKETS: usize = 60;
/// Requests at the same time.
const AT_ONCE: usize = 6;
const CAST: Cast = Cast {
    signers: 1,
    hubs: 3,
    webs: 1,
};
const DEAD: &str = "a hub gave no sign of life";
const AGAIN: &str = "this hub was taken for dead";

struct Scene {
    cluster: Cluster,
    split: Split,
    agent: Agent,
    api: Api,
    root: Digest,
}

impl Scene {
    async fn set(directory: &Path) -> Result<Self> {
        let split = Split::start(directory, Database::new().await?, &CAST).await?;
        Self::on(split, directory).await
    }

    /// With these processes.
    async fn on(split: Split, directory: &Path) -> Result<Self> {
        let cluster = Cluster::single().await?;
        let api = split.webs[0].server.api().await?;
        api.create_region(REGION, &cluster.s3_endpoint()?).await?;
        let mut agent = Agent::prepare(&directory.join("agent"), cluster.first()?, &[])?;
        agent.name_hubs(&split.hub_urls())?;
        let token = api.enrol_token(REGION).await?;
        agent.enrol(&token.url, &token.secret)?;
        agent.start(&Start::default())?;
        // What is asked for before its journal is there would be refused as older than that.
        split.holder().await?;
        let root = api.about().await?.root_key;
        Ok(Self {
            cluster,
            split,
            agent,
            api,
            root,
        })
    }

    /// Each bucket is there once, by one operation with one receipt.
    async fn check(&self, made: usize) -> Result<()> {
        let contents = self.cluster.admin.contents().await?;
        contents.check_whole()?;
        ensure!(contents.buckets.len() == made, "{}", contents.buckets.len());
        let operations: Value = self.api.get("/operations?limit=100").await?;
        let created: BTreeSet<_> = operations["items"]
            .as_array()
            .context("operations")?
            .iter()
            .filter(|operation| operation["command"] == "bucket.create")
            .filter_map(|operation| operation["id"].as_str())
            .collect();
        ensure!(created.len() == made, "{} operations", created.len());
        let receipts = self.api.receipts("?limit=100").await?.items;
        let theirs = receipts
            .iter()
            .filter(|receipt| created.contains(receipt.operation.to_string().as_str()));
        ensure!(
            theirs.count() == made,
            "an operation has two receipts or none"
        );
        Ok(())
    }
}

/// Makes buckets of these numbers, some at the same time; each ends well, with a receipt that verifies.
async fn make(api: &Api, root: Digest, numbers: std::ops::Range<usize>) -> Result<()> {
    let one = async |number: usize| {
        let body = json!({
            "region": REGION, "name": format!("bucket-{number}"), "quota_bytes": null,
            "quota_objects": null, "key": null, "seal_to": null,
        });
        let key = word()?;
        let answer = api
            .settle(Method::POST, "/buckets", Some(&body), &key)
            .await?;
        let done = answer.operation.state == OperationStatus::Done;
        ensure!(done, "{answer:?}");
        api.verified_receipt(&answer.operation, root).await?;
        Ok(())
    };
    stream::iter(numbers)
        .map(one)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// Waits until the account has so many buckets.
async fn until_made(api: &Api, wanted: usize) -> Result<()> {
    wait::until("some buckets", async || {
        let made = api.buckets().await?.items.len();
        Ok((made >= wanted).then_some(()))
    })
    .await
}

#[tokio::test]
async fn hubs_that_die_under_load_lose_nothing() -> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-hubs-").tempdir()?;
    let mut scene = Scene::set(directory.path()).await?;
    let (api, root) = (scene.api.clone(), scene.root);
    let deaths = async {
        for share in [BUCKETS / 5, BUCKETS / 2] {
            until_made(&scene.api, share).await?;
            let holder = scene.split.holder().await?;
            scene.split.hubs[holder].kill()?;
        }
        Ok(())
    };
    tokio::try_join!(make(&api, root, 0..BUCKETS), deaths)?;
    scene.check(BUCKETS).await
}

#[tokio::test]
async fn a_hub_that_slept_wakes_and_sends_nothing() -> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-asleep-").tempdir()?;
    let mut scene = Scene::set(directory.path()).await?;
    let (api, root) = (scene.api.clone(), scene.root);
    let sleep = async {
        until_made(&scene.api, BUCKETS / 5).await?;
        let asleep = scene.split.holder().await?;
        scene.split.hubs[asleep].signal(Signal::STOP)?;
        // It would find the silence itself, half a minute later.
        scene.agent.kill()?;
        scene.agent.start(&Start::default())?;
        Ok(asleep)
    };
    let ((), asleep) = tokio::try_join!(make(&api, root, 0..BUCKETS), sleep)?;
    let now = scene.split.holder().await?;
    ensure!(now != asleep, "a hub that sleeps holds the agent");
    wait::until("somebody to take it for dead", async || {
        let split = &scene.split;
        let mut awake = split.signers.iter().chain(&split.hubs);
        let said = awake.try_fold(false, |said, part| {
            Ok::<_, anyhow::Error>(said || part.has_said(DEAD)?)
        })?;
        Ok(said.then_some(()))
    })
    .await?;
    scene.split.hubs[asleep].signal(Signal::CONT)?;
    scene.split.hubs[asleep].says(AGAIN).await?;
    make(&scene.api, scene.root, BUCKETS..BUCKETS + 5).await?;
    let holder = scene.split.holder().await?;
    ensure!(holder == now, "the agent was taken from hub {now}");
    scene.check(BUCKETS + 5).await.context("after it woke")
}
