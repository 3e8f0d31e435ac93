//! `storm sign-up`.

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

/// An account of your own, where the server lets you.
#[derive(Debug, Subcommand)]
pub(crate) enum SignUpCommand {
    /// Ask for a link that makes your account, by e-mail
    Request(Request),
    /// Make your account with the link from the e-mail
    Confirm(Confirm),
}

/// Who, and what to call the account.
#[derive(Debug, Args)]
pub(crate) struct Request {
    /// Your e-mail address
    email: String,
    /// What to call the account
    #[arg(long)]
    name: String,
    /// The server, such as https://buckets.example.org
    #[arg(long, value_parser = config::parse_url)]
    url: Url,
}

/// A link.
#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// The link in the e-mail
    #[arg(value_parser = config::parse_url)]
    link: Url,
    /// A file (mode 0600) that holds the password to sign in with; - for standard input
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: SignUpCommand) -> Result<()> {
    let text = match command {
        SignUpCommand::Request(args) => {
            check_url(&args.url)?;
            let api = Api::new(args.url, Credential::None)?;
            let body = json!({ "email": args.email, "name": args.name });
            api.change(Method::POST, "/sign-ups", Some(&body)).await?;
            "An e-mail is on its way. Its link works once, for 24 hours."
        }
        SignUpCommand::Confirm(args) => {
            let (site, token) = config::link_parts(args.link)?;
            check_url(&site)?;
            let password = password(args.password_file, "Password to have: ")?;
            let api = Api::new(site, Credential::None)?;
            let body = json!({ "token": token, "password": password.expose_secret() });
            api.change(Method::POST, "/sign-ups/confirm", Some(&body))
                .await?;
            "Your account is there. Sign in with: storm login"
        }
    };
    match context.json {
        true => output::json(&json!({})),
        false => output::line(text),
    }
}
