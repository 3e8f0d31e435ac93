//! Answers that are lost and processes that die, at every admin call of every command: each
//! operation ends in a known state, and nothing is left beside.

use std::time::Duration;

use storm_protocol::{
    command::{Command, CommandResult, KeyCreate, KeyDelete, KeyGrant, KeyRotate},
    error::{Failure, Refusal},
    frame::KnownState,
    ident::{AccessKeyId, BucketId},
};

use super::{
    acceptance::create,
    commands::{created, delete, grant, new_key},
    jobs::{Filled, clear},
    proxy::Mishap,
    support::{Asker, Bench, Done},
};
use crate::{engine::Submitted, journal::Owned};

/// Breaks the first `call` of `command` in the given way; comes back when the operation has ended.
pub(super) async fn disturbed(
    bench: &mut Bench,
    asker: &Asker,
    command: &Command,
    call: &str,
    mishap: Mishap,
) -> Done {
    let before = bench.proxy.happened();
    bench.proxy.plan(call, mishap);
    let payload = bench.payload(asker, command);
    let submitted = bench.submit(&payload).await;
    assert!(matches!(submitted, Submitted::Accepted(_)), "{submitted:?}");
    if matches!(mishap, Mishap::HeldBefore | Mishap::HeldAfter) {
        bench.proxy.has_happened(before + 1).await;
        bench.crash().await;
        bench.recover().await;
    }
    let done = bench.wait(payload.operation).await;
    assert_eq!(bench.proxy.happened(), before + 1, "{call} was called");
    assert_eq!(bench.engine.state_of(payload.operation), KnownState::Ended);
    done
}

pub(super) const MISHAPS: [Mishap; 5] = [
    Mishap::NeverArrives,
    Mishap::AnswerLost,
    Mishap::HeldBefore,
    Mishap::HeldAfter,
    Mishap::Unavailable,
];

/// Every live key of Garage is one of `keys`, every bucket one of `buckets` and has a name.
pub(super) async fn nothing_beside(bench: &Bench, buckets: &[BucketId], keys: &[AccessKeyId]) {
    let found = bench.garage.buckets().await;
    let mut ids: Vec<_> = found.iter().map(|bucket| bucket.id).collect();
    let mut wanted = buckets.to_vec();
    ids.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(ids, wanted);
    assert!(found.iter().all(|bucket| bucket.global_aliases.len() == 1));
    let mut ids: Vec<_> = bench
        .garage
        .keys()
        .await
        .iter()
        .filter_map(|key| key.id())
        .collect();
    let mut wanted = keys.to_vec();
    ids.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(ids, wanted);
}

#[tokio::test]
async fn bucket_create_ends_well_wherever_it_is_cut() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let (mut buckets, mut keys) = (vec![], vec![]);
    for call in [
        "ImportKey",
        "CreateBucket",
        "UpdateBucket",
        "AllowBucketKey",
    ] {
        for mishap in MISHAPS {
            let name = format!("{}-{mishap:?}", call).to_lowercase();
            let mut command = create(&name, Some("k"));
            if let Command::BucketCreate(create) = &mut command {
                create.quota_bytes = storm_protocol::ident::Limit::new(1000);
            }
            let done = disturbed(&mut bench, &asker, &command, call, mishap).await;
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
    let quotas = bench.garage.buckets().await;
    assert!(
        quotas
            .iter()
            .all(|bucket| bucket.quotas.max_size == Some(1000))
    );
}

#[tokio::test]
async fn key_create_ends_well_wherever_it_is_cut() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let bucket = created(&bench.run(&asker, create("photos", None)).await).bucket;
    let mut keys = vec![];
    for call in ["ImportKey", "UpdateKey", "AllowBucketKey"] {
        for mishap in MISHAPS {
            let command = Command::KeyCreate(KeyCreate {
                label: "k".parse().unwrap(),
                expires_at: Some(
                    bench
                        .payload(&asker, &delete(bucket))
                        .issued_at
                        .plus_seconds(900),
                ),
                create_buckets: false,
                grants: vec![KeyGrant {
                    bucket,
                    read: true,
                    write: true,
                    owner: false,
                }],
            });
            let done = disturbed(&mut bench, &asker, &command, call, mishap).await;
            let (key, secret) = (new_key(&done), bench.secret(&done));
            assert_eq!(
                bench.garage.s3("PUT", "/photos/a", key.as_str(), &secret),
                200
            );
            keys.push(key);
            nothing_beside(&bench, &[bucket], &keys).await;
        }
    }
    assert!(
        bench
            .garage
            .keys()
            .await
            .iter()
            .all(|key| key.expiration.is_some())
    );
}

#[tokio::test]
async fn set_grant_rotate_and_key_delete_end_well_wherever_they_are_cut() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let done = bench.run(&asker, create("photos", Some("k"))).await;
    let (bucket, key, secret) = (created(&done).bucket, new_key(&done), bench.secret(&done));
    for call in ["DenyBucketKey", "AllowBucketKey"] {
        for (mishap, write) in MISHAPS.into_iter().zip([false, true].into_iter().cycle()) {
            let command = grant(&key, bucket, [true, write, false]);
            disturbed(&mut bench, &asker, &command, call, mishap)
                .await
                .result();
            let put = bench.garage.s3("PUT", "/photos/a", key.as_str(), &secret);
            assert_eq!(put == 200, write, "{call} {mishap:?}");
        }
    }
    bench
        .run(&asker, grant(&key, bucket, [true, true, false]))
        .await
        .result();
    let mut keys = vec![key.clone()];
    for call in ["ImportKey", "AllowBucketKey", "UpdateKey"] {
        for mishap in MISHAPS {
            let old = keys.last().unwrap().clone();
            let rotate = KeyRotate {
                key: old.clone(),
                label: None,
                grace_seconds: 3600,
            };
            let command = Command::KeyRotate(rotate);
            let done = disturbed(&mut bench, &asker, &command, call, mishap).await;
            let (new, secret) = (new_key(&done), bench.secret(&done));
            let CommandResult::KeyRotate(rotated) = done.result() else {
                panic!()
            };
            assert_eq!(
                bench.garage.s3("PUT", "/photos/a", new.as_str(), &secret),
                200
            );
            keys.push(new.clone());
            nothing_beside(&bench, &[bucket], &keys).await;
            let infos = bench.garage.keys().await;
            let ends = |id: &AccessKeyId| {
                infos
                    .iter()
                    .find(|key| key.access_key_id == id.as_str())
                    .unwrap()
                    .expiration
            };
            assert_eq!(
                ends(&old),
                Some(rotated.previous_expires_at),
                "{call} {mishap:?}"
            );
            assert_eq!(ends(&new), None, "{call} {mishap:?}");
        }
    }
    for mishap in MISHAPS {
        let command = Command::KeyDelete(KeyDelete {
            key: keys.pop().unwrap(),
        });
        disturbed(&mut bench, &asker, &command, "DeleteKey", mishap)
            .await
            .result();
        nothing_beside(&bench, &[bucket], &keys).await;
    }
}

#[tokio::test]
async fn bucket_delete_ends_well_wherever_it_is_cut() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    for call in ["GetBucketInfo", "CleanupIncompleteUploads", "DeleteBucket"] {
        for mishap in MISHAPS {
            let bucket = created(&bench.run(&asker, create("photos", None)).await).bucket;
            disturbed(&mut bench, &asker, &delete(bucket), call, mishap)
                .await
                .result();
            nothing_beside(&bench, &[], &[]).await;
        }
    }
}

#[tokio::test]
async fn a_bucket_that_got_an_object_while_its_deletion_was_cut_is_put_back() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let done = bench.run(&asker, create("photos", Some("k"))).await;
    let (bucket, key, secret) = (created(&done).bucket, new_key(&done), bench.secret(&done));
    bench.proxy.plan("DeleteBucket", Mishap::HeldBefore);
    let payload = bench.payload(&asker, &delete(bucket));
    bench.submit(&payload).await;
    bench.proxy.has_happened(1).await;
    bench.crash().await;
    assert_eq!(
        bench.garage.s3("PUT", "/photos/a", key.as_str(), &secret),
        200
    );
    // What a cut DeleteBucket takes away first.
    let rights = serde_json::json!({ "read": true, "write": true, "owner": true });
    let deny = serde_json::json!({ "bucketId": bucket, "accessKeyId": key, "permissions": rights });
    bench.garage.ask("DenyBucketKey", &deny);
    assert_eq!(
        bench.garage.s3("GET", "/photos/a", key.as_str(), &secret),
        403
    );
    bench.recover().await;
    assert_eq!(
        bench.wait(payload.operation).await.failure(),
        Failure::BucketNotEmpty
    );
    assert_eq!(
        bench.garage.s3("GET", "/photos/a", key.as_str(), &secret),
        200
    );
}

#[tokio::test]
async fn a_create_that_was_written_down_but_never_begun_does_not_take_another_accounts_bucket() {
    let mut bench = Bench::start().await;
    let (first, second) = (bench.asker(), bench.asker());
    // Both want the name and are in the journal; the first is held until the process dies.
    bench.proxy.plan("CreateBucket", Mishap::HeldAfter);
    let one = bench.payload(&first, &create("photos", None));
    let two = bench.payload(&second, &create("photos", None));
    bench.submit(&one).await;
    bench.submit(&two).await;
    bench.proxy.has_happened(1).await;
    bench.crash().await;
    bench.recover().await;
    let winner = bench.wait(one.operation).await;
    assert_eq!(
        bench.wait(two.operation).await.failure(),
        Failure::NameTaken
    );
    let bucket = created(&winner).bucket;
    assert_eq!(
        bench
            .engine
            .0
            .journal
            .owner(&Owned::Bucket(bucket))
            .unwrap(),
        Some(first.actor.account)
    );
    nothing_beside(&bench, &[bucket], &[]).await;
}

#[tokio::test]
async fn a_nameless_bucket_that_a_cut_call_left_is_deleted_and_an_older_one_is_not() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let empty = serde_json::json!({});
    let older = bench.garage.ask("CreateBucket", &empty)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    tokio::time::sleep(Duration::from_millis(5500)).await;
    bench.proxy.plan("CreateBucket", Mishap::HeldBefore);
    let payload = bench.payload(&asker, &create("photos", None));
    bench.submit(&payload).await;
    bench.proxy.has_happened(1).await;
    bench.crash().await;
    // What a cluster's half-done CreateBucket leaves.
    bench.garage.ask("CreateBucket", &empty);
    bench.recover().await;
    let bucket = created(&bench.wait(payload.operation).await).bucket;
    let mut left: Vec<_> = bench.garage.buckets().await.iter().map(|b| b.id).collect();
    let mut wanted = vec![bucket, older.parse::<BucketId>().unwrap()];
    left.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(left, wanted);
}

#[tokio::test]
async fn new_commands_wait_behind_what_is_recovered() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let bucket = created(&bench.run(&asker, create("photos", None)).await).bucket;
    bench.proxy.plan("DeleteBucket", Mishap::HeldBefore);
    let payload = bench.payload(&asker, &delete(bucket));
    bench.submit(&payload).await;
    bench.proxy.has_happened(1).await;
    bench.crash().await;
    bench.reopen().await.unwrap();
    bench.engine.set_trust(bench.trust());
    let later = bench.payload(&asker, &delete(bucket));
    assert!(matches!(bench.submit(&later).await, Submitted::Accepted(_)));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(bench.engine.state_of(later.operation), KnownState::Running);
    bench.engine.start_recovery();
    bench.wait(payload.operation).await.result();
    assert_eq!(
        bench.wait(later.operation).await.failure(),
        Failure::NoSuchBucket
    );
}

#[tokio::test]
async fn a_token_that_garage_does_not_accept_changes_nothing_and_says_what_to_do() {
    let bench = Bench::start().await;
    bench
        .engine
        .0
        .garage
        .set_token(secrecy::SecretString::from("id.wrong"));
    let done = bench.run(&bench.asker(), create("photos", Some("k"))).await;
    assert_eq!(done.failure(), Failure::GarageUnavailable);
    let said = serde_json::to_string(&done.receipt.outcome).unwrap();
    assert!(said.contains("storm-pulse token create"), "{said}");
}

#[tokio::test]
async fn a_garage_that_is_not_there_fails_the_command_after_a_while_and_nothing_is_left() {
    let bench = Bench::start().await;
    std::fs::remove_file(&bench.proxy.socket).unwrap();
    let payload = bench.payload(&bench.asker(), &create("photos", Some("k")));
    assert!(matches!(
        bench.submit(&payload).await,
        Submitted::Accepted(_)
    ));
    let done = bench.wait(payload.operation).await;
    assert_eq!(done.failure(), Failure::GarageUnavailable);
    nothing_beside(&bench, &[], &[]).await;
}

#[tokio::test]
async fn a_key_id_that_is_taken_is_given_up_for_the_next_one() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    let payload = bench.payload(&asker, &create("photos", Some("k")));
    let first = AccessKeyId::derive(payload.operation, 0);
    let import = serde_json::json!({
        "accessKeyId": first, "secretAccessKey": "s".repeat(64), "name": "someone",
    });
    bench.garage.ask("ImportKey", &import);
    bench.submit(&payload).await;
    let done = bench.wait(payload.operation).await;
    let second = AccessKeyId::derive(payload.operation, 1);
    assert_eq!(new_key(&done), second);
    bench.secret(&done);
    nothing_beside(&bench, &[created(&done).bucket], &[second]).await;
}

#[tokio::test]
async fn what_cannot_be_written_to_its_end_keeps_its_place_until_the_restart() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let (first, second) = (
        bench.payload(&asker, &create("photos", None)),
        bench.payload(&asker, &create("photos", None)),
    );
    {
        // No CreateBucket goes out while this is held.
        let creates = bench.engine.0.creates.write().await;
        bench.submit(&first).await;
        bench.submit(&second).await;
        let journal = bench.engine.0.journal.clone();
        tokio::task::spawn_blocking(move || journal.close())
            .await
            .unwrap();
        drop(creates);
    }
    bench.engine.0.queue.idle().await;
    assert_eq!(bench.proxy.calls(), ["CreateBucket"], "the first's alone");
    assert!(bench.engine.trouble().is_some());
    let later = bench.payload(&asker, &create("videos", None));
    let submitted = bench.submit(&later).await;
    assert!(
        matches!(submitted, Submitted::Dropped(Refusal::Busy)),
        "{submitted:?}"
    );

    bench.crash().await;
    bench.recover().await;
    let made = bench.wait(first.operation).await;
    assert_eq!(
        bench.wait(second.operation).await.failure(),
        Failure::NameTaken
    );
    nothing_beside(&bench, &[created(&made).bucket], &[]).await;
}

#[tokio::test]
async fn bucket_clear_ends_well_and_without_its_key_wherever_it_is_cut() {
    let mut bench = Bench::start().await;
    let filled = Filled::new(&bench, "photos", vec![]).await;
    let key = bench.garage.keys().await.iter().find_map(|key| key.id());
    for call in [
        "GetBucketInfo",
        "ImportKey",
        "UpdateKey",
        "AllowBucketKey",
        "CleanupIncompleteUploads",
        "DeleteKey",
    ] {
        for mishap in MISHAPS {
            filled.put(["a", "b"].map(str::to_owned).to_vec()).await;
            let asker = filled.asker.clone();
            let command = clear(filled.bucket);
            let done = disturbed(&mut bench, &asker, &command, call, mishap).await;
            let CommandResult::BucketClear(cleared) = done.result() else {
                panic!("{done:?}")
            };
            assert!(cleared.objects <= 2 && cleared.kept == 0, "{cleared:?}");
            let left = bench.garage.buckets().await;
            assert_eq!(left[0].objects, 0, "{call} {mishap:?}");
            nothing_beside(&bench, &[filled.bucket], key.as_slice()).await;
        }
    }
}
