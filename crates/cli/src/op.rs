//! `storm op`.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use storm_protocol::{
    api::{Operation, OperationAnswer, OperationPage, OperationStatus},
    ident::{Micros, OperationId},
    receipt::Outcome,
};

use crate::{
    change,
    client::query,
    clock,
    errors::{operation_fault, usage},
    follow::{self, Patience},
    job,
    output::{self, Column, Sheet, Waiting},
    pending::Pending,
    progress::Pace,
    secret::{self, Delivery},
    session::{Context, Session},
    units,
};

/// What can be done with operations.
#[derive(Debug, Subcommand)]
pub(crate) enum OpCommand {
    /// List operations, newest first
    List(List),
    /// Show an operation
    Show(Which),
    /// Cancel an operation that has not begun, or stop a job
    Cancel(Which),
    /// Follow an operation to its end, with a job's progress; Ctrl-C leaves it running
    Watch(Which),
    /// Wait until an operation has ended; gives its secret when it was asked for here
    Wait(Wait),
    /// List requests for secrets that are not finished, or finish one
    Resume(Resume),
}

/// Which operations.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// In this state only: requested, signed, sent, accepted, done, failed, refused, expired, cancelled, unknown
    #[arg(long, value_parser = parse_state)]
    state: Option<OperationStatus>,
    /// Whoever's they are (operators)
    #[arg(long, conflicts_with = "state")]
    everyones: bool,
    /// Only those that have not ended
    #[arg(long, requires = "everyones", conflicts_with = "not_done")]
    open: bool,
    /// Only those that failed, were refused or expired
    #[arg(long, requires = "everyones")]
    not_done: bool,
    /// How many
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// An operation.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its id
    id: OperationId,
}

/// An operation to wait for.
#[derive(Debug, Args)]
pub(crate) struct Wait {
    #[command(flatten)]
    which: Which,
    /// How long
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = units::parse_duration)]
    timeout: u32,
    #[command(flatten)]
    delivery: Delivery,
}

/// A request to finish.
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The request, as listed, or its operation [default: list them]
    id: Option<String>,
    /// Forget it instead, and with it the only key that opens its secret
    #[arg(long, requires = "id", conflicts_with = "save_to")]
    forget: bool,
    /// How long to wait [default: as long as it may wait for its agent, and 2 minutes]
    #[arg(long, value_name = "TIME", value_parser = units::parse_duration)]
    timeout: Option<u32>,
    #[command(flatten)]
    delivery: Delivery,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: OpCommand) -> Result<()> {
    match command {
        OpCommand::List(args) => list(&context.session()?, args).await,
        OpCommand::Show(which) => {
            let session = context.session()?;
            let answer = change::get(&session, which.id).await?;
            session.show(&answer, || facts(&answer.operation))
        }
        OpCommand::Cancel(which) => job::cancel(&context.session()?, which.id).await,
        OpCommand::Watch(which) => {
            let session = context.session()?;
            let answer = job::watch(&session, which.id).await?;
            say_done(&session, &answer)
        }
        OpCommand::Wait(args) => wait(&context.session()?, args).await,
        OpCommand::Resume(args) => resume(context, args).await,
    }
}

fn parse_state(text: &str) -> Result<OperationStatus, String> {
    serde_json::from_value(json!(text)).map_err(|_| {
        "expected requested, signed, sent, accepted, done, failed, refused, expired, cancelled or \
         unknown"
            .to_owned()
    })
}

async fn list(session: &Session, args: List) -> Result<()> {
    let limit = args.limit.to_string();
    let path = query(
        "/operations",
        &[
            ("state", args.state.map(OperationStatus::as_str)),
            ("everyones", args.everyones.then_some("true")),
            ("open", args.open.then_some("true")),
            ("not_done", args.not_done.then_some("true")),
            ("limit", Some(&limit)),
        ],
    );
    let operations = session.api.get::<OperationPage>(&path).await?.items;
    session.show(&operations, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Operation"),
            Column::Text("Command"),
            Column::Text("State"),
            Column::Text("Region"),
            Column::Text("Asked"),
            Column::Number("Took"),
            Column::Text("What came of it"),
        ]);
        let now = clock::now();
        for operation in &operations {
            sheet.row([
                operation.id.to_string(),
                operation.command.clone(),
                operation.state.as_str().to_owned(),
                operation.region.to_string(),
                units::when(now, operation.requested_at),
                output::maybe(operation.finished_at, |at| took(operation, at)),
                outcome(operation),
            ]);
        }
        sheet.print("No operations.")
    })
}

fn took(operation: &Operation, finished_at: Micros) -> String {
    let micros = finished_at.0.saturating_sub(operation.requested_at.0);
    if micros < Micros::SECOND {
        format!("{} ms", micros / 1000)
    } else {
        units::span(micros / Micros::SECOND)
    }
}

fn outcome(operation: &Operation) -> String {
    match &operation.outcome {
        Some(Outcome::Done(_)) => "done".to_owned(),
        Some(Outcome::Failed { code, .. }) => code.code().to_owned(),
        Some(Outcome::Refused { code, .. }) => code.code().to_owned(),
        None => "-".to_owned(),
    }
}

fn facts(operation: &Operation) -> Result<()> {
    let mut facts = vec![
        ("Operation", operation.id.to_string()),
        ("Command", operation.command.clone()),
        ("Parameters", operation.parameters.to_string()),
        ("State", operation.state.as_str().to_owned()),
        ("Region", operation.region.to_string()),
        (
            "Agent",
            output::maybe(operation.agent, |agent| agent.to_string()),
        ),
        ("Asked", units::instant(operation.requested_at)),
        (
            "Asked from",
            output::maybe(operation.origin.clone(), |origin| origin),
        ),
        (
            "Ended",
            output::maybe(operation.finished_at, units::instant),
        ),
    ];
    if let Some(progress) = &operation.progress {
        facts.push(("Progress", Pace::default().line(progress)));
    }
    if let Some(error) = operation_fault(operation) {
        facts.push(("What came of it", error.to_string()));
    }
    output::facts(&facts)
}

async fn wait(session: &Session, args: Wait) -> Result<()> {
    let id = args.which.id;
    let patience = Patience::Seconds(args.timeout);
    let ours = Pending::all(&session.dir)?
        .into_iter()
        .find(|pending| pending.operation == Some(id));
    if let Some(pending) = ours {
        return secret::finish(session, pending, &args.delivery, patience).await;
    }
    let waiting = Waiting::new(&format!("operation {id}"));
    let answer = change::get(session, id).await?;
    let answer = follow::to_its_end(session, answer, patience, &waiting).await?;
    drop(waiting);
    say_done(session, &answer)
}

fn say_done(session: &Session, answer: &OperationAnswer) -> Result<()> {
    session.show(answer, || {
        let command = output::clean(&answer.operation.command);
        output::line(&format!("{command} is done."))
    })
}

async fn resume(context: &Context, args: Resume) -> Result<()> {
    let dir = context.dir();
    let Some(id) = args.id else {
        return list_pending(context, &Pending::all(&dir)?);
    };
    let pending = Pending::find(&dir, &id)?;
    if !args.forget {
        let session = context.session()?;
        let patience = args.timeout.map_or(Patience::Usual, Patience::Seconds);
        return secret::finish(&session, pending, &args.delivery, patience).await;
    }
    let what = format!(
        "The request for {} will be forgotten; its secret can then never be opened.",
        pending.asked.subject()
    );
    if id.is_empty() {
        return Err(usage("Name the request."));
    }
    context.confirm(&what, &id)?;
    pending.forget()?;
    output::note("Forgotten.");
    Ok(())
}

fn list_pending(context: &Context, all: &[Pending]) -> Result<()> {
    if context.json {
        let items: Vec<_> = all
            .iter()
            .map(|pending| {
                json!({
                    "id": pending.id, "command": pending.asked.command(),
                    "subject": pending.asked.subject(), "operation": pending.operation,
                    "made_at": pending.made_at,
                })
            })
            .collect();
        return output::json(&items);
    }
    let mut sheet = Sheet::new(&[
        Column::Text("Request"),
        Column::Text("Command"),
        Column::Text("About"),
        Column::Text("Asked"),
        Column::Text("Operation"),
    ]);
    let now = clock::now();
    for pending in all {
        sheet.row([
            pending.id.clone(),
            pending.asked.command().to_owned(),
            pending.asked.subject(),
            units::when(now, pending.made_at),
            output::maybe(pending.operation, |id| id.to_string()),
        ]);
    }
    sheet.print("Nothing waits to be finished.")
}
