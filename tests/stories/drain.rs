//! SIGTERM: what runs is finished or goes on elsewhere, whoever waits hears where to look, and nothing is lost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::harness::{
    agent::Start,
    api::{Api, Credential},
    process::signal_id,
    stack::{REGION, Stack},
    tools::Tools,
    wait,
};
use reqwest::{Method, StatusCode};
use rustix::process::Signal;
use serde_json::{Value, json};
use storm_protocol::{
    api::{OperationAnswer, OperationStatus},
    command::CommandResult,
    ident::OperationId,
    receipt::Outcome,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Objects in a bucket that is cleared: several pages of a listing.
const OBJECTS: u64 = 3_300;

fn bucket(name: &str) -> Value {
    json!({ "region": REGION, "name": name, "quota_bytes": null, "quota_objects": null, "key": null,
        "seal_to": null })
}

/// A job that has begun and has not ended.
struct Job {
    operation: OperationId,
    key: Credential,
    name: &'static str,
}

impl Job {
    /// Fills a bucket and begins to clear it.
    async fn begun(stack: &Stack) -> Result<Self> {
        let name = "archive";
        let (answer, key) = stack.create_bucket(name, None).await?;
        let id = answer.bucket.context("a new bucket has a row")?.id;
        let folder = stack.directory().join("objects");
        std::fs::create_dir_all(&folder)?;
        for index in 0..OBJECTS {
            std::fs::write(folder.join(format!("{index:05}.txt")), "x")?;
        }
        stack.tools(&key)?.upload(&folder, name)?;
        let path = format!("/buckets/{id}/clear");
        let answer = stack.api.send(Method::POST, &path, None, None).await?;
        let answer: OperationAnswer = answer.read()?;
        let call = format!("GetBucketInfo?id={id}");
        wait::until("the clearing to be under way", async || {
            let info = stack.cluster.admin.get(&call).await?;
            let left = info["objects"].as_u64().context("no count of objects")?;
            Ok((left < OBJECTS).then_some(()))
        })
        .await?;
        Ok(Self {
            operation: answer.operation.id,
            key,
            name,
        })
    }

    /// Waits until it has ended; each object was deleted once, and none is left.
    async fn is_done(&self, api: &Api, tools: &Tools) -> Result<()> {
        let ended = wait::until("the job to end", async || {
            let answer = api.operation(self.operation).await?;
            Ok(answer.operation.state.is_final().then_some(answer))
        })
        .await?;
        let outcome = ended.operation.outcome;
        let Some(Outcome::Done(CommandResult::BucketClear(cleared))) = &outcome else {
            bail!("the job came to {outcome:?}")
        };
        ensure!(cleared.objects == OBJECTS, "{cleared:?}");
        let mut rclone = tools.rclone()?;
        rclone.args(["lsf", "--recursive", &format!("storm:{}", self.name)]);
        let left = e2e::harness::tools::succeed(&mut rclone)?;
        ensure!(left.is_empty(), "{left}");
        Ok(())
    }
}

/// A request whose head the server has read and whose body it waits for.
struct HalfAsked {
    stream: TcpStream,
    rest: String,
}

impl HalfAsked {
    async fn new(stack: &Stack, body: &Value, key: &str) -> Result<Self> {
        let host = stack.server.web_url.trim_start_matches("http://");
        let body = body.to_string();
        let head = format!(
            "POST /api/v1/buckets HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\nIdempotency-Key: {key}\r\n\
             Expect: 100-continue\r\n\r\n",
            token = stack.api.token(),
            length = body.len(),
        );
        let mut stream = TcpStream::connect(host).await?;
        stream.write_all(head.as_bytes()).await?;
        // The server says this when it begins to wait for the body.
        let goes_on = "HTTP/1.1 100 Continue\r\n\r\n";
        let mut heard = vec![0; goes_on.len()];
        stream.read_exact(&mut heard).await?;
        ensure!(heard == goes_on.as_bytes(), "it said something else");
        Ok(Self { stream, rest: body })
    }

    /// Sends the body; gives the answer, up to where the server closes.
    async fn finish(mut self) -> Result<String> {
        self.stream.write_all(self.rest.as_bytes()).await?;
        self.hear().await
    }

    async fn hear(mut self) -> Result<String> {
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

/// Asks for a bucket until there is one, as a careful client does: again with the same key, whenever that may help.
async fn insist(api: Arc<Api>, name: String) -> Result<OperationAnswer> {
    let body = bucket(&name);
    let deadline = Instant::now() + wait::PATIENCE;
    loop {
        let asked = api.send(Method::POST, "/buckets", Some(&body), Some(&name));
        match asked.await {
            Ok(answer) if answer.status == StatusCode::CREATED => return answer.read(),
            Ok(answer) => ensure!(
                [StatusCode::ACCEPTED, StatusCode::SERVICE_UNAVAILABLE].contains(&answer.status),
                "not to be retried: {answer:?}"
            ),
            // No connection, or one that broke.
            Err(_) => {}
        }
        ensure!(Instant::now() < deadline, "there is no bucket {name}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_plane_drains_and_comes_back_and_nobody_loses_anything() -> Result<()> {
    let mut stack = Stack::single().await?;
    let job = Job::begun(&stack).await?;
    let tools = stack.tools(&job.key)?;
    let api = Arc::new(stack.api.clone());
    let stream = reqwest::Client::new()
        .get(format!("{}/api/v1/events", stack.server.web_url))
        .bearer_auth(api.token())
        .send()
        .await?;
    let half = HalfAsked::new(&stack, &bucket("half"), "half").await?;
    let mut insisting = tokio::task::JoinSet::new();
    for number in 0..4 {
        insisting.spawn(insist(Arc::clone(&api), format!("insisted-{number}")));
    }

    let server = stack.server.id()?;
    signal_id(server, Signal::TERM)?;
    let status = stack.server.status_url.clone();
    wait::until("the drain to be seen", async || {
        let ready = reqwest::get(format!("{status}/readyz")).await?;
        let says = (ready.status(), ready.text().await?);
        let drains = says.0 == StatusCode::SERVICE_UNAVAILABLE && says.1.starts_with("draining");
        Ok(drains.then_some(()))
    })
    .await?;
    // It lives all the same, and its figures can be read.
    for path in ["healthz", "metrics"] {
        let answer = reqwest::get(format!("{status}/{path}")).await?;
        ensure!(answer.status() == StatusCode::OK, "{path}");
    }
    // Who comes now finds nobody, and comes again.
    let web = format!("{}/readyz", stack.server.web_url);
    wait::until("the door to be shut", async || {
        Ok(reqwest::get(&web).await.is_err().then_some(()))
    })
    .await?;
    let answer = half.finish().await?;
    ensure!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let heard = stream.text().await?;
    ensure!(heard.contains("retry:"), "the stream says no time: {heard}");
    // `stop` is an error unless the server ends with 0.
    stack.server.stop().await?;

    stack.server.start().await?;
    stack.connected().await?;
    let half = insist(Arc::clone(&api), "half".to_owned()).await?;
    ensure!(
        answer.contains(&half.operation.id.to_string()),
        "asked for twice"
    );
    while let Some(done) = insisting.join_next().await {
        let done = done??;
        ensure!(done.operation.state == OperationStatus::Done, "{done:?}");
    }
    job.is_done(&api, &tools).await?;
    // The server was told once that it ends, and nobody had to be cut off.
    let log = String::from_utf8(stack.server.log()?)?;
    ensure!(!log.contains("are cut off"), "somebody was cut off");
    ensure!(api.buckets().await?.items.len() == 6);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_ends_is_cut_off_and_the_server_ends_well() -> Result<()> {
    let mut stack = Stack::single().await?;
    let half = HalfAsked::new(&stack, &bucket("half"), "half").await?;
    // `stop` is an error unless the server ends with 0.
    stack.server.stop().await?;
    let log = String::from_utf8(stack.server.log()?)?;
    ensure!(
        log.contains("still open after 8 s and are cut off"),
        "{log}"
    );
    // Broken or closed: an answer there is none.
    ensure!(half.hear().await.unwrap_or_default().is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_hears_where_to_look_when_the_server_ends() -> Result<()> {
    let mut stack = Stack::single().await?;
    // The agent has the command and does not answer while its process is held.
    let agent = stack.agent.id()?;
    signal_id(agent, Signal::STOP)?;
    let api = Arc::new(stack.api);
    let asking = Arc::clone(&api);
    let body = bucket("photos");
    let same = body.clone();
    let waiting = tokio::spawn(async move {
        asking
            .send(Method::POST, "/buckets", Some(&body), Some("once"))
            .await
    });
    let stream = reqwest::Client::new()
        .get(format!("{}/api/v1/events", stack.server.web_url))
        .bearer_auth(api.token())
        .send()
        .await?;
    let id: OperationId = wait::until("the operation to be sent", async || {
        let page: Value = api.get("/operations").await?;
        let mut all = page["items"].as_array().context("no list")?.iter();
        let sent = all.find(|operation| operation["state"] == "sent");
        Ok(sent.map(|operation| operation["id"].clone()))
    })
    .await
    .and_then(|id| Ok(serde_json::from_value(id)?))?;

    // `stop` is an error unless the server ends with 0.
    stack.server.stop().await?;
    let answer = waiting.await??;
    ensure!(answer.status.as_u16() == 202, "{answer:?}");
    ensure!(answer.body["operation"]["id"] == id.to_string().as_str());
    let heard = stream.text().await?;
    ensure!(heard.contains("retry:"), "the stream says no time: {heard}");

    signal_id(agent, Signal::CONT)?;
    stack.server.start().await?;
    let done = api
        .settle(Method::POST, "/buckets", Some(&same), "once")
        .await?;
    ensure!(done.operation.id == id, "it was asked for twice");
    ensure!(done.operation.state == OperationStatus::Done, "{done:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_ends_loses_nothing() -> Result<()> {
    let mut stack = Stack::single().await?;
    let job = Job::begun(&stack).await?;
    let tools = stack.tools(&job.key)?;
    let (api, mut asked) = (Arc::new(stack.api), vec![]);
    let body = |number: u32| bucket(&format!("bucket-{number}"));
    for number in 0..20 {
        let (api, body) = (Arc::clone(&api), body(number));
        asked.push(tokio::spawn(async move {
            let key = format!("once-{number}");
            api.send(Method::POST, "/buckets", Some(&body), Some(&key))
                .await
        }));
    }
    wait::until("the first to be done", async || {
        let page = api.buckets().await?;
        // One is the job's.
        Ok((page.items.len() > 1).then_some(()))
    })
    .await?;
    // `stop` is an error unless the agent ends with 0.
    stack.agent.stop().await?;
    stack.agent.start(&Start::default())?;
    for answer in asked {
        let answer = answer.await??;
        ensure!(matches!(answer.status.as_u16(), 201 | 202), "{answer:?}");
    }
    for number in 0..20 {
        let key = format!("once-{number}");
        let done = api
            .settle(Method::POST, "/buckets", Some(&body(number)), &key)
            .await?;
        ensure!(done.operation.state == OperationStatus::Done, "{done:?}");
    }
    job.is_done(&api, &tools).await
}
