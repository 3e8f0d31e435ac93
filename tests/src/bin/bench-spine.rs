//! What the way through API, signer, hub, agent and journal adds to the bare admin calls of
//! `bucket.create`. Both are measured in turns in one run, beside the disk's own fsync, first in a new cluster
//! and then in one with buckets, and all that was made is gone afterwards.

use std::{
    collections::HashMap,
    fs::File,
    io::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::Start,
    meter::memory_mebibytes,
    node_admin::NodeAdmin,
    now,
    process::hide_logs,
    random,
    stack::{REGION, Stack},
    wait, word,
};
use reqwest::Method;
use serde_json::json;
use storm_protocol::{
    api::{OperationAnswer, OperationStatus},
    ident::{Micros, OperationId},
    receipt::Receipt,
    seal::OpenKey,
};

/// Rounds when the command line does not say.
const ROUNDS: usize = 200;
/// The most rounds that it may say.
const MAX_ROUNDS: usize = 2000;
/// Rounds before the measured ones.
const WARM_UP_ROUNDS: usize = 10;
/// Buckets that are there before, run by run.
const BUCKETS: [usize; 2] = [0, 2000];
/// Bytes written before each fsync: a page, as databases do.
const PAGE_BYTES: usize = 4096;
const QUOTA_BYTES: u64 = 10_000_000_000;

#[tokio::main]
async fn main() -> Result<()> {
    hide_logs();
    let rounds = match std::env::args().nth(1) {
        Some(text) => text.parse().context("usage: bench-spine [ROUNDS]")?,
        None => ROUNDS,
    };
    ensure!(
        (1..=MAX_ROUNDS).contains(&rounds),
        "ROUNDS is a number from 1 to {MAX_ROUNDS}"
    );
    let mut stack = Stack::single().await?;
    // The times of each operation are told at this level, and hardly anything else.
    stack.server.log_only("warn");
    stack.server.stop().await?;
    stack.server.start().await?;
    let log = Some("warn,storm_pulse::timing=info");
    stack
        .restart_agent(&Start {
            log,
            ..Start::default()
        })
        .await?;

    println!("bucket.create with key and quota, {rounds} rounds each, in turns; milliseconds");
    let mut there = 0;
    for buckets in BUCKETS {
        while there < buckets {
            bare(&stack.cluster.admin).await?;
            there += 1;
        }
        println!("\n{buckets} buckets are there");
        measure(&stack, rounds).await?;
        there += 2 * rounds + 2 * WARM_UP_ROUNDS;
    }
    stack.agent.stop().await?;
    stack.server.stop().await
}

/// Both in turns, and what each took.
async fn measure(stack: &Stack, rounds: usize) -> Result<()> {
    for _ in 0..WARM_UP_ROUNDS {
        bare(&stack.cluster.admin).await?;
        through(stack).await?;
    }
    let mut disk = File::create(stack.directory().join("fsync"))?;
    let (mut bares, mut whole, mut fsyncs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        bares.push(bare(&stack.cluster.admin).await?);
        whole.push(through(stack).await?);
        fsyncs.push(fsync(&mut disk)?);
    }
    let own = wait::until("the agent's own times", async || {
        let own = admin_times(&stack.agent.log()?);
        let all = whole.iter().all(|way| own.contains_key(&way.operation));
        Ok(all.then_some(own))
    })
    .await?;
    let each = |of: fn(&Way, &Own) -> Duration| {
        let times = whole.iter().map(|way| of(way, &own[&way.operation]));
        times.collect::<Vec<_>>()
    };

    let bare = line("the four admin calls, bare", bares);
    let took = line("through API, signer, hub, agent", each(|way, _| way.took));
    line("  of which its own admin calls", each(|_, own| own.admin));
    line(
        "overhead",
        each(|way, own| way.took.saturating_sub(own.admin)),
    );
    line("  until the agent has it", each(|way, _| way.to_agent));
    line(
        "  at the agent",
        each(|way, own| way.at_agent.saturating_sub(own.admin)),
    );
    line(
        "  until the client has the answer",
        each(|way, _| way.to_client),
    );
    // One before the work, one after it: the second is in the way to the client.
    line(
        "the journal's commits, together",
        each(|_, own| own.journal),
    );
    line("fsync of the same disk", fsyncs);
    println!(
        "{:<34} p50 {:>8.2}",
        "through everything / bare",
        took / bare
    );
    for (name, id) in [("agent", stack.agent.id()?), ("server", stack.server.id()?)] {
        let (resident, anonymous) = (
            memory_mebibytes(id, "VmRSS")?,
            memory_mebibytes(id, "RssAnon")?,
        );
        println!("{name:<34} resident {resident:>6.1} MiB, of which anonymous {anonymous:.1} MiB");
    }
    Ok(())
}

/// The calls of `bucket.create`, by themselves.
async fn bare(admin: &NodeAdmin) -> Result<Duration> {
    let key = format!("GK{}", hex::encode(random::<12>()?));
    let secret = hex::encode(random::<32>()?);
    let name = format!("bare-{}", word()?);
    let began = Instant::now();
    admin.import_key(&key, &secret, &name).await?;
    let bucket = admin.create_bucket(&name).await?;
    let quotas = json!({ "quotas": { "maxSize": QUOTA_BYTES, "maxObjects": null } });
    admin
        .post(&format!("UpdateBucket?id={bucket}"), &quotas)
        .await?;
    admin.allow_all(&bucket, &key).await?;
    Ok(began.elapsed())
}

/// One command's way through everything.
struct Way {
    operation: OperationId,
    /// All of it, at the client.
    took: Duration,
    /// From the client's first byte to the checks in the agent.
    to_agent: Duration,
    /// From there to the receipt.
    at_agent: Duration,
    /// From the receipt to the client's last byte.
    to_client: Duration,
}

async fn through(stack: &Stack) -> Result<Way> {
    let key = OpenKey::generate();
    let name = format!("whole-{}", word()?);
    let body = json!({
        "region": REGION, "name": name, "quota_bytes": QUOTA_BYTES, "quota_objects": null,
        "key": name, "seal_to": key.seal_key(),
    });
    let idempotency = word()?;
    let (began, began_at) = (Instant::now(), now());
    let answer = stack
        .api
        .send(Method::POST, "/buckets", Some(&body), Some(&idempotency))
        .await?;
    let (took, ended_at) = (began.elapsed(), now());
    let answer: OperationAnswer = answer.read()?;
    let operation = answer.operation;
    ensure!(operation.state == OperationStatus::Done, "{operation:?}");
    let receipt = operation.receipt.context("the operation has no receipt")?;
    let receipt: Receipt = serde_json::from_slice(&receipt.payload.0)?;
    Ok(Way {
        operation: operation.id,
        took,
        to_agent: between(began_at, receipt.accepted_at),
        at_agent: between(receipt.accepted_at, receipt.finished_at),
        to_client: between(receipt.finished_at, ended_at),
    })
}

/// All programs of the benchmark read one machine's clock.
fn between(from: Micros, to: Micros) -> Duration {
    Duration::from_micros(u64::try_from(to.0 - from.0).unwrap_or(0))
}

fn fsync(file: &mut File) -> Result<Duration> {
    file.write_all(&[0; PAGE_BYTES])?;
    let began = Instant::now();
    file.sync_data()?;
    Ok(began.elapsed())
}

struct Own {
    admin: Duration,
    journal: Duration,
}

/// What the agent says that each operation spent in Garage and in the journal.
fn admin_times(log: &str) -> HashMap<OperationId, Own> {
    let field = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("{name}="))?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    let read = |line: &str| {
        let id = field(line, "operation")?.parse().ok()?;
        let admin = field(line, "admin_micros")?.parse().ok()?;
        let journal = field(line, "journal_micros")?.parse().ok()?;
        let own = Own {
            admin: Duration::from_micros(admin),
            journal: Duration::from_micros(journal),
        };
        Some((id, own))
    };
    log.lines().filter_map(read).collect()
}

/// Prints a line; gives its p50.
fn line(name: &str, mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        let time = times
            .get(index)
            .or(times.last())
            .copied()
            .unwrap_or_default();
        time.as_secs_f64() * 1000.0
    };
    println!("{name:<34} p50 {:>8.2}   p99 {:>8.2}", at(0.5), at(0.99));
    at(0.5)
}
