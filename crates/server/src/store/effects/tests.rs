//! What receipts say of keys, against what is known of them here.

use storm_protocol::{
    command::{CommandResult, KeySuspend},
    ident::{AccessKeyId, OperationId},
    result::KeySuspended,
};

use super::*;
use crate::{clock::random, store::Durability, testing::World};

const KEY: &str = "GK0123456789abcdef01234567";
const ENDS: i64 = 5_000_000;
const LATER: i64 = 9_000_000;

/// The key's end after a suspension whose receipt says `said`, of a key that ended at `known`.
async fn end_after_suspension(known: Option<i64>, said: Option<i64>) -> Option<i64> {
    let world = World::new().await;
    let key: AccessKeyId = KEY.parse().unwrap();
    let (account, now) = (world.customer.account, world.app.clock.now());
    let ends = known.map_or_else(|| "NULL".to_owned(), |at| at.to_string());
    world
        .sql(&format!(
            "INSERT INTO keys (id, region, account, label, created_at, expires_at) \
             VALUES ('{KEY}', 'home', '{account}', 'k', 0, {ends})"
        ))
        .await;
    let effects = Effects {
        region: &world.region,
        account,
        operation: OperationId::new(now, random()),
        at: now,
        stored_at: now,
        wanted: None,
    };
    let asked = Command::KeySuspend(KeySuspend { key: key.clone() });
    let result = CommandResult::KeySuspend(KeySuspended {
        key: key.clone(),
        expires_at: said.map(Micros),
    });
    let mut change = world.app.store.write(Durability::Process).await.unwrap();
    let applied = effects.apply(&mut change, Some(&asked), &result).await;
    applied.unwrap();
    change.commit().await.unwrap();
    let kept = world.app.store.key(account, &key).await.unwrap().unwrap();
    assert!(kept.suspended);
    kept.expires_at.map(|at| at.0)
}

#[tokio::test]
async fn a_suspended_key_keeps_the_end_that_it_had() {
    for (known, said, kept) in [
        (None, None, None),
        (None, Some(ENDS), Some(ENDS)),
        // Somebody has given it another end in the storage.
        (Some(ENDS), Some(LATER), Some(LATER)),
        // A lost agent had suspended it: the next one finds no end, and resuming it must not widen it.
        (Some(ENDS), None, Some(ENDS)),
    ] {
        assert_eq!(end_after_suspension(known, said).await, kept);
    }
}
