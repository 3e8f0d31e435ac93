//! `cargo xtask`: what a developer or newcomer does with this checkout. Each command sets up what
//! it needs, and only what is missing.

use std::{os::unix::process::CommandExt as _, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

mod again;
mod bench;
mod boundaries;
mod cargo;
mod checkout;
mod garage;
mod generate;
mod libtest;
mod met;
mod step;
mod tests;
mod tools;
mod web;

use step::step;

/// Build, run and test Storm Buckets.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build what is missing and run everything on this machine
    Up {
        /// Garage's program [default: STORM_GARAGE, PATH, the cache folder, or built there]
        #[arg(long, value_name = "PATH")]
        garage: Option<PathBuf>,
        /// Goes to `storm up`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGS"
        )]
        arguments: Vec<String>,
    },
    /// Check format, lints, generated files; run all tests
    Test {
        /// Leave the end-to-end stories out
        #[arg(long)]
        fast: bool,
        /// Garage's program [default: STORM_GARAGE, PATH, the cache folder, or built there]
        #[arg(long, value_name = "PATH")]
        garage: Option<PathBuf>,
        /// Run only the tests whose names contain this
        #[arg(value_name = "FILTER")]
        filter: Option<String>,
    },
    /// Write the generated files: docs/openapi.json, docs/access.md, docs/commands.md
    Gen {
        /// Change nothing; fail when one is out of date
        #[arg(long)]
        check: bool,
    },
    /// Build the web page and all programs into target/release
    BuildRelease,
    /// Play a mixed load under kills and other faults, and see that nothing is lost
    Chaos {
        /// Goes to the program: `--rounds N --seed N`, `--help` tells the rest
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGS"
        )]
        arguments: Vec<String>,
    },
    /// Measure everything, or one of `spine`, `inventory`, `api`, `lists`, `fleet`, `data`, and write down what was
    /// printed
    Bench {
        /// Which benchmark; all when absent
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// Goes to the benchmark
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGS"
        )]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Line::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up { garage, arguments } => up(garage, arguments),
        Command::Test {
            fast,
            garage,
            filter,
        } => tests::run(&tests::Wish {
            fast,
            garage,
            filter,
        }),
        Command::Gen { check } => {
            let built = cargo::build()?;
            step("Generated files", || generate::run(&built, check))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::BuildRelease => {
            build_release()?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Chaos { arguments } => chaos(&arguments),
        Command::Bench { name, arguments } => bench::run(name.as_deref(), &arguments),
    }
}

fn up(garage: Option<PathBuf>, arguments: Vec<String>) -> anyhow::Result<ExitCode> {
    let (garage, arguments) = garage::take_named(garage, arguments)?;
    let garage = garage::find_or_build(garage)?;
    let programs = build_release()?;
    let storm = programs.join("storm");
    let error = std::process::Command::new(&storm)
        .arg("up")
        .arg("--garage")
        .arg(garage)
        .args(arguments)
        .exec();
    Err(error).with_context(|| format!("{} cannot be started", storm.display()))
}

/// In the build with fault points, which no release has.
fn chaos(arguments: &[String]) -> anyhow::Result<ExitCode> {
    step("S3 clients", tools::need_clients)?;
    let garage = garage::find_or_build(None)?;
    web::build()?;
    let built = cargo::build()?;
    let error = std::process::Command::new(built.programs.join("chaos"))
        .args(arguments)
        .env("STORM_GARAGE", garage)
        .env("STORM_BIN_DIR", &built.programs)
        .exec();
    Err(error).context("the crash matrix cannot be started")
}

/// Builds the web page and the programs; gives the programs' folder.
fn build_release() -> anyhow::Result<PathBuf> {
    web::build()?;
    step("Release build", cargo::build_release)
}
