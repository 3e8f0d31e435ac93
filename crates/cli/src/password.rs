//! `storm password`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;
use url::Url;

use crate::{
    client::{Api, Credential},
    config::{self, check_url},
    login::password,
    output,
    session::Context,
};

/// What can be done with your password.
#[derive(Debug, Subcommand)]
pub(crate) enum PasswordCommand {
    /// Set another one; your sessions end, API tokens stay
    Change(Change),
    /// Ask for a link that sets a new one, by e-mail
    Forgotten(Forgotten),
    /// Set a new one with the link from the e-mail
    Reset(Reset),
}

/// The old one and the new one; asked for on the terminal when not given.
#[derive(Debug, Args)]
pub(crate) struct Change {
    /// A file (mode 0600) that holds the one that counts now
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A file (mode 0600) that holds the new one
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
}

/// Whose.
#[derive(Debug, Args)]
pub(crate) struct Forgotten {
    /// Your e-mail address
    email: String,
    /// The server, such as https://buckets.example.org
    #[arg(long, value_parser = config::parse_url)]
    url: Url,
}

/// A link.
#[derive(Debug, Args)]
pub(crate) struct Reset {
    /// The link in the e-mail
    #[arg(value_parser = config::parse_url)]
    link: Url,
    /// A file (mode 0600) that holds the new password; - for standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: PasswordCommand) -> Result<()> {
    match command {
        PasswordCommand::Change(args) => change(context, args).await,
        PasswordCommand::Forgotten(args) => {
            check_url(&args.url)?;
            let api = Api::new(args.url, Credential::None)?;
            api.change(
                Method::POST,
                "/password/forgotten",
                Some(&json!({ "email": args.email })),
            )
            .await?;
            said(
                context,
                "If somebody has this address, a link is on its way. It works once, for an hour.",
            )
        }
        PasswordCommand::Reset(args) => {
            let (site, token) = config::link_parts(args.link)?;
            check_url(&site)?;
            let new = password(args.password_file, "New password: ")?;
            let api = Api::new(site, Credential::None)?;
            let body = json!({ "token": token, "password": new.expose_secret() });
            api.change(Method::POST, "/password/reset", Some(&body))
                .await?;
            said(
                context,
                "The new password is set. You are signed out everywhere but on machines with API tokens.",
            )
        }
    }
}

async fn change(context: &Context, args: Change) -> Result<()> {
    let session = context.session()?;
    let current = password(args.password_file, "Password: ")?;
    let new = password(args.new_password_file, "New password: ")?;
    let body = json!({ "current": current.expose_secret(), "new": new.expose_secret() });
    session
        .api
        .change(Method::PUT, "/password", Some(&body))
        .await?;
    said(
        context,
        "The new password is set, and your sessions have ended. API tokens stay.",
    )
}

fn said(context: &Context, text: &str) -> Result<()> {
    match context.json {
        true => output::json(&json!({})),
        false => output::line(text),
    }
}
