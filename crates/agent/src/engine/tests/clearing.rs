//! What a clearing must not take along, however long it waits and whoever goes on with it.

use std::time::Duration;

use serde_json::json;
use storm_protocol::{
    command::{AgentPing, BucketRelease, Command},
    error::Failure,
};

use super::{
    jobs::{Filled, cleared, no_key_left, submit, until},
    proxy::Mishap,
    s3_proxy::Kind,
    support::Bench,
};
use crate::{clock::Clock as _, engine::Submitted};

/// Three objects, in the order of a listing.
fn three() -> Vec<String> {
    ["a", "b", "c"].map(str::to_owned).to_vec()
}

/// Waits until the only job that runs has listed a page and is about to delete it.
async fn until_deleting(bench: &Bench) {
    loop {
        let read = bench.engine.0.journal.commit("settings", |tx| tx.running());
        let job = read.await.unwrap().pop().unwrap().job;
        if job.is_some_and(|job| job.begun_to.is_some()) {
            return;
        }
    }
}

#[tokio::test]
async fn what_is_overwritten_while_a_deletion_waits_for_s3_stays() {
    let bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", three()).await;
    bench.s3.allow(Kind::Delete, 0);
    let operation = filled.begin(&bench).await;
    until(|| bench.s3.count(Kind::Delete) == 1).await;
    filled.put(vec!["b".to_owned()]).await;
    // It is answered at last: not now. What was listed before is no reason to delete any more.
    bench.s3.refuse(1);
    bench.s3.allow(Kind::Delete, usize::MAX);
    let done = bench.wait(operation).await;
    assert_eq!((cleared(&done).objects, cleared(&done).kept), (3, 1));
    assert_eq!(filled.keys().await, ["b"]);
    no_key_left(&bench).await;
}

#[tokio::test]
async fn what_is_overwritten_while_a_deletion_waits_for_the_hub_stays() {
    let bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", three()).await;
    bench.s3.allow(Kind::List, 0);
    let operation = filled.begin(&bench).await;
    bench.engine.set_executor(false, 1);
    bench.s3.allow(Kind::List, usize::MAX);
    until_deleting(&bench).await;
    filled.put(vec!["a".to_owned(), "d".to_owned()]).await;
    bench.engine.set_executor(true, 1);
    let done = bench.wait(operation).await;
    assert_eq!(cleared(&done).objects, 3);
    assert_eq!(filled.keys().await, ["a", "d"]);
    no_key_left(&bench).await;
}

#[tokio::test]
async fn what_is_written_after_a_lost_agent_took_the_clearing_stays() {
    let mut bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", three()).await;
    bench.s3.allow(Kind::List, 0);
    let payload = bench.payload(&filled.asker, &filled.clear());
    let submitted = bench.submit(&payload).await;
    assert!(matches!(submitted, Submitted::Accepted(_)), "{submitted:?}");
    until(|| bench.s3.count(Kind::List) == 1).await;
    filled.put(vec!["b".to_owned(), "d".to_owned()]).await;
    bench.next_agent().await;
    bench.s3.allow(Kind::List, usize::MAX);
    let submitted = bench.submit(&bench.again(&payload, 2)).await;
    assert!(matches!(submitted, Submitted::Accepted(_)), "{submitted:?}");
    let done = bench.wait(payload.operation).await;
    assert_eq!((cleared(&done).objects, cleared(&done).kept), (2, 2));
    assert_eq!(filled.keys().await, ["b", "d"]);
    no_key_left(&bench).await;
}

#[tokio::test]
async fn a_control_plane_whose_clock_is_ahead_takes_nothing_along() {
    let bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", three()).await;
    let mut ahead = bench.payload(&filled.asker, &Command::AgentPing(AgentPing {}));
    ahead.issued_at = bench.clock.now().plus_seconds(4);
    ahead.expires_at = ahead.issued_at.plus_seconds(60);
    let submitted = bench.submit(&ahead).await;
    assert!(matches!(submitted, Submitted::Accepted(_)), "{submitted:?}");
    bench.wait(ahead.operation).await.result();
    bench.s3.allow(Kind::List, 0);
    let operation = submit(&bench, &filled.asker, filled.clear()).await;
    until(|| bench.s3.count(Kind::List) == 1).await;
    filled.put(vec!["b".to_owned()]).await;
    bench.s3.allow(Kind::List, usize::MAX);
    let done = bench.wait(operation).await;
    assert_eq!((cleared(&done).objects, cleared(&done).kept), (2, 1));
    assert_eq!(filled.keys().await, ["b"]);
}

#[tokio::test]
async fn an_upload_that_began_after_stays_though_the_end_waits() {
    let bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", three()).await;
    filled.begin_upload(&bench, "/photos/before?uploads=");
    tokio::time::sleep(Duration::from_secs(3)).await;
    bench.s3.allow(Kind::List, 0);
    let operation = filled.begin(&bench).await;
    filled.begin_upload(&bench, "/photos/after?uploads=");
    bench.s3.allow(Kind::List, usize::MAX);
    assert_eq!(cleared(&bench.wait(operation).await).objects, 3);
    // Garage's counters may lag; what a clean-up finds is there.
    let all = json!({ "bucketId": filled.bucket, "olderThanSecs": 0 });
    let found = bench.garage.ask("CleanupIncompleteUploads", &all);
    assert_eq!(found["uploadsDeleted"], 1);
}

#[tokio::test]
async fn a_clearing_that_waited_behind_a_release_touches_nothing_after_a_kill_either() {
    let mut bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", three()).await;
    let mut operator = bench.asker();
    operator.actor.operator = true;
    bench.proxy.plan("DenyBucketKey", Mishap::HeldBefore);
    let bucket = filled.bucket;
    let release = Command::BucketRelease(BucketRelease { bucket });
    let release = submit(&bench, &operator, release).await;
    let behind = submit(&bench, &filled.asker, filled.clear()).await;
    bench.proxy.has_happened(1).await;
    bench.crash().await;
    bench.recover().await;
    bench.wait(release).await.result();
    assert_eq!(bench.wait(behind).await.failure(), Failure::NoSuchBucket);
    assert_eq!(bench.s3.count(Kind::List), 0);
    let rights = json!({ "read": true, "write": false, "owner": false });
    let key = filled.key_id();
    let again = json!({ "bucketId": bucket, "accessKeyId": key, "permissions": rights });
    bench.garage.ask("AllowBucketKey", &again);
    assert_eq!(filled.keys().await, ["a", "b", "c"]);
    no_key_left(&bench).await;
}
