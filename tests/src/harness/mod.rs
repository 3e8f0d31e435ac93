//! Starts, watches and ends the real programs. Everything lives in a temporary directory, listens
//! on a port of its own, and ends with the value that stands for it.

pub mod agent;
pub mod apart;
pub mod api;
pub mod browser;
pub mod cli;
pub mod clock_shift;
pub mod connection;
pub mod crowd;
pub mod databases;
pub mod fleet;
pub mod garage;
pub mod hostile_agent;
pub mod hostile_hub;
pub mod mails;
pub mod memory;
pub mod meter;
pub mod node_admin;
pub mod ports;
pub mod process;
pub mod proxy;
pub mod relay;
pub mod server;
pub mod small_disk;
pub mod split;
pub mod stack;
pub mod tls;
pub mod tools;
pub mod up;
pub mod wait;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use storm_protocol::ident::Micros;

/// The environment variable that names the directory of the programs under test.
pub const BIN_DIR_VARIABLE: &str = "STORM_BIN_DIR";
/// The environment variable that names Garage's program.
pub const GARAGE_VARIABLE: &str = "STORM_GARAGE";
/// Where Garage is kept below the user's cache directory.
const GARAGE_IN_CACHE: &str = "storm-buckets/garage-2.5.0/bin/garage";

/// One of our own programs: from `STORM_BIN_DIR`, else from the target folder that this test was
/// built into.
pub fn program(name: &str) -> Result<PathBuf> {
    let directory = match std::env::var_os(BIN_DIR_VARIABLE) {
        Some(directory) => PathBuf::from(directory),
        None => built_into()?,
    };
    let program = directory.join(name);
    ensure!(
        program.is_file(),
        "{} is missing; build it with `cargo build --workspace --features storm-pulse/fault-points`, \
         or set {BIN_DIR_VARIABLE}",
        program.display()
    );
    Ok(program)
}

/// Fails unless the agent under test can be told to die: a build without fault points would live
/// through every story of kills.
pub fn require_fault_points() -> Result<()> {
    let agent = program("storm-pulse")?;
    let has_them = memchr::memmem::find(&std::fs::read(&agent)?, b"STORM_FAULT").is_some();
    ensure!(
        has_them,
        "{} has no fault points; build it with `cargo build --workspace --features \
         storm-pulse/fault-points`",
        agent.display()
    );
    Ok(())
}

fn built_into() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let directory = here.parent().context("a program has a directory")?;
    // Tests are in target/<profile>/deps, the programs one level up.
    let up = directory.file_name() == Some(OsStr::new("deps"));
    Ok(if up {
        directory.parent().unwrap_or(directory)
    } else {
        directory
    }
    .to_owned())
}

/// Garage's program: from `STORM_GARAGE`, else the user's cache, else the path.
pub fn garage_program() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os(GARAGE_VARIABLE) {
        return Ok(program.into());
    }
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or(home);
    let cached = cache.map(|cache| cache.join(GARAGE_IN_CACHE));
    match cached.filter(|path| path.is_file()) {
        Some(program) => Ok(program),
        None => tool("garage"),
    }
}

/// A program of the system, which a distribution's own directory has before anything a user put
/// into the path.
pub fn tool(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(PathBuf::from("/usr/bin"))
        .chain(std::env::split_paths(&path))
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
        .with_context(|| format!("{name} is not installed; `cargo xtask test` says how to get it"))
}

/// The instant.
pub fn now() -> Micros {
    Micros(jiff::Timestamp::now().as_microsecond())
}

/// Fresh random bytes.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes)
}

/// A random word for names that must not meet another test's.
pub fn word() -> Result<String> {
    Ok(hex::encode(random::<4>()?))
}
