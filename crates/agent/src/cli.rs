//! The command line.

use std::{
    io::{IsTerminal as _, Read as _},
    path::PathBuf,
};

use clap::{Parser, Subcommand};
use storm_protocol::ident::Digest;
use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{
    audit, commands,
    config::{Config, DEFAULT_PATH, Log, LogForm},
    enroll::{self, Request},
    exec,
    exit::{Code, EXIT_CODES_HELP, OrStop as _, Stop, stop},
    garage::TokenMaker,
    identity::Enrolment,
    print, run,
    state::StateDir,
    status,
    trust::{self, Trust},
};

/// What the running agent logs when nothing else is said.
const DEFAULT_LEVEL: &str = "info";
/// The environment variables that filter the log; the first that is set counts.
const LOG_VARIABLES: [&str; 2] = ["STORM_LOG", "RUST_LOG"];
/// The longest token that is read from standard input, in bytes.
const MAX_TOKEN_BYTES: u64 = 4096;

/// The agent of Storm Buckets on a storage server: opens no port, dials out, runs only the signed
/// commands of one fixed list.
#[derive(Debug, Parser)]
#[command(name = "storm-pulse", version, after_help = EXIT_CODES_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_PATH)]
    config: PathBuf,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Give this server an identity: make keys, have them certified, make the Garage token.
    Enroll {
        /// The hub: https://HOST:PORT.
        url: String,
        /// The token from `storm agent enrol-token create`; '-' reads it from standard input.
        token: String,
        /// Garage's own configuration, to make the Garage token with.
        #[arg(long, value_name = "FILE")]
        garage_config: Option<PathBuf>,
        /// The last receipt's digest of the agent that this one replaces, after its disk was lost.
        #[arg(long, value_name = "DIGEST")]
        predecessor_head: Option<Digest>,
    },
    /// Run the agent in the foreground until SIGTERM or Ctrl-C.
    Run,
    /// Show connection, clock, receipts and refusals. Exit code 1 when the agent does not run.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// List everything that this agent can be asked to do.
    Commands {
        /// As JSON.
        #[arg(long, conflicts_with = "markdown")]
        json: bool,
        /// As the page docs/commands.md.
        #[arg(long)]
        markdown: bool,
    },
    /// Run a command that was signed offline, with or without the control plane.
    Exec {
        /// The signed command, from `storm offline sign`.
        file: PathBuf,
        /// Print the receipt with the sealed secret as JSON.
        #[arg(long)]
        json: bool,
    },
    /// The trust document.
    #[command(subcommand)]
    Trust(TrustTask),
    /// The audit file.
    #[command(subcommand)]
    Audit(AuditTask),
    /// The agent's Garage token.
    #[command(subcommand)]
    Token(TokenTask),
}

#[derive(Debug, Subcommand)]
enum TrustTask {
    /// Take a newer trust document, from `storm-buckets trust export`.
    Add {
        /// The document.
        file: PathBuf,
    },
    /// Show what is trusted.
    Show,
}

#[derive(Debug, Subcommand)]
enum AuditTask {
    /// Find any line of the audit file that was changed, removed or moved.
    Verify,
}

#[derive(Debug, Subcommand)]
enum TokenTask {
    /// Make a Garage token for exactly the calls that the agent needs; the one before it ends.
    Create,
}

/// Does what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<(), Stop> {
    let config = || Config::load(&cli.config);
    let log = match cli.task {
        Task::Run => config()?.log,
        Task::Enroll { .. }
        | Task::Status { .. }
        | Task::Commands { .. }
        | Task::Exec { .. }
        | Task::Trust(_)
        | Task::Audit(_)
        | Task::Token(_) => Log {
            // Between a person's question and the answer only what is wrong.
            level: Some("error".to_owned()),
            ..Log::default()
        },
    };
    start_log(log)?;
    match cli.task {
        Task::Enroll {
            url,
            token,
            garage_config,
            predecessor_head,
        } => {
            let request = Request {
                url,
                token: read_token(token)?,
                garage_config,
                predecessor: predecessor_head,
            };
            enroll::enroll(&config()?, request).await
        }
        Task::Run => run::run(&config()?).await,
        Task::Status { json } => show_status(&config()?, json),
        Task::Commands { json, markdown } => show_commands(&cli.config, json, markdown),
        Task::Exec { file, json } => exec::exec(&config()?, &file, json).await,
        Task::Trust(TrustTask::Add { file }) => exec::add_trust(&config()?, &file).await,
        Task::Trust(TrustTask::Show) => show_trust(&config()?),
        Task::Audit(AuditTask::Verify) => {
            audit::verify(&StateDir::open(&config()?.state_dir)?).await
        }
        Task::Token(TokenTask::Create) => create_token(&config()?).await,
    }
}

fn start_log(config: Log) -> Result<(), Stop> {
    let set = LOG_VARIABLES
        .iter()
        .find_map(|name| Some((*name, std::env::var(name).ok()?)));
    let (name, wanted) = set.unwrap_or_else(|| {
        let level = config.level.unwrap_or_else(|| DEFAULT_LEVEL.to_owned());
        ("[log] level", level)
    });
    let Ok(filter) = wanted.parse::<Targets>() else {
        return stop(
            Code::Usage,
            format!("{name} is '{wanted}': expected a level such as info or debug"),
        );
    };
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // What cannot be written there cannot be complained of there either.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal());
    // The journal of systemd has its own times.
    let in_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let log = match (config.format, in_journal) {
        (LogForm::Text, true) => log.without_time().boxed(),
        (LogForm::Text, false) => log.boxed(),
        (LogForm::Json, _) => log.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(log.with_filter(filter))
        .init();
    Ok(())
}

fn read_token(argument: String) -> Result<String, Stop> {
    if argument != "-" {
        return Ok(argument);
    }
    let mut token = String::new();
    std::io::stdin()
        .take(MAX_TOKEN_BYTES)
        .read_to_string(&mut token)
        .map_err(|error| anyhow::anyhow!("the token cannot be read from standard input: {error}"))
        .or_stop(Code::Usage)?;
    Ok(token)
}

fn show_status(config: &Config, json: bool) -> Result<(), Stop> {
    let state = StateDir::open(&config.state_dir)?;
    Enrolment::load(&state)?;
    let Some(status) = status::read(&state)? else {
        return stop(
            Code::Failed,
            "this agent is enrolled and has never run: start it with `systemctl enable --now \
             storm-pulse`",
        );
    };
    let running = status::is_running(&status, &state);
    let room = state.room_bytes()?;
    if json {
        let text = status::as_json(&status, running, room).map_err(anyhow::Error::from)?;
        print::line(&text)?;
    } else {
        print::text(&status::describe(&status, running, room))?;
    }
    if running {
        return Ok(());
    }
    stop(
        Code::Failed,
        "the agent is not running: start it with `systemctl start storm-pulse`",
    )
}

fn show_commands(path: &std::path::Path, json: bool, markdown: bool) -> Result<(), Stop> {
    // The list is the same everywhere; only what is switched off is in the configuration.
    let unconfigured = path == std::path::Path::new(DEFAULT_PATH) && !path.exists();
    let disabled = if markdown || unconfigured {
        vec![]
    } else {
        Config::load(path)?.not_offered()
    };
    if markdown {
        print::text(&commands::markdown())
    } else if json {
        print::line(&commands::as_json(&disabled).map_err(anyhow::Error::from)?)
    } else {
        print::text(&commands::text(&disabled))
    }
}

fn show_trust(config: &Config) -> Result<(), Stop> {
    let state = StateDir::open(&config.state_dir)?;
    let enrolment = Enrolment::load(&state)?;
    let trust = Trust::load(&state, enrolment.root_key).or_stop(Code::Usage)?;
    print::text(&trust::describe(&trust))
}

async fn create_token(config: &Config) -> Result<(), Stop> {
    let state = StateDir::create(&config.state_dir)?;
    let file = config.token_file();
    let maker = TokenMaker {
        binary: config.garage.binary.clone(),
        config: config.garage.config.clone(),
        file: file.clone(),
        owner: state.owner()?,
    };
    maker
        .create(&enroll::token_name())
        .await
        .map_err(anyhow::Error::from)?;
    print::line(&format!(
        "{} holds a Garage token for the agent's calls alone.",
        file.display()
    ))
}
