//! One hub and thousands of simulated agents on one machine: what they cost in memory and processor time,
//! how long a command takes meanwhile, and how long until all are back after the hub was killed.

use std::{
    process,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::harness::{
    api::Api,
    fleet::{
        AGENTS_PER_REGION, Fleet, allow_sockets, floor,
        load::Load,
        share::{Lateness, Split},
        waiting,
    },
    meter::{CpuMeter, memory_mebibytes},
    process::hide_logs,
    server::Server,
};

/// How many agents there are, run by run.
const AGENTS: [usize; 3] = [1_000, 3_000, 10_000];
/// The most that one address has ports for.
const MAX_AGENTS: usize = 20_000;
/// Buckets that are asked for in a second; the signer gives an account 50.
const BUCKETS_PER_SECOND: u32 = 40;
/// How long the floors are measured.
const FLOOR: Duration = Duration::from_secs(5);
/// How long all are watched: two heartbeats of each.
const IDLE: Duration = Duration::from_secs(60);
/// How long commands are measured with all there.
const BUSY: Duration = Duration::from_secs(20);
/// The longest that it may take until all are registered.
const PATIENCE: Duration = Duration::from_secs(600);

/// What to do.
struct Wish {
    agents: Vec<usize>,
    idle: Duration,
    down: Duration,
}

#[tokio::main]
async fn main() -> Result<()> {
    hide_logs();
    let wish = Wish::read()?;
    allow_sockets(wish.agents.iter().copied().max().unwrap_or(0))?;
    println!("the agents run on the same processors");
    // First, while this process has not freed anything that would be used again.
    let tls = waiting::tls_kibibytes()?;
    println!("floor: a connection of bare TLS that waits holds {tls:.1} KiB");
    handshakes()?;
    for agents in &wish.agents {
        measure(*agents, &wish, tls).await?;
    }
    Ok(())
}

impl Wish {
    fn read() -> Result<Self> {
        let usage = || {
            format!(
                "usage: bench-fleet [--agents N[,N…]] [--idle SECONDS] [--down SECONDS]; \
                 N is {AGENTS_PER_REGION} to {MAX_AGENTS}"
            )
        };
        let mut wish = Self {
            agents: AGENTS.to_vec(),
            idle: IDLE,
            down: Duration::ZERO,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().with_context(usage)?;
            let seconds = || value.parse().map(Duration::from_secs).with_context(usage);
            match name.as_str() {
                "--agents" => {
                    let numbers = value.split(',').map(str::parse);
                    wish.agents = numbers.collect::<Result<_, _>>().with_context(usage)?;
                }
                "--idle" => wish.idle = seconds()?,
                "--down" => wish.down = seconds()?,
                _ => bail!(usage()),
            }
        }
        let possible = |agents: &usize| (AGENTS_PER_REGION..=MAX_AGENTS).contains(agents);
        ensure!(wish.agents.iter().all(possible), usage());
        Ok(wish)
    }
}

fn handshakes() -> Result<()> {
    let all = floor::handshakes(FLOOR)?;
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(all.count.max(1));
    let rate = f64::from(all.count) / (all.server + all.client).as_secs_f64();
    println!(
        "floor: bare TLS 1.3 handshakes, both sides on one thread: {rate:.0} a second; server {:.0} µs, \
         client {:.0} µs",
        each(all.server),
        each(all.client)
    );
    Ok(())
}

async fn measure(agents: usize, wish: &Wish, tls: f64) -> Result<()> {
    println!(
        "\n{agents} agents in {} regions",
        agents.div_ceil(AGENTS_PER_REGION)
    );
    let directory = tempfile::tempdir()?;
    let mut server = Server::prepare(directory.path())?;
    server.log_only("warn");
    server.lift_limits()?;
    server.start().await?;
    let api = server.api().await?;
    server.stop().await?;
    let mut fleet = Fleet::enrol(&server, agents).await?;
    server.start().await?;

    fleet.start(AGENTS_PER_REGION);
    fleet.all_registered(PATIENCE).await?;
    let alone = memory(&server, "one region's agents")?;
    commands("one region's agents alone, the floor", &api, &fleet, FLOOR).await?;

    fleet.forget();
    let (began, cpu) = (Instant::now(), CpuMeter::of(server.id()?)?);
    fleet.start(agents);
    let welcomes = fleet.all_registered(PATIENCE).await?;
    registered("from cold", &fleet, began, &welcomes, &cpu, Duration::ZERO)?;

    idle(&server, &fleet, wish.idle).await?;
    let all = memory(&server, "all idle")?;
    let more = (agents - AGENTS_PER_REGION).max(1);
    let each = (all - alone) * 1024.0 / more as f64;
    println!(
        "  memory of a connection           {each:>9.1} KiB: {tls:.1} TLS, {:.1} WebSocket, task, session, \
         registry, what the database keeps of its agent, and what lies between",
        each - tls
    );
    commands("all agents there", &api, &fleet, BUSY).await?;
    storm(&mut server, &api, &fleet, wish.down).await?;
    memory(&server, "after the storm")?;
    server.stop().await
}

/// The hub's own memory; gives what is resident.
fn memory(server: &Server, when: &str) -> Result<f64> {
    let id = server.id()?;
    let resident = memory_mebibytes(id, "VmRSS")?;
    println!(
        "  memory, {when:<24} {resident:>9.1} MiB; anonymous {:.1}, highest {:.1}",
        memory_mebibytes(id, "RssAnon")?,
        memory_mebibytes(id, "VmHWM")?
    );
    Ok(resident)
}

/// How long commands take for a while.
async fn commands(when: &str, api: &Api, fleet: &Fleet, time: Duration) -> Result<()> {
    let load = Load::start(api, fleet, BUCKETS_PER_SECOND)?;
    tokio::time::sleep(time).await;
    dispatched(when, load.end().await?);
    Ok(())
}

/// When agents were registered, and what that took.
fn registered(
    when: &str,
    fleet: &Fleet,
    began: Instant,
    welcomes: &[Instant],
    cpu: &CpuMeter,
    cpu_before: Duration,
) -> Result<()> {
    let spent = cpu.total()?.saturating_sub(cpu_before);
    let mut times: Vec<_> = welcomes.iter().map(|at| *at - began).collect();
    times.sort_unstable();
    let counts = fleet.counts();
    println!(
        "  registered {when}: half {:.2} s, 99 % {:.2} s, all {:.2} s; server {:.2} s of processor, {:.0} µs \
         each; failed attempts {}, lost {}",
        at(&times, 0.5).as_secs_f64(),
        at(&times, 0.99).as_secs_f64(),
        at(&times, 1.0).as_secs_f64(),
        spent.as_secs_f64(),
        spent.as_secs_f64() * 1e6 / times.len().max(1) as f64,
        counts.failed.swap(0, Ordering::Relaxed),
        counts.lost.swap(0, Ordering::Relaxed),
    );
    Ok(())
}

/// Nobody asks for anything: heartbeats alone.
async fn idle(server: &Server, fleet: &Fleet, time: Duration) -> Result<()> {
    let cpu = CpuMeter::of(server.id()?)?;
    let before = (
        cpu.total()?,
        fleet.counts().heartbeats.load(Ordering::Relaxed),
    );
    tokio::time::sleep(time).await;
    let spent = cpu.total()?.saturating_sub(before.0).as_secs_f64();
    let beats = fleet.counts().heartbeats.load(Ordering::Relaxed) - before.1;
    println!(
        "  idle for {} s: {beats} heartbeats answered; server {spent:.2} s of processor, {:.1} % of a core, \
         {:.0} µs a heartbeat; {} connections lost",
        time.as_secs(),
        spent * 100.0 / time.as_secs_f64(),
        spent * 1e6 / beats.max(1) as f64,
        fleet.counts().lost.load(Ordering::Relaxed),
    );
    Ok(())
}

/// SIGKILL, and all of them come back.
async fn storm(server: &mut Server, api: &Api, fleet: &Fleet, down: Duration) -> Result<()> {
    server.kill()?;
    let killed = Instant::now();
    while fleet.registered() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    fleet.forget();
    tokio::time::sleep(down).await;
    let started = Instant::now();
    server.start().await?;
    let ready = Instant::now();
    println!(
        "  killed; {:.2} s later started again, ready after {:.2} s",
        (started - killed).as_secs_f64(),
        (ready - started).as_secs_f64()
    );
    let (cpu, agents) = (CpuMeter::of(server.id()?)?, CpuMeter::of(process::id())?);
    let before = Split::of(&cpu, &agents)?;
    let late = Lateness::watch()?;
    let load = Load::start(api, fleet, BUCKETS_PER_SECOND)?;
    let welcomes = fleet.all_registered(PATIENCE).await?;
    let split = Split::of(&cpu, &agents)?;
    let late = late.end()?;
    let span = ready.elapsed();
    let times = load.end().await?;
    registered(
        "after the restart",
        fleet,
        started,
        &welcomes,
        &cpu,
        Duration::ZERO,
    )?;
    dispatched("meanwhile", times);
    split.since(&before).print(span)?;
    println!(
        "  a thread of the same priority that slept got a processor late: p50 {:.2} ms, p99 {:.2} ms",
        at(&late, 0.5).as_secs_f64() * 1000.0,
        at(&late, 0.99).as_secs_f64() * 1000.0
    );
    Ok(())
}

fn dispatched(when: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let milliseconds = |share| at(&times, share).as_secs_f64() * 1000.0;
    println!(
        "  commands, {when}: {}; p50 {:.2} ms, p99 {:.2} ms, slowest {:.2} ms",
        times.len(),
        milliseconds(0.5),
        milliseconds(0.99),
        milliseconds(1.0)
    );
}

fn at(sorted: &[Duration], share: f64) -> Duration {
    let index = (sorted.len() as f64 * share) as usize;
    let time = sorted.get(index).or(sorted.last());
    time.copied().unwrap_or_default()
}
