//! Running it: what machines ask about the control plane, and what its parts log.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::Start,
    databases::Database,
    memory::{self, Needle},
    server::{EMAIL, PASSWORD, Server},
    split::{Cast, Split},
    stack::{REGION, Stack},
    wait,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use storm_protocol::ident::OperationId;

/// All figures, by name and labels. A line that Prometheus could not read is an error.
async fn figures(server: &Server) -> Result<BTreeMap<String, f64>> {
    let url = format!("{}/metrics", server.status_url);
    let answer = reqwest::get(url).await?.error_for_status()?;
    let kind = answer.headers().get("content-type").cloned();
    let kind = kind.context("no content type")?;
    ensure!(
        kind.to_str()?
            .starts_with("application/openmetrics-text; version=1.0.0")
    );
    let text = answer.text().await?;
    let lines = text.strip_suffix("# EOF\n").context("it does not end")?;
    let (mut families, mut figures) = (BTreeSet::new(), BTreeMap::new());
    for line in lines.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let (name, _) = family.split_once(' ').context("a family without a type")?;
            ensure!(families.insert(name), "twice: {line}");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').context("a line without a value")?;
            ensure!(
                families.iter().any(|family| is_of(series, family)),
                "of no family: {line}"
            );
            let value: f64 = value.parse().with_context(|| line.to_owned())?;
            let before = figures.insert(series.to_owned(), value);
            ensure!(before.is_none(), "twice: {line}");
        }
    }
    Ok(figures)
}

fn name_of(series: &str) -> &str {
    series.split('{').next().unwrap_or(series)
}

/// Whether a series is one of a family's, by its name.
fn is_of(series: &str, family: &str) -> bool {
    let part = name_of(series).strip_prefix(family);
    part.is_some_and(|part| ["", "_total", "_bucket", "_sum", "_count"].contains(&part))
}

/// The sum of all figures of a name whose labels have `part`.
fn sum(figures: &BTreeMap<String, f64>, name: &str, part: &str) -> f64 {
    let mine = figures
        .iter()
        .filter(|(series, _)| name_of(series) == name && series.contains(part));
    mine.map(|(_, value)| value).sum()
}

fn bucket(name: &str) -> Value {
    json!({ "region": REGION, "name": name, "quota_bytes": null, "quota_objects": null, "key": null,
        "seal_to": null })
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_what_was_done() -> Result<()> {
    let mut stack = Stack::single().await?;
    let status = stack.server.status_url.clone();
    for path in ["healthz", "readyz"] {
        let answer = reqwest::get(format!("{status}/{path}")).await?;
        ensure!(answer.status().as_u16() == 200, "{path}");
    }
    // Nothing but these, and these nowhere else.
    let elsewhere = reqwest::get(format!("{status}/api/v1/about")).await?;
    ensure!(elsewhere.status().as_u16() == 404);
    let public = reqwest::get(format!("{}/metrics", stack.server.web_url)).await?;
    ensure!(!public.text().await?.contains("storm_http_requests"));

    let before = figures(&stack.server).await?;
    for name in ["one", "two", "three"] {
        stack.create_bucket(name, None).await?;
    }
    let again = Some(bucket("one"));
    stack.failed(Method::POST, "/buckets", again).await?;
    let missing = stack
        .api
        .send(Method::GET, "/buckets/00", None, None)
        .await?;
    ensure!(!missing.status.is_success());

    // What the database says is a second old at most.
    let after = wait::until("the figures", async || {
        let after = figures(&stack.server).await?;
        Ok((sum(&after, "storm_sweeps_total", "") >= 1.0).then_some(after))
    })
    .await?;
    let grown = |name: &str, part: &str| sum(&after, name, part) - sum(&before, name, part);
    ensure!(grown("storm_operations_ended_total", "outcome=\"done\"") == 3.0);
    ensure!(grown("storm_operations_ended_total", "code=\"name_taken\"") == 1.0);
    ensure!(grown("storm_receipts_stored_total", "") == 4.0);
    for stage in ["signed", "sent", "accepted", "ended"] {
        let part = format!("stage=\"{stage}\"");
        let steps = grown("storm_operation_stage_seconds_count", &part);
        ensure!(steps == 4.0, "{stage}: {steps}");
    }
    let made = "method=\"POST\",route=\"/api/v1/buckets\",status=\"2xx\"";
    // On a slow machine one is asked for again.
    ensure!(grown("storm_http_requests_total", made) >= 3.0);
    ensure!(grown("storm_http_problems_total", "code=\"name_taken\"") >= 1.0);
    // One on which nothing was said is not one that was closed.
    ensure!(grown("storm_hub_closings_total", "") == 0.0);
    ensure!(sum(&after, "storm_hub_turned_away_total", "") == 0.0);
    ensure!(grown("storm_database_write_seconds_count", "") >= 4.0);
    ensure!(sum(&after, "storm_agents_connected", "region=\"home\"") == 1.0);
    ensure!(sum(&after, "storm_agents", "region=\"home\"") == 1.0);
    ensure!(sum(&after, "storm_database_up", "") == 1.0);
    ensure!(sum(&after, "process_resident_memory_bytes", "") > 1e6);
    ensure!(sum(&after, "process_open_fds", "") > 5.0);

    // Nobody is named.
    let text = format!("{after:?}");
    ensure!(!text.contains(&stack.account.to_string()) && !text.contains("three"));

    stack.agent.stop().await?;
    let api = stack.api.clone();
    let four = bucket("four");
    let asking =
        tokio::spawn(async move { api.send(Method::POST, "/buckets", Some(&four), None).await });
    let waiting = wait::until("an operation to wait for the agent", async || {
        let now = figures(&stack.server).await?;
        let connected = sum(&now, "storm_agents_connected", "region=\"home\"");
        let waits = connected == 0.0 && sum(&now, "storm_operations", "") >= 1.0;
        Ok(waits.then_some(now))
    })
    .await?;
    // Whoever copies the alerts of the manual hears of what they say.
    let names: BTreeSet<_> = waiting.keys().map(|series| name_of(series)).collect();
    let alerted = alerted();
    ensure!(alerted.len() > 5, "{alerted:?}");
    for name in &alerted {
        ensure!(
            names.contains(name.as_str()),
            "an alert asks for {name}, which there is not"
        );
    }
    stack.server.stop().await?;
    ensure!(asking.await??.status.as_u16() == 202);
    Ok(())
}

/// What `/readyz` says.
async fn readiness(server: &Server) -> Result<(StatusCode, String)> {
    let answer = reqwest::get(format!("{}/readyz", server.status_url)).await?;
    Ok((answer.status(), answer.text().await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_is_ready_and_counts_for_itself_and_ends_well() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let cast = Cast {
        signers: 2,
        hubs: 1,
        webs: 1,
    };
    let mut split = Split::start(directory.path(), Database::new().await?, &cast).await?;
    // The hub once it has its certificate; who waits to be the signer is ready for it.
    for part in split.signers.iter().chain(&split.hubs).chain(&split.webs) {
        wait::until("it to be ready", async || {
            let ready = readiness(&part.server).await?;
            Ok((ready == (StatusCode::OK, "ready\n".to_owned())).then_some(()))
        })
        .await?;
    }
    let web = split.webs.first().context("a web")?;
    let hub = split.hubs.first().context("a hub")?;
    let signer = split.signers.first().context("a signer")?;
    let asked = reqwest::get(format!("{}/api/v1/buckets", web.server.web_url)).await?;
    ensure!(asked.status() == StatusCode::UNAUTHORIZED);

    let (of_web, of_hub, of_signer) = (
        figures(&web.server).await?,
        figures(&hub.server).await?,
        figures(&signer.server).await?,
    );
    let refused = "storm_http_problems_total";
    ensure!(sum(&of_web, refused, "") == 1.0, "{of_web:?}");
    for other in [&of_hub, &of_signer] {
        ensure!(sum(other, refused, "") == 0.0, "{other:?}");
        ensure!(sum(other, "storm_http_requests_total", "") == 0.0);
    }
    // What each changes is counted where it changes it; what waits is the same from each.
    for all in [&of_web, &of_hub, &of_signer] {
        ensure!(sum(all, "storm_database_up", "") == 1.0);
        ensure!(sum(all, "storm_mails_waiting", "") == 0.0);
    }
    for changing in [&of_hub, &of_signer] {
        ensure!(sum(changing, "storm_database_write_seconds_count", "") >= 1.0);
    }

    let mut active = 0.0;
    for part in split.signers.iter().chain(&split.hubs).chain(&split.webs) {
        active += sum(&figures(&part.server).await?, "storm_signer_active", "");
    }
    ensure!(active == 1.0, "{active} active signers");

    let parts = split.webs.iter_mut().chain(&mut split.hubs);
    for part in parts.chain(&mut split.signers) {
        let said = part.stop().await?;
        ensure!(!said.contains("are cut off"), "{said}");
    }
    Ok(())
}

/// The names of our figures in the manual's alerts.
fn alerted() -> BTreeSet<String> {
    let manual = include_str!("../../docs/operations.md");
    let rules = manual
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "));
    let other = |letter: char| !letter.is_ascii_lowercase() && letter != '_';
    let words = rules.flat_map(|rule| rule.split(other));
    let ours = words.filter(|word| word.starts_with("storm_"));
    ours.map(str::to_owned).collect()
}

/// The lines that a program wrote since `from`, each of them JSON.
fn lines(log: &[u8], from: usize) -> Result<Vec<Value>> {
    let text = std::str::from_utf8(log.get(from..).context("the log became shorter")?)?;
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
        .collect()
}

/// The line that says `message` of an operation.
fn said<'a>(lines: &'a [Value], message: &str, operation: OperationId) -> Result<&'a Value> {
    let id = operation.to_string();
    let fields = |line: &&Value| {
        line["fields"]["message"] == message && line["fields"]["operation"] == id.as_str()
    };
    lines
        .iter()
        .find(fields)
        .with_context(|| format!("nobody says \"{message}\" of {id}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_found_in_the_log_of_each_part_and_no_secret_is() -> Result<()> {
    let mut stack = Stack::single().await?;
    stack.server.stop().await?;
    stack.agent.stop().await?;
    stack.server.log_json()?;
    stack.agent.configure("[log]\nformat = \"json\"")?;
    let server_from = stack.server.log()?.len();
    let agent_from = stack.agent.log()?.len();
    stack.server.start().await?;
    let log = Some("debug");
    stack.agent.start(&Start {
        log,
        ..Start::default()
    })?;
    stack.connected().await?;

    let (answer, credential) = stack.create_bucket("photos", None).await?;
    let id = answer.operation.id;
    let enrol = stack.api.enrol_token(REGION).await?;
    let somebody = "somebody.else@example.org";
    let sign_in = json!({ "email": somebody, "password": "guess me if you can" });
    let wrong = stack.api.post("/session", &sign_in).await?;
    ensure!(!wrong.status.is_success(), "{wrong:?}");
    stack.agent.stop().await?;
    stack.server.stop().await?;

    let server = lines(&stack.server.log()?, server_from)?;
    let agent = lines(stack.agent.log()?.as_bytes(), agent_from)?;
    // Web, signer, hub and agent.
    let asked = said(&server, "requested", id)?;
    said(&server, "signed", id)?;
    said(&server, "sent", id)?;
    said(&server, "receipt", id)?;
    said(&agent, "ended", id)?;
    // The request that asked for it has an id, and is answered under it.
    let request = asked["span"]["request"].as_str().context("no request")?;
    let answered = server.iter().any(|line| {
        line["fields"]["message"] == "answered" && line["fields"]["request"] == request
    });
    ensure!(answered, "request {request} is not answered");

    let secrets = [
        Needle::new("the password", PASSWORD),
        Needle::new("the API token", stack.api.token()),
        Needle::new("the S3 secret", &credential.secret),
        Needle::new("the S3 key", credential.id.as_str()),
        Needle::new("the enrolment token", &enrol.secret),
        Needle::new("the operator's address", EMAIL),
        Needle::new("somebody's address", somebody),
        Needle::new("somebody's password", "guess me if you can"),
    ];
    // Who makes the first operator is told so, on standard output, which the tests keep in the same file.
    let told = format!("operator: {EMAIL}\n");
    let server = String::from_utf8(stack.server.log()?)?;
    ensure!(server.matches(&told).count() == 1, "told otherwise");
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("server"), server.replace(&told, ""))?;
    fs::write(folder.path().join("agent"), stack.agent.log()?)?;
    // What is searched can be found at all.
    let there = [Needle::new("the operation", &id.to_string())];
    ensure!(!memory::in_files(folder.path(), &there)?.is_empty());
    let found = memory::in_files(folder.path(), &secrets)?;
    ensure!(found.is_empty(), "in a log: {found:?}");
    Ok(())
}
