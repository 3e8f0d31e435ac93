//! What an executor tells of its cluster.

use storm_protocol::{
    frame::{
        BucketState, GrantState, Heartbeat, InventoryFrame, KeyState, MAX_FRAME_ITEMS, MethodClass,
        ToAgent, ToHub, TrafficFrame, TrafficSum,
    },
    ident::{AccessKeyId, BucketId, Micros, key_name},
};

use super::{
    KEY,
    double::{self, Double, Running, Socket},
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

/// Hints that come before the answer to a question.
async fn hints_before_an_answer(agent: &Double, socket: &mut Socket) -> usize {
    let question = ToHub::Heartbeat(Heartbeat { clock: Micros(0) });
    agent.send(socket, &question).await;
    let mut hints = 0;
    loop {
        match double::next(socket).await {
            Some(ToAgent::Moved) => hints += 1,
            Some(ToAgent::HeartbeatSeen(_)) => return hints,
            other => panic!("expected a hint or an answer, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn hints_reach_the_executor_close_ones_as_one_and_the_last_one_always() {
    let hub = Running::start().await;
    let (mut executor, mut socket) = hub.enrolled().await;
    let (other, mut theirs) = hub.enrolled_in(&hub.world.region).await;
    assert!(!other.executor);
    assert_eq!(hints_before_an_answer(&executor, &mut socket).await, 0);
    let hint = async |socket: &mut Socket| match double::next(socket).await {
        Some(ToAgent::Moved) => {}
        other => panic!("expected a hint, got {other:?}"),
    };
    other.send(&mut theirs, &ToHub::Moved).await;
    hint(&mut socket).await;
    for _ in 0..20 {
        other.send(&mut theirs, &ToHub::Moved).await;
    }
    // All are taken once the answer is there. They are one, and come after a while.
    assert_eq!(hints_before_an_answer(&other, &mut theirs).await, 0);
    hint(&mut socket).await;
    assert_eq!(hints_before_an_answer(&executor, &mut socket).await, 0);
    // A connection that broke may have lost one: the next begins with it.
    drop(socket);
    let mut socket = executor.connect(&hub).await.unwrap();
    hint(&mut socket).await;
    hub.stop().await;
}

#[tokio::test]
async fn counts_of_requests_are_stored_once_and_acknowledged() {
    let hub = Running::start().await;
    let world = &hub.world;
    let (_executor, _socket) = hub.enrolled().await;
    let (agent, mut socket) = hub.enrolled_in(&world.region).await;
    let (id, account) = (BucketId(random()), world.customer.account);
    world
        .sql(&format!(
            "INSERT INTO buckets (id, region, account, name, aliases, created_at) \
             VALUES ('{id}', 'home', '{account}', 'photos', '[\"photos\"]', 0)"
        ))
        .await;
    let sum = TrafficSum {
        minute: world.app.clock.now(),
        bucket: "photos".parse().unwrap(),
        method: MethodClass::Write,
        status: 4,
        requests: 3,
        received_bytes: 20,
        sent_bytes: 5,
    };
    let frame = |sequence, sums| ToHub::Traffic(TrafficFrame { sequence, sums });
    for (sequence, kept) in [(1, 1), (2, 2), (2, 2), (1, 2)] {
        agent
            .send(&mut socket, &frame(sequence, vec![sum.clone()]))
            .await;
        match double::next(&mut socket).await {
            Some(ToAgent::TrafficKept(answer)) => assert_eq!(answer.sequence, kept),
            other => panic!("expected an acknowledgement, got {other:?}"),
        }
    }
    let stored = format!(
        "SELECT COUNT(*) FROM traffic WHERE account = '{account}' AND bucket IN ('{id}', '') \
         AND method = 'write' AND status = 4 AND requests = 6 AND received_bytes = 40 AND sent_bytes = 10"
    );
    assert_eq!(world.count(&stored).await, 6);
    let long = vec![sum; MAX_FRAME_ITEMS + 1];
    agent.send(&mut socket, &frame(3, long)).await;
    assert_eq!(
        double::closing_code(&mut socket).await,
        Some(storm_protocol::frame::ClosingCode::Protocol)
    );
    hub.stop().await;
}
