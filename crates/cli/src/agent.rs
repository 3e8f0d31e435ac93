//! `storm agent`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde::de::DeserializeOwned;
use storm_protocol::{
    api::{
        Agent, AgentLost, AgentPage, CreateEnrolTokenRequest, EnrolTokenCreated, EnrolTokenPage,
    },
    ident::{AgentId, Micros, RegionName},
};

use crate::{
    client::Call,
    clock,
    errors::Thing,
    output::{self, Column, Sheet},
    session::{Context, Session},
    units,
};

/// The longest that an enrolment token lasts.
const MAX_ENROL_SECONDS: u32 = 7 * 24 * 3600;

/// What can be done with agents.
#[derive(Debug, Subcommand)]
pub(crate) enum AgentCommand {
    /// List the agents
    List,
    /// Remove an agent for good: its certificate is refused from now on
    Revoke(Which),
    /// Say that a revoked agent will never tell what it did: another one finishes what it had begun
    Lost(Which),
    /// Let an agent in again whose receipts did not fit, once you know why
    EndQuarantine(Which),
    /// Tokens that let one server's agent enrol
    #[command(subcommand)]
    EnrolToken(EnrolTokenCommand),
}

/// An agent.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its id
    id: AgentId,
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
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_enrol_time, allow_hyphen_values = true)]
    expires: u32,
}

/// Reads how long an enrolment token lasts, in seconds.
fn parse_enrol_time(text: &str) -> Result<u32, String> {
    units::parse_duration(text)
        .ok()
        .filter(|seconds| (1..=MAX_ENROL_SECONDS).contains(seconds))
        .ok_or_else(|| "expected a duration such as 1h or 3d, a week (7d) at most".to_owned())
}

/// Does it.
pub(crate) async fn run(context: &Context, command: AgentCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        AgentCommand::List => list(&session).await,
        AgentCommand::Revoke(which) => revoke(context, &session, which.id).await,
        AgentCommand::Lost(which) => lost(context, &session, which.id).await,
        AgentCommand::EndQuarantine(which) => end_quarantine(context, &session, which.id).await,
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

async fn revoke(context: &Context, session: &Session, id: AgentId) -> Result<()> {
    let what = format!(
        "Agent {id} will be turned away from now on; to come back, its server has to be enrolled anew."
    );
    context.confirm(&what, &id.to_string())?;
    let agent: Agent = decide(session, id, "revoke").await?;
    session.show(&agent, || {
        output::line(&format!("Agent {id} is revoked."))?;
        output::note(&format!(
            "Enrol another in its place: storm agent enrol-token create --region {}",
            agent.region
        ));
        output::note(&format!(
            "What it had taken stays unknown. If it never comes back to tell: storm agent lost {id}"
        ));
        Ok(())
    })
}

async fn lost(context: &Context, session: &Session, id: AgentId) -> Result<()> {
    let what = format!(
        "What agent {id} had taken and never answered will be asked of its region's next executor, which \
         looks what is there and finishes it. Receipts that it kept to itself are gone."
    );
    context.confirm(&what, &id.to_string())?;
    let told: AgentLost = decide(session, id, "lost").await?;
    session.show(&told, || {
        output::line(&format!("Agent {id} is lost."))?;
        output::note(&format!(
            "{} operations are asked of the next executor, {} ended as failed. Look at them: storm op list",
            units::count(told.asked_again.into()),
            units::count(told.ended.into())
        ));
        Ok(())
    })
}

async fn end_quarantine(context: &Context, session: &Session, id: AgentId) -> Result<()> {
    let what = format!(
        "Agent {id} was kept out because its receipts are not those that were seen before. It will be \
         let in again."
    );
    context.confirm(&what, &id.to_string())?;
    let agent: Agent = decide(session, id, "end-quarantine").await?;
    session.show(&agent, || {
        output::line(&format!("Agent {id} is let in again."))
    })
}

/// Sends an operator's decision about an agent; gives what came of it.
async fn decide<T: DeserializeOwned>(session: &Session, id: AgentId, decision: &str) -> Result<T> {
    let path = format!("/agents/{id}/{decision}");
    let call = Call {
        method: Method::POST,
        path: &path,
        body: None,
        idempotency_key: None,
    };
    let answer = session.api.json(&call).await;
    answer.map_err(Thing::Agent.named(&id))
}

fn state(agent: &Agent) -> String {
    match (&agent.quarantined, agent.connected, &agent.trouble) {
        (Some(why), ..) => format!("quarantined: {}", output::clean(why)),
        (None, true, Some(trouble)) => format!("takes no change: {}", output::clean(trouble)),
        (None, true, None) => "connected".to_owned(),
        (None, false, _) => "away".to_owned(),
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
    let region = session.region(args.region.as_ref(), "--region").await?;
    let request = CreateEnrolTokenRequest {
        region: Some(region.name),
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
