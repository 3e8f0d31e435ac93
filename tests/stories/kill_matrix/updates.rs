//! Kills inside Garage's own work: the agent dies the moment that a node shows the n-th change of its
//! tables. The cut connection ends Garage's handler there, half-way, which only a cluster shows.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{agent::Start, stack::Stack, wait::PATIENCE, word};
use storm_protocol::seal::OpenKey;

use super::{
    Tally,
    commands::{Fixture, Kind},
};

const KINDS: &[Kind] = &[
    Kind::BucketCreate,
    Kind::KeyCreate,
    Kind::KeySetGrant,
    Kind::KeyRotate,
    Kind::BucketDelete,
    Kind::KeyRevokeLeaked,
    Kind::BucketRemoveAlias,
];
/// Kills at each change: where exactly in the handler they fall differs.
const TURNS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_tables_on_three_nodes() -> Result<()> {
    let mut stack = Stack::three().await?;
    let mut tally = Tally::default();
    for kind in KINDS {
        let changes = changes_of(&stack, *kind, &mut tally).await?;
        for number in 1..=changes {
            for _ in 0..TURNS {
                let survived = survive(&mut stack, *kind, number, &mut tally).await;
                survived.with_context(|| format!("{kind:?}, killed at change {number}"))?;
            }
        }
    }
    tally.close(&stack).await
}

/// How many changes of tables the command makes when nobody dies.
async fn changes_of(stack: &Stack, kind: Kind, tally: &mut Tally) -> Result<u64> {
    let fixture = Fixture::make(stack, kind).await?;
    let seal = OpenKey::generate();
    let (method, path, body) = kind.request(&fixture, &seal);
    let before = stack.cluster.admin.table_updates().await?;
    let answer = stack
        .api
        .settle(method, &path, body.as_ref(), &word()?)
        .await?;
    let after = stack.cluster.admin.table_updates().await?;
    tally.check(stack, kind, &fixture, &answer, &seal).await?;
    Ok(after - before)
}

async fn survive(stack: &mut Stack, kind: Kind, number: u64, tally: &mut Tally) -> Result<()> {
    let fixture = Fixture::make(stack, kind).await?;
    let seal = OpenKey::generate();
    let (method, path, body) = kind.request(&fixture, &seal);
    let (api, idempotency) = (stack.api.clone(), word()?);
    let last = stack.cluster.admin.table_updates().await? + number;
    let asked = api.settle(method, &path, body.as_ref(), &idempotency);
    let killed = async {
        // As fast as Garage tells: each answer takes about a millisecond.
        let begun = Instant::now();
        while stack.cluster.admin.table_updates().await? < last {
            ensure!(
                begun.elapsed() < PATIENCE,
                "Garage shows fewer changes than the same command made before"
            );
        }
        stack.agent.kill()?;
        tally.look(&stack.cluster).await?;
        stack.agent.start(&Start::default())
    };
    let (answer, ()) = tokio::try_join!(asked, killed)?;
    tally.check(stack, kind, &fixture, &answer, &seal).await?;
    stack.connected().await
}
