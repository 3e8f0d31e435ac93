//! Jobs: long work that is followed to its end, or left running. `storm job`, and what `storm bucket`
//! and `storm op` do about jobs.

use std::collections::HashMap;

use anyhow::Result;
use clap::{Args, Subcommand};
use storm_protocol::{
    api::{
        Bucket, MeasurePrefixRequest, Operation, OperationAnswer, OperationPage, OperationStatus,
    },
    command::{CommandResult, MAX_MEASURED_OBJECTS},
    ident::{BucketId, ObjectPrefix, OperationId},
};

use crate::{
    asked::{Asked, BucketAsked, RegionAsked},
    bucket::{Which, name},
    change,
    client::Call,
    clock,
    errors::Thing,
    follow::{self, Patience},
    output::{self, Column, Sheet, Waiting},
    progress::Pace,
    session::{BucketRef, Context, Session},
    units,
};

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
    #[arg(long, allow_hyphen_values = true)]
    prefix: Option<ObjectPrefix>,
    /// Stop after so many objects [default: 1000000]
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = clap::value_parser!(u64).range(1..=MAX_MEASURED_OBJECTS))]
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
            follow::ways_on(&answer.operation)
        );
        return session.show(&answer, || output::line(&words));
    }
    let done = change::make_patiently(session, &asked, Patience::Endless).await?;
    let words = match &done.proof.result {
        CommandResult::BucketClear(cleared) => {
            let deleted = format!(
                "Deleted from bucket {name}: {}, {}.",
                units::objects(cleared.objects),
                units::size(cleared.bytes)
            );
            match cleared.kept {
                0 => deleted,
                kept => format!(
                    "{deleted} Written since the clearing began, and kept: {}.",
                    units::objects(kept)
                ),
            }
        }
        _ => format!("Bucket {name} is cleared."),
    };
    done.say(session, &words)
}

/// What clearing takes away, as far as it is known.
fn all_will_go(bucket: &Bucket, name: &str) -> String {
    let counted = match (bucket.objects, bucket.bytes) {
        (Some(objects), Some(bytes)) => format!(
            ": {} when they were last counted, {}",
            units::objects(objects),
            units::size(bytes)
        ),
        (Some(_) | None, _) => String::new(),
    };
    format!(
        "All objects of bucket {name} in region {} will be deleted for ever{counted}.",
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
    let asked: Asked = BucketAsked::BucketMeasurePrefix {
        bucket: bucket.id,
        request: MeasurePrefixRequest {
            prefix: args.prefix,
            max_objects: args.max_objects,
        },
    }
    .into();
    let done = change::make_patiently(session, &asked, Patience::Endless).await?;
    let words = match &done.proof.result {
        CommandResult::BucketMeasurePrefix(measured) => format!(
            "{}{} {place}, {} ({} bytes).",
            if measured.complete { "" } else { "More than " },
            units::objects(measured.objects),
            units::size(measured.bytes),
            units::count(measured.bytes)
        ),
        _ => format!("The objects {place} are measured."),
    };
    done.say(session, &words)
}

/// `storm op watch`: follows an operation to its end; gives it when it is done.
pub(crate) async fn watch(session: &Session, id: OperationId) -> Result<OperationAnswer> {
    let waiting = Waiting::new(&format!("operation {id}"));
    let answer = change::get(session, id).await?;
    follow::to_its_end(session, answer, Patience::Endless, &waiting).await
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
    let answer = follow::to_its_end(session, answer, Patience::Usual, &waiting).await?;
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
        jobs.extend(open.into_iter().filter(follow::is_job));
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

fn bucket_of(job: &Operation) -> Option<BucketId> {
    job.parameters["bucket"].as_str()?.parse().ok()
}
