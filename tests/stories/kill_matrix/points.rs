//! Kills at the agent's own steps, which a test build can be told to die at.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    agent::Start,
    process::{Process, is_running},
    require_fault_points,
    stack::Stack,
    wait, word,
};
use storm_protocol::seal::OpenKey;

use super::{
    Tally,
    commands::{Fixture, Kind},
    jobs::{FEW, PAGES, write_young},
};

/// Microseconds after which a request in flight is cut: while Garage checks the token, and about
/// when it is done.
const DELAYS_MICROS: &[u32] = &[1_000, 20_000];
/// The point at which the agent has not taken the command yet.
const NOT_TAKEN: &str = "journal.intent.before:1";
/// How long after a command's end its agent may still live.
const DYING: Duration = Duration::from_secs(10);

/// The commands, with the journal commits, admin calls and S3 requests that each makes when nothing
/// goes wrong. The second pass stands as `:2`; of `ListKeysInfo` the first is the sweep's at start.
const COMMANDS: &[(Kind, &[&str], &[&str])] = &[
    (
        Kind::BucketCreate,
        &["intent", "outcome"],
        &[
            "ImportKey",
            "CreateBucket",
            "UpdateBucket",
            "AllowBucketKey",
        ],
    ),
    (
        Kind::KeyCreate,
        &["intent", "outcome"],
        &["ImportKey", "UpdateKey", "AllowBucketKey"],
    ),
    (
        Kind::KeySetGrant,
        &["intent", "outcome"],
        &["DenyBucketKey", "AllowBucketKey"],
    ),
    (
        Kind::KeyRotate,
        &["intent", "record", "outcome"],
        &[
            "ListKeysInfo:2",
            "ImportKey",
            "UpdateKey",
            "AllowBucketKey",
            "UpdateKey:2",
        ],
    ),
    (
        Kind::BucketDelete,
        &["intent", "record", "outcome"],
        &[
            "GetBucketInfo",
            "CleanupIncompleteUploads",
            "DeleteBucket",
            "CleanupIncompleteUploads:2",
        ],
    ),
];

/// The commands that came later, on three nodes alone, which show all that one node shows.
const FURTHER_COMMANDS: &[(Kind, &[&str], &[&str])] = &[
    (
        Kind::BucketAddAlias,
        &["intent", "outcome"],
        &["AddBucketAlias"],
    ),
    (
        Kind::BucketRemoveAlias,
        &["intent", "outcome"],
        &["RemoveBucketAlias"],
    ),
    (
        Kind::BucketRestore,
        &["intent", "outcome"],
        &["UpdateBucket", "AllowBucketKey"],
    ),
    (Kind::BucketAdopt, &["intent", "outcome"], &["UpdateBucket"]),
    (
        Kind::BucketRelease,
        &["intent", "record", "outcome"],
        &["DenyBucketKey"],
    ),
    (
        Kind::KeyRevokeLeaked,
        &["intent", "record", "outcome"],
        &["DeleteKey", "ImportKey", "UpdateKey", "AllowBucketKey"],
    ),
    (
        Kind::KeyCreateTemporary,
        &["intent", "outcome"],
        &["ImportKey", "UpdateKey", "AllowBucketKey"],
    ),
    (
        Kind::KeySuspend,
        &["intent", "record", "outcome"],
        &["UpdateKey"],
    ),
];

/// Jobs: each step of one on a single page, and the steps of the pages.
const JOBS: &[(Kind, &[&str], &[&str])] = &[
    (
        Kind::BucketClear(FEW),
        &["intent", "job", "job:2", "outcome"],
        &[
            "GetBucketInfo",
            "ImportKey",
            "UpdateKey",
            "AllowBucketKey",
            "s3.DeleteObject",
            "CleanupIncompleteUploads",
            "DeleteKey",
        ],
    ),
    (
        Kind::BucketClear(PAGES),
        &["job:3"],
        &[
            "s3.ListObjectsV2:2",
            "s3.DeleteObjects",
            "s3.DeleteObjects:2",
        ],
    ),
    (
        Kind::BucketMeasure(FEW),
        &["intent", "job", "outcome"],
        &[
            "ImportKey",
            "AllowBucketKey",
            "s3.ListObjectsV2",
            "DeleteKey",
        ],
    ),
    (Kind::BucketMeasure(PAGES), &[], &["s3.ListObjectsV2:2"]),
];

/// Of a job, what a cluster may do half: its key, and the deletion of a page.
const JOBS_ON_THREE: &[(Kind, &[&str], &[&str])] = &[
    (
        Kind::BucketClear(FEW),
        &[],
        &["ImportKey", "UpdateKey", "AllowBucketKey", "DeleteKey"],
    ),
    (Kind::BucketClear(PAGES), &[], &["s3.DeleteObjects"]),
];

type Commands = [(Kind, &'static [&'static str], &'static [&'static str])];

#[derive(Debug)]
struct Case {
    kind: Kind,
    point: String,
    delay_micros: Option<u32>,
}

#[tokio::test(flavor = "multi_thread")]
async fn each_point_on_a_single_node() -> Result<()> {
    run(Stack::single().await?, COMMANDS).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_point_on_three_nodes() -> Result<()> {
    run(Stack::three().await?, COMMANDS).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_point_of_further_commands_on_three_nodes() -> Result<()> {
    run(Stack::three().await?, FURTHER_COMMANDS).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_point_of_jobs_on_a_single_node() -> Result<()> {
    run(Stack::single().await?, JOBS).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_point_of_jobs_on_three_nodes() -> Result<()> {
    run(Stack::three().await?, JOBS_ON_THREE).await
}

async fn run(mut stack: Stack, commands: &Commands) -> Result<()> {
    require_fault_points()?;
    let cases = cases(commands);
    let mut fixtures = Vec::new();
    for case in &cases {
        let fixture = Fixture::make(&stack, case.kind).await;
        fixtures.push(fixture.with_context(|| format!("before {case:?}"))?);
    }
    let mut tally = Tally::default();
    for (case, fixture) in cases.iter().zip(&fixtures) {
        let survived = survive(&mut stack, case, fixture, &mut tally).await;
        survived.with_context(|| format!("{case:?}"))?;
    }
    tally.close(&stack).await
}

fn cases(commands: &Commands) -> Vec<Case> {
    let mut cases = Vec::new();
    for (kind, commits, calls) in commands {
        let mut add = |point: String, delay_micros| {
            cases.push(Case {
                kind: *kind,
                point,
                delay_micros,
            });
        };
        for commit in *commits {
            let (commit, pass) = commit.split_once(':').unwrap_or((*commit, "1"));
            add(format!("journal.{commit}.before:{pass}"), None);
            add(format!("journal.{commit}.after:{pass}"), None);
        }
        for call in *calls {
            let (call, pass) = call.split_once(':').unwrap_or((*call, "1"));
            let point = match call.strip_prefix("s3.") {
                Some(_) => call.to_owned(),
                None => format!("call.{call}"),
            };
            add(format!("{point}.before:{pass}"), None);
            for delay in DELAYS_MICROS {
                add(format!("{point}.during:{pass}"), Some(*delay));
            }
            add(format!("{point}.after:{pass}"), None);
        }
    }
    cases
}

async fn survive(
    stack: &mut Stack,
    case: &Case,
    fixture: &Fixture,
    tally: &mut Tally,
) -> Result<()> {
    let fault = Start {
        fault: Some(&case.point),
        delay_micros: case.delay_micros,
        ..Start::default()
    };
    stack.restart_agent(&fault).await?;

    let seal = OpenKey::generate();
    let (method, path, body) = case.kind.request(fixture, &seal);
    let (api, idempotency) = (stack.api.clone(), word()?);
    let agent = stack.agent.id()?;
    let asked = async {
        let answer = api
            .settle(method, &path, body.as_ref(), &idempotency)
            .await?;
        // A request that was cut late may have come to its end: the agent dies all the same.
        wait::within(DYING, "the agent to pass this point", async || {
            Ok((!is_running(agent)).then_some(()))
        })
        .await?;
        Ok(answer)
    };
    let killed = async {
        let died = wait::until("the agent to die", async || stack.agent.ended()).await?;
        ensure!(Process::was_killed(died), "the agent ended with {died}");
        tally.look(&stack.cluster).await?;
        // Before the command is taken, nothing is younger than it.
        if matches!(case.kind, Kind::BucketClear(_)) && case.point != NOT_TAKEN {
            write_young(stack, fixture)?;
        }
        stack.agent.start(&Start::default())
    };
    let (answer, ()) = tokio::try_join!(asked, killed)?;
    tally.check(stack, case.kind, fixture, &answer, &seal).await
}
