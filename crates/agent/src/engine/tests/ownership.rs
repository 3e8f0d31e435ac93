//! Whose things may be touched by whom.

use storm_protocol::{
    command::{BucketSetQuota, Command, KeyCreate, KeyDelete},
    error::Refusal,
    frame::KnownState,
    ident::{BucketId, Limit},
};

use super::{
    acceptance::create,
    commands::{created, delete, grant, new_key},
    proxy::Mishap,
    support::{Asker, Bench},
};
use crate::{
    clock::random,
    engine::{Source, Submitted},
    journal::Owned,
};

pub(super) async fn refusal(bench: &Bench, asker: &Asker, command: &Command) -> Refusal {
    match bench.submit(&bench.payload(asker, command)).await {
        Submitted::Ended(frame) => bench.done(frame).refusal(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_accounts_bucket_and_key_are_not_yours_and_garage_is_not_called() {
    let bench = Bench::start().await;
    let (owner, thief) = (bench.asker(), bench.asker());
    let done = bench.run(&owner, create("photos", Some("k"))).await;
    let (bucket, key) = (created(&done).bucket, new_key(&done));
    let own = bench.run(&thief, create("loot", Some("k"))).await;
    let (loot, own_key) = (created(&own).bucket, new_key(&own));
    bench.proxy.forget_calls();
    let all = [true, true, true];
    for command in [
        delete(bucket),
        Command::KeyDelete(KeyDelete { key: key.clone() }),
        grant(&own_key, bucket, all),
        grant(&key, loot, all),
        Command::KeyCreate(KeyCreate {
            label: "x".parse().unwrap(),
            expires_at: None,
            create_buckets: false,
            grants: vec![storm_protocol::command::KeyGrant {
                bucket,
                read: true,
                write: false,
                owner: false,
            }],
        }),
    ] {
        assert_eq!(refusal(&bench, &thief, &command).await, Refusal::NotYours);
    }
    assert_eq!(bench.proxy.calls(), Vec::<String>::new());

    let mut operator = bench.asker();
    operator.actor.operator = true;
    bench
        .run(&operator, grant(&key, bucket, [true, false, false]))
        .await
        .result();
    bench.run(&operator, delete(bucket)).await.result();
}

#[tokio::test]
async fn a_thing_that_the_journal_does_not_know_is_judged_by_its_keys_names() {
    let bench = Bench::start().await;
    let (owner, thief) = (bench.asker(), bench.asker());
    // Made before there was a journal: by hand, under our kind of name.
    let key = format!("GK{}", hex::encode(random::<12>()));
    let name = format!("{}/old", owner.actor.account);
    let import = serde_json::json!({
        "accessKeyId": key, "secretAccessKey": "s".repeat(64), "name": name,
    });
    bench.garage.ask("ImportKey", &import);
    let made = bench
        .garage
        .ask("CreateBucket", &serde_json::json!({ "globalAlias": "old" }));
    let bucket: BucketId = made["id"].as_str().unwrap().parse().unwrap();
    let key = key.parse().unwrap();
    let read = [true, false, false];
    // The key's owner is told by its name; the bucket has no key yet, so nobody's it is.
    assert_eq!(
        refusal(&bench, &owner, &grant(&key, bucket, read)).await,
        Refusal::NotYours
    );
    let allow = |right: &str| {
        let body = serde_json::json!({
            "bucketId": bucket, "accessKeyId": key, "permissions": { right: true },
        });
        bench.garage.ask("AllowBucketKey", &body);
    };
    // Anyone may have been given a right to read; whoever owns the bucket is its owner.
    allow("read");
    assert_eq!(
        refusal(&bench, &owner, &grant(&key, bucket, read)).await,
        Refusal::NotYours
    );
    allow("owner");
    assert_eq!(
        refusal(&bench, &thief, &grant(&key, bucket, read)).await,
        Refusal::NotYours
    );
    bench
        .run(&owner, grant(&key, bucket, [true, true, true]))
        .await
        .result();

    // Learnt: no question to Garage the next time.
    bench.proxy.forget_calls();
    assert_eq!(
        refusal(&bench, &thief, &delete(bucket)).await,
        Refusal::NotYours
    );
    assert_eq!(bench.proxy.calls(), Vec::<String>::new());
    assert_eq!(
        bench
            .engine
            .0
            .journal
            .owner(&Owned::Bucket(bucket))
            .unwrap(),
        Some(owner.actor.account)
    );

    // What the inventory says does not overwrite it.
    let said = vec![(bucket, thief.actor.account)];
    let now = tokio::time::Instant::now();
    bench.engine.learn_owners(said, vec![], now).await.unwrap();
    assert_eq!(
        refusal(&bench, &thief, &delete(bucket)).await,
        Refusal::NotYours
    );
}

/// A bucket made by hand, with a key of `asker`'s that owns it: the journal does not know it.
pub(super) async fn by_hand(bench: &Bench, asker: &Asker) -> BucketId {
    let key = format!("GK{}", hex::encode(random::<12>()));
    let import = serde_json::json!({
        "accessKeyId": key, "secretAccessKey": "s".repeat(64),
        "name": format!("{}/old", asker.actor.account),
    });
    bench.garage.ask("ImportKey", &import);
    let made = bench
        .garage
        .ask("CreateBucket", &serde_json::json!({ "globalAlias": "old" }));
    let bucket = made["id"].as_str().unwrap();
    let allow = serde_json::json!({
        "bucketId": bucket, "accessKeyId": key, "permissions": { "owner": true },
    });
    bench.garage.ask("AllowBucketKey", &allow);
    bucket.parse().unwrap()
}

fn quota(bucket: BucketId, bytes: u64) -> Command {
    Command::BucketSetQuota(BucketSetQuota {
        bucket,
        quota_bytes: Limit::new(bytes),
        quota_objects: None,
    })
}

#[tokio::test]
async fn commands_on_one_thing_run_as_they_came_however_long_its_owner_takes_to_tell() {
    let bench = Bench::start().await;
    let (owner, mut operator) = (bench.asker(), bench.asker());
    operator.actor.operator = true;
    let bucket = by_hand(&bench, &owner).await;
    bench.proxy.plan("GetBucketInfo", Mishap::Late);
    let (first, second) = (
        bench.payload(&owner, &quota(bucket, 1)),
        bench.payload(&operator, &quota(bucket, 2)),
    );
    let submit = |payload| bench.engine.submit(&bench.sign(payload), Source::Channel);
    let (one, other) = (submit(&first), submit(&second));
    let one = tokio::spawn(one);
    bench.proxy.has_happened(1).await;
    // An operator need not be asked about: the second is taken while the first is not yet.
    let other = other.await;
    assert!(matches!(other, Submitted::Accepted(_)), "{other:?}");
    bench.proxy.release();
    let one = one.await.unwrap();
    assert!(matches!(one, Submitted::Accepted(_)), "{one:?}");
    let (first, second) = (
        bench.wait(first.operation).await,
        bench.wait(second.operation).await,
    );
    assert!(first.receipt.sequence < second.receipt.sequence);
    assert_eq!(bench.garage.buckets().await[0].quotas.max_size, Some(2));
}

#[tokio::test]
async fn a_garage_that_does_not_tell_an_owner_in_time_is_busy_and_holds_nobody_up() {
    let bench = Bench::start().await;
    let (owner, mut operator) = (bench.asker(), bench.asker());
    operator.actor.operator = true;
    let bucket = by_hand(&bench, &owner).await;
    bench.proxy.plan("GetBucketInfo", Mishap::HeldBefore);
    let payload = bench.payload(&owner, &quota(bucket, 1));
    let Submitted::Ended(frame) = bench.submit(&payload).await else {
        panic!("taken without an owner")
    };
    assert_eq!(bench.done(frame).refusal(), Refusal::Busy);
    assert_eq!(
        bench.engine.state_of(payload.operation),
        KnownState::Unknown
    );
    bench.run(&operator, quota(bucket, 2)).await.result();
    // Signed afresh, or sent again while it is fresh, it is taken.
    assert!(matches!(
        bench.submit(&payload).await,
        Submitted::Accepted(_)
    ));
    bench.wait(payload.operation).await.result();
}
