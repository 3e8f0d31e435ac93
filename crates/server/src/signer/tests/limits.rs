//! How many buckets and keys an account may have: decided here, whatever was asked at the same time.

use storm_protocol::{
    api::AccountLimits,
    command::{Command, KeyCreate, KeyRotate, KeySetExpiry},
    ident::Limit,
};

use super::*;

const KEY: &str = "GK0123456789abcdef01234567";

async fn allow(world: &World, buckets: Option<u64>, keys: Option<u64>) {
    let limits = AccountLimits {
        storage_bytes: None,
        buckets: buckets.and_then(Limit::new),
        keys: keys.and_then(Limit::new),
    };
    let (account, now) = (world.customer.account, world.app.clock.now());
    assert!(
        world
            .app
            .store
            .set_limits(account, &limits, now)
            .await
            .unwrap()
    );
}

async fn how_many(world: &World, state: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM operations WHERE state = '{state}'");
    world.count(&sql).await
}

fn key(label: &str) -> Command {
    Command::KeyCreate(KeyCreate {
        label: label.parse().unwrap(),
        expires_at: None,
        create_buckets: false,
        grants: vec![],
    })
}

fn rotate(grace_seconds: u32) -> Command {
    Command::KeyRotate(KeyRotate {
        key: KEY.parse().unwrap(),
        label: None,
        grace_seconds,
    })
}

async fn insert_key(world: &World, expires_at: i64) {
    let account = world.customer.account;
    world
        .sql(&format!(
            "INSERT INTO keys (id, region, account, label, created_at, expires_at) \
             VALUES ('{KEY}', 'home', '{account}', 'k', 0, {expires_at})"
        ))
        .await;
}

#[tokio::test]
async fn requests_at_the_same_time_do_not_exceed_a_limit() {
    let (world, mut signer) = start().await;
    insert_bucket(&world, world.customer.account).await;
    allow(&world, Some(3), None).await;
    // As if web had found room for each of them.
    for number in 0..5 {
        let name = format!("photos-{number}");
        world.ask(&world.customer, create(&name)).await;
    }
    signer.pass().await.unwrap();
    assert_eq!(how_many(&world, "signed").await, 2);
    assert_eq!(how_many(&world, "refused").await, 3);
    // What was signed counts until it has ended, whatever becomes of it on the way.
    for state in ["sent", "accepted", "unknown", "requested"] {
        world
            .sql(&format!(
                "UPDATE operations SET state = '{state}' WHERE attempt = 1"
            ))
            .await;
        let more = world.ask(&world.customer, create("one-more")).await;
        signer.pass().await.unwrap();
        assert_eq!(
            refusal(&world, more).await,
            Some(Refusal::LimitReached),
            "{state}"
        );
    }
    world
        .sql("UPDATE operations SET state = 'failed' WHERE attempt >= 1")
        .await;
    let more = world.ask(&world.customer, create("one-more")).await;
    signer.pass().await.unwrap();
    assert_eq!(status(&world, more).await, OperationStatus::Signed);
    // Another account's limits are its own, and who has none may have all.
    let theirs = world.ask(&world.operator, create("theirs")).await;
    signer.pass().await.unwrap();
    assert_eq!(status(&world, theirs).await, OperationStatus::Signed);
}

#[tokio::test]
async fn older_requests_come_first() {
    let (world, mut signer) = start().await;
    allow(&world, Some(1), None).await;
    // Its region's agent is away, so it waits; it was first nevertheless.
    world.add_region("away").await;
    let mut first = world.request(&world.customer, create("first"));
    first.region = "away".parse().unwrap();
    let id = first.id;
    world.app.store.request_operation(first).await.unwrap();
    world.clock.advance_seconds(1);
    let second = world.ask(&world.customer, create("second")).await;
    signer.pass().await.unwrap();
    assert_eq!(status(&world, id).await, OperationStatus::Requested);
    assert_eq!(refusal(&world, second).await, Some(Refusal::LimitReached));
}

#[tokio::test]
async fn keys_that_work_count() {
    let (world, mut signer) = start().await;
    insert_key(&world, i64::MAX).await;
    allow(&world, None, Some(1)).await;
    let mut ask = async |command: Command, fits: bool| {
        let id = world.ask(&world.customer, command).await;
        signer.pass().await.unwrap();
        let refused = refusal(&world, id).await;
        assert_eq!(refused, (!fits).then_some(Refusal::LimitReached));
        world
            .sql("UPDATE operations SET state = 'failed' WHERE state = 'signed'")
            .await;
    };
    ask(key("second"), false).await;
    // One that takes the other's place at once is none more.
    ask(rotate(60), false).await;
    ask(rotate(0), true).await;
    let works_again = Command::KeySetExpiry(KeySetExpiry {
        key: KEY.parse().unwrap(),
        expires_at: None,
    });
    ask(works_again.clone(), true).await;
    // One that has ended does not count, until it is to work again.
    world.sql("UPDATE keys SET expires_at = 1").await;
    ask(key("second"), true).await;
    world
        .sql(&format!(
            "INSERT INTO keys (id, region, account, label, created_at) \
             VALUES ('GK0123456789abcdef01234568', 'home', '{}', 'l', 0)",
            world.customer.account
        ))
        .await;
    ask(works_again, false).await;
    world.sql("UPDATE keys SET temporary = 1").await;
    ask(key("third"), true).await;
}
