//! Buckets set right, given and taken, wherever it is cut.

use serde_json::json;
use storm_protocol::{
    command::{
        BucketAdopt, BucketGrant, BucketRelease, BucketRestore, Command, CommandResult,
        KeyRevokeLeaked, KeyRotate,
    },
    error::{Failure, Refusal},
    ident::{AccessKeyId, AccountId, BucketId, Limit},
    result::{BucketAdopted, BucketReleased},
};
use tokio::time::Instant;

use super::{
    acceptance::create,
    commands::{created, delete, new_key},
    interruptions::{MISHAPS, disturbed},
    ownership::{by_hand, refusal},
    proxy::Mishap,
    support::{Asker, Bench},
};
use crate::{
    engine::Submitted,
    garage::{AdminRequest, BucketInfo, rules},
    journal::Owned,
};

fn operator(bench: &Bench) -> Asker {
    let mut operator = bench.asker();
    operator.actor.operator = true;
    operator
}

async fn info(bench: &Bench, bucket: BucketId) -> BucketInfo {
    let garage = &bench.engine.0.garage;
    garage.ask(AdminRequest::bucket(bucket)).await.unwrap()
}

fn owner(bench: &Bench, bucket: BucketId) -> Option<AccountId> {
    let journal = &bench.engine.0.journal;
    journal.owner(&Owned::Bucket(bucket)).unwrap()
}

fn adopt(bucket: BucketId, account: AccountId) -> BucketAdopt {
    BucketAdopt {
        bucket,
        account,
        name: None,
        quota_bytes: None,
        quota_objects: None,
    }
}

async fn adopted(bench: &Bench, asker: &Asker, command: BucketAdopt) -> BucketAdopted {
    match bench
        .run(asker, Command::BucketAdopt(command))
        .await
        .result()
    {
        CommandResult::BucketAdopt(adopted) => adopted.clone(),
        other => panic!("{other:?}"),
    }
}

/// A bucket that nobody's key owns.
fn nobodys(bench: &Bench, names: serde_json::Value) -> BucketId {
    let made = bench.garage.ask("CreateBucket", &names);
    made["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn restore_ends_well_wherever_it_is_cut() {
    let mut bench = Bench::start().await;
    let asker = bench.asker();
    let done = bench.run(&asker, create("photos", Some("k"))).await;
    let (bucket, key, secret) = (created(&done).bucket, new_key(&done), bench.secret(&done));
    let restore = Command::BucketRestore(BucketRestore {
        bucket,
        quota_bytes: Limit::new(1000),
        quota_objects: None,
        cors: serde_json::from_value(json!([
            { "allowed_origins": ["*"], "allowed_methods": ["GET"] }
        ]))
        .unwrap(),
        lifecycle: vec![],
        website: None,
        grants: vec![BucketGrant {
            key: key.clone(),
            read: true,
            write: true,
            owner: false,
        }],
    });
    for call in ["UpdateBucket", "DenyBucketKey", "AllowBucketKey"] {
        for mishap in MISHAPS {
            let change = json!({
                "quotas": { "maxSize": 7, "maxObjects": 7 }, "corsRules": [],
                "websiteAccess": { "enabled": true, "indexDocument": "index.html" },
            });
            bench
                .garage
                .ask("UpdateBucket", &json!({ "id": bucket, "body": change }));
            let rights = json!({ "read": true, "write": true });
            let body = json!({ "bucketId": bucket, "accessKeyId": key, "permissions": rights });
            bench.garage.ask("DenyBucketKey", &body);
            disturbed(&mut bench, &asker, &restore, call, mishap)
                .await
                .result();
            let found = info(&bench, bucket).await;
            assert_eq!(
                (found.quotas.max_size, found.quotas.max_objects),
                (Some(1000), None),
                "{call} {mishap:?}"
            );
            let cors = rules::read_cors(&found.cors_rules.unwrap());
            assert!(cors.rules.len() == 1 && !found.website_access);
            let rights = found.keys[0].permissions;
            assert!(rights.read && rights.write && !rights.owner, "{rights:?}");
            let put = bench.garage.s3("PUT", "/photos/a", key.as_str(), &secret);
            assert_eq!(put, 200, "{call} {mishap:?}");
        }
    }
}

#[tokio::test]
async fn adopt_ends_well_wherever_it_is_cut() {
    let mut bench = Bench::start().await;
    let (operator, account) = (operator(&bench), bench.asker().actor.account);
    for call in ["GetBucketInfo", "AddBucketAlias", "UpdateBucket"] {
        for mishap in MISHAPS {
            let bucket = nobodys(&bench, json!({}));
            let name = format!("{call}-{mishap:?}").to_lowercase();
            let command = Command::BucketAdopt(BucketAdopt {
                name: Some(name.parse().unwrap()),
                quota_bytes: Limit::new(5),
                ..adopt(bucket, account)
            });
            let done = disturbed(&mut bench, &operator, &command, call, mishap).await;
            let CommandResult::BucketAdopt(adopted) = done.result() else {
                panic!()
            };
            assert_eq!(adopted.name, Some(name.parse().unwrap()));
            let found = info(&bench, bucket).await;
            assert_eq!(found.global_aliases, [name]);
            assert_eq!(found.quotas.max_size, Some(5));
            assert_eq!(owner(&bench, bucket), Some(account));
        }
    }
}

#[tokio::test]
async fn an_adopted_bucket_keeps_its_limits_and_takes_no_name_from_another() {
    let bench = Bench::start().await;
    let (operator, customer) = (operator(&bench), bench.asker());
    let account = customer.actor.account;
    let taken = created(&bench.run(&customer, create("taken", None)).await).bucket;
    let bucket = nobodys(&bench, json!({}));
    let change = json!({ "quotas": { "maxSize": 70, "maxObjects": 7 } });
    bench
        .garage
        .ask("UpdateBucket", &json!({ "id": bucket, "body": change }));
    assert_eq!(
        refusal(&bench, &customer, &delete(bucket)).await,
        Refusal::NotYours
    );
    let wish = BucketAdopt {
        name: Some("taken".parse().unwrap()),
        quota_objects: Limit::new(3),
        ..adopt(bucket, account)
    };
    let answer = adopted(&bench, &operator, wish).await;
    assert_eq!(answer.name, None);
    assert_eq!(
        (answer.quota_bytes, answer.quota_objects),
        (Limit::new(70), Limit::new(3))
    );
    let found = info(&bench, bucket).await;
    assert_eq!(
        (found.quotas.max_size, found.quotas.max_objects),
        (Some(70), Some(3))
    );
    assert_eq!(info(&bench, taken).await.global_aliases, ["taken"]);
    // It is a bucket like any other.
    bench.run(&customer, delete(bucket)).await.result();
    // The name that a bucket has stays its only one.
    let named = nobodys(&bench, json!({ "globalAlias": "hers" }));
    let wish = BucketAdopt {
        name: Some("other".parse().unwrap()),
        ..adopt(named, account)
    };
    let answer = adopted(&bench, &operator, wish).await;
    assert_eq!(answer.name, Some("hers".parse().unwrap()));
    assert_eq!(info(&bench, named).await.global_aliases, ["hers"]);
    let gone = Command::BucketAdopt(adopt(BucketId([7; 32]), account));
    assert_eq!(
        bench.run(&operator, gone).await.failure(),
        Failure::NoSuchBucket
    );
}

#[tokio::test]
async fn release_ends_well_wherever_it_is_cut() {
    let mut bench = Bench::start().await;
    let (operator, customer) = (operator(&bench), bench.asker());
    for call in ["GetBucketInfo", "DenyBucketKey"] {
        for mishap in MISHAPS {
            let name = format!("{call}-{mishap:?}").to_lowercase();
            let done = bench.run(&customer, create(&name, Some("k"))).await;
            let (bucket, secret) = (created(&done).bucket, bench.secret(&done));
            let key: AccessKeyId = new_key(&done);
            let release = Command::BucketRelease(BucketRelease { bucket });
            let done = disturbed(&mut bench, &operator, &release, call, mishap).await;
            let released = BucketReleased { bucket, keys: 1 };
            assert_eq!(done.result(), &CommandResult::BucketRelease(released));
            assert!(info(&bench, bucket).await.keys.iter().all(|key| {
                let rights = key.permissions;
                !(rights.read || rights.write || rights.owner)
            }));
            let get = bench
                .garage
                .s3("GET", &format!("/{name}/a"), key.as_str(), &secret);
            assert_eq!(get, 403);
            assert_eq!(owner(&bench, bucket), None);
            assert_eq!(
                refusal(&bench, &customer, &delete(bucket)).await,
                Refusal::NotYours
            );
        }
    }
}

#[tokio::test]
async fn a_sweep_that_began_before_a_release_does_not_give_the_bucket_back() {
    let bench = Bench::start().await;
    let (operator, customer) = (operator(&bench), bench.asker());
    let bucket = by_hand(&bench, &customer).await;
    let seen_at = Instant::now();
    let release = Command::BucketRelease(BucketRelease { bucket });
    bench.run(&operator, release).await.result();
    let said = || vec![(bucket, customer.actor.account)];
    let learn = bench.engine.learn_owners(said(), vec![], seen_at);
    learn.await.unwrap();
    assert_eq!(owner(&bench, bucket), None);
    // One that begins when all has settled is believed.
    let later = Instant::now() + std::time::Duration::from_secs(60);
    let learn = bench.engine.learn_owners(said(), vec![], later);
    learn.await.unwrap();
    assert_eq!(owner(&bench, bucket), Some(customer.actor.account));
}

/// A key's successor never has rights on a bucket that was released, whichever came first.
#[tokio::test]
async fn a_release_leaves_no_right_to_the_successor_of_a_key() {
    let bench = Bench::start().await;
    let (operator, customer) = (operator(&bench), bench.asker());
    for (number, held) in ["DenyBucketKey", "AllowBucketKey"].into_iter().enumerate() {
        for leaked in [false, true] {
            let name = format!("photos-{number}-{leaked}");
            let done = bench.run(&customer, create(&name, Some("k"))).await;
            let (bucket, key) = (created(&done).bucket, new_key(&done));
            let succession = if leaked {
                Command::KeyRevokeLeaked(KeyRevokeLeaked { key, label: None })
            } else {
                let grace_seconds = 60;
                Command::KeyRotate(KeyRotate {
                    key,
                    label: None,
                    grace_seconds,
                })
            };
            let release =
                bench.payload(&operator, &Command::BucketRelease(BucketRelease { bucket }));
            let succession = bench.payload(&customer, &succession);
            let mut order = [&release, &succession];
            if held == "AllowBucketKey" {
                order.reverse();
            }
            let before = bench.proxy.happened();
            bench.proxy.plan(held, Mishap::Late);
            for payload in order {
                let submitted = bench.submit(payload).await;
                assert!(matches!(submitted, Submitted::Accepted(_)), "{submitted:?}");
            }
            bench.proxy.has_happened(before + 1).await;
            bench.proxy.release();
            bench.wait(release.operation).await.result();
            bench.wait(succession.operation).await.result();
            assert!(info(&bench, bucket).await.keys.iter().all(|key| {
                let rights = key.permissions;
                !(rights.read || rights.write || rights.owner)
            }));
        }
    }
}

#[tokio::test]
async fn what_waited_behind_a_release_does_not_touch_the_bucket() {
    let bench = Bench::start().await;
    let (operator, customer) = (operator(&bench), bench.asker());
    let done = bench.run(&customer, create("photos", Some("k"))).await;
    let bucket = created(&done).bucket;
    bench.proxy.plan("DenyBucketKey", Mishap::Late);
    let release = bench.payload(&operator, &Command::BucketRelease(BucketRelease { bucket }));
    let behind = bench.payload(&customer, &delete(bucket));
    for payload in [&release, &behind] {
        let submitted = bench.submit(payload).await;
        assert!(matches!(submitted, Submitted::Accepted(_)), "{submitted:?}");
    }
    bench.proxy.has_happened(1).await;
    bench.proxy.release();
    bench.wait(release.operation).await.result();
    assert_eq!(
        bench.wait(behind.operation).await.failure(),
        Failure::NoSuchBucket
    );
    assert_eq!(info(&bench, bucket).await.id, bucket);
}
