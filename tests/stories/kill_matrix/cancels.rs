//! Kills around the taking of a cancel. Garage is stopped before the job begins, so that the cancel
//! comes in its middle whatever the machine's speed.

use anyhow::{Context as _, Result, bail, ensure};
use e2e::harness::{
    agent::Start,
    api::Api,
    process::{Process, signal_id},
    require_fault_points,
    stack::Stack,
    wait,
};
use reqwest::Method;
use rustix::process::Signal;
use storm_protocol::{
    api::OperationPage, error::Failure, ident::OperationId, receipt::Outcome, seal::OpenKey,
};

use super::{
    Tally,
    commands::{Fixture, Kind},
    jobs::{FEW, listed, no_key_left},
};

/// The journal's commits from the cancel's taking to its receipt, and whether the job cannot but stop
/// when the agent dies there. The job's own intent is the first.
const POINTS: &[(&str, bool)] = &[
    ("journal.intent.before:2", false),
    ("journal.intent.after:2", false),
    ("journal.cancel.before", false),
    ("journal.cancel.after", true),
    ("journal.outcome.before", true),
    ("journal.outcome.after", true),
];
const KIND: Kind = Kind::BucketClear(FEW);

#[tokio::test(flavor = "multi_thread")]
async fn each_commit_of_a_cancel() -> Result<()> {
    require_fault_points()?;
    let mut stack = Stack::single().await?;
    let mut tally = Tally::default();
    for (point, stops) in POINTS {
        let fixture = Fixture::make(&stack, KIND).await?;
        let survived = survive(&mut stack, point, *stops, &fixture, &mut tally).await;
        survived.context(*point)?;
    }
    tally.close(&stack).await
}

async fn survive(
    stack: &mut Stack,
    point: &str,
    stops: bool,
    fixture: &Fixture,
    tally: &mut Tally,
) -> Result<()> {
    let fault = Start {
        fault: Some(point),
        ..Start::default()
    };
    stack.restart_agent(&fault).await?;
    let garage = stack.cluster.first()?.id();
    signal_id(garage, Signal::STOP)?;
    let api = stack.api.clone();
    let asked = async {
        let (method, path, body) = KIND.request(fixture, &OpenKey::generate());
        api.send(method, &path, body.as_ref(), None).await?;
        Ok(())
    };
    let cancelled = async {
        let job = job_of(&api, fixture).await?;
        let path = format!("/operations/{job}/cancel");
        api.send(Method::POST, &path, None, None).await?;
        Ok(job)
    };
    let killed = async {
        let died = wait::until("the agent to die", async || stack.agent.ended()).await?;
        ensure!(Process::was_killed(died), "the agent ended with {died}");
        signal_id(garage, Signal::CONT)?;
        tally.look(&stack.cluster).await?;
        stack.agent.start(&Start::default())
    };
    let ((), job, ()) = tokio::try_join!(asked, cancelled, killed)?;
    let cancel = cancel_of(&stack.api, job).await?;
    let (job, cancel) = (ended(stack, job).await?, ended(stack, cancel).await?);
    let contents = stack.cluster.admin.contents().await?;
    contents.check_whole()?;
    no_key_left(fixture, &contents)?;
    let left = listed(stack, fixture)?.len();
    match (&job, &cancel) {
        (
            Outcome::Failed {
                code: Failure::Cancelled,
                ..
            },
            Outcome::Done(_),
        ) => {
            tally.taken_back += 1;
            ensure!(left == FEW + 1 || !stops, "{left} objects are left");
        }
        (
            Outcome::Done(_),
            Outcome::Failed {
                code: Failure::TooLate,
                ..
            },
        ) => {
            tally.done += 1;
            ensure!(!stops, "it was not stopped");
            ensure!(left == 0, "{left} objects are left");
        }
        other => bail!("job and cancel came to {other:?}"),
    }
    Ok(())
}

/// The clearing of this bucket, once the agent has taken it.
async fn job_of(api: &Api, fixture: &Fixture) -> Result<OperationId> {
    wait::until("the agent to take the job", async || {
        let taken: OperationPage = api.get("/operations?state=accepted").await?;
        let mut taken = taken.items.into_iter();
        let job = taken.find(|operation| operation.parameters["bucket"] == *fixture.bucket);
        Ok(job.map(|operation| operation.id))
    })
    .await
}

/// The operation that cancels this job.
async fn cancel_of(api: &Api, job: OperationId) -> Result<OperationId> {
    let all: OperationPage = api.get("/operations?limit=1000").await?;
    let mut all = all.items.into_iter();
    let cancel = all.find(|operation| operation.parameters["operation"] == job.to_string());
    Ok(cancel.context("nobody cancels the job")?.id)
}

async fn ended(stack: &Stack, id: OperationId) -> Result<Outcome> {
    let operation = wait::until("an operation to end", async || {
        let operation = stack.api.operation(id).await?.operation;
        Ok(operation.state.is_final().then_some(operation))
    })
    .await?;
    let receipt = stack.api.verified_receipt(&operation, stack.root_key);
    Ok(receipt.await?.outcome)
}
