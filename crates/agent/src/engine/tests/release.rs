//! The executor's role given up: first all that runs ends, then nothing of its epoch is taken.

use storm_protocol::{
    command::{AgentPing, Command, CommandResult, ExecutorRelease},
    envelope::CommandPayload,
    error::{Failure, Refusal},
    result::ExecutorReleased,
};

use super::{
    acceptance::create,
    interruptions::nothing_beside,
    proxy::Mishap,
    support::{Asker, Bench, Done},
};
use crate::{
    engine::tests::support::envelope,
    engine::{Source, Submitted},
};

fn operator(bench: &Bench) -> Asker {
    let mut asker = bench.asker();
    asker.actor.operator = true;
    asker
}

fn release(bench: &Bench) -> CommandPayload {
    bench.payload(
        &operator(bench),
        &Command::ExecutorRelease(ExecutorRelease {}),
    )
}

fn released(done: &Done) -> ExecutorReleased {
    match done.result() {
        CommandResult::ExecutorRelease(released) => released.clone(),
        other => panic!("{other:?}"),
    }
}

async fn refused(bench: &Bench, payload: &CommandPayload, source: Source) -> Refusal {
    let key = match source {
        Source::Channel => &bench.dispatch,
        Source::Spool => &bench.offline,
    };
    let submitted = bench.engine.submit(&envelope(payload, key), source).await;
    let Submitted::Ended(frame) = submitted else {
        panic!("{submitted:?}")
    };
    bench.done(frame).refusal()
}

#[tokio::test]
async fn an_idle_executor_gives_its_role_up_until_it_is_named_anew() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    bench.engine.set_executor(true, 1);
    let payload = release(&bench);
    bench.submit(&payload).await;
    assert_eq!(released(&bench.wait(payload.operation).await).epoch, 1);
    assert_eq!(bench.engine.epoch(), 2);
    let late = bench.payload(&asker, &create("late", None));
    for source in [Source::Channel, Source::Spool] {
        assert_eq!(refused(&bench, &late, source).await, Refusal::OldEpoch);
    }
    // The hub has not heard of it yet, and says what was.
    bench.engine.set_executor(true, 1);
    let early = CommandPayload {
        attempt: 1,
        ..bench.again(&bench.payload(&asker, &create("early", None)), 2)
    };
    assert!(matches!(bench.submit(&early).await, Submitted::Accepted(_)));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(bench.proxy.calls().is_empty(), "{:?}", bench.proxy.calls());
    // A restart forgets nothing of it.
    bench.crash().await;
    bench.recover().await;
    assert_eq!(bench.engine.epoch(), 2);
    assert_eq!(
        refused(&bench, &late, Source::Channel).await,
        Refusal::OldEpoch
    );
    bench.engine.set_executor(true, 2);
    bench.wait(early.operation).await.result();
}

#[tokio::test]
async fn what_runs_ends_first_and_meanwhile_only_reads_are_taken() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    bench.proxy.plan("CreateBucket", Mishap::Late);
    let (first, second) = (
        bench.payload(&asker, &create("photos", None)),
        bench.payload(&asker, &create("photos", None)),
    );
    bench.submit(&first).await;
    bench.submit(&second).await;
    bench.proxy.has_happened(1).await;
    let payload = release(&bench);
    bench.submit(&payload).await;
    let late = bench.payload(&asker, &create("late", None));
    while !super::super::lock(&bench.engine.0.operations).is_leaving() {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        refused(&bench, &late, Source::Channel).await,
        Refusal::OldEpoch
    );
    assert_eq!(refused(&bench, &late, Source::Spool).await, Refusal::Busy);
    bench
        .run(&asker, Command::AgentPing(AgentPing {}))
        .await
        .result();
    bench.proxy.release();
    // The one that runs, then the one behind it, then the role.
    let receipts = [
        bench.wait(first.operation).await,
        bench.wait(second.operation).await,
        bench.wait(payload.operation).await,
    ];
    assert!(receipts.is_sorted_by_key(|done| done.receipt.sequence));
    assert_eq!(released(&receipts[2]).epoch, 1);
    let made = super::commands::created(&receipts[0]).bucket;
    assert_eq!(receipts[1].failure(), Failure::NameTaken);
    nothing_beside(&bench, &[made], &[]).await;
}

#[tokio::test]
async fn what_does_not_end_keeps_the_role_where_it_is() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    bench.proxy.plan("CreateBucket", Mishap::Late);
    let first = bench.payload(&asker, &create("photos", None));
    bench.submit(&first).await;
    bench.proxy.has_happened(1).await;
    let payload = release(&bench);
    bench.submit(&payload).await;
    let done = bench.wait(payload.operation).await;
    assert_eq!(done.failure(), Failure::JobsRunning);
    assert_eq!(bench.engine.epoch(), 1);
    bench.run(&asker, create("films", None)).await.result();
    bench.proxy.release();
    bench.wait(first.operation).await.result();
    // Asked again, it has nothing to wait for.
    let payload = release(&bench);
    bench.submit(&payload).await;
    assert_eq!(released(&bench.wait(payload.operation).await).epoch, 1);
}

#[tokio::test]
async fn a_release_that_a_crash_cut_is_finished_by_the_next_start() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    bench.proxy.plan("CreateBucket", Mishap::HeldAfter);
    let first = bench.payload(&asker, &create("photos", None));
    bench.submit(&first).await;
    bench.proxy.has_happened(1).await;
    let payload = release(&bench);
    bench.submit(&payload).await;
    bench.crash().await;
    bench.recover().await;
    bench.wait(first.operation).await.result();
    assert_eq!(released(&bench.wait(payload.operation).await).epoch, 1);
    assert_eq!(bench.engine.epoch(), 2);
}
