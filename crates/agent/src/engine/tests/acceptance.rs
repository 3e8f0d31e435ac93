//! What is taken and what is refused, through the whole engine: each refusal under its code, with
//! a trace, and Garage not called.

use std::time::Duration;

use storm_protocol::{
    command::{
        AgentPing, BucketCreate, ClusterHealthCommand, Command, MAX_ENVELOPE_BYTES, RawCommand,
    },
    envelope::VerifyKey,
    error::Refusal,
    frame::KnownState,
    ident::{AgentId, OperationId},
    receipt::{Chain, Head, Receipt},
};

use super::support::{Bench, envelope};
use crate::{
    clock::{Clock as _, random},
    engine::{OpenError, Source, Submitted},
    journal::KEEP_HOURS,
};

fn ping() -> Command {
    Command::AgentPing(AgentPing {})
}

pub(super) fn create(name: &str, key: Option<&str>) -> Command {
    Command::BucketCreate(BucketCreate {
        bucket: name.parse().unwrap(),
        quota_bytes: None,
        quota_objects: None,
        abort_uploads_after_days: None,
        key: key.map(|label| label.parse().unwrap()),
    })
}

async fn refused(bench: &Bench, payload: &storm_protocol::envelope::CommandPayload) -> Refusal {
    match bench.submit(payload).await {
        Submitted::Ended(frame) => bench.done(frame).refusal(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_refusal_has_its_code_and_a_receipt_and_garage_is_not_called() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    bench.engine.set_executor(true, 1);
    let good = bench.payload(&asker, &create("photos", Some("k")));

    let mut wrong = good.clone();
    wrong.audience.agent = AgentId::new(bench.clock.now(), random());
    assert_eq!(refused(&bench, &wrong).await, Refusal::WrongAudience);
    let mut wrong = good.clone();
    wrong.audience.epoch = 0;
    assert_eq!(refused(&bench, &wrong).await, Refusal::OldEpoch);
    let mut wrong = good.clone();
    wrong.expires_at = wrong.issued_at;
    assert_eq!(refused(&bench, &wrong).await, Refusal::Expired);
    let mut wrong = good.clone();
    wrong.issued_at = bench.clock.now().plus_seconds(30);
    wrong.expires_at = wrong.issued_at.plus_seconds(60);
    assert_eq!(refused(&bench, &wrong).await, Refusal::NotYetValid);
    let mut wrong = good.clone();
    wrong.operation = OperationId::new(bench.clock.now().plus_seconds(-3600), random());
    assert_eq!(refused(&bench, &wrong).await, Refusal::Replayed);
    let mut wrong = good.clone();
    wrong.command.name = "shell.run".to_owned();
    assert_eq!(refused(&bench, &wrong).await, Refusal::UnknownCommand);
    let disabled = bench.payload(
        &asker,
        &Command::ClusterHealthCommand(ClusterHealthCommand {}),
    );
    assert_eq!(refused(&bench, &disabled).await, Refusal::DisabledCommand);
    let mut wrong = good.clone();
    wrong.command = RawCommand {
        name: "bucket.create".to_owned(),
        parameters: serde_json::value::RawValue::from_string("{}".to_owned()).unwrap(),
    };
    assert_eq!(refused(&bench, &wrong).await, Refusal::BadParameters);
    let mut wrong = good.clone();
    wrong.seal_to = None;
    assert_eq!(refused(&bench, &wrong).await, Refusal::SealKeyRequired);

    assert_eq!(bench.proxy.calls(), Vec::<String>::new());
    assert_eq!(bench.engine.state_of(good.operation), KnownState::Unknown);
    let frames = bench.engine.receipts_from(1, 100).unwrap();
    assert_eq!(frames.len(), 9);
    let (mut chain, key) = (Chain::default(), VerifyKey::of(&bench.identity.receipt_key));
    for frame in &frames {
        let (receipt, digest) = Receipt::open(&frame.receipt, key).unwrap();
        chain.append(&receipt, digest).unwrap();
    }
    let head: Head = serde_json::from_slice(&bench.engine.head().payload.0).unwrap();
    assert_eq!((head.sequence, head.digest), (9, chain.head));
    assert_eq!(
        bench
            .engine
            .counters()
            .iter()
            .filter(|count| count.signed)
            .count(),
        9
    );

    // A refused operation may be signed afresh and taken.
    assert!(matches!(bench.submit(&good).await, Submitted::Accepted(_)));
    bench.wait(good.operation).await.result();
}

#[tokio::test]
async fn what_no_trusted_key_signed_is_dropped_and_counted() {
    let bench = Bench::start().await;
    let payload = bench.payload(&bench.asker(), &ping());
    let good = String::from_utf8(bench.sign(&payload)).unwrap();
    let cases = [
        ("x".to_owned(), Refusal::Malformed),
        (" ".repeat(MAX_ENVELOPE_BYTES + 1), Refusal::Oversized),
        (format!("{good}{{}}"), Refusal::TrailingData),
        (
            good.replacen('{', "{\"payloadType\":\"x\",", 1),
            Refusal::DuplicateKey,
        ),
        (good.replacen('{', "{\"a\":1,", 1), Refusal::UnknownField),
        (
            good.replace("command.v1", "head.v1"),
            Refusal::WrongPayloadType,
        ),
        (
            String::from_utf8(envelope(&payload, &bench.offline)).unwrap(),
            Refusal::BadSignature,
        ),
    ];
    for (bytes, refusal) in &cases {
        let submitted = bench.engine.submit(bytes.as_bytes(), Source::Channel).await;
        assert!(
            matches!(submitted, Submitted::Dropped(code) if code == *refusal),
            "{submitted:?}"
        );
    }
    assert!(bench.engine.receipts_from(1, 10).unwrap().is_empty());
    let counters = bench.engine.counters();
    for (_, refusal) in &cases {
        assert!(
            counters
                .iter()
                .any(|count| count.refusal == *refusal && !count.signed)
        );
    }
}

#[tokio::test]
async fn a_known_operation_gets_its_receipt_whatever_the_clock_says_and_runs_once() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let payload = bench.payload(&asker, &create("photos", Some("k")));
    let bytes = bench.sign(&payload);
    // Twice at once: one is taken, and the other is told that it runs.
    let (one, other) = tokio::join!(
        bench.engine.submit(&bytes, Source::Channel),
        bench.engine.submit(&bytes, Source::Channel)
    );
    assert!(matches!(one, Submitted::Accepted(_)), "{one:?}");
    assert!(matches!(other, Submitted::Running(_)), "{other:?}");
    let first = bench.wait(payload.operation).await;
    bench.proxy.forget_calls();

    bench.clock.advance(40 * 3600);
    let again = bench.submit(&payload).await;
    let Submitted::Ended(frame) = again else {
        panic!("{again:?}")
    };
    assert_eq!(frame, first.frame);
    bench.clock.advance(-80 * 3600);
    let mut resigned = payload.clone();
    resigned.attempt = 2;
    resigned.issued_at = bench.clock.now();
    resigned.expires_at = resigned.issued_at.plus_seconds(60);
    let again = bench.submit(&resigned).await;
    assert!(
        matches!(&again, Submitted::Ended(frame) if *frame == first.frame),
        "{again:?}"
    );

    // Also by another process on the same state.
    bench.crash().await;
    bench.recover().await;
    let again = bench.submit(&payload).await;
    assert!(
        matches!(&again, Submitted::Ended(frame) if *frame == first.frame),
        "{again:?}"
    );

    let mut other = payload.clone();
    other.command = create("videos", Some("k")).to_raw();
    assert_eq!(refused(&bench, &other).await, Refusal::IntentConflict);
    assert_eq!(bench.proxy.calls(), Vec::<String>::new());
    assert_eq!(bench.garage.buckets().await.len(), 1);
}

#[tokio::test]
async fn a_refused_envelope_that_comes_again_adds_nothing_to_the_chain() {
    let bench = Bench::start().await;
    let mut payload = bench.payload(&bench.asker(), &ping());
    payload.expires_at = payload.issued_at;
    for _ in 0..5 {
        assert_eq!(refused(&bench, &payload).await, Refusal::Expired);
    }
    assert_eq!(bench.engine.receipts_from(1, 10).unwrap().len(), 1);
}

#[tokio::test]
async fn now_is_never_before_the_newest_command_that_was_taken() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let old = bench.payload(&asker, &ping());
    bench.clock.advance(300);
    bench.run(&asker, ping()).await.result();
    // The clock jumps back to where the old envelope was fresh, also over a restart.
    bench.clock.advance(-300);
    assert_eq!(refused(&bench, &old).await, Refusal::Expired);
    bench.crash().await;
    bench.recover().await;
    assert_eq!(refused(&bench, &old).await, Refusal::Expired);
}

#[tokio::test]
async fn an_operation_is_forgotten_after_48_hours_and_an_acknowledgement_and_never_taken_again() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let first = bench.payload(&asker, &create("photos", Some("k")));
    bench.submit(&first).await;
    let receipt = bench.wait(first.operation).await;
    assert!(receipt.frame.sealed.is_some());
    let sequence = receipt.frame.sequence;

    bench.clock.advance(KEEP_HOURS * 3600 - 60);
    bench.engine.receipts_kept(sequence);
    bench.engine.0.prune().await;
    assert_eq!(bench.engine.state_of(first.operation), KnownState::Ended);
    bench.clock.advance(120);
    bench.engine.0.prune().await;
    assert_eq!(bench.engine.state_of(first.operation), KnownState::Unknown);
    let kept = bench.engine.receipts_from(sequence, 1).unwrap();
    assert_eq!(kept[0].receipt, receipt.frame.receipt);
    assert_eq!(kept[0].sealed, None, "the sealed secret is forgotten too");

    // Back to when it was fresh: by the clock it could run again, by the floor it cannot.
    bench.crash().await;
    bench.clock.advance(-(KEEP_HOURS * 3600 + 60));
    bench.recover().await;
    assert_eq!(refused(&bench, &first).await, Refusal::Replayed);
    assert_eq!(bench.garage.buckets().await.len(), 1);
}

#[tokio::test]
async fn an_operation_from_a_clock_that_was_ahead_shuts_out_no_other() {
    const AHEAD_SECONDS: i64 = 365 * 24 * 3600;
    let bench = Bench::start().await;
    let asker = bench.asker();
    // Asked for while the control plane's clock was ahead, signed when it was right again.
    let mut early = bench.payload(&asker, &create("early", None));
    early.operation = OperationId::new(bench.clock.now().plus_seconds(AHEAD_SECONDS), random());
    assert!(matches!(bench.submit(&early).await, Submitted::Accepted(_)));
    let receipt = bench.wait(early.operation).await;
    receipt.result();
    bench.engine.receipts_kept(receipt.frame.sequence);

    bench.clock.advance(KEEP_HOURS * 3600 + 60);
    bench.engine.0.prune().await;
    assert_eq!(bench.engine.state_of(early.operation), KnownState::Ended);
    let now = bench.payload(&asker, &create("now", None));
    assert!(matches!(bench.submit(&now).await, Submitted::Accepted(_)));
    bench.wait(now.operation).await.result();

    bench.clock.advance(AHEAD_SECONDS);
    bench.engine.0.prune().await;
    assert_eq!(bench.engine.state_of(early.operation), KnownState::Unknown);
}

#[tokio::test]
async fn an_unacknowledged_operation_is_kept_for_ever() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    let payload = bench.payload(&asker, &create("photos", None));
    bench.submit(&payload).await;
    bench.wait(payload.operation).await;
    bench.clock.advance(365 * 24 * 3600);
    bench.engine.0.prune().await;
    assert_eq!(bench.engine.state_of(payload.operation), KnownState::Ended);
}

#[tokio::test]
async fn a_read_has_its_receipt_and_leaves_the_journal_as_it_was() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    // A change that was asked for before the read and comes after it.
    let slow = bench.payload(&asker, &create("photos", None));
    let read = bench.payload(&asker, &ping());
    bench.submit(&read).await;
    let first = bench.wait(read.operation).await;
    first.result();
    let Submitted::Ended(again) = bench.submit(&read).await else {
        panic!("it ran twice")
    };
    assert_eq!(again, first.frame);
    let mut other = read.clone();
    other.actor.operator = true;
    assert_eq!(refused(&bench, &other).await, Refusal::IntentConflict);

    // Nothing of it is in the journal, and nothing that is pruned refuses the change.
    bench.engine.receipts_kept(u64::MAX);
    bench.engine.0.prune().await;
    bench.crash().await;
    bench.recover().await;
    assert_eq!(bench.engine.state_of(read.operation), KnownState::Unknown);
    assert!(matches!(bench.submit(&slow).await, Submitted::Accepted(_)));
    bench.wait(slow.operation).await.result();
    let kept = bench.engine.receipts_from(first.frame.sequence, 1).unwrap();
    assert_eq!(kept[0], first.frame);
}

#[tokio::test]
async fn a_change_that_could_not_be_written_down_has_not_begun_and_may_come_again() {
    let bench = Bench::start().await;
    let payload = bench.payload(&bench.asker(), &create("photos", None));
    // Holds the journal's writer until the change waits behind a job that fails their commit.
    let journal = bench.engine.0.journal.clone();
    let (begun, begins) = tokio::sync::oneshot::channel();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let first = tokio::spawn(async move {
        let hold = move |_: &mut crate::journal::Tx<'_>| {
            begun.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        };
        journal.commit("settings", hold).await
    });
    begins.await.unwrap();
    let failing = bench.engine.0.journal.commit("settings", |_| {
        Err::<(), _>(redb::Error::Corrupted("a test says so".to_owned()))
    });
    let release = async move {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        go.send(()).unwrap();
    };
    let (submitted, failed, ()) = tokio::join!(bench.submit(&payload), failing, release);
    first.await.unwrap().unwrap();
    assert!(failed.is_err());
    assert!(
        matches!(submitted, Submitted::Dropped(Refusal::Busy)),
        "{submitted:?}"
    );
    let forgotten = async {
        while bench.engine.state_of(payload.operation) != KnownState::Unknown {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), forgotten)
        .await
        .expect("it is taken back within half a minute");
    assert_eq!(bench.proxy.calls(), Vec::<String>::new());
    assert!(matches!(
        bench.submit(&payload).await,
        Submitted::Accepted(_)
    ));
    bench.wait(payload.operation).await.result();
}

#[tokio::test]
async fn offline_keys_work_in_the_spool_alone_and_dispatch_keys_on_the_channel_alone() {
    let bench = Bench::start().await;
    let mut payload = bench.payload(&bench.asker(), &ping());
    payload.expires_at = payload.issued_at.plus_seconds(24 * 3600);
    let (offline, dispatch) = (envelope(&payload, &bench.offline), bench.sign(&payload));
    for (bytes, source) in [(&offline, Source::Channel), (&dispatch, Source::Spool)] {
        let submitted = bench.engine.submit(bytes, source).await;
        assert!(
            matches!(submitted, Submitted::Dropped(Refusal::BadSignature)),
            "{submitted:?}"
        );
    }
    let submitted = bench.engine.submit(&offline, Source::Spool).await;
    assert!(matches!(submitted, Submitted::Accepted(_)), "{submitted:?}");
    bench.wait(payload.operation).await.result();
}

#[tokio::test]
async fn while_the_hub_is_silent_no_change_starts_but_reads_and_the_spool_go_on() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    let payload = bench.payload(&asker, &create("photos", Some("k")));
    bench
        .proxy
        .plan("ImportKey", super::proxy::Mishap::AnswerLost);
    // The hub is heard for the last time with this command; its first call meets a mishap, and
    // then there is silence.
    let engine = bench.engine.clone();
    let silence = tokio::spawn(async move {
        loop {
            engine
                .0
                .heard_at
                .store(0, std::sync::atomic::Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(matches!(
        bench.submit(&payload).await,
        Submitted::Accepted(_)
    ));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(
        bench.engine.state_of(payload.operation),
        KnownState::Running
    );
    bench.proxy.forget_calls();

    let mut offline = bench.payload(&asker, &create("videos", None));
    offline.seal_to = None;
    bench
        .engine
        .submit(&envelope(&offline, &bench.offline), Source::Spool)
        .await;
    bench.wait(offline.operation).await.result();
    let mut read = bench.payload(&asker, &ping());
    read.seal_to = None;
    bench
        .engine
        .submit(&envelope(&read, &bench.offline), Source::Spool)
        .await;
    bench.wait(read.operation).await.result();
    assert_eq!(
        bench.engine.state_of(payload.operation),
        KnownState::Running
    );
    assert_eq!(bench.proxy.calls(), ["CreateBucket"], "the spool's alone");

    silence.abort();
    bench.engine.heard_from_hub();
    bench.wait(payload.operation).await.result();
}

#[tokio::test]
async fn one_process_has_the_state_and_gives_it_back_on_shutdown() {
    let mut bench = Bench::start().await;
    let second = bench.reopen().await.unwrap_err();
    assert!(matches!(second, OpenError::InUse(_)), "{second}");
    bench.engine.shutdown().await;
    let submitted = bench.submit(&bench.payload(&bench.asker(), &ping())).await;
    assert!(
        matches!(submitted, Submitted::Dropped(Refusal::Busy)),
        "{submitted:?}"
    );
    bench.reopen().await.unwrap();
}

#[tokio::test]
async fn epoch_and_generation_outlive_the_process() {
    let mut bench = Bench::start().await;
    bench.engine.set_executor(true, 7);
    bench.engine.set_generation(42).await.unwrap();
    bench.engine.set_executor(false, 3);
    assert_eq!(bench.engine.epoch(), 7);
    bench.engine.shutdown().await;
    bench.reopen().await.unwrap();
    assert_eq!(
        (bench.engine.epoch(), bench.engine.generation().unwrap()),
        (7, 42)
    );
}
