//! `storm up`: Garage, the control plane and an agent on this machine, in the foreground, under one
//! data directory. `start` brings them up, `supervise` keeps them up, `fleet` ends them.

use std::{convert::Infallible, ffi::OsString, path::PathBuf};

use clap::{Args, value_parser};
use tokio::signal::unix::{Signal, SignalKind, signal};

mod child;
mod data;
mod first;
mod fleet;
mod garage;
mod leftovers;
mod ports;
mod programs;
mod pulse;
mod ready;
mod server;
mod start;
mod supervise;

use crate::output::note;
use fleet::Fleet;
use start::Ground;

/// What `storm up --help` says about the environment.
const ENVIRONMENT_HELP: &str = "\
Environment:
  STORM_ADMIN_EMAIL, STORM_ADMIN_PASSWORD  the operator's account, made at the first start
                                           [default: admin@localhost and a password shown once]
  STORM_GARAGE                             Garage's program";

/// What `storm up` takes.
#[derive(Debug, Args)]
#[command(after_help = ENVIRONMENT_HELP)]
pub(crate) struct UpArgs {
    /// The directory that holds everything [default: storm-buckets in your data directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Garage's program [default: STORM_GARAGE, then PATH, then the cache folder]
    #[arg(long, value_name = "PATH")]
    garage: Option<PathBuf>,
    /// The port of the dashboard and API [default: a free one, kept over restarts]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    web_port: Option<u16>,
    /// The port that agents connect to [default: a free one, kept over restarts]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    hub_port: Option<u16>,
    /// The port of S3 [default: a free one, kept over restarts]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    s3_port: Option<u16>,
    /// The port of Garage's own protocol [default: a free one, kept over restarts]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..))]
    rpc_port: Option<u16>,
    /// Write a JSON file that says where things are, once everything answers
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Become PROGRAM, which ends when the process PID does
    #[arg(long, value_name = "PID", hide = true, requires = "program")]
    tied_to: Option<i32>,
    /// What to become
    #[arg(last = true, value_name = "PROGRAM", hide = true, requires = "tied_to")]
    program: Vec<OsString>,
}

/// Runs until Ctrl-C, SIGTERM or SIGHUP, or until something cannot be started.
pub(crate) async fn run(args: UpArgs) -> anyhow::Result<()> {
    if let Some(parent) = args.tied_to {
        return child::become_tied(parent, &args.program);
    }
    let mut stop = StopSignals::listen()?;
    let ground = tokio::select! {
        ground = start::prepare(&args) => ground?,
        () = stop.next() => return Ok(()),
    };
    let mut fleet = Fleet::new(&ground.data);
    let outcome = tokio::select! {
        Err(error) = bring_up_and_keep(&ground, &mut fleet) => Err(error),
        () = stop.next() => Ok(()),
    };
    if outcome.is_ok() {
        note("\nStopping the agent, the control plane and Garage (Ctrl-C again: at once).");
    }
    fleet.stop(&mut stop).await;
    if outcome.is_ok() {
        note("Stopped. The same command starts everything again, with all that is in it.");
    }
    outcome
}

async fn bring_up_and_keep(ground: &Ground, fleet: &mut Fleet) -> anyhow::Result<Infallible> {
    let up = start::start(ground, fleet).await?;
    supervise::supervise(ground, &up, fleet).await
}

/// The signals that end `storm up` in order.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl StopSignals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
