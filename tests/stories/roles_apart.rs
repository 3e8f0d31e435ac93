//! The roles as processes of their own on PostgreSQL: two of each. What one web changes the other's
//! listeners hear; whoever is active dies by SIGKILL, and the next command works through who waited.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::{Agent, Start},
    api::Api,
    databases::Database,
    garage::Cluster,
    ports::free_port,
    split::{HUB_FILES, Part, WEB_FILES},
    stack::REGION,
    tools::succeed,
    wait, word,
};
use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use storm_protocol::{api::OperationStatus, ident::Digest};

const HAS: &str = "this process has the role now";
const WAITS: &str = "another process has the role; this one waits";
const SERVES: &str = "serving";
/// The dispatch, CA and root keys.
const PRIVATE: [&str; 3] = ["keys/dispatch.key", "keys/ca.key", "keys/root.key"];

/// Two processes of each role; the first is active where one is.
struct Split {
    signers: [Part; 2],
    hubs: [Part; 2],
    webs: [Part; 2],
}

impl Split {
    async fn start(directory: &Path) -> Result<Self> {
        let database = Database::new().await?;
        let hub = format!("127.0.0.1:{}", free_port()?);
        let part = |name: &str, role| {
            let url = database.role_url(role);
            Part::prepare(&directory.join(name), role, &url, &hub)
        };
        let mut split = Self {
            signers: [part("signer-a", "signer")?, part("signer-b", "signer")?],
            hubs: [part("hub-a", "hub")?, part("hub-b", "hub")?],
            webs: [part("web-a", "web")?, part("web-b", "web")?],
        };
        let [first, second] = &mut split.signers;
        // As operations.md has it: the owner sets up, a superuser grants, and nobody serves as either.
        succeed(&mut first.server.command(&[
            "db",
            "migrate",
            "--owner",
            &database.owner_url(),
        ])?)?;
        let grants = succeed(&mut first.server.command(&["db", "roles"])?)?;
        database.grant(&grants).await?;
        first.start(HAS).await?;
        second.take(first, &WEB_FILES)?;
        second.take(first, &PRIVATE)?;
        second.take(first, &["keys/ca.pem"])?;
        second.start(WAITS).await?;
        for (hub, word) in split.hubs.iter_mut().zip([HAS, WAITS]) {
            hub.take(first, &HUB_FILES)?;
            hub.start(word).await?;
        }
        for web in &mut split.webs {
            web.take(first, &WEB_FILES)?;
            web.start(SERVES).await?;
        }
        Ok(split)
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.hubs.iter().chain(&self.webs)
    }
}

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

/// Waits until a listener at `api` has heard of a bucket of this name, which `change` makes.
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
            if heard
                .split("\n\n")
                .any(|event| event.contains("event: bucket") && event.contains(&wanted))
            {
                return Ok(());
            }
        }
        anyhow::bail!("the stream ended; heard: {heard}")
    };
    tokio::time::timeout(wait::PATIENCE, listening)
        .await
        .context("the other web's listener heard nothing")?
}

#[tokio::test]
async fn roles_apart_work_as_one_and_outlive_who_was_active() -> Result<()> {
    let cluster = Cluster::single().await?;
    let directory = tempfile::Builder::new().prefix("storm-roles-").tempdir()?;
    let mut split = Split::start(directory.path()).await?;
    for part in split.parts() {
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
    here.create_region(REGION, &cluster.s3_endpoint()?).await?;
    let mut agent = Agent::prepare(&directory.path().join("agent"), cluster.first()?, &[])?;
    let token = there.enrol_token(REGION).await?;
    agent.enrol(&token.url, &token.secret)?;
    agent.start(&Start::default())?;
    let root = here.about().await?.root_key;

    let other = split.webs[1].server.web_url.clone();
    hears(&other, &there, "first", create(&here, root, "first")).await?;

    split.signers[0].kill()?;
    split.signers[1].says(HAS).await?;
    create(&there, root, "second").await?;

    split.hubs[0].kill()?;
    split.hubs[1].says(HAS).await?;
    create(&here, root, "third").await?;

    let done: Value = there.get("/operations?limit=100").await?;
    let made = done["items"].as_array().context("operations")?;
    let made = made.iter().filter(|one| one["command"] == "bucket.create");
    ensure!(made.count() == 3, "{done}");
    let receipts = there.receipts("?limit=100").await?;
    ensure!(receipts.items.len() >= 3, "{}", receipts.items.len());
    Ok(())
}
