//! What a sweep of a cluster says to a database that knows nobody.

use std::collections::BTreeSet;

use storm_protocol::{
    frame::{BucketState, GrantState, InventoryFrame, KeyState},
    ident::{AccessKeyId, AccountId, AgentId, BucketId, Micros, key_name},
};

use super::{super::inventory::Sweep, Orphans};
use crate::{clock::random, store::audit::Entry, testing::World};

fn key(letter: char) -> AccessKeyId {
    format!("GK{}", letter.to_string().repeat(24))
        .parse()
        .unwrap()
}

fn named(letter: char, name: String) -> KeyState {
    KeyState {
        key: key(letter),
        name,
        created_at: Some(Micros(5)),
        expires_at: None,
        create_buckets: false,
    }
}

fn bucket(number: u8, owners: &[char]) -> BucketState {
    let grant = |letter: &char| GrantState {
        key: key(*letter),
        read: true,
        write: true,
        owner: true,
    };
    BucketState {
        bucket: BucketId([number; 32]),
        aliases: vec![format!("bucket-{number}").parse().unwrap()],
        bytes: 7,
        objects: 1,
        unfinished_bytes: 0,
        unfinished_uploads: 0,
        quota_bytes: None,
        quota_objects: None,
        website: None,
        cors: vec![],
        lifecycle: vec![],
        other_rules: false,
        grants: owners.iter().map(grant).collect(),
        local_aliases: vec![],
        created_at: Micros(5),
    }
}

async fn sweep(world: &World, keys: Vec<KeyState>, buckets: Vec<BucketState>) {
    let now = world.app.clock.now();
    let sweep = Sweep {
        agent: AgentId::new(now, random()),
        region: &world.region,
        began_at: now,
    };
    let frame = InventoryFrame {
        generation: 1,
        whole: true,
        last: true,
        buckets,
        buckets_gone: vec![],
        keys,
        keys_gone: vec![],
    };
    let kept = world.app.store.keep_inventory(&sweep, &frame, now).await;
    kept.unwrap();
}

async fn adopt(world: &World) -> Orphans {
    let now = world.app.clock.now();
    let entry = Entry {
        at: now,
        via: "server".to_owned(),
        act: "account.adopt".to_owned(),
        result: "done".to_owned(),
        count: 1,
        ..Entry::default()
    };
    let store = &world.app.store;
    let shown = store.orphans(&world.region).await.unwrap();
    let done = store
        .adopt_orphans(&world.region, &entry, now)
        .await
        .unwrap();
    assert_eq!(shown, done, "it did something else than it had shown");
    done
}

#[tokio::test]
async fn lost_accounts_get_back_what_their_keys_name_and_own() {
    let world = World::new().await;
    let account = |number| AccountId::new(Micros(number), random());
    let (lost, other, here) = (account(1), account(2), world.customer.account);
    let label = || "ci".parse().unwrap();
    let keys = || {
        vec![
            named('a', key_name(lost, &label())),
            named('b', key_name(other, &label())),
            named('c', key_name(here, &label())),
            named('d', "somebody's/own".to_owned()),
        ]
    };
    let buckets = || {
        vec![
            bucket(1, &['a']),
            bucket(2, &['a', 'b']),
            bucket(3, &['a', 'c']),
            bucket(4, &['c']),
            bucket(5, &['d']),
            bucket(6, &[]),
        ]
    };
    sweep(&world, keys(), buckets()).await;
    // The third may be the customer's or not.
    let owners = "SELECT COUNT(*) FROM buckets WHERE account IS NOT NULL";
    assert_eq!(world.count(owners).await, 1);
    let strays = world
        .app
        .store
        .strays(None, None, &Default::default(), 10)
        .await
        .unwrap();
    let names: Vec<_> = strays
        .iter()
        .filter_map(|stray| stray.name.clone())
        .collect();
    assert!(names.contains(&key_name(lost, &label())), "{names:?}");

    let done = adopt(&world).await;
    let of_lost = &done.accounts[&lost];
    assert!(!of_lost.known);
    assert_eq!(of_lost.keys, [(key('a'), label())]);
    assert_eq!(of_lost.buckets, [BucketId([1; 32])]);
    assert_eq!(done.accounts[&other].buckets, []);
    assert_eq!(done.accounts.len(), 2);
    let contested: Vec<_> = done
        .contested
        .iter()
        .map(|one| (one.bucket, &one.accounts))
        .collect();
    let both = [BTreeSet::from([lost, other]), BTreeSet::from([lost, here])];
    assert_eq!(
        contested,
        [(BucketId([2; 32]), &both[0]), (BucketId([3; 32]), &both[1])]
    );
    assert_eq!(done.others, 3);
    let store = &world.app.store;
    let shown = store.bucket(lost, BucketId([1; 32])).await.unwrap();
    assert!(shown.is_some());
    let label_of = format!("SELECT COUNT(*) FROM keys WHERE account = '{lost}' AND label = 'ci'");
    assert_eq!(world.count(&label_of).await, 1);
    assert_eq!(
        world
            .count("SELECT COUNT(*) FROM buckets WHERE adopt_at IS NOT NULL")
            .await,
        2
    );
    assert!(!store.has_owner(lost).await.unwrap());

    // Again there is nothing, and a sweep changes nothing of it.
    sweep(&world, keys(), buckets()).await;
    let again = adopt(&world).await;
    assert_eq!(again.accounts.len(), 0, "{again:?}");
    assert_eq!(world.count(&label_of).await, 1);
}

/// A key of somebody's that is renamed to another's, past us, stays theirs.
#[tokio::test]
async fn a_name_takes_no_key_from_its_account() {
    let world = World::new().await;
    let here = world.customer.account;
    let label = || "ci".parse().unwrap();
    sweep(&world, vec![named('c', key_name(here, &label()))], vec![]).await;
    let stranger = AccountId::new(Micros(1), random());
    sweep(
        &world,
        vec![named('c', key_name(stranger, &label()))],
        vec![],
    )
    .await;
    let theirs = format!("SELECT COUNT(*) FROM keys WHERE account = '{here}' AND label = 'ci'");
    assert_eq!(world.count(&theirs).await, 1);
    assert_eq!(adopt(&world).await, Orphans::default());
}

#[tokio::test]
async fn a_region_has_an_inventory_once_its_executor_has_told() {
    let world = World::new().await;
    let (store, region) = (&world.app.store, &world.region);
    let other = world.add_region("far").await;
    let agent = AgentId::new(Micros(1), random());
    world
        .sql(&format!(
            "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, created_at, \
             generation) VALUES ('{agent}', 'home', 'node', '', '', '', '', 1, 3)"
        ))
        .await;
    assert!(!store.has_inventory(region).await.unwrap());
    world
        .sql(&format!(
            "UPDATE regions SET executor = '{agent}' WHERE name = 'home'"
        ))
        .await;
    assert!(store.has_inventory(region).await.unwrap());
    assert!(!store.has_inventory(&other).await.unwrap());
    world.sql("UPDATE agents SET generation = 0").await;
    assert!(!store.has_inventory(region).await.unwrap());
}
