//! `storm region`.

use anyhow::Result;
use clap::{Args, Subcommand};
use reqwest::Method;
use storm_protocol::{
    api::{CreateRegionRequest, MoveExecutorRequest, Region, RegionHealth, RegionPage},
    command::CommandResult,
    ident::{AgentId, RegionName},
};

use crate::{
    asked::RegionAsked,
    change,
    client::Call,
    config,
    errors::{Exit, fault, operation_fault},
    output::{self, Column, Sheet, Waiting},
    session::{Context, Session},
};

/// What can be done with regions.
#[derive(Debug, Subcommand)]
pub(crate) enum RegionCommand {
    /// List the regions
    List,
    /// Show a region
    Show(Which),
    /// Make a region (operators); then enrol its first agent
    Create(Create),
    /// Ask the cluster how it is
    Health(Which),
    /// Read all buckets and keys of the cluster anew
    Refresh(Which),
    /// Ask the region's agent for an answer
    Ping(Which),
    /// Move the executor's role to another agent (operators): the present one ends its changes first
    MoveExecutor(MoveExecutor),
}

/// A role that is to move.
#[derive(Debug, Args)]
pub(crate) struct MoveExecutor {
    /// The region
    region: RegionName,
    /// The agent that takes the role
    agent: AgentId,
}

/// A region.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The region [default: the configured or only one]
    region: Option<RegionName>,
}

impl Which {
    async fn find(&self, session: &Session, line: &str) -> Result<Region> {
        session.region(self.region.as_ref(), line).await
    }
}

/// A new region.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its name
    name: RegionName,
    /// Where S3 is spoken, such as https://s3.example.org
    #[arg(long, value_name = "URL", value_parser = config::parse_url)]
    s3_endpoint: url::Url,
    /// The S3 region name that Garage is configured with
    #[arg(long, value_name = "NAME")]
    s3_region: String,
    /// The domain under which websites appear
    #[arg(long, value_name = "DOMAIN")]
    website_domain: Option<String>,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: RegionCommand) -> Result<()> {
    let session = context.session()?;
    match command {
        RegionCommand::List => list(&session).await,
        RegionCommand::Show(which) => {
            let region = which.find(&session, "storm region show").await?;
            session.show(&region, || facts(&region))
        }
        RegionCommand::Create(create_args) => create(&session, create_args).await,
        RegionCommand::Health(which) => health(&session, which).await,
        RegionCommand::Refresh(which) => {
            let region = which.find(&session, "storm region refresh").await?.name;
            let done = change::make(&session, RegionAsked::Refresh { region }).await?;
            let words = match &done.proof.result {
                CommandResult::InventoryRefresh(read) => format!(
                    "Read {} buckets and {} keys.",
                    crate::units::count(read.buckets),
                    crate::units::count(read.keys)
                ),
                _ => "Read.".to_owned(),
            };
            done.say(&session, &words)
        }
        RegionCommand::Ping(which) => {
            let region = which.find(&session, "storm region ping").await?.name;
            let words = format!("The agent of {region} answers");
            let done = change::make(&session, RegionAsked::Ping { region }).await?;
            let words = match &done.proof.result {
                CommandResult::AgentPing(pong) => {
                    format!("{words}: version {}.", output::clean(&pong.version))
                }
                _ => format!("{words}."),
            };
            done.say(&session, &words)
        }
        RegionCommand::MoveExecutor(to) => move_executor(context, &session, to).await,
    }
}

async fn move_executor(context: &Context, session: &Session, to: MoveExecutor) -> Result<()> {
    let MoveExecutor { region, agent } = to;
    let what = format!(
        "All changes in region {region} will go through agent {agent}. The present executor ends what it \
         has begun and takes nothing new; buckets serve all the while."
    );
    context.confirm(&what, &agent.to_string())?;
    let words = format!("Agent {agent} is the executor of region {region}.");
    let request = MoveExecutorRequest { agent };
    let asked = RegionAsked::MoveExecutor { region, request };
    let done = change::make(session, asked).await?;
    done.say(session, &words)
}

async fn list(session: &Session) -> Result<()> {
    let regions = session.api.list::<RegionPage>("/regions", &[]).await?;
    session.show(&regions, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Region"),
            Column::Text("S3 endpoint"),
            Column::Text("S3 region"),
            Column::Text("Agent"),
        ]);
        for region in &regions {
            sheet.row([
                region.name.to_string(),
                region.s3_endpoint.clone(),
                region.s3_region.clone(),
                state(region),
            ]);
        }
        sheet.print("No regions yet. An operator makes one with: storm region create")
    })
}

fn state(region: &Region) -> String {
    match (&region.executor, region.connected, &region.trouble) {
        (None, ..) => "none yet".to_owned(),
        (Some(_), true, Some(trouble)) => format!("takes no change: {}", output::clean(trouble)),
        (Some(_), true, None) => "connected".to_owned(),
        (Some(_), false, _) => "away".to_owned(),
    }
}

fn facts(region: &Region) -> Result<()> {
    output::facts(&[
        ("Region", region.name.to_string()),
        ("S3 endpoint", region.s3_endpoint.clone()),
        ("S3 region", region.s3_region.clone()),
        (
            "Websites under",
            output::maybe(region.website_domain.clone(), |domain| domain),
        ),
        ("Agent", state(region)),
        (
            "Executor",
            output::maybe(region.executor, |agent| agent.to_string()),
        ),
        ("Epoch", region.epoch.to_string()),
    ])
}

async fn create(session: &Session, args: Create) -> Result<()> {
    let request = CreateRegionRequest {
        name: args.name,
        s3_endpoint: args.s3_endpoint.as_str().trim_end_matches('/').to_owned(),
        s3_region: args.s3_region,
        website_domain: args.website_domain,
    };
    let body = serde_json::to_value(&request)?;
    let call = Call {
        method: Method::POST,
        path: "/regions",
        body: Some(&body),
        idempotency_key: None,
    };
    let region: Region = session.api.json(&call).await?;
    session.show(&region, || {
        output::line(&format!("Region {} is made.", region.name))?;
        output::note(&format!(
            "Enrol its first agent: storm agent enrol-token create --region {}",
            region.name
        ));
        Ok(())
    })
}

async fn health(session: &Session, which: Which) -> Result<()> {
    let region = which.find(session, "storm region health").await?.name;
    let waiting = Waiting::new(&format!("Asking region {region}"));
    let path = format!("/regions/{region}/health");
    let key = change::new_idempotency_key()?;
    let call = Call {
        method: Method::POST,
        path: &path,
        body: None,
        idempotency_key: Some(&key),
    };
    let answer: RegionHealth = session.api.json(&call).await?;
    drop(waiting);
    if let Some(error) = operation_fault(&answer.operation) {
        return Err(error);
    }
    let Some(health) = &answer.health else {
        let text = format!(
            "The agent of {region} has not answered yet. Look again with: storm op show {}",
            answer.operation.id
        );
        return Err(fault(Exit::Unfinished, "unfinished", text));
    };
    session.show(&answer, || {
        output::facts(&[
            ("Cluster", health.status.clone()),
            ("Garage", health.garage_version.clone()),
            (
                "Storage nodes",
                format!("{} of {} up", health.storage_nodes_up, health.storage_nodes),
            ),
            (
                "Nodes",
                format!(
                    "{} of {} connected",
                    health.connected_nodes, health.known_nodes
                ),
            ),
            (
                "Partitions",
                format!(
                    "{} of {} whole, {} can be written",
                    health.partitions_all_ok, health.partitions, health.partitions_quorum
                ),
            ),
        ])
    })
}
