//! Each command done and failed, seen in Garage and over S3.

use storm_protocol::{
    command::{
        BucketCreate, BucketDelete, BucketSetQuota, Command, CommandResult, InventoryRefresh,
        KeyCreate, KeyDelete, KeyGrant, KeyRotate, KeySetGrant,
    },
    error::Failure,
    ident::{AccessKeyId, BucketId, Limit},
    result::{BucketCreated, InventoryRefreshed},
};

use super::{
    acceptance::create,
    support::{Asker, Bench, Done},
};
use crate::{clock::Clock as _, engine::EngineEvent};

pub(super) fn created(done: &Done) -> &BucketCreated {
    match done.result() {
        CommandResult::BucketCreate(created) => created,
        other => panic!("{other:?}"),
    }
}

pub(super) fn new_key(done: &Done) -> AccessKeyId {
    match done.result() {
        CommandResult::BucketCreate(created) => created.key.clone().unwrap(),
        CommandResult::KeyCreate(created) => created.key.clone(),
        CommandResult::KeyRotate(rotated) => rotated.key.clone(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn grant(key: &AccessKeyId, bucket: BucketId, rights: [bool; 3]) -> Command {
    let [read, write, owner] = rights;
    Command::KeySetGrant(KeySetGrant {
        key: key.clone(),
        bucket,
        read,
        write,
        owner,
    })
}

pub(super) fn delete(bucket: BucketId) -> Command {
    Command::BucketDelete(BucketDelete { bucket })
}

#[tokio::test]
async fn a_bucket_with_key_and_limits_works_over_s3() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    let command = Command::BucketCreate(BucketCreate {
        bucket: "photos".parse().unwrap(),
        quota_bytes: Limit::new(1_000_000),
        quota_objects: Limit::new(10),
        abort_uploads_after_days: Some(3),
        key: Some("my laptop".parse().unwrap()),
    });
    let done = bench.run(&asker, command).await;
    assert_eq!(
        bench.proxy.calls(),
        [
            "ImportKey",
            "CreateBucket",
            "UpdateBucket",
            "AllowBucketKey"
        ]
    );
    let (bucket, key, secret) = (created(&done).bucket, new_key(&done), bench.secret(&done));
    assert_eq!(
        bench
            .garage
            .s3("PUT", "/photos/a.txt", key.as_str(), &secret),
        200
    );
    assert_eq!(
        bench
            .garage
            .s3("GET", "/photos/a.txt", key.as_str(), &secret),
        200
    );

    let info = bench
        .garage
        .ask("GetBucketInfo", &serde_json::json!({ "id": bucket }));
    assert_eq!(
        info["quotas"],
        serde_json::json!({ "maxSize": 1_000_000, "maxObjects": 10 })
    );
    let rule = &info["lifecycleRules"][0];
    assert_eq!(
        rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"],
        3
    );
    let keys = bench.garage.keys().await;
    assert_eq!(keys[0].name, format!("{}/my laptop", asker.actor.account));

    let set = BucketSetQuota {
        bucket,
        quota_bytes: None,
        quota_objects: Limit::new(5),
    };
    bench
        .run(&asker, Command::BucketSetQuota(set))
        .await
        .result();
    let info = bench
        .garage
        .ask("GetBucketInfo", &serde_json::json!({ "id": bucket }));
    assert_eq!(
        info["quotas"],
        serde_json::json!({ "maxSize": null, "maxObjects": 5 })
    );

    let taken = bench.run(&bench.asker(), create("photos", Some("x"))).await;
    assert_eq!(taken.failure(), Failure::NameTaken);
    assert_eq!(taken.frame.sealed, None);
    assert_eq!(
        bench.garage.keys().await.len(),
        1,
        "the key for nothing is deleted again"
    );

    assert_eq!(
        bench.run(&asker, delete(bucket)).await.failure(),
        Failure::BucketNotEmpty
    );
    assert_eq!(
        bench
            .garage
            .s3("DELETE", "/photos/a.txt", key.as_str(), &secret),
        204
    );
    bench.run(&asker, delete(bucket)).await.result();
    assert!(bench.garage.buckets().await.is_empty());
    assert_eq!(
        bench.run(&asker, delete(bucket)).await.failure(),
        Failure::NoSuchBucket
    );
}

#[tokio::test]
async fn deleting_a_bucket_removes_its_unfinished_uploads_first() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    let done = bench.run(&asker, create("photos", Some("k"))).await;
    let (key, secret) = (new_key(&done), bench.secret(&done));
    assert_eq!(
        bench
            .garage
            .s3("POST", "/photos/big?uploads=", key.as_str(), &secret),
        200
    );
    // Garage counts a moment later.
    let counted = async {
        while bench.garage.buckets().await[0].unfinished_uploads == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), counted)
        .await
        .expect("Garage counts the upload within half a minute");
    bench.proxy.forget_calls();
    bench
        .run(&asker, delete(created(&done).bucket))
        .await
        .result();
    let calls = bench.proxy.calls();
    assert_eq!(
        calls,
        [
            "GetBucketInfo",
            "CleanupIncompleteUploads",
            "DeleteBucket",
            "CleanupIncompleteUploads"
        ]
    );
}

async fn two_buckets(bench: &Bench, asker: &Asker) -> [BucketId; 2] {
    let one = bench.run(asker, create("one", None)).await;
    let two = bench.run(asker, create("two", None)).await;
    [created(&one).bucket, created(&two).bucket]
}

#[tokio::test]
async fn a_key_has_exactly_the_rights_it_was_given_and_ends_when_it_was_said() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    let [one, two] = two_buckets(&bench, &asker).await;
    let ends = bench.clock.now().plus_seconds(3600);
    let command = Command::KeyCreate(KeyCreate {
        label: "backup".parse().unwrap(),
        expires_at: Some(ends),
        create_buckets: false,
        grants: vec![
            KeyGrant {
                bucket: one,
                read: true,
                write: true,
                owner: false,
            },
            KeyGrant {
                bucket: two,
                read: true,
                write: false,
                owner: false,
            },
        ],
    });
    let done = bench.run(&asker, command).await;
    let (key, secret) = (new_key(&done), bench.secret(&done));
    let expiration = bench.garage.keys().await[0].expiration.unwrap();
    assert_eq!(expiration.0, ends.0 - ends.0.rem_euclid(1000));
    let s3 = |method, path| bench.garage.s3(method, path, key.as_str(), &secret);
    assert_eq!(s3("PUT", "/one/a"), 200);
    assert_eq!(s3("PUT", "/two/a"), 403);
    assert_eq!(s3("GET", "/two/"), 200);

    bench
        .run(&asker, grant(&key, one, [true, false, false]))
        .await
        .result();
    assert_eq!(s3("PUT", "/one/b"), 403);
    assert_eq!(s3("GET", "/one/a"), 200);
    bench
        .run(&asker, grant(&key, one, [false, false, false]))
        .await
        .result();
    assert_eq!(s3("GET", "/one/a"), 403);
    bench
        .run(&asker, grant(&key, two, [true, true, true]))
        .await
        .result();
    assert_eq!(s3("PUT", "/two/a"), 200);

    bench
        .run(&asker, Command::KeyDelete(KeyDelete { key: key.clone() }))
        .await
        .result();
    assert_eq!(s3("GET", "/two/a"), 403);
    let gone = bench
        .run(&asker, Command::KeyDelete(KeyDelete { key: key.clone() }))
        .await;
    assert_eq!(gone.failure(), Failure::NoSuchKey);
    let gone = bench
        .run(&asker, grant(&key, two, [true, false, false]))
        .await;
    assert_eq!(gone.failure(), Failure::NoSuchKey);
}

#[tokio::test]
async fn a_key_for_a_bucket_that_is_not_there_is_taken_back() {
    let bench = Bench::start().await;
    let command = Command::KeyCreate(KeyCreate {
        label: "k".parse().unwrap(),
        expires_at: None,
        create_buckets: false,
        grants: vec![KeyGrant {
            bucket: BucketId([7; 32]),
            read: true,
            write: false,
            owner: false,
        }],
    });
    let failed = bench.run(&bench.asker(), command).await;
    assert_eq!(failed.failure(), Failure::NoSuchBucket);
    assert!(bench.garage.keys().await.is_empty());
}

#[tokio::test]
async fn rotation_gives_a_new_key_the_old_ones_rights_and_ends_the_old_one() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    let [one, two] = two_buckets(&bench, &asker).await;
    let command = Command::KeyCreate(KeyCreate {
        label: "backup".parse().unwrap(),
        expires_at: None,
        create_buckets: false,
        grants: vec![
            KeyGrant {
                bucket: one,
                read: true,
                write: true,
                owner: true,
            },
            KeyGrant {
                bucket: two,
                read: true,
                write: false,
                owner: false,
            },
        ],
    });
    let done = bench.run(&asker, command).await;
    let (old, old_secret) = (new_key(&done), bench.secret(&done));
    let rotate = |key: &AccessKeyId, label: Option<&str>, grace_seconds| {
        Command::KeyRotate(KeyRotate {
            key: key.clone(),
            label: label.map(|label| label.parse().unwrap()),
            grace_seconds,
        })
    };
    let done = bench.run(&asker, rotate(&old, None, 3600)).await;
    let (new, secret) = (new_key(&done), bench.secret(&done));
    let CommandResult::KeyRotate(rotated) = done.result() else {
        panic!()
    };
    assert_eq!((rotated.grants.len(), &rotated.previous), (2, &old));
    assert_eq!(bench.garage.s3("PUT", "/one/a", new.as_str(), &secret), 200);
    assert_eq!(bench.garage.s3("PUT", "/two/a", new.as_str(), &secret), 403);
    assert_eq!(
        bench.garage.s3("GET", "/one/a", old.as_str(), &old_secret),
        200,
        "in its grace"
    );
    let keys = bench.garage.keys().await;
    let info = |id: &AccessKeyId| {
        keys.iter()
            .find(|key| key.access_key_id == id.as_str())
            .unwrap()
    };
    assert_eq!(info(&old).expiration, Some(rotated.previous_expires_at));
    assert_eq!(info(&new).name, info(&old).name);
    assert_eq!(info(&new).expiration, None);

    // A key that is to end gives its end on, and never lives longer than it would have.
    let done = bench.run(&asker, rotate(&old, Some("other"), 7200)).await;
    let CommandResult::KeyRotate(again) = done.result() else {
        panic!()
    };
    assert_eq!(again.previous_expires_at, rotated.previous_expires_at);
    let keys = bench.garage.keys().await;
    let info = keys
        .iter()
        .find(|key| key.access_key_id == again.key.as_str())
        .unwrap();
    assert_eq!(info.expiration, Some(rotated.previous_expires_at));
    assert!(info.name.ends_with("/other"));

    let done = bench.run(&asker, rotate(&new, None, 0)).await;
    assert_eq!(bench.garage.s3("GET", "/one/a", new.as_str(), &secret), 403);
    let (newest, newest_secret) = (new_key(&done), bench.secret(&done));
    assert_eq!(
        bench
            .garage
            .s3("GET", "/one/a", newest.as_str(), &newest_secret),
        200
    );
    let absent = "GK000000000000000000000000".parse().unwrap();
    assert_eq!(
        bench.run(&asker, rotate(&absent, None, 0)).await.failure(),
        Failure::NoSuchKey
    );
}

#[tokio::test]
async fn a_refresh_is_the_inventorys_to_do_and_health_is_garages_word() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let refresh = || Command::InventoryRefresh(InventoryRefresh {});
    let without = bench.run(&asker, refresh()).await;
    assert_eq!(without.failure(), Failure::GarageUnavailable);
    let swept = InventoryRefreshed {
        generation: 1,
        buckets: 2,
        keys: 3,
    };
    let answer = swept.clone();
    bench.engine.set_refresher(std::sync::Arc::new(move || {
        let answer = answer.clone();
        Box::pin(async move { Ok(answer) })
    }));
    let done = bench.run(&asker, refresh()).await;
    assert_eq!(*done.result(), CommandResult::InventoryRefresh(swept));

    bench.crash().await;
    let mut options = bench.options();
    options.disabled.clear();
    bench.engine = crate::engine::Engine::open(options).await.unwrap();
    bench.engine.set_trust(bench.trust());
    let health = storm_protocol::command::ClusterHealthCommand {};
    let done = bench
        .run(&asker, Command::ClusterHealthCommand(health))
        .await;
    let CommandResult::ClusterHealthCommand(health) = done.result() else {
        panic!()
    };
    assert_eq!(
        (health.status.as_str(), health.storage_nodes_up),
        ("healthy", 1)
    );
    assert!(health.garage_version.contains("2.5"), "{health:?}");
}

#[tokio::test]
async fn many_commands_at_once_each_end_and_the_listener_hears_what_they_touched() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    let mut events = bench.engine.events();
    let names = (0..20).map(|n| format!("bucket-{n}"));
    let commands = names.map(|name| bench.run(&asker, create(&name, None)));
    // And one name wanted by all.
    let same = (0..5).map(|_| bench.run(&asker, create("wanted", None)));
    let (each, same) = tokio::join!(
        futures_util::future::join_all(commands),
        futures_util::future::join_all(same)
    );
    each.iter().for_each(|done| _ = created(done));
    let winners = same.iter().filter(|done| {
        matches!(
            done.receipt.outcome,
            storm_protocol::receipt::Outcome::Done(_)
        )
    });
    assert_eq!(winners.count(), 1);
    assert_eq!(bench.garage.buckets().await.len(), 21);
    let mut touched = 0;
    while let Ok(event) = events.try_recv() {
        touched += usize::from(matches!(event, EngineEvent::Touched(_)));
    }
    assert_eq!(touched, 25);
}
