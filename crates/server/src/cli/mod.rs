//! The command line: one page of what can be typed; each noun in a file of its own.

mod adopt;
mod backup;
mod db;
mod mail;
mod oidc;
mod trust;
mod user;

use std::{io::IsTerminal as _, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{
    auth::access,
    config::{Config, DEFAULT_PATH, Log, LogFormat},
    openapi,
    output::line,
    roles::{GRANTS, Role, Roles},
    serve,
};

/// What `storm-buckets --help` says about exit codes.
const EXIT_CODES_HELP: &str = "\
Exit codes:
  0  done; `serve` was told to stop
  1  failed: one line on standard error says what and why
  2  wrong usage";

/// The control plane of Storm Buckets: accounts, dashboard, API, and the dispatcher of signed commands.
#[derive(Parser)]
#[command(name = "storm-buckets", version, arg_required_else_help = true, after_help = EXIT_CODES_HELP)]
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
    /// Run web, signer and hub, or some of them. Makes keys, database and the operator's account at first start
    /// (STORM_ADMIN_EMAIL and STORM_ADMIN_PASSWORD, else a password printed once).
    Serve {
        /// What this process is; everything when left out. Apart they need PostgreSQL.
        #[arg(long, value_enum, value_delimiter = ',', value_name = "ROLE,…")]
        role: Vec<Role>,
    },
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigVerb),
    /// The trust document: who may sign commands.
    #[command(subcommand)]
    Trust(trust::Verb),
    /// People.
    #[command(subcommand)]
    User(user::Verb),
    /// E-mail.
    #[command(subcommand)]
    Mail(mail::Verb),
    /// The database.
    #[command(subcommand)]
    Db(db::Verb),
    /// After the database was lost: make accounts anew, under their old ids, from the names of the keys in a
    /// region's cluster, and give them their keys and buckets. Shows what it would do; does it with --yes.
    Adopt(adopt::Adopt),
    /// Write keys and database, as they are at one instant, into one encrypted file; `serve` may run.
    Backup(backup::Backup),
    /// Put a backup in place: into an empty data_dir, and an empty database of either kind.
    Restore(backup::Restore),
    /// Print who may do what (Markdown).
    Access,
    /// Print the API's description (OpenAPI, JSON).
    #[command(hide = true)]
    Openapi,
}

#[derive(Subcommand)]
enum ConfigVerb {
    /// Say whether the configuration is valid, and what is in force.
    Check {
        /// Also ask each company's provider whether it answers as one.
        #[arg(long)]
        online: bool,
    },
}

/// Does what the command line says.
pub fn run() -> anyhow::Result<()> {
    let arguments = Line::parse();
    if let Noun::Openapi = arguments.command {
        return line(openapi::openapi_json().trim_end());
    }
    if let Noun::Access = arguments.command {
        return line(access::print().trim_end());
    }
    if let Noun::Db(db::Verb::Roles) = arguments.command {
        // Where it is wanted there may be no configuration.
        return line(GRANTS.trim_end());
    }
    let config = Config::read(&arguments.common.config)?;
    match arguments.command {
        Noun::Serve { role } => {
            start_log(&config.log)?;
            runtime()?.block_on(serve::serve(config, Roles::of(&role)))
        }
        Noun::Config(ConfigVerb::Check { online }) => {
            check(&arguments.common.config, &config)?;
            if online {
                runtime()?.block_on(oidc::check(&config))?;
            }
            Ok(())
        }
        Noun::Trust(verb) => runtime()?.block_on(trust::run(&verb, &config)),
        Noun::User(verb) => runtime()?.block_on(user::run(&verb, &config)),
        Noun::Mail(verb) => runtime()?.block_on(mail::run(&verb, &config)),
        Noun::Adopt(asked) => runtime()?.block_on(adopt::run(&asked, &config)),
        Noun::Backup(asked) => runtime()?.block_on(backup::run(&asked, &config)),
        Noun::Restore(asked) => runtime()?.block_on(backup::run_restore(&asked, &config)),
        Noun::Db(verb) => runtime()?.block_on(db::run(&verb, &config)),
        Noun::Access | Noun::Openapi => Ok(()),
    }
}

fn check(file: &std::path::Path, config: &Config) -> anyhow::Result<()> {
    let limits = &config.limits;
    line(format_args!("{} is valid", file.display()))?;
    let mail = config.mail.way(config);
    let status = config.status.listen;
    let status = status.map_or_else(|| "off".to_owned(), |address| address.to_string());
    let facts: [(&str, &dyn std::fmt::Display); 22] = [
        ("data_dir", &config.data_dir.display()),
        ("[web] listen", &config.web.listen),
        ("[web] public_url", &config.web.public_url),
        ("[hub] listen", &config.hub.listen),
        ("[hub] public_url", &config.hub.public_url),
        ("[status] listen", &status),
        ("[limits] requests_per_second", &limits.requests_per_second),
        ("[limits] changes_per_second", &limits.changes_per_second),
        (
            "[limits] account_requests_per_second",
            &limits.account_requests_per_second,
        ),
        (
            "[limits] token_requests_per_second",
            &limits.token_requests_per_second,
        ),
        (
            "[limits] address_requests_per_second",
            &limits.address_requests_per_second,
        ),
        ("[sessions] idle_hours", &config.sessions.idle_hours),
        ("[sessions] longest_days", &config.sessions.longest_days),
        ("[mail] from", &config.mail.from),
        ("[mail] goes to", &mail),
        ("[audit] keep_days", &config.audit.keep_days),
        ("[operations] archive_days", &config.operations.archive_days),
        ("[accounts] closing_days", &config.accounts.closing_days),
        ("[sign_up] open", &config.sign_up.open),
        ("[sign_up] accounts_a_day", &config.sign_up.accounts_a_day),
        ("[log] format", &config.log.format),
        ("[log] level", &config.log.level.0),
    ];
    for (name, value) in facts {
        line(format_args!("{name:<36}  {value}"))?;
    }
    oidc::say(config)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

/// Logs to standard error; STORM_LOG filters, as in `STORM_LOG=debug`.
fn start_log(log: &Log) -> anyhow::Result<()> {
    let wanted = std::env::var("STORM_LOG").unwrap_or_else(|_| log.level.0.clone());
    let filter: Targets = wanted.parse().with_context(|| {
        format!("STORM_LOG is '{wanted}': expected a level such as info or debug")
    })?;
    let format = log.format;
    let log = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // It would say on standard error that standard error is gone, and panic over it.
        .log_internal_errors(false);
    let registry = tracing_subscriber::registry();
    match format {
        LogFormat::Text => registry.with(log.with_filter(filter)).init(),
        LogFormat::Json => registry.with(log.json().with_filter(filter)).init(),
    }
    Ok(())
}
