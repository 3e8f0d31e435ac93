//! `storm agent`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use storm_protocol::{
    api::{Agent, AgentPage, CreateEnrolTokenRequest, EnrolTokenCreated, EnrolTokenPage},
    ident::{Micros, RegionName},
};

use crate::{
    client::Call,
    clock,
    output::{self, Column, Sheet},
    session::{Context, Session},
    units,
};

/// What can be done with agents.
#[derive(Debug, Subcommand)]
pub(crate) enum AgentCommand {
    /// List the agents
    List,
    /// Tokens that let one server's agent enrol
    #[command(subcommand)]
    EnrolToken(EnrolTokenCommand),
}

/// What can be done with enrolment tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum EnrolTokenCommand {
    /// List the enrolment tokens
    List,
    /// Make an enrolment token; it is shown once
    Create(Create),
}

/// A new enrolment token.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// The region that the agent will belong to [default: the configured or only one]
    #[arg(long)]
    region: Option<RegionName>,
    /// How long it can be used, a week at most
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = units::parse_duration)]
    expires: u32,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: AgentCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        AgentCommand::List => list(&session).await,
        AgentCommand::EnrolToken(EnrolTokenCommand::List) => list_tokens(&session).await,
        AgentCommand::EnrolToken(EnrolTokenCommand::Create(args)) => {
            create_token(&session, args).await
        }
    }
}

async fn list(session: &Session) -> Result<()> {
    let agents = session.api.list::<AgentPage>("/agents", &[]).await?;
    session.show(&agents, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Agent"),
            Column::Text("Region"),
            Column::Text("Host"),
            Column::Text("State"),
            Column::Text("Executor"),
            Column::Text("Version"),
            Column::Text("Garage"),
            Column::Text("Heard"),
            Column::Number("Clock"),
            Column::Number("Receipts"),
        ]);
        let now = clock::now();
        for agent in &agents {
            sheet.row([
                agent.id.to_string(),
                agent.region.to_string(),
                agent.host.clone(),
                state(agent),
                output::yes_no(agent.executor),
                output::maybe(agent.version.clone(), |version| version),
                output::maybe(agent.garage_version.clone(), |version| version),
                output::maybe(agent.seen_at, |at| units::when(now, at)),
                output::maybe(agent.clock_offset_micros, offset),
                units::count(agent.receipts),
            ]);
        }
        sheet.print("No agents yet. Enrol one: storm agent enrol-token create")
    })
}

fn state(agent: &Agent) -> String {
    match (&agent.quarantined, agent.connected) {
        (Some(why), _) => format!("quarantined: {why}"),
        (None, true) => "connected".to_owned(),
        (None, false) => "away".to_owned(),
    }
}

/// A clock's offset in milliseconds, or seconds when it is large.
fn offset(micros: i64) -> String {
    if micros.abs() < Micros::SECOND {
        format!("{:+} ms", micros / 1000)
    } else {
        format!("{:+} s", micros / Micros::SECOND)
    }
}

async fn list_tokens(session: &Session) -> Result<()> {
    let path = "/agents/enrol-tokens";
    let tokens = session.api.list::<EnrolTokenPage>(path, &[]).await?;
    session.show(&tokens, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Token"),
            Column::Text("Region"),
            Column::Text("Made"),
            Column::Text("Ends"),
            Column::Text("Used by agent"),
        ]);
        let now = clock::now();
        for token in &tokens {
            sheet.row([
                token.id.to_string(),
                token.region.to_string(),
                units::when(now, token.created_at),
                units::when(now, token.expires_at),
                output::maybe(token.agent, |agent| agent.to_string()),
            ]);
        }
        sheet.print("No enrolment tokens. Make one: storm agent enrol-token create")
    })
}

async fn create_token(session: &Session, args: Create) -> Result<()> {
    let request = CreateEnrolTokenRequest {
        region: args.region.or_else(|| session.config.region.clone()),
        expires_in_seconds: Some(args.expires),
    };
    let body = serde_json::to_value(&request)?;
    let call = Call {
        method: Method::POST,
        path: "/agents/enrol-tokens",
        body: Some(&body),
        idempotency_key: None,
    };
    let made: EnrolTokenCreated = session.api.json(&call).await?;
    session.show(&made, || {
        output::note(&format!(
            "On the server in region {}, until {}:",
            made.token.region,
            units::instant(made.token.expires_at)
        ));
        output::line(&output::clean(&made.command))
    })
}
