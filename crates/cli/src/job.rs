//! Jobs: long work that is followed to its end, or left running. `storm job`, and what `storm bucket`
//! and `storm op` do about jobs.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::{Args, Subcommand};
use storm_protocol::{
    api::{
        Bucket, MeasurePrefixRequest, Operation, OperationAnswer, OperationPage, OperationStatus,
    },
    command::{CommandResult, MAX_MEASURED_OBJECTS, Row},
    ident::{BucketId, ObjectPrefix, OperationId},
};

use crate::{
    asked::{Asked, BucketAsked, RegionAsked},
    bucket::{Which, name},
    change::{self, Done},
    client::Call,
    clock,
    errors::{ApiError, Exit, Thing, fault, operation_fault},
    output::{self, Column, Sheet, Waiting},
    progress::Pace,
    session::{BucketRef, Context, Session},
    units,
};

/// Seconds for which a job is followed while the server cannot be reached.
const MAX_SILENCE_SECONDS: u64 = 120;
/// Milliseconds before the first look; each next wait is twice as long.
const FIRST_LOOK_MILLIS: u64 = 100;
/// The longest wait between looks: progress comes once a second.
const LOOK_MILLIS: u64 = 1000;
/// The states of an operation that has not ended.
const OPEN: [OperationStatus; 5] = [
    OperationStatus::Accepted,
    OperationStatus::Sent,
    OperationStatus::Signed,
    OperationStatus::Requested,
    OperationStatus::Unknown,
];

/// What can be done with jobs. They are begun where their things are, followed with `storm op watch`
/// and stopped with `storm op cancel`.
#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// List the jobs that have not ended, with how far they are
    List,
}

/// A bucket to clear.
#[derive(Debug, Args)]
pub(crate) struct Clear {
    #[command(flatten)]
    which: Which,
    /// Do not follow it: only say how to
    #[arg(long)]
    detach: bool,
}

/// A prefix to measure.
#[derive(Debug, Args)]
pub(crate) struct Measure {
    #[command(flatten)]
    which: Which,
    /// Only objects whose key begins so [default: all]
    #[arg(long)]
    prefix: Option<ObjectPrefix>,
    /// Stop after so many objects [default: 1000000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_MEASURED_OBJECTS))]
    max_objects: Option<u64>,
}

/// `storm job`.
pub(crate) async fn run(context: &Context, command: JobCommand) -> Result<()> {
    match command {
        JobCommand::List => list(&context.session()?).await,
    }
}

/// `storm bucket clear`.
pub(crate) async fn clear(context: &Context, session: &Session, args: Clear) -> Result<()> {
    let bucket = args.which.find(session).await?;
    let name = name(&bucket);
    context.confirm(&all_will_go(&bucket, &name), &name)?;
    let asked: Asked = BucketAsked::BucketClear { bucket: bucket.id }.into();
    if args.detach {
        let key = change::new_idempotency_key()?;
        let answer = change::request(session, &asked, &key).await?;
        let words = format!(
            "Bucket {name} is being cleared. {}",
            ways_on(answer.operation.id)
        );
        return session.show(&answer, || output::line(&words));
    }
    let done = make(session, asked).await?;
    let words = match &done.proof.result {
        CommandResult::BucketClear(cleared) => {
            let deleted = format!(
                "{} objects of bucket {name} are deleted, {}.",
                units::count(cleared.objects),
                units::size(cleared.bytes)
            );
            match cleared.kept {
                0 => deleted,
                kept => format!(
                    "{deleted} {} were written since the clearing began, and stay.",
                    units::count(kept)
                ),
            }
        }
        _ => format!("Bucket {name} is cleared."),
    };
    done.say(session, &words)
}

/// What clearing takes away, as far as it is known.
fn all_will_go(bucket: &Bucket, name: &str) -> String {
    let all = match (bucket.objects, bucket.bytes) {
        (Some(objects), Some(bytes)) => format!(
            "All {} objects ({})",
            units::count(objects),
            units::size(bytes)
        ),
        (Some(_) | None, _) => "All objects".to_owned(),
    };
    format!(
        "{all} of bucket {name} in region {} will be deleted for ever.",
        bucket.region
    )
}

/// `storm bucket measure`.
pub(crate) async fn measure(session: &Session, args: Measure) -> Result<()> {
    let bucket = args.which.find(session).await?;
    let place = match &args.prefix {
        Some(prefix) => format!("under {prefix} in bucket {}", name(&bucket)),
        None => format!("in bucket {}", name(&bucket)),
    };
    let asked = BucketAsked::BucketMeasurePrefix {
        bucket: bucket.id,
        request: MeasurePrefixRequest {
            prefix: args.prefix,
            max_objects: args.max_objects,
        },
    };
    let done = make(session, asked).await?;
    let words = match &done.proof.result {
        CommandResult::BucketMeasurePrefix(measured) => format!(
            "{}{} objects {place}, {} ({} bytes).",
            if measured.complete { "" } else { "More than " },
            units::count(measured.objects),
            units::size(measured.bytes),
            units::count(measured.bytes)
        ),
        _ => format!("The objects {place} are measured."),
    };
    done.say(session, &words)
}

/// Asks for a job, and follows it until it is done and proven.
async fn make(session: &Session, asked: impl Into<Asked>) -> Result<Done> {
    let asked = asked.into();
    let key = change::new_idempotency_key()?;
    let waiting = Waiting::new(&change::title(&asked));
    let answer = change::request(session, &asked, &key).await?;
    let answer = follow(session, answer, &waiting).await?;
    change::prove(session, answer, &asked).await
}

/// `storm op watch`: follows an operation to its end; gives it when it is done.
pub(crate) async fn watch(session: &Session, id: OperationId) -> Result<OperationAnswer> {
    let waiting = Waiting::new(&format!("operation {id}"));
    let answer = change::get(session, id).await?;
    follow(session, answer, &waiting).await
}

/// Follows an operation to its end. Ctrl-C ends the following alone, and says how to go on.
async fn follow(
    session: &Session,
    answer: OperationAnswer,
    waiting: &Waiting,
) -> Result<OperationAnswer> {
    let id = answer.operation.id;
    tokio::select! {
        answer = to_its_end(session, answer, waiting) => answer,
        stopped = tokio::signal::ctrl_c() => {
            stopped?;
            let text = format!("It goes on without this command. {}", ways_on(id));
            Err(fault(Exit::Unfinished, "unfinished", text))
        }
    }
}

fn ways_on(id: OperationId) -> String {
    format!("Follow it with: storm op watch {id} - stop it with: storm op cancel {id}")
}

async fn to_its_end(
    session: &Session,
    mut answer: OperationAnswer,
    waiting: &Waiting,
) -> Result<OperationAnswer> {
    let mut pace = Pace::default();
    let mut heard = Instant::now();
    let mut look = FIRST_LOOK_MILLIS;
    while !answer.operation.state.is_final() {
        match &answer.operation.progress {
            Some(progress) => waiting.job(progress, &pace.line(progress)),
            None => waiting.say(&change::state_line(&answer.operation)),
        }
        tokio::time::sleep(Duration::from_millis(look)).await;
        look = (look * 2).min(LOOK_MILLIS);
        match change::get(session, answer.operation.id).await {
            Ok(next) => {
                answer = next;
                heard = Instant::now();
            }
            Err(error) if is_passing(&error) && heard.elapsed().as_secs() < MAX_SILENCE_SECONDS => {
                waiting.say("The server cannot be reached; the job goes on without it");
            }
            Err(error) => return Err(error),
        }
    }
    operation_fault(&answer.operation).map_or(Ok(answer), Err)
}

/// A control plane that restarts stops no job.
fn is_passing(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<ApiError>() {
        Some(ApiError::Unreachable { .. }) => true,
        Some(ApiError::Unexpected { status, .. }) => matches!(status, 502..=504),
        Some(ApiError::Problem { .. }) | None => false,
    }
}

/// `storm op cancel`.
pub(crate) async fn cancel(session: &Session, id: OperationId) -> Result<()> {
    let asked: Asked = RegionAsked::JobCancel { operation: id }.into();
    let request = asked.request()?;
    let key = change::new_idempotency_key()?;
    let call = Call {
        method: request.method,
        path: &request.path,
        body: None,
        idempotency_key: Some(&key),
    };
    let waiting = Waiting::new(&change::title(&asked));
    let answer: Result<OperationAnswer, _> = session.api.json(&call).await;
    let answer = answer.map_err(Thing::Operation.named(&id))?;
    if answer.operation.id == id {
        drop(waiting);
        let words = format!("Operation {id} is {}.", answer.operation.state.as_str());
        return session.show(&answer, || output::line(&words));
    }
    let answer = change::finish(session, answer, change::WAIT_SECONDS, &waiting).await?;
    let done = change::prove(session, answer, &asked).await?;
    drop(waiting);
    let words = format!("Job {id} stops at its next step. What it has done stays done.");
    done.say(session, &words)
}

async fn list(session: &Session) -> Result<()> {
    let mut jobs: Vec<Operation> = Vec::new();
    for state in OPEN {
        let filters = [("state", Some(state.as_str()))];
        let open = session
            .api
            .list::<OperationPage>("/operations", &filters)
            .await?;
        jobs.extend(open.into_iter().filter(is_job));
    }
    // One may have moved from one state to another meanwhile.
    jobs.sort_by_key(|job| job.id);
    jobs.dedup_by_key(|job| job.id);
    let mut names = HashMap::new();
    for job in &jobs {
        if let Some(id) = bucket_of(job)
            && !names.contains_key(&id)
        {
            // Only a word hangs on it.
            let found = session.bucket(&BucketRef::Id(id), None).await;
            names.insert(
                id,
                found.map_or_else(|_| id.to_string(), |bucket| name(&bucket)),
            );
        }
    }
    session.show(&jobs, || {
        let mut sheet = Sheet::new(&[
            Column::Text("Operation"),
            Column::Text("Command"),
            Column::Text("Bucket"),
            Column::Text("State"),
            Column::Text("Asked"),
            Column::Text("Progress"),
        ]);
        let now = clock::now();
        for job in &jobs {
            let bucket = bucket_of(job).and_then(|id| names.get(&id).cloned());
            sheet.row([
                job.id.to_string(),
                job.command.clone(),
                output::maybe(bucket, |bucket| bucket),
                job.state.as_str().to_owned(),
                units::when(now, job.requested_at),
                output::maybe(job.progress.as_ref(), |progress| {
                    Pace::default().line(progress)
                }),
            ]);
        }
        sheet.print("No jobs run or wait.")
    })
}

fn is_job(operation: &Operation) -> bool {
    Row::find(&operation.command).is_some_and(|row| row.job)
}

fn bucket_of(job: &Operation) -> Option<BucketId> {
    job.parameters["bucket"].as_str()?.parse().ok()
}
