//! `storm`: Storm Buckets on the command line. One module a noun; what they share stands in
//! [`session`], [`change`], [`secret`] and [`verify`].

mod account;
mod account_life;
mod agent;
mod args;
mod asked;
mod audit;
mod audit_events;
mod bucket;
mod bucket_reconcile;
mod bucket_requests;
mod bucket_settings;
mod change;
mod client;
mod clock;
mod completions;
mod config;
mod device;
mod device_login;
mod env;
mod environment;
mod errors;
mod files;
mod follow;
mod grant;
mod ini;
mod invitation;
mod job;
mod key;
mod key_life;
mod login;
mod logout;
mod member;
mod offline;
mod op;
mod output;
mod password;
mod patience;
mod pending;
mod profile;
mod progress;
mod region;
mod rules_file;
mod secret;
mod security_events;
mod session;
mod sessions;
mod sign_up;
mod stray;
mod token;
mod token_place;
mod tools;
mod units;
mod up;
mod usage;
mod verify;
mod whoami;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::{
    args::{Cli, Noun},
    session::Context,
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && wants_json() => {
            let error = errors::usage(errors::first_paragraph(&error.to_string()));
            return ExitCode::from(errors::report(&error, true));
        }
        Err(error) => error.exit(),
    };
    let json = cli.json;
    match start(cli) {
        Ok(code) => code,
        Err(error) => ExitCode::from(errors::report(&error, json)),
    }
}

/// Whether a command line that was not understood asks for JSON.
fn wants_json() -> bool {
    std::env::args_os().any(|argument| argument == "--json")
}

fn start(cli: Cli) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(cli))
}

async fn run(cli: Cli) -> Result<ExitCode> {
    let config_path = match cli.config {
        Some(path) => path,
        None => config::default_path()?,
    };
    let context = Context {
        config_path,
        json: cli.json,
        yes: cli.yes,
    };
    match cli.noun {
        Noun::Up(args) => up::run(args).await?,
        Noun::Login(args) => login::run(&context, args).await?,
        Noun::Logout => logout::run(&context).await?,
        Noun::Whoami => whoami::run(&context).await?,
        Noun::Region(command) => region::run(&context, command).await?,
        Noun::Bucket(command) => bucket::run(&context, command).await?,
        Noun::Key(command) => key::run(&context, command).await?,
        Noun::Grant(command) => grant::run(&context, command).await?,
        Noun::Usage(args) => usage::run(&context, args).await?,
        Noun::Account(command) => account::run(&context, command).await?,
        Noun::Member(command) => member::run(&context, command).await?,
        Noun::Invitation(command) => invitation::run(&context, command).await?,
        Noun::Op(command) => op::run(&context, command).await?,
        Noun::Job(command) => job::run(&context, command).await?,
        Noun::Audit(command) => audit::run(&context, command).await?,
        Noun::Agent(command) => agent::run(&context, command).await?,
        Noun::Stray(command) => stray::run(&context, command).await?,
        Noun::Session(command) => sessions::run(&context, command).await?,
        Noun::Password(command) => password::run(&context, command).await?,
        Noun::SignUp(command) => sign_up::run(&context, command).await?,
        Noun::Token(command) => token::run(&context, command).await?,
        Noun::Device(command) => device::run(&context, command).await?,
        Noun::Offline(command) => offline::run(&context, command).await?,
        Noun::Env(args) => env::run(&context, args).await?,
        Noun::Completions(args) => completions::run(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}
