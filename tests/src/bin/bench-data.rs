//! What our parts cost whoever reads and writes: rclone's uploads and downloads with the control plane and the
//! agent running, in turns with bare Garage, and while the control plane is killed.

use std::{
    fs,
    iter::zip,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::Start,
    meter::CpuMeter,
    process::hide_logs,
    random,
    stack::Stack,
    tools::{Tools, succeed},
};

/// Rounds of each when the command line does not say.
const ROUNDS: usize = 20;
/// Objects of a round, and bytes of each: large ones in several parts, and many small ones.
const KINDS: [(&str, usize, usize); 2] = [("large", 16, 16 << 20), ("small", 500, 16 << 10)];
/// Transfers at the same time.
const TRANSFERS: &str = "4";
const BUCKET: &str = "bench-data";

/// How long the transfers of one kind took, round by round.
#[derive(Default)]
struct Times {
    put: Vec<Duration>,
    get: Vec<Duration>,
    /// Processor time of agent and control plane.
    own: Duration,
    /// In all, rclone's listing and deleting with it.
    all: Duration,
}

#[tokio::main]
async fn main() -> Result<()> {
    hide_logs();
    let rounds = match std::env::args().nth(1) {
        Some(text) => text.parse().context("usage: bench-data [ROUNDS]")?,
        None => ROUNDS,
    };
    ensure!(
        (1..=100).contains(&rounds),
        "ROUNDS is a number from 1 to 100"
    );
    let mut stack = Stack::single().await?;
    stack.server.log_only("warn");
    let (_, key) = stack.create_bucket(BUCKET, None).await?;
    let tools = stack.tools(&key)?;
    let folder = tempfile::tempdir()?;
    for (kind, count, bytes) in KINDS {
        make_files(&folder.path().join(kind), count, bytes)?;
    }
    println!(
        "rclone with {TRANSFERS} transfers, Garage, control plane and agent run on the same processors"
    );
    for (kind, count, bytes) in KINDS {
        let megabytes = (count * bytes) as f64 / 1e6;
        println!(
            "\n{kind}: {count} objects of {bytes} bytes; MB a second, median of {rounds}, slowest to fastest; ratios of \
             each pair"
        );
        let (mut bare, mut ours) = (Times::default(), Times::default());
        // One that is not counted: caches fill.
        transfer(&tools, folder.path(), kind, &mut Times::default())?;
        for round in 0..rounds {
            // Which comes first changes: what one leaves behind in Garage is the other's.
            if round % 2 == 0 {
                beside(&stack, &tools, folder.path(), kind, &mut ours)?;
            }
            stack.agent.stop().await?;
            stack.server.stop().await?;
            transfer(&tools, folder.path(), kind, &mut bare)?;
            stack.server.start().await?;
            stack.agent.start(&Start::default())?;
            stack.connected().await?;
            if round % 2 == 1 {
                beside(&stack, &tools, folder.path(), kind, &mut ours)?;
            }
        }
        for (name, bare, ours) in [("PUT", &bare.put, &ours.put), ("GET", &bare.get, &ours.get)] {
            println!(
                "{name}  bare Garage {}   with our parts {}   ratio {}",
                spread(bare.iter().map(|time| megabytes / time.as_secs_f64()), 1),
                spread(ours.iter().map(|time| megabytes / time.as_secs_f64()), 1),
                spread(
                    zip(bare, ours).map(|(bare, ours)| bare.as_secs_f64() / ours.as_secs_f64()),
                    3
                ),
            );
        }
        println!(
            "     agent and control plane took {:.2} % of a processor meanwhile",
            ours.own.as_secs_f64() * 100.0 / ours.all.as_secs_f64()
        );
    }
    println!("\nthe control plane and the agent killed in the middle");
    for (kind, count, _) in KINDS {
        let mut copy = copy(&tools, folder.path(), kind)?;
        let began = Instant::now();
        let upload = thread::spawn(move || succeed(&mut copy).map(|_| began.elapsed()));
        thread::sleep(Duration::from_millis(100));
        ensure!(!upload.is_finished(), "the upload was over before the kill");
        stack.server.kill()?;
        stack.agent.kill()?;
        let took = upload
            .join()
            .map_err(|_| anyhow::anyhow!("the upload failed"))??;
        let mut check = tools.rclone()?;
        check
            .arg("check")
            .arg(folder.path().join(kind))
            .arg(format!("storm:{BUCKET}/{kind}"))
            .arg("--download");
        succeed(&mut check)?;
        println!(
            "{kind}: {count} of {count} objects stored and read back, no request repeated, {:.2} s",
            took.as_secs_f64()
        );
        purge(&tools, kind)?;
        stack.server.start().await?;
        stack.agent.start(&Start::default())?;
        stack.connected().await?;
    }
    stack.server.stop().await
}

/// The same as [`transfer`], with what our parts take meanwhile.
fn beside(
    stack: &Stack,
    tools: &Tools,
    folder: &Path,
    kind: &str,
    times: &mut Times,
) -> Result<()> {
    let meters = [
        CpuMeter::of(stack.agent.id()?)?,
        CpuMeter::of(stack.server.id()?)?,
    ];
    let taken = || -> Result<Duration> {
        let each = meters.iter().map(CpuMeter::total);
        each.sum()
    };
    let (before, began) = (taken()?, Instant::now());
    transfer(tools, folder, kind, times)?;
    times.own += taken()?.saturating_sub(before);
    times.all += began.elapsed();
    Ok(())
}

/// Uploads, downloads and deletes the files of one kind.
fn transfer(tools: &Tools, folder: &Path, kind: &str, times: &mut Times) -> Result<()> {
    let began = Instant::now();
    succeed(&mut copy(tools, folder, kind)?)?;
    times.put.push(began.elapsed());
    let back = tempfile::tempdir_in(folder)?;
    let mut get = tools.rclone()?;
    get.arg("copy")
        .arg(format!("storm:{BUCKET}/{kind}"))
        .arg(back.path())
        .args([
            "--transfers",
            TRANSFERS,
            "--retries",
            "1",
            "--low-level-retries",
            "1",
        ]);
    let began = Instant::now();
    succeed(&mut get)?;
    times.get.push(began.elapsed());
    purge(tools, kind)
}

/// An upload in which a request that fails once is an error.
fn copy(tools: &Tools, folder: &Path, kind: &str) -> Result<Command> {
    let mut put = tools.rclone()?;
    put.arg("copy")
        .arg(folder.join(kind))
        .arg(format!("storm:{BUCKET}/{kind}"))
        .args([
            "--transfers",
            TRANSFERS,
            "--s3-no-check-bucket",
            "--no-traverse",
        ])
        .args([
            "--no-check-dest",
            "--retries",
            "1",
            "--low-level-retries",
            "1",
        ]);
    Ok(put)
}

fn purge(tools: &Tools, kind: &str) -> Result<()> {
    let mut delete = tools.rclone()?;
    delete.arg("delete").arg(format!("storm:{BUCKET}/{kind}"));
    succeed(&mut delete).map(drop)
}

/// Files that nothing can compress.
fn make_files(folder: &Path, count: usize, bytes: usize) -> Result<()> {
    fs::create_dir_all(folder)?;
    for number in 0..count {
        let mut content = Vec::with_capacity(bytes);
        while content.len() < bytes {
            content.extend_from_slice(&random::<4096>()?);
        }
        content.truncate(bytes);
        fs::write(folder.join(format!("{number:04}")), content)?;
    }
    Ok(())
}

/// The median, the smallest and the largest, with so many digits.
fn spread(figures: impl Iterator<Item = f64>, digits: usize) -> String {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let at = |index: usize| figures.get(index).copied().unwrap_or_default();
    format!(
        "{:.digits$} ({:.digits$} to {:.digits$})",
        at(figures.len() / 2),
        at(0),
        at(figures.len().saturating_sub(1))
    )
}
