//! The command line: one page of what can be typed; each noun in a file of its own.

mod trust;
mod user;

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::{
    config::{Config, DEFAULT_PATH, LogFormat},
    openapi, serve,
};

/// What is logged when STORM_LOG does not say.
const DEFAULT_LOG: &str = "info,sqlx=warn";

/// The control plane of Storm Buckets: accounts, dashboard, API, and the dispatcher of signed commands.
#[derive(Parser)]
#[command(name = "storm-buckets", version, arg_required_else_help = true)]
struct Line {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Noun,
}

#[derive(Args)]
struct Common {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_PATH)]
    config: PathBuf,
}

#[derive(Subcommand)]
enum Noun {
    /// Run web, signer and hub. Makes keys, database and the operator's account at first start
    /// (STORM_ADMIN_EMAIL and STORM_ADMIN_PASSWORD, else a password printed once).
    Serve,
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigVerb),
    /// The trust document: who may sign commands.
    #[command(subcommand)]
    Trust(trust::Verb),
    /// People.
    #[command(subcommand)]
    User(user::Verb),
    /// Print the API's description (OpenAPI, JSON).
    #[command(hide = true)]
    Openapi,
}

#[derive(Subcommand)]
enum ConfigVerb {
    /// Say whether the configuration is valid, and what is in force.
    Check,
}

/// Does what the command line says.
pub fn run() -> anyhow::Result<()> {
    let line = Line::parse();
    if let Noun::Openapi = line.command {
        std::io::stdout().write_all(openapi::openapi_json().as_bytes())?;
        return Ok(());
    }
    let config = Config::read(&line.common.config)?;
    match line.command {
        Noun::Serve => {
            start_log(config.log.format);
            runtime()?.block_on(serve::serve(config))
        }
        Noun::Config(ConfigVerb::Check) => {
            check(&line.common.config, &config);
            Ok(())
        }
        Noun::Trust(verb) => trust::run(&verb, &config),
        Noun::User(verb) => runtime()?.block_on(user::run(&verb, &config)),
        Noun::Openapi => Ok(()),
    }
}

fn check(file: &std::path::Path, config: &Config) {
    println!("{} is valid", file.display());
    println!("data_dir           {}", config.data_dir.display());
    println!("[web] listen       {}", config.web.listen);
    println!("[web] public_url   {}", config.web.public_url);
    println!("[hub] listen       {}", config.hub.listen);
    println!("[hub] public_url   {}", config.hub.public_url);
    println!("[log] format       {}", config.log.format);
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

/// Logs to standard error; STORM_LOG filters, as in `STORM_LOG=debug`.
fn start_log(format: LogFormat) {
    let filter =
        EnvFilter::try_from_env("STORM_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
