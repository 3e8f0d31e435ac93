//! How many authenticated reads and how many sign-ins a second the control plane answers, beside its own
//! `/healthz` and the bare password hash on the same machine in the same run.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use argon2::{Argon2, Block};
use e2e::harness::{
    connection::{Connection, Request},
    mails::link_to,
    meter::{CpuMeter, memory_mebibytes},
    process::hide_logs,
    stack::{REGION, Stack},
    wait,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

/// Buckets of the account that asks.
const BUCKETS: usize = 1000;
/// Buckets that are made at the same time.
const MADE_AT_ONCE: usize = 16;
/// Connections that ask at the same time, each for one thing after the other.
const CONNECTIONS: [usize; 4] = [1, 8, 32, 128];
/// How long each is measured.
const TIME: Duration = Duration::from_secs(5);
/// People who sign in at the same time.
const SIGN_INS_AT_ONCE: usize = 8;
/// How many there are.
const PEOPLE: usize = 40;
/// The password of all of them.
const PASSWORD: &str = "one password for all of them";
/// Sign-ins in all; more in a row are slowed down by design.
const SIGN_INS: usize = 200;

#[tokio::main]
async fn main() -> Result<()> {
    hide_logs();
    let buckets = match std::env::args().nth(1) {
        Some(text) => text.parse().context("usage: bench-api [BUCKETS]")?,
        None => BUCKETS,
    };
    ensure!(
        (1..=10_000).contains(&buckets),
        "BUCKETS is a number from 1 to 10000"
    );
    let mut stack = Stack::single().await?;
    stack.server.log_only("warn");
    stack.server.lift_limits()?;
    stack.server.stop().await?;
    stack.server.start().await?;
    stack.connected().await?;
    eprintln!("making {buckets} buckets …");
    let made = stream::iter(0..buckets).map(|number| make_bucket(&stack, number));
    let made: Vec<_> = made.buffer_unordered(MADE_AT_ONCE).try_collect().await?;
    let bucket = made.first().context("there is no bucket")?;
    make_people(&stack).await?;
    // What is measured is the control plane by itself.
    stack.agent.stop().await?;

    println!(
        "an account with {buckets} buckets; milliseconds; the load runs on the same processors"
    );
    let address: SocketAddr = stack.server.web_url.trim_start_matches("http://").parse()?;
    let token = stack.api.token();
    for connections in CONNECTIONS {
        println!("\n{connections} at once");
        for (name, path, token) in [
            ("/healthz, the floor", "/healthz", None),
            ("whoami", "/api/v1/whoami", Some(token)),
            (
                "one bucket",
                &format!("/api/v1/buckets/{bucket}"),
                Some(token),
            ),
            (
                "first page of buckets",
                "/api/v1/buckets?limit=50",
                Some(token),
            ),
        ] {
            let request = Request::get(path, token);
            let cpu = CpuMeter::of(stack.server.id()?)?;
            let before = cpu.total()?;
            let times = ask(address, &request, connections).await?;
            let spent = cpu.total()?.saturating_sub(before);
            line(name, &times, TIME, Some(spent));
        }
    }
    let id = stack.server.id()?;
    println!();
    memory("before signing in", id)?;
    // Twice: what grows with the first alone is kept for the next, what grows again is lost.
    for round in ["signed in once", "and once more"] {
        sign_ins(address).await?;
        memory(round, id)?;
    }
    stack.server.stop().await
}

fn memory(when: &str, id: u32) -> Result<()> {
    println!(
        "server, {when}: resident {:.1} MiB, of which anonymous {:.1} MiB",
        memory_mebibytes(id, "VmRSS")?,
        memory_mebibytes(id, "RssAnon")?
    );
    Ok(())
}

/// Makes a bucket through everything; gives its id.
async fn make_bucket(stack: &Stack, number: usize) -> Result<String> {
    let body = json!({ "region": REGION, "name": format!("bucket-{number:05}"), "key": null });
    let answer = stack.settle_post("/buckets", &body).await?;
    let bucket = answer.bucket.context("the operation made no bucket")?;
    Ok(bucket.id.to_string())
}

/// The same request over and over on each connection, for [`TIME`]; how long each took.
async fn ask(address: SocketAddr, request: &Request, connections: usize) -> Result<Vec<Duration>> {
    let until = Instant::now() + TIME;
    let asked = stream::iter(0..connections).map(|_| {
        let request = request.clone();
        tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut times = Vec::new();
            while Instant::now() < until {
                let began = Instant::now();
                let status = connection.send(&request).await?;
                times.push(began.elapsed());
                ensure!(status == 200, "{request:?} answers {status}");
            }
            Ok(times)
        })
    });
    let all: Vec<Result<Vec<_>>> = asked.buffer_unordered(connections).try_collect().await?;
    Ok(all.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

fn email(number: usize) -> String {
    format!("person-{number}@example.org")
}

/// Asks people into the account, who set their passwords.
async fn make_people(stack: &Stack) -> Result<()> {
    let mails = stack.server.data().join("mail");
    for number in 0..PEOPLE {
        let email = email(number);
        let asked = json!({ "email": email, "role": "viewer" });
        let answer = stack.api.post("/invitations", &asked).await?;
        ensure!(answer.status.is_success(), "{answer:?}");
        let link = wait::until("the e-mail", async || link_to(&mails, &email)).await?;
        let (_, token) = link.split_once('#').context("the link has no token")?;
        let accepted = json!({ "token": token, "password": PASSWORD });
        let answer = stack.api.post("/invitations/accept", &accepted).await?;
        ensure!(answer.status.is_success(), "{answer:?}");
    }
    Ok(())
}

/// Sign-ins of many people, as if from many networks, beside the bare hash on as many threads as the
/// server checks passwords on.
async fn sign_ins(address: SocketAddr) -> Result<()> {
    println!("\nsigning in, {SIGN_INS_AT_ONCE} at once");
    let began = Instant::now();
    let threads: Vec<_> = (0..2)
        .map(|_| thread::spawn(|| bare_hashes(SIGN_INS / 2)))
        .collect();
    let mut bare = Vec::new();
    for thread in threads {
        bare.extend(
            thread
                .join()
                .map_err(|_| anyhow::anyhow!("a thread failed"))??,
        );
    }
    line("the bare hash on 2 threads", &bare, began.elapsed(), None);

    let began = Instant::now();
    let signed = stream::iter(0..SIGN_INS).map(|number| async move {
        let mut connection = Connection::open(address).await?;
        // A proxy on this machine is believed in whom it asks for.
        let from = format!("198.51.{}.{}", number / 250, number % 250);
        let body = json!({ "email": email(number % PEOPLE), "password": PASSWORD });
        let request = Request::post("/api/v1/session", &body.to_string(), &from);
        let began = Instant::now();
        let status = connection.send(&request).await?;
        ensure!(status == 200, "signing in answers {status}");
        Ok(began.elapsed())
    });
    let times: Vec<_> = signed
        .buffer_unordered(SIGN_INS_AT_ONCE)
        .try_collect()
        .await?;
    line("sign-ins", &times, began.elapsed(), None);
    Ok(())
}

/// The hash that the server takes, with its parameters, in memory that is kept as it keeps its.
fn bare_hashes(number: usize) -> Result<Vec<Duration>> {
    let argon2 = Argon2::default();
    let mut memory = vec![Block::default(); argon2.params().block_count()];
    let once = |_| {
        let began = Instant::now();
        let mut found = [0; 32];
        argon2
            .hash_password_into_with_memory(PASSWORD.as_bytes(), &[1; 16], &mut found, &mut memory)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        std::hint::black_box(found);
        Ok(began.elapsed())
    };
    (0..number).map(once).collect()
}

fn line(name: &str, times: &[Duration], took: Duration, cpu: Option<Duration>) {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        let time = times.get(index).or(times.last());
        time.copied().unwrap_or_default().as_secs_f64() * 1000.0
    };
    let number = times.len().max(1) as f64;
    let rate = number / took.as_secs_f64();
    let cpu = cpu.map(|cpu| {
        format!(
            "   server {:>5.0} µs each",
            cpu.as_secs_f64() * 1e6 / number
        )
    });
    println!(
        "{name:<28} {rate:>7.0} a second   p50 {:>7.2}   p99 {:>7.2}{}",
        at(0.5),
        at(0.99),
        cpu.unwrap_or_default()
    );
}
