//! What it costs to know a cluster: admin calls, bytes on the wire, processor time of the agent and
//! of Garage, and the agent's memory, for the first sweep, for idle minutes and for a few buckets that
//! change. Everything is real; the bytes are counted by a relay between agent and hub. Beside each
//! figure of Garage's stands what the same costs without us, measured in the same run.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::{Agent, Start},
    api::Api,
    garage::Cluster,
    meter::{CpuMeter, Relay, memory_mebibytes},
    process::hide_logs,
    random,
    server::Server,
    stack::REGION,
    tools::Tools,
    wait,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

/// Buckets, and as many keys, when the command line does not say.
const SIZES: [usize; 2] = [2_000, 10_000];
/// The most that it may say.
const MAX_SIZE: usize = 20_000;
/// Buckets of a key that makes some. Garage reads a key again for each of its buckets.
const BUCKETS_OF_A_KEY: usize = 20;
/// Requests to Garage at the same time while the cluster is filled.
const AT_ONCE: usize = 8;
/// Connections from which the median is taken.
const CONNECTIONS: usize = 9;
/// How long nothing happens: longer than the time between two sweeps.
const IDLE: Duration = Duration::from_secs(75);
/// Buckets that change.
const CHANGED: usize = 10;
/// Buckets or keys that the agent takes in one call.
const PAGE_ITEMS: usize = 5_000;
/// A sweep comes once in 60 seconds at most.
const UNTIL_SWEPT: Duration = Duration::from_secs(150);
/// How long a first sweep may take.
const FIRST_SWEEP: Duration = Duration::from_secs(120);

struct Bench {
    cluster: Cluster,
    server: Server,
    api: Api,
    agent: Agent,
    relay: Relay,
    directory: PathBuf,
    /// Names, each with the tools of the key that made the bucket.
    buckets: Vec<(String, Arc<Tools>)>,
}

#[tokio::main]
async fn main() -> Result<()> {
    hide_logs();
    let mut sizes = Vec::new();
    for text in std::env::args().skip(1) {
        let size = text
            .parse()
            .context("usage: bench-inventory [BUCKETS ...]")?;
        ensure!(
            (CHANGED..=MAX_SIZE).contains(&size),
            "BUCKETS is a number from {CHANGED} to {MAX_SIZE}"
        );
        sizes.push(size);
    }
    if sizes.is_empty() {
        sizes.extend(SIZES);
    }
    sizes.sort_unstable();

    let directory = tempfile::Builder::new()
        .prefix("storm-inventory-")
        .tempdir()?;
    let mut bench = Bench::start(directory.path()).await?;
    println!("no buckets, no keys");
    bench.registrations().await?;
    for size in sizes {
        bench.fill(size).await?;
        println!("\n{size} buckets, {size} keys");
        bench.registrations().await?;
        bench.without_an_agent().await?;
        bench.first_sweep(size).await?;
        bench.idle_and_changes(size).await?;
    }
    bench.agent.stop().await?;
    bench.server.stop().await
}

impl Bench {
    async fn start(directory: &Path) -> Result<Self> {
        let cluster = Cluster::single().await?;
        let mut server = Server::prepare(&directory.join("server"))?;
        server.log_only("warn");
        server.lift_limits()?;
        server.start().await?;
        let api = server.api().await?;
        api.create_region(REGION, &cluster.s3_endpoint()?).await?;
        let hub = server.hub_url.trim_start_matches("https://").parse()?;
        let relay = Relay::to(hub).await?;
        let agent = Agent::prepare(&directory.join("agent"), cluster.first()?, &[])?;
        let token = api.enrol_token(REGION).await?;
        agent.enrol(&format!("https://{}", relay.address), &token.secret)?;
        Ok(Self {
            cluster,
            server,
            api,
            agent,
            relay,
            directory: directory.to_owned(),
            buckets: vec![],
        })
    }

    /// Makes as many keys as buckets; some of the keys make the buckets over S3, which costs Garage
    /// little. They have no account's names: what is measured is knowing them, not adopting them.
    async fn fill(&mut self, size: usize) -> Result<()> {
        let more = size - self.buckets.len();
        eprintln!("making {more} buckets and keys …");
        let admin = &self.cluster.admin;
        let keys: Vec<_> = stream::iter(0..more)
            .map(|number| self.new_key(number))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        for (chunk, tools) in keys.chunks(BUCKETS_OF_A_KEY).zip(keys.iter().flatten()) {
            for _ in chunk {
                let name = format!("bucket-{:06}", self.buckets.len());
                let status = tools.status("PUT", &name, None)?;
                ensure!(status == 200, "making {name} answers {status}");
                self.buckets.push((name, tools.clone()));
            }
        }
        wait::until("all changes to be counted", async || {
            Ok((admin.changes_waiting().await? == 0).then_some(()))
        })
        .await
    }

    /// A key; with its tools when it is one of those that make buckets.
    async fn new_key(&self, number: usize) -> Result<Option<Arc<Tools>>> {
        let admin = &self.cluster.admin;
        let key = format!("GK{}", hex::encode(random::<12>()?));
        let secret = hex::encode(random::<32>()?);
        admin
            .import_key(&key, &secret, &format!("key-{number}"))
            .await?;
        if !number.is_multiple_of(BUCKETS_OF_A_KEY) {
            return Ok(None);
        }
        let may = serde_json::json!({ "allow": { "createBucket": true } });
        admin.post(&format!("UpdateKey?id={key}"), &may).await?;
        let tools = Tools::new(&self.directory, &self.cluster.s3_endpoint()?, &key, &secret)?;
        Ok(Some(Arc::new(tools)))
    }

    /// From the agent's connection to its being shown as connected, several times.
    async fn registrations(&mut self) -> Result<()> {
        let mut times = vec![];
        for _ in 0..CONNECTIONS {
            times.push(self.connect().await?);
        }
        times.sort_unstable();
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "  connected to registered      median {:.1} ms, slowest {:.1} ms of {CONNECTIONS}",
            millis(times[CONNECTIONS / 2]),
            millis(times[CONNECTIONS - 1]),
        );
        self.stop_agent().await
    }

    /// Starts the agent anew; gives the time from its connection to its registration.
    async fn connect(&mut self) -> Result<Duration> {
        self.stop_agent().await?;
        self.agent.start(&Start {
            log: Some("warn"),
            ..Start::default()
        })?;
        let patience = Instant::now() + wait::PATIENCE;
        while !self.connected().await? {
            ensure!(Instant::now() < patience, "the agent does not connect");
            // With its question the finest measure that the limits on requests leave.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let accepted = self.relay.accepted_at().context("nobody has connected")?;
        Ok(accepted.elapsed())
    }

    async fn stop_agent(&mut self) -> Result<()> {
        self.agent.stop().await?;
        wait::until("the agent to be missed", async || {
            Ok((!self.connected().await?).then_some(()))
        })
        .await
    }

    async fn connected(&self) -> Result<bool> {
        let agents = self.api.agents().await?.items;
        Ok(agents.first().is_some_and(|agent| agent.connected))
    }

    /// What Garage takes when nobody watches it, and for the bare calls of a sweep.
    async fn without_an_agent(&self) -> Result<()> {
        let garage = CpuMeter::of(self.cluster.first()?.id())?;
        let before = garage.total()?;
        tokio::time::sleep(IDLE).await;
        let idle = garage.total()? - before;
        print_floor(&format!("{} s idle, no agent", IDLE.as_secs()), idle);
        let before = garage.total()?;
        for (call, id) in [("ListBucketsInfo", "id"), ("ListKeysInfo", "accessKeyId")] {
            let mut query = format!("{call}?limit={PAGE_ITEMS}");
            loop {
                let page = self.cluster.admin.get(&query).await?;
                let page = page.as_array().context("no page")?;
                let last = page.last().filter(|_| page.len() == PAGE_ITEMS);
                let Some(last) = last.and_then(|item| item[id].as_str()) else {
                    break;
                };
                query = format!("{call}?limit={PAGE_ITEMS}&offset={last}");
            }
        }
        print_floor("the calls of a sweep alone", garage.total()? - before);
        Ok(())
    }

    async fn first_sweep(&mut self, size: usize) -> Result<()> {
        let before = self.agent.status().map_or(0, |status| generation(&status));
        // An agent that has just started compares with nothing: it sends everything.
        self.connect().await?;
        let began = Instant::now();
        let row = self
            .over(async || {
                wait::within(FIRST_SWEEP, "the first sweep to be kept", async || {
                    let status = self.agent.status()?;
                    let swept = status["inventory"]["buckets"].as_u64().unwrap_or(0) >= size as u64;
                    Ok((swept && generation(&status) > before).then_some(()))
                })
                .await
            })
            .await?;
        row.print("first sweep");
        println!(
            "  until all of it is kept      {:.1} s",
            began.elapsed().as_secs_f64()
        );
        self.print_memory()
    }

    async fn idle_and_changes(&self, size: usize) -> Result<()> {
        let row = self
            .over(async || {
                tokio::time::sleep(IDLE).await;
                Ok(())
            })
            .await?;
        row.print(&format!("{} s idle", IDLE.as_secs()));

        let before = generation(&self.agent.status()?);
        let file = self.agent.directory.join("upload");
        std::fs::write(&file, format!("{size}"))?;
        let garage = CpuMeter::of(self.cluster.first()?.id())?;
        let before_uploads = garage.total()?;
        for (name, tools) in self.buckets.iter().take(CHANGED) {
            let path = format!("{name}/object-{size}");
            let status = tools.status("PUT", &path, Some(&file))?;
            ensure!(status == 200, "an upload answers {status}");
        }
        print_floor(
            &format!("{CHANGED} uploads alone"),
            garage.total()? - before_uploads,
        );
        let row = self
            .over(async || {
                wait::within(UNTIL_SWEPT, "the changes to be known", async || {
                    Ok((generation(&self.agent.status()?) > before).then_some(()))
                })
                .await
            })
            .await?;
        row.print(&format!("{CHANGED} buckets have changed"));
        self.print_memory()
    }

    /// What `work` costs.
    async fn over(&self, work: impl AsyncFnOnce() -> Result<()>) -> Result<Row> {
        let agent = CpuMeter::of(self.agent.id()?)?;
        let garage = CpuMeter::of(self.cluster.first()?.id())?;
        let (calls, bytes) = (self.calls().await?, self.relay.bytes());
        let (agent_cpu, garage_cpu) = (agent.total()?, garage.total()?);
        work().await?;
        let now = self.relay.bytes();
        Ok(Row {
            calls: self.calls().await? - calls,
            sent: now.0 - bytes.0,
            received: now.1 - bytes.1,
            agent_cpu: agent.total()? - agent_cpu,
            garage_cpu: garage.total()? - garage_cpu,
        })
    }

    /// Admin calls that cost Garage an argon2 check: all but its health and metrics.
    async fn calls(&self) -> Result<u64> {
        let calls = self.cluster.admin.calls().await?;
        let costly = calls.iter().filter(|(name, _)| {
            !["/metrics", "/health", "Metrics", "Health"].contains(&name.as_str())
        });
        Ok(costly.map(|(_, count)| count).sum())
    }

    fn print_memory(&self) -> Result<()> {
        let id = self.agent.id()?;
        let of = |kind| memory_mebibytes(id, kind);
        println!(
            "  agent memory                 {:.1} MiB resident, {:.1} of it its own; {:.1} at most so far",
            of("VmRSS")?,
            of("RssAnon")?,
            of("VmHWM")?,
        );
        Ok(())
    }
}

struct Row {
    calls: u64,
    sent: u64,
    received: u64,
    agent_cpu: Duration,
    garage_cpu: Duration,
}

impl Row {
    fn print(&self, what: &str) {
        println!(
            "  {what:<28} {:>2} admin calls {:>9} bytes sent {:>6} received   agent {:>7.1} ms   Garage {:>8.1} ms",
            self.calls,
            self.sent,
            self.received,
            self.agent_cpu.as_secs_f64() * 1000.0,
            self.garage_cpu.as_secs_f64() * 1000.0,
        );
    }
}

fn print_floor(what: &str, garage_cpu: Duration) {
    println!(
        "  {what:<79} floor   Garage {:>8.1} ms",
        garage_cpu.as_secs_f64() * 1000.0
    );
}

fn generation(status: &serde_json::Value) -> u64 {
    status["inventory"]["generation"].as_u64().unwrap_or(0)
}
