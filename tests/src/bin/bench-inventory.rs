//! What it costs to know a cluster: admin calls, bytes on the wire, processor time of the agent and
//! of Garage, and the agent's memory, for the first sweep, for idle minutes and for a few buckets that
//! change. Everything is real; the bytes are counted by a relay between agent and hub.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::{Agent, Start},
    api::Api,
    garage::Cluster,
    meter::{Relay, cpu_time, memory_mebibytes},
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
/// Requests to Garage at the same time while the cluster is filled.
const AT_ONCE: usize = 8;
/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(30);
/// Buckets that change.
const CHANGED: usize = 10;
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
    names: Vec<String>,
    tools: Tools,
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
    for size in sizes {
        bench.fill(size).await?;
        bench.measure(size).await?;
    }
    bench.agent.stop().await?;
    bench.server.stop().await
}

impl Bench {
    async fn start(directory: &std::path::Path) -> Result<Self> {
        let cluster = Cluster::single().await?;
        let mut server = Server::prepare(&directory.join("server"))?;
        server.log_only("warn");
        server.start().await?;
        let api = server.api().await?;
        api.create_region(REGION, &cluster.s3_endpoint()?).await?;
        let hub = server.hub_url.trim_start_matches("https://").parse()?;
        let relay = Relay::to(hub).await?;
        let agent = Agent::prepare(&directory.join("agent"), cluster.first()?, &[])?;
        let token = api.enrol_token(REGION).await?;
        agent.enrol(&format!("https://{}", relay.address), &token.secret)?;
        // Nobody's key makes the buckets: what is measured is knowing them, not adopting them.
        let (key, secret) = (new_key_id()?, hex::encode(random::<32>()?));
        cluster.admin.import_key(&key, &secret, "bench").await?;
        let may = serde_json::json!({ "allow": { "createBucket": true } });
        cluster
            .admin
            .post(&format!("UpdateKey?id={key}"), &may)
            .await?;
        let tools = Tools::new(directory, &cluster.s3_endpoint()?, &key, &secret)?;
        Ok(Self {
            cluster,
            server,
            api,
            agent,
            relay,
            names: vec![],
            tools,
        })
    }

    /// Makes buckets over S3, which costs Garage little, and as many keys.
    async fn fill(&mut self, size: usize) -> Result<()> {
        let names: Vec<_> = (self.names.len()..size)
            .map(|number| format!("bucket-{number:06}"))
            .collect();
        eprintln!("making {} buckets and keys …", names.len());
        let tools = &self.tools;
        for name in &names {
            ensure!(
                tools.status("PUT", name, None)? == 200,
                "Garage does not make {name}"
            );
        }
        let admin = &self.cluster.admin;
        stream::iter(&names)
            .map(async |name| {
                admin
                    .import_key(&new_key_id()?, &hex::encode(random::<32>()?), name)
                    .await
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        self.names.extend(names);
        Ok(())
    }

    async fn measure(&mut self, size: usize) -> Result<()> {
        println!("\n{size} buckets, {size} keys");
        self.agent.stop().await?;
        // An agent that has just started compares with nothing: it sends everything.
        let before = self.agent.status().map_or(0, |status| generation(&status));
        let garage = self.cluster.first()?.id();
        let (calls, bytes, garage_cpu) =
            (self.calls().await?, self.relay.bytes(), cpu_time(garage)?);
        let began = Instant::now();
        self.agent.start(&Start {
            log: Some("warn"),
            ..Start::default()
        })?;
        wait::until("the agent to be registered", async || {
            let agents = self.api.agents().await?.items;
            Ok(agents
                .first()
                .is_some_and(|agent| agent.connected)
                .then_some(()))
        })
        .await?;
        println!(
            "  start to registered            {:>9.3} s",
            began.elapsed().as_secs_f64()
        );
        wait::within(
            FIRST_SWEEP,
            "the first sweep to be acknowledged",
            async || {
                let status = self.agent.status()?;
                let swept = status["inventory"]["buckets"].as_u64().unwrap_or(0) >= size as u64;
                Ok((swept && generation(&status) > before).then_some(()))
            },
        )
        .await?;
        let row = Row {
            calls: self.calls().await? - calls,
            bytes: sum(self.relay.bytes()) - sum(bytes),
            agent_cpu: cpu_time(self.agent.id()?)?,
            garage_cpu: cpu_time(garage)?.saturating_sub(garage_cpu),
        };
        row.print("first sweep");
        self.print_memory()?;

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
        let row = self
            .over(async || {
                for name in self.names.iter().take(CHANGED) {
                    let status =
                        self.tools
                            .status("PUT", &format!("{name}/object-{size}"), Some(&file))?;
                    ensure!(status == 200, "an upload answers {status}");
                }
                wait::within(UNTIL_SWEPT, "the changes to be known", async || {
                    Ok((generation(&self.agent.status()?) > before).then_some(()))
                })
                .await
            })
            .await?;
        row.print(&format!("{CHANGED} buckets change"));
        self.print_memory()
    }

    /// What `work` costs.
    async fn over(&self, work: impl AsyncFnOnce() -> Result<()>) -> Result<Row> {
        let (agent, garage) = (self.agent.id()?, self.cluster.first()?.id());
        let (calls, bytes) = (self.calls().await?, self.relay.bytes());
        let (agent_cpu, garage_cpu) = (cpu_time(agent)?, cpu_time(garage)?);
        work().await?;
        Ok(Row {
            calls: self.calls().await? - calls,
            bytes: sum(self.relay.bytes()) - sum(bytes),
            agent_cpu: cpu_time(agent)?.saturating_sub(agent_cpu),
            garage_cpu: cpu_time(garage)?.saturating_sub(garage_cpu),
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
        let (resident, anonymous) = (
            memory_mebibytes(id, "VmRSS")?,
            memory_mebibytes(id, "RssAnon")?,
        );
        println!(
            "  agent memory                   {resident:>9.1} MiB resident, {anonymous:.1} MiB of it anonymous"
        );
        Ok(())
    }
}

struct Row {
    calls: u64,
    bytes: u64,
    agent_cpu: Duration,
    garage_cpu: Duration,
}

impl Row {
    fn print(&self, what: &str) {
        println!(
            "  {what:<28} {:>4} admin calls {:>11} bytes on the wire   agent {:>7.1} ms   Garage {:>8.1} ms",
            self.calls,
            self.bytes,
            self.agent_cpu.as_secs_f64() * 1000.0,
            self.garage_cpu.as_secs_f64() * 1000.0,
        );
    }
}

fn generation(status: &serde_json::Value) -> u64 {
    status["inventory"]["generation"].as_u64().unwrap_or(0)
}

const fn sum(bytes: (u64, u64)) -> u64 {
    bytes.0 + bytes.1
}

fn new_key_id() -> Result<String> {
    Ok(format!("GK{}", hex::encode(random::<12>()?)))
}
