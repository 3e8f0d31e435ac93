//! An agent speaks for its own region: nothing that it says touches what is another's.

use storm_protocol::{
    api::OperationStatus,
    command::{CommandResult, KeyGrant},
    frame::{BucketState, GrantState, InventoryFrame, KeyState, ToAgent, ToHub},
    ident::{AccessKeyId, BucketId, Micros},
    receipt::Outcome,
    result::{BucketDeleted, GrantSet, KeyDeleted, KeyRotated},
};

use super::{
    KEY, create,
    double::{self, Running},
    made,
};

const NEW_KEY: &str = "GK0123456789abcdef01234568";

/// A hub with a bucket, its key and their grant in `home`.
async fn with_a_bucket(hub: &Running) -> (BucketId, AccessKeyId) {
    let (mut agent, mut socket) = hub.enrolled().await;
    let id = hub.world.ask(&hub.world.customer, create("photos")).await;
    let command = agent.command(hub, &mut socket).await;
    let (bucket, outcome) = made("photos", KEY);
    let receipt = agent.receipt(&command, outcome);
    agent.send(&mut socket, &ToHub::Receipt(receipt)).await;
    agent.kept(&mut socket).await;
    hub.until(id, OperationStatus::Done).await;
    (bucket, KEY.parse().unwrap())
}

/// All that `home` has is as it was.
async fn untouched(hub: &Running, bucket: BucketId) {
    let account = hub.world.customer.account;
    let store = &hub.world.app.store;
    let kept = store.bucket(account, bucket).await.unwrap().unwrap();
    assert_eq!(kept.name, Some("photos".parse().unwrap()));
    let key = store
        .key(account, &KEY.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((key.label.as_str(), key.expires_at), ("first", None));
    let all = KeyGrant {
        bucket,
        read: true,
        write: true,
        owner: true,
    };
    assert_eq!(key.grants, vec![all]);
    let grants = store.grants(account, bucket, "", 10).await.unwrap();
    assert_eq!(grants.len(), 1);
    assert!(grants[0].owner);
}

#[tokio::test]
async fn a_receipt_changes_nothing_of_another_region() {
    let hub = Running::start().await;
    let world = &hub.world;
    let (bucket, key) = with_a_bucket(&hub).await;
    let away = world.add_region("away").await;
    let (mut stranger, mut socket) = hub.enrolled_in(&away).await;
    let (account, now) = (world.customer.account, world.app.clock.now());
    let none = KeyGrant {
        bucket,
        read: false,
        write: false,
        owner: false,
    };
    let some = KeyGrant {
        read: true,
        ..none.clone()
    };
    let new: AccessKeyId = NEW_KEY.parse().unwrap();
    let results = [
        CommandResult::KeySetGrant(GrantSet {
            key: key.clone(),
            grant: none,
        }),
        CommandResult::KeySetGrant(GrantSet {
            key: key.clone(),
            grant: some.clone(),
        }),
        CommandResult::KeySetGrant(GrantSet {
            key: new.clone(),
            grant: some.clone(),
        }),
        CommandResult::KeyRotate(KeyRotated {
            key: new,
            previous: key.clone(),
            previous_expires_at: Micros(1),
            grants: vec![some],
        }),
        CommandResult::KeyDelete(KeyDeleted { key }),
        CommandResult::BucketDelete(BucketDeleted { bucket }),
    ];
    for result in results {
        let command = stranger.offline(world, account, now);
        let receipt = stranger.receipt(&command, Outcome::Done(result));
        stranger.send(&mut socket, &ToHub::Receipt(receipt)).await;
        stranger.kept(&mut socket).await;
        untouched(&hub, bucket).await;
    }
    // The region's own key did not take the other's label either.
    let label = format!("SELECT COUNT(*) FROM keys WHERE id = '{NEW_KEY}' AND label = 'unknown'");
    assert_eq!(world.count(&label).await, 1);
    hub.stop().await;
}

#[tokio::test]
async fn a_receipt_ends_no_operation_of_another_region() {
    let hub = Running::start().await;
    let world = &hub.world;
    let (agent, mut socket) = hub.enrolled().await;
    let id = world.ask(&world.customer, create("photos")).await;
    let command = agent.command(&hub, &mut socket).await;
    let away = world.add_region("away").await;
    let (mut stranger, mut theirs) = hub.enrolled_in(&away).await;
    // The intent is the right one: it is no secret to who has seen the command.
    let receipt = stranger.receipt(&command, made("photos", KEY).1);
    stranger.send(&mut theirs, &ToHub::Receipt(receipt)).await;
    assert_eq!(stranger.kept(&mut theirs).await, 1);
    let operation = world.app.store.operation(id).await.unwrap().unwrap();
    assert_eq!(
        (operation.state, operation.receipt),
        (OperationStatus::Sent, None)
    );
    assert_eq!(world.count("SELECT COUNT(*) FROM buckets").await, 0);
    hub.stop().await;
}

#[tokio::test]
async fn an_inventory_changes_nothing_of_another_region() {
    let hub = Running::start().await;
    let world = &hub.world;
    let (bucket, key) = with_a_bucket(&hub).await;
    let away = world.add_region("away").await;
    let (stranger, mut socket) = hub.enrolled_in(&away).await;
    let state = BucketState {
        bucket,
        aliases: vec!["stolen".parse().unwrap()],
        bytes: 1,
        objects: 1,
        unfinished_bytes: 0,
        unfinished_uploads: 0,
        quota_bytes: None,
        quota_objects: None,
        website: None,
        cors: vec![],
        lifecycle: vec![],
        other_rules: false,
        grants: vec![GrantState {
            key: key.clone(),
            read: true,
            write: false,
            owner: false,
        }],
        local_aliases: vec![],
        created_at: Micros(5),
    };
    let named = KeyState {
        key: key.clone(),
        name: "stolen".to_owned(),
        created_at: None,
        expires_at: Some(Micros(1)),
        create_buckets: false,
    };
    let frame = |generation, gone| InventoryFrame {
        generation,
        whole: true,
        last: true,
        buckets: if gone { vec![] } else { vec![state.clone()] },
        buckets_gone: if gone { vec![bucket] } else { vec![] },
        keys: if gone { vec![] } else { vec![named.clone()] },
        keys_gone: if gone { vec![key.clone()] } else { vec![] },
    };
    for (generation, gone) in [(1, false), (2, true)] {
        let frame = ToHub::Inventory(frame(generation, gone));
        stranger.send(&mut socket, &frame).await;
        match double::next(&mut socket).await {
            Some(ToAgent::InventoryKept(kept)) => assert_eq!(kept.generation, generation),
            other => panic!("expected an acknowledgement, got {other:?}"),
        }
        untouched(&hub, bucket).await;
    }
    hub.stop().await;
}
