//! Long work on a bucket's objects: what is deleted and counted, how it goes on after a restart, how
//! it is cancelled, and that its key never stays.

use std::time::Duration;

use storm_protocol::{
    command::{BucketClear, BucketMeasurePrefix, Command, CommandResult, JobCancel},
    error::Failure,
    ident::{AccessKeyId, BucketId, OperationId},
    result::{BucketCleared, PrefixMeasured},
};
use tokio::task::JoinSet;

use super::{
    acceptance::create,
    commands::{created, new_key},
    s3_proxy::Kind,
    support::{Asker, Bench, Done},
};
use crate::{
    clock::{Clock as _, SystemClock},
    engine::{Phase, Submitted},
    s3::S3Bucket,
};

/// Objects in a bucket that is to be cleared: three pages.
const OBJECTS: usize = 2_500;
/// The bytes of each.
const BODY: &str = "hello";
/// Uploads at the same time.
const UPLOADS: usize = 16;

/// A bucket, and someone who may write into it past the proxy.
pub(super) struct Filled {
    pub(super) asker: Asker,
    pub(super) bucket: BucketId,
    s3: S3Bucket,
    key: (AccessKeyId, String),
}

impl Filled {
    pub(super) async fn new(bench: &Bench, name: &str, keys: Vec<String>) -> Self {
        let asker = bench.asker();
        let done = bench.run(&asker, create(name, Some("k"))).await;
        let (bucket, key, secret) = (created(&done).bucket, new_key(&done), bench.secret(&done));
        let s3 = bench
            .direct_s3()
            .bucket(bucket, &key, &secret.clone().into())
            .unwrap();
        let filled = Self {
            asker,
            bucket,
            s3,
            key: (key, secret),
        };
        filled.put(keys).await;
        filled
    }

    pub(super) async fn put(&self, keys: Vec<String>) {
        let mut uploads = JoinSet::new();
        for key in keys {
            if uploads.len() == UPLOADS {
                uploads.join_next().await.unwrap().unwrap();
            }
            let s3 = self.s3.clone();
            uploads.spawn(async move { s3.put(&key, BODY).await.unwrap() });
        }
        uploads.join_all().await;
        // What shares its millisecond with a command is not told from what comes after it.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }

    /// Writes an object under a path that is sent as it is.
    fn put_raw(&self, bench: &Bench, path: &str) {
        let (key, secret) = &self.key;
        assert_eq!(
            bench.garage.s3("PUT", path, key.as_str(), secret),
            200,
            "{path}"
        );
    }

    pub(super) fn key_id(&self) -> &str {
        self.key.0.as_str()
    }

    /// Begins an upload that nobody finishes.
    pub(super) fn begin_upload(&self, bench: &Bench, path: &str) {
        let (key, secret) = &self.key;
        let begun = bench.garage.s3("POST", path, key.as_str(), secret);
        assert_eq!(begun, 200, "{path}");
    }

    pub(super) async fn keys(&self) -> Vec<String> {
        let page = self.s3.list("", None, 1000).await.unwrap();
        page.objects.into_iter().map(|object| object.key).collect()
    }

    pub(super) fn clear(&self) -> Command {
        clear(self.bucket)
    }

    /// Asks for the clearing and waits until its first listing is held back.
    pub(super) async fn begin(&self, bench: &Bench) -> OperationId {
        let operation = submit(bench, &self.asker, self.clear()).await;
        until(|| bench.s3.count(Kind::List) > 0).await;
        operation
    }
}

pub(super) fn clear(bucket: BucketId) -> Command {
    Command::BucketClear(BucketClear { bucket })
}

fn many() -> Vec<String> {
    (0..OBJECTS)
        .map(|number| format!("logs/{number:05}"))
        .collect()
}

pub(super) async fn submit(bench: &Bench, asker: &Asker, command: Command) -> OperationId {
    let payload = bench.payload(asker, &command);
    match bench.submit(&payload).await {
        Submitted::Accepted(operation) => operation,
        other => panic!("{other:?}"),
    }
}

async fn cancel(bench: &Bench, asker: &Asker, operation: OperationId) -> Done {
    let command = Command::JobCancel(JobCancel { operation });
    bench.run(asker, command).await
}

pub(super) async fn until(true_at_last: impl Fn() -> bool) {
    for _ in 0..6000 {
        if true_at_last() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not happen within a minute");
}

pub(super) fn cleared(done: &Done) -> &BucketCleared {
    match done.result() {
        CommandResult::BucketClear(cleared) => cleared,
        other => panic!("{other:?}"),
    }
}

fn measured(done: &Done) -> &PrefixMeasured {
    match done.result() {
        CommandResult::BucketMeasurePrefix(measured) => measured,
        other => panic!("{other:?}"),
    }
}

/// Garage has no keys but the ones that buckets were made with.
pub(super) async fn no_key_left(bench: &Bench) {
    for key in bench.garage.keys().await {
        assert!(key.name.ends_with("/k"), "{} was left", key.name);
    }
}

#[tokio::test]
async fn every_object_of_before_goes_whatever_its_key_and_none_of_after() {
    let bench = Bench::start().await;
    let mut keys = many();
    let odd = [
        " ",
        "a b+c&d=e",
        "]x",
        "[",
        "%41%2F",
        "\u{e4}\u{1f600}\u{fffd}",
        "tab\tline\nreturn\r",
        "<Key>&amp;</Key>",
        "\"'",
        "\u{1}",
        "a\u{1f}b/\u{ffff}",
        "/rooted",
        "a//b/",
        "?x#y",
    ];
    keys.extend(odd.map(str::to_owned));
    // About as long as Garage's LMDB takes: 511 bytes with the bucket's hash before it.
    keys.push("\u{e4}".repeat(230));
    let objects = keys.len() as u64;
    let filled = Filled::new(&bench, "photos", keys).await;
    filled.put_raw(&bench, "/photos/x/../y");

    bench.s3.allow(Kind::List, 0);
    let operation = filled.begin(&bench).await;
    // Its key, while it works: never without an end, and no more rights than it needs.
    let all = bench.garage.keys().await;
    let own = all
        .iter()
        .find(|key| key.name.ends_with("/storm job"))
        .unwrap();
    let ends = own.expiration.unwrap();
    assert!(ends > SystemClock.now() && ends < SystemClock.now().plus_seconds(25 * 3600));
    let rights = own.buckets[0].permissions;
    assert!(rights.read && rights.write && !rights.owner);
    filled
        .put(vec!["zzz-young".to_owned(), "aaa-young".to_owned()])
        .await;
    bench.s3.allow(Kind::List, usize::MAX);

    let done = bench.wait(operation).await;
    let cleared = cleared(&done);
    assert_eq!(
        (cleared.objects, cleared.kept),
        (objects + 1, 2),
        "{cleared:?}"
    );
    assert_eq!(cleared.bytes, cleared.objects * BODY.len() as u64);
    assert_eq!(filled.keys().await, ["aaa-young", "zzz-young"]);
    assert!(!bench.engine.has_jobs());
    no_key_left(&bench).await;
}

#[tokio::test]
async fn a_key_that_no_request_can_name_is_told_and_nothing_else_is_deleted_for_it() {
    let bench = Bench::start().await;
    let keys = ["a", "y"].map(str::to_owned).to_vec();
    let filled = Filled::new(&bench, "photos", keys).await;
    filled.put_raw(&bench, "/photos/%01/../y");
    let done = bench.run(&filled.asker, filled.clear()).await;
    assert_eq!(done.failure(), Failure::JobBroken);
    assert_eq!(filled.keys().await, ["\u{1}/../y"]);
    no_key_left(&bench).await;
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was_and_counts_on() {
    let mut bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", many()).await;
    bench.s3.allow(Kind::List, 1);
    let operation = filled.begin(&bench).await;
    until(|| bench.s3.count(Kind::List) == 2).await;
    // Once it closes, the job stops at its next step, and writes down where that is.
    let engine = bench.engine.clone();
    let closing = tokio::spawn(async move { engine.shutdown().await });
    until(|| *bench.engine.0.phase().borrow() != Phase::Open).await;
    bench.s3.allow(Kind::List, usize::MAX);
    closing.await.unwrap();
    assert_eq!(
        filled.keys().await.len(),
        1000,
        "more than a thousand are left"
    );
    bench.recover().await;
    let done = bench.wait(operation).await;
    assert_eq!(
        (cleared(&done).objects, cleared(&done).kept),
        (OBJECTS as u64, 0)
    );
    assert!(filled.keys().await.is_empty());
    no_key_left(&bench).await;
}

#[tokio::test]
async fn a_kill_goes_on_too_and_counts_each_object_once() {
    let mut bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", many()).await;
    bench.s3.allow(Kind::Delete, 1);
    let operation = filled.begin(&bench).await;
    until(|| {
        bench
            .engine
            .progress()
            .iter()
            .any(|frame| frame.objects == 1000)
    })
    .await;
    let frame = bench.engine.progress().remove(0);
    assert_eq!(frame.total_objects, Some(OBJECTS as u64));
    bench.crash().await;
    bench.s3.allow(Kind::Delete, usize::MAX);
    bench.recover().await;
    let done = bench.wait(operation).await;
    assert_eq!(
        (cleared(&done).objects, cleared(&done).kept),
        (OBJECTS as u64, 0)
    );
    assert!(filled.keys().await.is_empty());
    no_key_left(&bench).await;
}

#[tokio::test]
async fn a_cancelled_job_ends_at_its_next_step() {
    let bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", many()).await;
    bench.s3.allow(Kind::List, 1);
    let operation = filled.begin(&bench).await;
    until(|| bench.s3.count(Kind::List) == 2).await;
    // Another account learns nothing, and stops nothing.
    let stranger = bench.asker();
    let refused = cancel(&bench, &stranger, operation).await;
    assert_eq!(refused.failure(), Failure::TooLate);
    let absent = OperationId::new(SystemClock.now(), [7; 10]);
    let refused = cancel(&bench, &filled.asker, absent).await;
    assert_eq!(refused.failure(), Failure::TooLate);

    let stopped = cancel(&bench, &filled.asker, operation).await;
    assert!(matches!(stopped.result(), CommandResult::JobCancel(c) if c.operation == operation));
    bench.s3.allow(Kind::List, usize::MAX);
    assert_eq!(bench.wait(operation).await.failure(), Failure::Cancelled);
    assert_eq!(
        filled.keys().await.len(),
        1000,
        "more than a thousand are left"
    );
    let again = cancel(&bench, &filled.asker, operation).await;
    assert_eq!(again.failure(), Failure::TooLate);
    assert!(!bench.engine.0.journal.is_cancelled(operation).unwrap());
    no_key_left(&bench).await;
}

#[tokio::test]
async fn a_cancelled_job_stays_cancelled_after_a_kill() {
    let mut bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", vec!["a".to_owned()]).await;
    bench.s3.allow(Kind::List, 0);
    let operation = filled.begin(&bench).await;
    let mut operator = bench.asker();
    operator.actor.operator = true;
    cancel(&bench, &operator, operation).await.result();
    bench.crash().await;
    bench.s3.allow(Kind::List, usize::MAX);
    bench.recover().await;
    assert_eq!(bench.wait(operation).await.failure(), Failure::Cancelled);
    assert_eq!(filled.keys().await, ["a"]);
    assert!(!bench.engine.0.journal.is_cancelled(operation).unwrap());
    no_key_left(&bench).await;
}

#[tokio::test]
async fn a_job_that_waits_is_cancelled_at_once_and_short_commands_pass_jobs() {
    let bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", vec!["a".to_owned()]).await;
    bench.s3.allow(Kind::List, 0);
    let first = filled.begin(&bench).await;
    let second = submit(&bench, &filled.asker, filled.clear()).await;
    // Both take the bucket's line; what is about another bucket waits for neither.
    let other = bench.run(&filled.asker, create("videos", None)).await;
    assert_ne!(created(&other).bucket, filled.bucket);
    cancel(&bench, &filled.asker, second).await.result();
    assert_eq!(bench.wait(second).await.failure(), Failure::Cancelled);
    assert!(!bench.engine.0.journal.is_cancelled(second).unwrap());
    bench.s3.allow(Kind::List, usize::MAX);
    assert_eq!(cleared(&bench.wait(first).await).objects, 1);
    no_key_left(&bench).await;
}

#[tokio::test]
async fn what_cannot_be_had_at_once_is_asked_for_again() {
    let bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", vec!["a".to_owned()]).await;
    bench.s3.refuse(3);
    let done = bench.run(&filled.asker, filled.clear()).await;
    assert_eq!(cleared(&done).objects, 1);
    assert!(bench.s3.count(Kind::List) >= 4);
    no_key_left(&bench).await;
}

#[tokio::test]
async fn a_job_sends_nothing_while_another_agent_may_be_the_executor() {
    let bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", vec!["a".to_owned()]).await;
    bench.s3.allow(Kind::List, 0);
    let operation = filled.begin(&bench).await;
    bench.engine.set_executor(false, 1);
    bench.s3.allow(Kind::List, usize::MAX);
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(bench.s3.count(Kind::Delete), 0);
    bench.engine.set_executor(true, 1);
    assert_eq!(cleared(&bench.wait(operation).await).objects, 1);
}

#[tokio::test]
async fn a_prefix_is_measured_up_to_its_cap() {
    let bench = Bench::start().await;
    let mut keys: Vec<_> = (0..1_200).map(|number| format!("logs/{number}")).collect();
    keys.push("films/a b+c".to_owned());
    let filled = Filled::new(&bench, "photos", keys).await;
    let measure = |prefix: &str, max_objects| {
        Command::BucketMeasurePrefix(BucketMeasurePrefix {
            bucket: filled.bucket,
            prefix: prefix.parse().unwrap(),
            max_objects,
        })
    };
    for (prefix, most, objects, complete) in [
        ("", 1_000_000, 1_201, true),
        ("logs/", 1_200, 1_200, true),
        ("logs/", 1_199, 1_199, false),
        ("logs/", 1_000, 1_000, false),
        ("films/a b+", 1, 1, true),
        ("nothing/", 1, 0, true),
    ] {
        let done = bench.run(&filled.asker, measure(prefix, most)).await;
        let measured = measured(&done);
        let expected = (objects, objects * BODY.len() as u64, complete);
        let found = (measured.objects, measured.bytes, measured.complete);
        assert_eq!(found, expected, "{prefix} {most}");
    }
    assert_eq!(bench.s3.count(Kind::Delete), 0);
    no_key_left(&bench).await;
    let absent = BucketId([9; 32]);
    let mut operator = bench.asker();
    operator.actor.operator = true;
    let none = bench.run(&operator, clear(absent)).await;
    assert_eq!(none.failure(), Failure::NoSuchBucket);
    no_key_left(&bench).await;
}

#[tokio::test]
async fn an_agent_that_is_not_told_of_s3_any_more_ends_the_job_and_its_key() {
    let mut bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", vec!["a".to_owned()]).await;
    bench.s3.allow(Kind::List, 0);
    let operation = filled.begin(&bench).await;
    bench.crash().await;
    bench.without_s3 = true;
    bench.recover().await;
    assert_eq!(bench.wait(operation).await.failure(), Failure::JobBroken);
    assert_eq!(filled.keys().await, ["a"]);
    no_key_left(&bench).await;
}
