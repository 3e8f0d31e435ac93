//! The database is gone, and no backup of it is left; the keys are. What the cluster still says makes the
//! accounts anew.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::{Agent, Start},
    mails,
    server::Server,
    stack::{REGION, Stack},
    tools::said,
    wait,
};
use reqwest::Method;
use serde_json::{Value, json};
use storm_protocol::{
    ident::{AccountId, Micros},
    seal::OpenKey,
};

/// How `storm-pulse` ends when the control plane refuses it.
const REFUSED: i32 = 3;
const PASSWORD: &str = "another horse battery staple";

#[tokio::test(flavor = "multi_thread")]
async fn accounts_come_back_from_the_names_of_their_keys() -> Result<()> {
    let mut stack = Stack::single().await?;
    stack.create_bucket("photos", None).await?;
    // Two more accounts, as their commands would have left them, and a bucket that both own.
    let other = |number: u8| AccountId::new(Micros(i64::from(number)), [number; 10]).to_string();
    let (second, third) = (other(2), other(3));
    let admin = &stack.cluster.admin;
    let key = |number: u8| format!("GK{}", format!("{number:02x}").repeat(12));
    for (account, number, name) in [(&second, 2, "films"), (&third, 3, "books")] {
        let name_of_key = format!("{account}/ci");
        admin
            .import_key(&key(number), &"cd".repeat(32), &name_of_key)
            .await?;
        let bucket = admin.create_bucket(name).await?;
        admin.allow_all(&bucket, &key(number)).await?;
    }
    let shared = admin.create_bucket("shared").await?;
    for number in [2, 3] {
        admin.allow_all(&shared, &key(number)).await?;
    }
    admin
        .import_key(&key(9), &"cd".repeat(32), "somebody's")
        .await?;

    let first = stack.account.to_string();
    stack.server.stop().await?;
    stack.server.lose_database()?;
    stack.server.start().await?;
    stack.api = stack.server.api().await?;
    ensure!(stack.api.about().await?.root_key == stack.root_key);
    let adopt = |server: &Server, more: &[&str]| {
        let arguments = [&["adopt", "--region", REGION], more].concat();
        server.run(&arguments)
    };
    let early = adopt(&stack.server, &[])?;
    ensure!(
        said(&early).contains("there is no region"),
        "{}",
        said(&early)
    );
    stack
        .api
        .create_region(REGION, &stack.cluster.s3_endpoint()?)
        .await?;
    let early = adopt(&stack.server, &["--yes"])?;
    ensure!(said(&early).contains("enrol one"), "{}", said(&early));

    // The agent is a stranger now, whatever its certificate says.
    let status = wait::until("the agent to be turned away", async || stack.agent.ended()).await?;
    ensure!(status.code() == Some(REFUSED), "it ended with {status}");
    let mut agent = Agent::prepare(
        &stack.directory().join("again"),
        stack.cluster.first()?,
        &[],
    )?;
    let token = stack.api.enrol_token(REGION).await?;
    agent.enrol(&token.url, &token.secret)?;
    agent.start(&Start::default())?;
    stack.connected().await?;

    // First it is only told.
    let told = wait::until("the agent to have told of its cluster", async || {
        let told = adopt(&stack.server, &[])?;
        Ok(told.status.success().then(|| said(&told)))
    })
    .await?;
    for words in [
        &*first,
        &*second,
        &*third,
        "is made",
        "shared",
        "stays nobody's",
        "--yes",
    ] {
        ensure!(told.contains(words), "{words} is not in {told}");
    }
    let accounts = accounts(&stack).await?;
    ensure!(accounts.len() == 1, "{accounts:?}");

    let done = adopt(&stack.server, &["--yes"])?;
    ensure!(done.status.success(), "{}", said(&done));
    let known = self::accounts(&stack).await?;
    for account in [&first, &second, &third] {
        ensure!(known.contains(account), "{account} is not in {known:?}");
    }
    let again = adopt(&stack.server, &["--yes"])?;
    ensure!(said(&again).contains("Nothing in home"), "{}", said(&again));

    // The owner of one is asked in anew, and goes on with what is theirs.
    let email = "ann@example.org";
    let invited = stack
        .server
        .run(&["user", "invite-owner", &second, email, "--name", "Films"])?;
    ensure!(invited.status.success(), "{}", said(&invited));
    let folder = stack.server.data().join("mail");
    let link = wait::until("the e-mail", async || mails::link_to(&folder, email)).await?;
    let (_, secret) = link.split_once('#').context("no secret")?;
    let body = json!({ "token": secret, "password": PASSWORD });
    let accepted = stack.api.post("/invitations/accept", &body).await?;
    ensure!(accepted.status.is_success(), "{accepted:?}");
    stack.api = e2e::harness::api::Api::sign_in(&stack.server.web_url, email, PASSWORD).await?;
    wait::until("the bucket to be adopted", async || {
        let page: Value = stack.api.get("/operations?limit=100").await?;
        let items = page["items"].as_array().context("no items")?;
        let done = |operation: &Value| {
            operation["command"] == "bucket.adopt" && operation["state"] == "done"
        };
        Ok(items.iter().any(done).then_some(()))
    })
    .await?;
    let buckets = stack.api.buckets().await?.items;
    let names: Vec<_> = buckets
        .iter()
        .filter_map(|bucket| bucket.name.as_ref())
        .collect();
    ensure!(
        names.len() == 1 && names[0].as_str() == "films",
        "{names:?}"
    );
    let seal = OpenKey::generate();
    let rotate = json!({ "label": null, "grace_seconds": 0, "seal_to": seal.seal_key() });
    let turned = stack
        .settle_post(&format!("/keys/{}/rotate", key(2)), &rotate)
        .await?;
    let fresh = stack.api.open(&turned, &seal, stack.root_key).await?;
    ensure!(
        stack
            .tools(&fresh)?
            .status("GET", "films?list-type=2", None)?
            == 200
    );
    // Nor can it touch what is another's.
    let theirs = stack.cluster.admin.contents().await?;
    let (books, _) = theirs.bucket_named("books").context("no books")?;
    let quota = json!({ "quota_bytes": 1, "quota_objects": null });
    let path = format!("/buckets/{books}/quota");
    let refused = stack
        .api
        .send(Method::PUT, &path, Some(&quota), Some("theirs"))
        .await?;
    ensure!(refused.status == 404, "{refused:?}");
    agent.stop().await
}

async fn accounts(stack: &Stack) -> Result<Vec<String>> {
    let page: Value = stack.api.get("/accounts").await?;
    let items = page["items"].as_array().context("no items")?;
    let ids = items.iter().filter_map(|account| account["id"].as_str());
    Ok(ids.map(str::to_owned).collect())
}
