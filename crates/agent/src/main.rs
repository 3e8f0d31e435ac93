//! Storm Pulse: the agent on every storage server. Opens no port, dials out, runs the signed commands
//! of one fixed whitelist, and signs what came of each.
//!
//! The shell (this binary's command line, the channel to the hub, the spool, the inventory) brings
//! envelopes to the engine (verify, journal, execute) and its receipts back.

mod audit;
mod channel;
mod cli;
mod clock;
mod commands;
mod config;
mod engine;
mod enroll;
mod exec;
mod execute;
mod exit;
mod fault;
mod files;
mod folder;
mod garage;
mod identity;
mod inventory;
mod journal;
mod print;
mod receipts;
mod run;
mod s3;
mod secret;
mod spool;
mod state;
mod status;
mod tls;
mod traffic;
mod trust;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

/// Threads that run tasks: the agent waits far more than it computes.
const WORKER_THREADS: usize = 2;
/// Threads for waiting on the disk.
const MAX_BLOCKING_THREADS: usize = 4;

fn main() -> ExitCode {
    let arguments = cli::Cli::parse();
    match start(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            print::why(&stop);
            ExitCode::from(stop.code as u8)
        }
    }
}

fn start(arguments: cli::Cli) -> Result<(), exit::Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    runtime.block_on(cli::run(arguments))
}
