//! `storm device`: answering a program that asks to be let in, such as `storm login` on a server.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;
use storm_protocol::api::DeviceAuthorization;

use crate::{
    client::Call,
    clock, output,
    session::{Context, Session},
    units,
};

/// What can be done with a program that asks to be let in.
#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// Show which program asks
    Show(Code),
    /// Let it in: it gets an API token of yours. Only do so when you started it yourself
    Approve(Code),
    /// Turn it away
    Deny(Code),
}

/// A program, by its code.
#[derive(Debug, Args)]
pub(crate) struct Code {
    /// The code that it shows
    code: String,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: DeviceCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        DeviceCommand::Show(Code { code }) => {
            let found = look_up(&session, &code).await?;
            session.show(&found, || show(&found, output::line))
        }
        DeviceCommand::Approve(Code { code }) => {
            let found = look_up(&session, &code).await?;
            if !context.yes {
                show(&found, |line| {
                    output::note(line);
                    Ok(())
                })?;
            }
            let what = "It gets into your account. Only go on when you started it yourself.";
            context.confirm(what, &found.host)?;
            answer(&session, "approve", &found).await?;
            session.show(&found, || output::line("Approved. It signs in by itself."))
        }
        DeviceCommand::Deny(Code { code }) => {
            let found = look_up(&session, &code).await?;
            answer(&session, "deny", &found).await?;
            session.show(&found, || output::line("Denied. It gets nothing."))
        }
    }
}

async fn look_up(session: &Session, code: &str) -> Result<DeviceAuthorization> {
    let body = json!({ "user_code": code });
    let call = Call {
        method: Method::POST,
        path: "/device-authorizations/look-up",
        body: Some(&body),
        idempotency_key: None,
    };
    Ok(session.api.json(&call).await?)
}

async fn answer(session: &Session, verb: &str, found: &DeviceAuthorization) -> Result<()> {
    let path = format!("/device-authorizations/{verb}");
    let body = json!({ "user_code": found.user_code });
    let answered = session.api.change(Method::POST, &path, Some(&body)).await;
    Ok(answered?)
}

fn show(found: &DeviceAuthorization, say: impl Fn(&str) -> Result<()>) -> Result<()> {
    let origin = found.origin.as_deref().unwrap_or("an unknown address");
    let place = match found.same_network {
        true => "",
        false => " (another network than yours)",
    };
    let facts = [
        ("Program", found.client.clone()),
        ("Host", found.host.clone()),
        ("Code", found.user_code.clone()),
        ("From", format!("{origin}{place}")),
        ("Asked", units::when(clock::now(), found.created_at)),
        ("May", found.may.join("; ")),
        ("Lasts", format!("{} days", found.token_days)),
    ];
    for (name, value) in facts {
        say(&format!("{name:<8} {}", output::clean(&value)))?;
    }
    Ok(())
}
