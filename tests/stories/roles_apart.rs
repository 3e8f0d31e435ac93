//! The roles as processes of their own on PostgreSQL: two of each. What one web changes the other's
//! listeners hear; who dies by SIGKILL is replaced, and the next command works. All of it works when no
//! notification arrives, too, and two signers that start at once make one installation.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::{Agent, Start},
    api::Api,
    databases::Database,
    garage::Cluster,
    split::{Cast, HAS, PRIVATE, Part, SERVES, Split},
    stack::REGION,
    wait, word,
};
use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use storm_protocol::{api::OperationStatus, ident::Digest};

/// Two of each.
const TWO: Cast = Cast {
    signers: 2,
    hubs: 2,
    webs: 2,
};

/// Makes a bucket; its receipt verifies.
async fn create(api: &Api, root: Digest, name: &str) -> Result<()> {
    let body = json!({
        "region": REGION, "name": name, "quota_bytes": null, "quota_objects": null,
        "key": null, "seal_to": null,
    });
    let key = word()?;
    let answer = api
        .settle(Method::POST, "/buckets", Some(&body), &key)
        .await?;
    ensure!(
        answer.operation.state == OperationStatus::Done,
        "{answer:?}"
    );
    api.verified_receipt(&answer.operation, root).await?;
    Ok(())
}

async fn has(api: &Api, name: &str) -> Result<bool> {
    let buckets = api.buckets().await?.items;
    Ok(buckets.iter().any(|bucket| {
        bucket
            .name
            .as_ref()
            .is_some_and(|known| known.as_str() == name)
    }))
}

/// Waits until a listener at `api` has heard of a bucket of this name, which `change` makes; one that is told
/// that it may have missed something reads.
async fn hears(
    url: &str,
    api: &Api,
    name: &str,
    change: impl Future<Output = Result<()>>,
) -> Result<()> {
    let client = reqwest::Client::new();
    let events = client.get(format!("{url}/api/v1/events"));
    let answer = events.bearer_auth(api.token()).send().await?;
    ensure!(answer.status().is_success(), "{}", answer.status());
    let mut stream = answer.bytes_stream();
    change.await?;
    let mut heard = String::new();
    let wanted = format!("\"{name}\"");
    let listening = async {
        while let Some(bytes) = stream.next().await {
            heard.push_str(&String::from_utf8_lossy(&bytes?));
            // The bucket itself, not only the operation that made it.
            let told = |event: &str| event.contains("event: bucket") && event.contains(&wanted);
            let missed = |event: &str| event.contains("event: missed");
            if heard.split("\n\n").any(told) {
                return Ok(());
            }
            if heard.split("\n\n").any(missed) && has(api, name).await? {
                return Ok(());
            }
            heard = heard.rsplit("\n\n").next().unwrap_or_default().to_owned();
        }
        anyhow::bail!("the stream ended; heard: {heard}")
    };
    tokio::time::timeout(wait::PATIENCE, listening)
        .await
        .context("the other web's listener heard nothing")?
}

/// An agent beside `cluster`, enrolled through `api`, that knows all hubs.
async fn agent_of(
    split: &Split,
    directory: &std::path::Path,
    cluster: &Cluster,
    api: &Api,
) -> Result<Agent> {
    api.create_region(REGION, &cluster.s3_endpoint()?).await?;
    let mut agent = Agent::prepare(directory, cluster.first()?, &[])?;
    agent.name_hubs(&split.hub_urls())?;
    let token = api.enrol_token(REGION).await?;
    agent.enrol(&token.url, &token.secret)?;
    agent.start(&Start::default())?;
    Ok(agent)
}

#[tokio::test]
async fn roles_apart_work_as_one_and_outlive_who_was_active() -> Result<()> {
    let cluster = Cluster::single().await?;
    let directory = tempfile::Builder::new().prefix("storm-roles-").tempdir()?;
    let mut split = Split::start(directory.path(), Database::new().await?, &TWO).await?;
    for part in split.hubs.iter().chain(&split.webs) {
        for key in PRIVATE {
            ensure!(
                !part.server.data().join(key).exists(),
                "{key} is at a web or hub"
            );
        }
    }
    let (here, there) = (
        split.webs[0].server.api().await?,
        split.webs[1].server.api().await?,
    );
    let home = directory.path().join("agent");
    let _agent = agent_of(&split, &home, &cluster, &here).await?;
    let root = here.about().await?.root_key;

    let other = split.webs[1].server.web_url.clone();
    hears(&other, &there, "first", create(&here, root, "first")).await?;

    split.signers[0].kill()?;
    split.signers[1].says(HAS).await?;
    create(&there, root, "second").await?;

    let holder = split.holder().await?;
    split.hubs[holder].kill()?;
    create(&here, root, "third").await?;

    let done: Value = there.get("/operations?limit=100").await?;
    let made = done["items"].as_array().context("operations")?;
    let made = made.iter().filter(|one| one["command"] == "bucket.create");
    ensure!(made.count() == 3, "{done}");
    let receipts = there.receipts("?limit=100").await?;
    ensure!(receipts.items.len() >= 3, "{}", receipts.items.len());
    Ok(())
}

#[tokio::test]
async fn without_any_notification_everything_works_by_the_tables_alone() -> Result<()> {
    let cluster = Cluster::single().await?;
    let directory = tempfile::Builder::new().prefix("storm-muted-").tempdir()?;
    let database = Database::new().await?;
    database.mute().await?;
    let split = Split::start(directory.path(), database, &TWO).await?;
    let (here, there) = (
        split.webs[0].server.api().await?,
        split.webs[1].server.api().await?,
    );
    // Enrolment goes through web, signer and hub, and the executor's role through either hub.
    let home = directory.path().join("agent");
    let _agent = agent_of(&split, &home, &cluster, &here).await?;
    let root = here.about().await?.root_key;
    let other = split.webs[1].server.web_url.clone();
    hears(&other, &there, "muted", create(&here, root, "muted")).await?;
    create(&there, root, "muted-too").await
}

#[tokio::test]
async fn two_signers_that_start_at_once_make_one_installation() -> Result<()> {
    let directory = tempfile::Builder::new().prefix("storm-first-").tempdir()?;
    let url = Database::new().await?.owner_url();
    let part = |name: &str| Part::prepare(&directory.path().join(name), "signer", &url);
    let mut signers = [part("a")?, part("b")?];
    for signer in &mut signers {
        signer.begin()?;
    }
    let (mut first, mut second) = signers.into();
    let served = wait::until("one of them to serve", async || {
        Ok(match (first.has_said(HAS)?, second.has_said(HAS)?) {
            (false, false) => None,
            both => Some(both),
        })
    })
    .await?;
    ensure!(served != (true, true), "both serve");
    if served.1 {
        std::mem::swap(&mut first, &mut second);
    }
    let words = second.ended().await?;
    ensure!(
        words.contains("copy the data_dir of the signer that serves"),
        "{words}"
    );
    for key in PRIVATE {
        ensure!(first.server.data().join(key).exists(), "{key} was not made");
        ensure!(
            !second.server.data().join(key).exists(),
            "{key} was made twice"
        );
    }
    // With its keys it waits its turn.
    second.take(
        &first,
        &[
            "trust.json",
            "root.pub",
            "keys/ca.pem",
            "keys/second-factor.key",
        ],
    )?;
    second.take(&first, &PRIVATE)?;
    second.start(SERVES).await?;
    Ok(())
}
