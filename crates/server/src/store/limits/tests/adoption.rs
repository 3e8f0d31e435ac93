//! A bucket that is given to an account with a storage limit has its quota from the start.

use storm_protocol::{command::BucketAdopt, result::BucketAdopted};

use super::*;
use crate::reconcile;

/// What the account may store, what its first bucket has, and what the one that appears has.
const LIMIT: u64 = 30;
const USED: u64 = 20;
const APPEARED: u64 = 4;
/// The quota that the one that appears was found with.
const FOUND: u64 = 9_000;

/// The only operation that adopts: its id, what is sent, and what was asked for.
async fn adoption(world: &World) -> (OperationId, BucketAdopt, Option<Command>) {
    let (id, sent, asked): (String, String, Option<String>) = sqlx::query_as(
        "SELECT id, parameters, asked FROM operations WHERE command = 'bucket.adopt'",
    )
    .fetch_one(&mut *world.app.store.read().await.unwrap())
    .await
    .unwrap();
    let read = |json: String| {
        let raw = RawCommand {
            name: "bucket.adopt".to_owned(),
            parameters: serde_json::value::RawValue::from_string(json).unwrap(),
        };
        raw.parse().unwrap()
    };
    match read(sent) {
        Command::BucketAdopt(sent) => (id.parse().unwrap(), sent, asked.map(read)),
        other => panic!("{other:?}"),
    }
}

/// What the receipt of an adoption does to the database.
async fn adopted(world: &World, id: OperationId, sent: &BucketAdopt, asked: Option<&Command>) {
    let now = world.app.clock.now();
    let effects = Effects {
        region: &world.region,
        account: sent.account,
        operation: id,
        at: now,
        stored_at: now,
        wanted: asked,
    };
    let result = CommandResult::BucketAdopt(BucketAdopted {
        bucket: sent.bucket,
        account: sent.account,
        name: None,
        quota_bytes: sent.quota_bytes,
        quota_objects: sent.quota_objects,
    });
    let sent = Command::BucketAdopt(sent.clone());
    let mut change = world.app.store.write(Durability::Process).await.unwrap();
    effects
        .apply(&mut change, Some(&sent), &result)
        .await
        .unwrap();
    change.commit().await.unwrap();
}

/// A bucket that a sweep has just given to the customer.
async fn appears(world: &World) {
    has(world, A, USED, 0).await;
    has(world, B, APPEARED, 0).await;
    world
        .sql(&format!(
            "UPDATE buckets SET quota_bytes = {FOUND}, quota_objects = 9, adopt_at = 0, adopt_tries = 1 \
             WHERE id = '{B}'"
        ))
        .await;
}

#[tokio::test]
async fn a_bucket_that_appears_is_adopted_with_its_share_of_the_storage_limit() {
    let world = start().await;
    appears(&world).await;
    limit_storage(&world, Some(LIMIT)).await;
    reconcile::pass(&world.app).await.unwrap();
    let (id, sent, asked) = adoption(&world).await;
    let share = Limit::new(LIMIT - USED);
    assert_eq!((sent.bucket, sent.quota_bytes), (B, share));
    assert_eq!(sent.quota_objects, None, "the limit on objects stays");

    // A sweep sees what was set before the receipt is here.
    world
        .sql(&format!(
            "UPDATE buckets SET quota_bytes = {} WHERE id = '{B}'",
            LIMIT - USED
        ))
        .await;
    let sent = BucketAdopt {
        quota_objects: Limit::new(9),
        ..sent
    };
    adopted(&world, id, &sent, asked.as_ref()).await;
    // The keeper has nothing to add to it.
    let first = super::asked(&world).await.unwrap();
    assert_eq!(bytes(&first.1), [(A, Some(LIMIT - APPEARED))].into());
    done(&world, &first, vec![]).await;

    // What it was found with comes back.
    limit_storage(&world, None).await;
    let lifted = super::asked(&world).await.unwrap();
    assert_eq!(
        bytes(&lifted.1),
        [(A, None), (B, Some(FOUND))].into_iter().collect()
    );
}

#[tokio::test]
async fn without_a_storage_limit_a_bucket_keeps_what_it_has() {
    let world = start().await;
    appears(&world).await;
    reconcile::pass(&world.app).await.unwrap();
    let (_, sent, asked) = adoption(&world).await;
    assert_eq!((sent.quota_bytes, asked), (None, None));
    assert_eq!(world.count("SELECT COUNT(*) FROM bucket_quotas").await, 0);
}

#[tokio::test]
async fn a_bucket_that_is_not_counted_yet_is_counted_in_its_own_quota() {
    let world = start().await;
    appears(&world).await;
    world
        .sql(&format!(
            "UPDATE buckets SET account = NULL, adopt_at = NULL WHERE id = '{B}'"
        ))
        .await;
    limit_storage(&world, Some(LIMIT)).await;
    let (store, account) = (&world.app.store, world.customer.account);
    for (asked, quota) in [
        (None, LIMIT - USED),
        (Some(7), 7),
        (Some(FOUND), LIMIT - USED),
    ] {
        let asked = asked.and_then(Limit::new);
        let given = store.quota_at_adoption(account, B, asked).await.unwrap();
        assert_eq!(given, Limit::new(quota), "{asked:?}");
    }
}

#[tokio::test]
async fn what_is_adopted_is_not_asked_for_again() {
    let world = start().await;
    appears(&world).await;
    let waits = format!("SELECT COUNT(*) FROM buckets WHERE id = '{B}' AND adopt_at IS NOT NULL");
    assert_eq!(world.count(&waits).await, 1);
    world.app.store.adopted(B).await.unwrap();
    assert_eq!(world.count(&waits).await, 0);
}
