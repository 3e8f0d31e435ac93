//! What an executor tells of its cluster.

use storm_protocol::{
    frame::{BucketState, GrantState, InventoryFrame, KeyState, ToAgent, ToHub},
    ident::{AccessKeyId, BucketId, Micros, key_name},
};

use super::{
    KEY,
    double::{self, Running},
};
use crate::clock::random;

#[tokio::test]
async fn inventory_finds_owners_and_what_is_gone_and_keeps_known_owners() {
    let hub = Running::start().await;
    let (agent, mut socket) = hub.enrolled().await;
    let account = hub.world.customer.account;
    let key: AccessKeyId = KEY.parse().unwrap();
    let (owned, known, gone) = (BucketId(random()), BucketId(random()), BucketId(random()));
    for (id, account, seen) in [(known, hub.world.operator.account, 0), (gone, account, 0)] {
        hub.world
            .sql(&format!(
                "INSERT INTO buckets (id, region, account, created_at, seen_at) \
                 VALUES ('{id}', 'home', '{account}', 0, {seen})"
            ))
            .await;
    }
    let bucket = |id, name: &str| BucketState {
        bucket: id,
        aliases: vec![name.parse().unwrap()],
        bytes: 10,
        objects: 2,
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
            write: true,
            owner: true,
        }],
        local_aliases: vec![],
        created_at: Micros(5),
    };
    let part = |last, buckets, keys| InventoryFrame {
        generation: 3,
        whole: true,
        last,
        buckets,
        buckets_gone: vec![],
        keys,
        keys_gone: vec![],
    };
    let label = "laptop".parse().unwrap();
    let named = |id: &AccessKeyId, name: String| KeyState {
        key: id.clone(),
        name,
        created_at: Some(Micros(5)),
        expires_at: None,
        create_buckets: false,
    };
    let foreign: AccessKeyId = "GK0123456789abcdef01234569".parse().unwrap();
    let keys = vec![
        named(&key, key_name(account, &label)),
        named(&foreign, "somebody's/key\u{7}".into()),
    ];
    agent
        .send(
            &mut socket,
            &ToHub::Inventory(part(false, vec![bucket(owned, "photos")], vec![])),
        )
        .await;
    agent
        .send(
            &mut socket,
            &ToHub::Inventory(part(true, vec![bucket(known, "videos")], keys)),
        )
        .await;
    match double::next(&mut socket).await {
        Some(ToAgent::InventoryKept(kept)) => assert_eq!(kept.generation, 3),
        other => panic!("expected an acknowledgement, got {other:?}"),
    }
    let world = &hub.world;
    let count = |what: String| async move { world.count(&what).await };
    let of = |id, account| {
        format!(
            "SELECT COUNT(*) FROM buckets WHERE id = '{id}' AND account = '{account}' AND gone_at IS NULL AND bytes = 10"
        )
    };
    assert_eq!(count(of(owned, account)).await, 1);
    assert_eq!(count(of(known, hub.world.operator.account)).await, 1);
    assert_eq!(
        count(format!(
            "SELECT COUNT(*) FROM buckets WHERE id = '{gone}' AND gone_at > 0"
        ))
        .await,
        1
    );
    assert_eq!(
        count(format!(
            "SELECT COUNT(*) FROM keys WHERE id = '{key}' AND label = 'laptop'"
        ))
        .await,
        1
    );
    assert_eq!(
        count(
            "SELECT COUNT(*) FROM keys WHERE account IS NULL AND label = 'somebody''s-key-'".into()
        )
        .await,
        1
    );
    assert_eq!(count("SELECT generation FROM agents".into()).await, 3);
    hub.stop().await;
}
