//! What another agent, which is lost, had begun: this one has another journal, looks at what is
//! there, and brings it to its one end.

use storm_protocol::{
    command::{Command, CommandResult, KeyCreate, KeyDelete, KeyGrant, KeyRotate},
    envelope::CommandPayload,
    error::{Failure, Refusal},
    ident::Limit,
};

use super::{
    acceptance::create,
    commands::{created, delete, new_key},
    interruptions::nothing_beside,
    proxy::Mishap,
    support::{Asker, Bench, Done},
};
use crate::engine::Submitted;

/// What a lost agent leaves of a call: nothing, or all but the answer.
const CUTS: [Mishap; 2] = [Mishap::HeldBefore, Mishap::HeldAfter];

/// Lets the present agent come as far as `call`, and the next one finish, as executor of `epoch`.
async fn begun_by_another(
    bench: &mut Bench,
    asker: &Asker,
    command: &Command,
    (call, cut): (&str, Mishap),
    epoch: u64,
) -> Done {
    let payload = bench.payload(asker, command);
    let payload = CommandPayload {
        attempt: 1,
        ..bench.again(&payload, epoch - 1)
    };
    let before = bench.proxy.happened();
    bench.proxy.plan(call, cut);
    let submitted = bench.submit(&payload).await;
    assert!(matches!(submitted, Submitted::Accepted(_)), "{submitted:?}");
    bench.proxy.has_happened(before + 1).await;
    bench.next_agent().await;
    finished(bench, &bench.again(&payload, epoch)).await
}

async fn finished(bench: &Bench, payload: &CommandPayload) -> Done {
    let submitted = bench.submit(payload).await;
    assert!(matches!(submitted, Submitted::Accepted(_)), "{submitted:?}");
    bench.wait(payload.operation).await
}

#[tokio::test]
async fn a_bucket_that_another_began_is_one_bucket_with_one_key_that_works() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let (mut buckets, mut keys, mut epoch) = (vec![], vec![], 1);
    for call in [
        "ImportKey",
        "CreateBucket",
        "UpdateBucket",
        "AllowBucketKey",
    ] {
        for cut in CUTS {
            epoch += 1;
            let name = format!("{call}-{cut:?}").to_lowercase();
            let mut command = create(&name, Some("k"));
            if let Command::BucketCreate(create) = &mut command {
                create.quota_bytes = Limit::new(1000);
            }
            let done = begun_by_another(&mut bench, &asker, &command, (call, cut), epoch).await;
            let (key, secret) = (new_key(&done), bench.secret(&done));
            let put = bench
                .garage
                .s3("PUT", &format!("/{name}/a"), key.as_str(), &secret);
            assert_eq!(put, 200, "{name}");
            buckets.push(created(&done).bucket);
            keys.push(key);
            nothing_beside(&bench, &buckets, &keys).await;
        }
    }
    let found = bench.garage.buckets().await;
    assert!(
        found
            .iter()
            .all(|bucket| bucket.quotas.max_size == Some(1000))
    );
}

#[tokio::test]
async fn a_key_that_another_began_is_one_key_that_works() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    // Its key's name tells each new journal whose the bucket is.
    let done = bench.run(&asker, create("photos", Some("first"))).await;
    let bucket = created(&done).bucket;
    let (mut keys, mut epoch) = (vec![new_key(&done)], 1);
    for call in ["ImportKey", "UpdateKey", "AllowBucketKey"] {
        for cut in CUTS {
            epoch += 1;
            let now = bench.payload(&asker, &delete(bucket)).issued_at;
            let command = Command::KeyCreate(KeyCreate {
                label: "k".parse().unwrap(),
                expires_at: Some(now.plus_seconds(900)),
                create_buckets: false,
                grants: vec![KeyGrant {
                    bucket,
                    read: true,
                    write: true,
                    owner: false,
                }],
            });
            let done = begun_by_another(&mut bench, &asker, &command, (call, cut), epoch).await;
            let (key, secret) = (new_key(&done), bench.secret(&done));
            let put = bench.garage.s3("PUT", "/photos/a", key.as_str(), &secret);
            assert_eq!(put, 200, "{call} {cut:?}");
            keys.push(key);
            nothing_beside(&bench, &[bucket], &keys).await;
        }
    }
    let ends = bench.garage.keys().await;
    let ends: Vec<_> = ends.iter().filter_map(|key| key.expiration).collect();
    assert_eq!(ends.len(), keys.len() - 1);
}

#[tokio::test]
async fn a_rotation_that_another_began_gives_the_new_key_no_end_that_the_old_one_had_not() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let done = bench.run(&asker, create("photos", Some("first"))).await;
    let (bucket, mut old, mut epoch) = (created(&done).bucket, new_key(&done), 1);
    let mut keys = vec![old.clone()];
    for call in ["ImportKey", "AllowBucketKey", "UpdateKey"] {
        for cut in CUTS {
            epoch += 1;
            let command = Command::KeyRotate(KeyRotate {
                key: old.clone(),
                label: None,
                grace_seconds: 3600,
            });
            let done = begun_by_another(&mut bench, &asker, &command, (call, cut), epoch).await;
            let CommandResult::KeyRotate(rotated) = done.result() else {
                panic!("{done:?}")
            };
            let (key, secret) = (new_key(&done), bench.secret(&done));
            let put = bench.garage.s3("PUT", "/photos/a", key.as_str(), &secret);
            assert_eq!(put, 200, "{call} {cut:?}");
            keys.push(key.clone());
            nothing_beside(&bench, &[bucket], &keys).await;
            let found = bench.garage.keys().await;
            let ends = |id: &str| {
                let key = found.iter().find(|key| key.access_key_id == id);
                key.unwrap().expiration
            };
            let old_ends = ends(old.as_str());
            assert_eq!(
                old_ends,
                Some(rotated.previous_expires_at),
                "{call} {cut:?}"
            );
            assert_eq!(ends(key.as_str()), None, "{call} {cut:?}");
            old = key;
        }
    }
}

#[tokio::test]
async fn what_another_deleted_is_deleted() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let done = bench.run(&asker, create("photos", Some("first"))).await;
    let delete_key = Command::KeyDelete(KeyDelete {
        key: new_key(&done),
    });
    let bucket = created(&done).bucket;
    let mut commands = vec![];
    for name in ["films", "songs"] {
        let done = bench.run(&asker, create(name, Some("k"))).await;
        commands.push(delete(created(&done).bucket));
    }
    for ((command, cut), epoch) in commands.iter().zip(CUTS).zip(2..) {
        let at = ("DeleteBucket", cut);
        begun_by_another(&mut bench, &asker, command, at, epoch)
            .await
            .result();
    }
    begun_by_another(
        &mut bench,
        &asker,
        &delete_key,
        ("DeleteKey", Mishap::HeldAfter),
        4,
    )
    .await
    .result();
    let left: Vec<_> = bench.garage.buckets().await.iter().map(|b| b.id).collect();
    assert_eq!(left, [bucket]);
}

#[tokio::test]
async fn a_deletion_that_had_taken_the_keys_away_is_carried_on() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let mut payloads = vec![];
    for name in ["films", "songs"] {
        let done = bench.run(&asker, create(name, Some("k"))).await;
        let bucket = created(&done).bucket;
        let payload = bench.payload(&asker, &delete(bucket));
        let before = bench.proxy.happened();
        bench.proxy.plan("DeleteBucket", Mishap::HeldBefore);
        bench.submit(&payload).await;
        bench.proxy.has_happened(before + 1).await;
        // Garage came as far as the rights: the bucket is there, and no key says whose it is.
        let rights = serde_json::json!({ "read": true, "write": true, "owner": true });
        let body = serde_json::json!({
            "bucketId": bucket, "accessKeyId": new_key(&done), "permissions": rights,
        });
        bench.garage.ask("DenyBucketKey", &body);
        payloads.push(payload);
        bench.next_agent().await;
    }
    let [films, songs] = &payloads[..] else {
        panic!("two")
    };
    finished(&bench, &bench.again(films, 2)).await.result();
    assert_eq!(bench.garage.buckets().await.len(), 1);
    // What nobody has begun is not taken on anybody's word.
    let asked_now = bench.payload(&asker, &songs.command.parse().unwrap());
    let Submitted::Ended(frame) = bench.submit(&bench.again(&asked_now, 2)).await else {
        panic!("it is taken")
    };
    assert_eq!(bench.done(frame).refusal(), Refusal::NotYours);
    finished(&bench, &bench.again(songs, 2)).await.result();
    assert_eq!(bench.garage.buckets().await.len(), 0);
}

#[tokio::test]
async fn a_bucket_with_something_in_it_was_not_begun_by_anyone() {
    let mut bench = Bench::start().await;
    let (asker, other) = (bench.asker(), bench.asker());
    let waiting = bench.payload(&asker, &create("photos", None));
    // Another account's, made meanwhile; then its key goes, and its object stays.
    let done = bench.run(&other, create("photos", Some("k"))).await;
    let (key, secret) = (new_key(&done), bench.secret(&done));
    let put = bench.garage.s3("PUT", "/photos/a", key.as_str(), &secret);
    assert_eq!(put, 200);
    let delete_key = Command::KeyDelete(KeyDelete { key });
    bench.run(&other, delete_key).await.result();
    bench.next_agent().await;
    let done = finished(&bench, &bench.again(&waiting, 2)).await;
    assert_eq!(done.failure(), Failure::NameTaken);
    nothing_beside(&bench, &[created_bucket(&bench).await], &[]).await;
}

async fn created_bucket(bench: &Bench) -> storm_protocol::ident::BucketId {
    bench.garage.buckets().await[0].id
}

#[tokio::test]
async fn an_operation_that_no_other_can_have_begun_is_run_as_a_new_one() {
    let mut bench = Bench::start().await;
    let (asker, other) = (bench.asker(), bench.asker());
    // The first executor of its region: nobody was before it.
    let never = Command::KeyDelete(KeyDelete {
        key: "GK0123456789abcdef01234567".parse().unwrap(),
    });
    let payload = bench.payload(&asker, &never);
    let done = finished(&bench, &bench.again(&payload, 1)).await;
    assert_eq!(done.failure(), Failure::NoSuchKey);
    let payload = bench.payload(&asker, &create("photos", None));
    bench.run(&other, create("photos", None)).await.result();
    let done = finished(&bench, &bench.again(&payload, 1)).await;
    assert_eq!(done.failure(), Failure::NameTaken);

    // A later executor: what was asked after its first command was signed nobody else has had, and
    // what was never signed before, as little.
    bench.next_agent().await;
    let early = bench.payload(&asker, &create("early", None));
    let first = bench.payload(&asker, &create("first", None));
    let first = CommandPayload {
        attempt: 1,
        ..bench.again(&first, 2)
    };
    finished(&bench, &first).await.result();
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    let late = bench.payload(&asker, &create("late", None));
    for name in ["early", "late"] {
        bench
            .garage
            .ask("CreateBucket", &serde_json::json!({ "globalAlias": name }));
    }
    let done = finished(&bench, &bench.again(&late, 2)).await;
    assert_eq!(done.failure(), Failure::NameTaken);
    finished(&bench, &bench.again(&early, 2)).await.result();
    // Older than the journal, as is its only signature: a replay.
    let signed_at = bench.payload(&asker, &never).issued_at;
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    bench.next_agent().await;
    let once = CommandPayload {
        attempt: 1,
        ..bench.again(&late, 3)
    };
    let replay = CommandPayload {
        issued_at: signed_at,
        expires_at: signed_at.plus_seconds(60),
        ..once.clone()
    };
    let Submitted::Ended(frame) = bench.submit(&replay).await else {
        panic!("it is taken")
    };
    assert_eq!(bench.done(frame).refusal(), Refusal::Replayed);
    // It has only waited for this agent: nobody has begun it.
    let done = finished(&bench, &once).await;
    assert_eq!(done.failure(), Failure::NameTaken);
}

#[tokio::test]
async fn what_another_may_have_begun_does_not_wait_for_ever_for_a_garage_that_is_not_there() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let payload = bench.payload(&asker, &create("photos", Some("k")));
    bench.next_agent().await;
    std::fs::remove_file(&bench.proxy.socket).unwrap();
    let done = finished(&bench, &bench.again(&payload, 2)).await;
    assert_eq!(done.failure(), Failure::GarageUnavailable);
    let said = serde_json::to_string(&done.receipt.outcome).unwrap();
    assert!(said.contains("look at what is there"), "{said}");
}
