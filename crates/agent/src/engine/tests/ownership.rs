//! Whose things may be touched by whom.

use storm_protocol::{
    command::{Command, KeyCreate, KeyDelete},
    error::Refusal,
    ident::BucketId,
};

use super::{
    acceptance::create,
    commands::{created, delete, grant, new_key},
    support::{Asker, Bench},
};
use crate::{clock::random, engine::Submitted, journal::Owned};

async fn refusal(bench: &Bench, asker: &Asker, command: &Command) -> Refusal {
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
    let allow = serde_json::json!({
        "bucketId": bucket, "accessKeyId": key, "permissions": { "read": true },
    });
    bench.garage.ask("AllowBucketKey", &allow);
    assert_eq!(
        refusal(&bench, &thief, &grant(&key, bucket, read)).await,
        Refusal::NotYours
    );
    bench
        .run(&owner, grant(&key, bucket, [true, true, false]))
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
    bench.engine.learn_owners(said, vec![]).await.unwrap();
    assert_eq!(
        refusal(&bench, &thief, &delete(bucket)).await,
        Refusal::NotYours
    );
}
