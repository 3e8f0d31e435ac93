//! Storage limits become quotas; marks are told once; nobody is asked in vain.

mod adoption;

use std::collections::BTreeMap;

use storm_protocol::{
    api::AccountLimits,
    command::{BucketQuota, Command, CommandResult, MAX_QUOTAS, RawCommand},
    ident::{AccountId, BucketId, Limit, Micros, OperationId},
    result::QuotasSet,
};

use crate::{
    app::Change,
    clock::random,
    store::{Durability, effects::Effects},
    testing::World,
    usage::keeper::look_at,
};

const AGENT: &str = "019a0000-0000-7000-8000-000000000001";
const A: BucketId = BucketId([0xaa; 32]);
const B: BucketId = BucketId([0xbb; 32]);

/// A world whose region has an agent that can set quotas.
async fn start() -> World {
    let world = World::new().await;
    world
        .sql(&format!(
            "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, connected, \
             created_at) VALUES ('{AGENT}', 'home', 'h', 'x', 'x', 'x', '{{}}', 1, 0)"
        ))
        .await;
    world
        .sql(&format!("UPDATE regions SET executor = '{AGENT}'"))
        .await;
    world
}

async fn has(world: &World, id: BucketId, bytes: u64, unfinished: u64) {
    let account = world.customer.account;
    world
        .sql(&format!(
            "INSERT INTO buckets (id, region, account, bytes, objects, unfinished_bytes, created_at) \
             VALUES ('{id}', 'home', '{account}', {bytes}, 1, {unfinished}, 0) ON CONFLICT (id) DO UPDATE \
             SET bytes = excluded.bytes, unfinished_bytes = excluded.unfinished_bytes"
        ))
        .await;
}

async fn limit_storage(world: &World, bytes: Option<u64>) {
    let limits = AccountLimits {
        storage_bytes: bytes.and_then(Limit::new),
        buckets: None,
        keys: None,
    };
    // No two of these at the same instant.
    world.clock.advance_seconds(1);
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

/// Looks at the account; the quotas that were asked for, if any.
async fn asked(world: &World) -> Option<(OperationId, Vec<BucketQuota>)> {
    let before = last_asked(world).await;
    look_at(&world.app, world.customer.account).await.unwrap();
    let after = last_asked(world).await;
    if before == after {
        return None;
    }
    let id: OperationId = after.unwrap();
    let operation = world.app.store.operation(id).await.unwrap().unwrap();
    let raw = RawCommand {
        name: operation.command,
        parameters: serde_json::value::to_raw_value(&operation.parameters).unwrap(),
    };
    match raw.parse().unwrap() {
        Command::AccountSetQuotas(p) => {
            assert_eq!(p.account, world.customer.account);
            Some((id, p.quotas))
        }
        other => panic!("{other:?}"),
    }
}

async fn last_asked(world: &World) -> Option<OperationId> {
    let id: Option<String> = sqlx::query_scalar(
        "SELECT id FROM operations WHERE command = 'account.set_quotas' ORDER BY requested_at DESC, id DESC \
         LIMIT 1",
    )
    .fetch_optional(&mut *world.app.store.read().await.unwrap())
    .await
    .unwrap();
    id.map(|id| id.parse().unwrap())
}

fn bytes(quotas: &[BucketQuota]) -> BTreeMap<BucketId, Option<u64>> {
    let bytes = |quota: &BucketQuota| quota.quota_bytes.map(Limit::get);
    quotas
        .iter()
        .map(|quota| (quota.bucket, bytes(quota)))
        .collect()
}

/// What the receipt of an operation does to the database; `gone`: Garage does not know these.
async fn done(world: &World, (id, quotas): &(OperationId, Vec<BucketQuota>), gone: Vec<BucketId>) {
    let command = Command::AccountSetQuotas(storm_protocol::command::AccountSetQuotas {
        account: world.customer.account,
        quotas: quotas.clone(),
    });
    let effects = Effects {
        region: &world.region,
        account: world.customer.account,
        operation: *id,
        at: world.app.clock.now(),
        stored_at: world.app.clock.now(),
        wanted: None,
    };
    let result = CommandResult::AccountSetQuotas(QuotasSet {
        account: world.customer.account,
        set: 1,
        gone,
    });
    let mut change = world.app.store.write(Durability::Process).await.unwrap();
    let changes = effects
        .apply(&mut change, Some(&command), &result)
        .await
        .unwrap();
    change.commit().await.unwrap();
    assert_eq!(changes.len(), quotas.len());
    world
        .sql(&format!(
            "UPDATE operations SET state = 'done' WHERE id = '{id}'"
        ))
        .await;
}

#[tokio::test]
async fn quotas_follow_a_storage_limit_and_its_end() {
    let world = start().await;
    has(&world, A, 20, 0).await;
    has(&world, B, 0, 4).await;
    world
        .sql(&format!(
            "UPDATE buckets SET quota_bytes = 26, quota_objects = 9 WHERE id = '{B}'"
        ))
        .await;
    assert_eq!(asked(&world).await, None, "without a limit nothing is sent");

    limit_storage(&world, Some(30)).await;
    let first = asked(&world).await.unwrap();
    // 24 are used, 6 are left: each may grow by them, and B by no more than its people want.
    assert_eq!(
        bytes(&first.1),
        [(A, Some(26)), (B, Some(10))].into_iter().collect()
    );
    let objects = |id| {
        let quota = first.1.iter().find(|quota| quota.bucket == id).unwrap();
        quota.quota_objects.map(Limit::get)
    };
    assert_eq!((objects(A), objects(B)), (None, Some(9)));
    assert_eq!(asked(&world).await, None, "one at a time");
    done(&world, &first, vec![]).await;
    assert_eq!(
        asked(&world).await,
        None,
        "what was set just now is settled"
    );

    // A sweep that began before the receipt still says what was: the receipt outweighs it.
    world.sql("UPDATE buckets SET quota_bytes = NULL").await;
    assert_eq!(asked(&world).await, None);
    // Later it counts: somebody has lifted the quotas by hand.
    world.clock.advance_seconds(301);
    let by_hand = asked(&world).await.unwrap();
    assert_eq!(by_hand.1.len(), 2);
    done(&world, &by_hand, vec![]).await;

    // What B's people want is theirs still.
    let shown = world.app.store.bucket(world.customer.account, B).await;
    let shown = shown.unwrap().unwrap();
    assert_eq!(shown.quota_bytes.map(Limit::get), Some(26));
    assert_eq!(shown.effective_quota_bytes.map(Limit::get), Some(10));

    limit_storage(&world, None).await;
    let lifted = asked(&world).await.unwrap();
    assert_eq!(
        bytes(&lifted.1),
        [(A, None), (B, Some(26))].into_iter().collect()
    );
    done(&world, &lifted, vec![]).await;
    // From now on what somebody sets by hand is not ours to undo.
    world.sql("UPDATE buckets SET quota_bytes = 1").await;
    world.clock.advance_seconds(301);
    assert_eq!(asked(&world).await, None);
}

#[tokio::test]
async fn a_limit_on_objects_that_was_overtaken_is_set_again() {
    let world = start().await;
    has(&world, A, 20, 0).await;
    limit_storage(&world, Some(30)).await;
    let first = asked(&world).await.unwrap();
    // Its people set one while the command was on its way with none.
    world.sql("UPDATE bucket_quotas SET own_objects = 7").await;
    done(&world, &first, vec![]).await;
    let again = asked(&world).await.unwrap();
    assert_eq!(again.1[0].quota_objects.map(Limit::get), Some(7));
    assert_eq!(again.1[0].quota_bytes.map(Limit::get), Some(30));
    done(&world, &again, vec![]).await;
    assert_eq!(asked(&world).await, None);
}

#[tokio::test]
async fn a_bucket_that_grows_gets_its_share_of_what_is_left() {
    const GIB: u64 = 1 << 30;
    let world = start().await;
    has(&world, A, 0, 0).await;
    has(&world, B, 0, 0).await;
    limit_storage(&world, Some(100 * GIB)).await;
    let first = asked(&world).await.unwrap();
    done(&world, &first, vec![]).await;
    assert_eq!(bytes(&first.1)[&A], Some(25 * GIB));
    // Half the slack of what is left then is still there.
    has(&world, A, 10 * GIB, 2 * GIB).await;
    assert_eq!(asked(&world).await, None);
    has(&world, A, 12 * GIB, 4 * GIB).await;
    let more = asked(&world).await.unwrap();
    assert_eq!(
        bytes(&more.1),
        [(A, Some(37 * GIB))].into_iter().collect(),
        "the one that needs it, and no other"
    );
    done(&world, &more, vec![]).await;

    // At 80 per cent all of them follow, also one that would not be due.
    has(&world, A, 80 * GIB, 0).await;
    let at_mark = asked(&world).await.unwrap();
    assert_eq!(
        bytes(&at_mark.1),
        [(A, Some(90 * GIB)), (B, Some(10 * GIB))]
            .into_iter()
            .collect()
    );
    // A bucket that Garage does not know is gone, and is not asked about for ever.
    done(&world, &at_mark, vec![B]).await;
    let gone = format!("SELECT COUNT(*) FROM buckets WHERE id = '{B}' AND gone_at > 0");
    assert_eq!(world.count(&gone).await, 1);
    assert_eq!(asked(&world).await, None);
}

#[tokio::test]
async fn each_crossing_of_a_mark_is_told_once() {
    let world = start().await;
    let account = world.customer.account;
    has(&world, A, 79, 0).await;
    limit_storage(&world, Some(100)).await;
    let mut heard = world.app.bus.listen();
    for (used, percent) in [
        (79, None),
        (80, Some(80)),
        (94, None),
        (96, Some(95)),
        (120, Some(100)),
        (100, None),
        (99, Some(95)),
        (3, Some(0)),
        (4, None),
    ] {
        has(&world, A, used, 0).await;
        look_at(&world.app, account).await.unwrap();
        let mut told = false;
        while let Ok(change) = heard.try_recv() {
            told |= change == Change::Mark(account);
        }
        assert_eq!(told, percent.is_some(), "{used}");
        if let Some(percent) = percent {
            let notice = world.app.store.limit_notice(account).await;
            let notice = notice.unwrap().unwrap();
            assert_eq!((notice.percent, notice.used_bytes), (percent, used));
            assert_eq!(notice.limit_bytes.get(), 100);
        }
    }
}

#[tokio::test]
async fn the_last_written_come_first_and_so_many_at_once() {
    let world = start().await;
    let account = world.customer.account;
    let mut values = vec![];
    for number in 0..=MAX_QUOTAS {
        let id = BucketId(random());
        let bucket = format!("('{id}', 'home', '{account}', 0, 0, 0, 0)");
        let moved = format!("('{id}', '{account}', 'home', {number}, 0, 0, 0)");
        values.push((id, bucket, moved));
    }
    let list = |pick: fn(&(BucketId, String, String)) -> &str| {
        values.iter().map(pick).collect::<Vec<_>>().join(", ")
    };
    world
        .sql(&format!(
            "INSERT INTO buckets (id, region, account, bytes, objects, unfinished_bytes, created_at) VALUES {}",
            list(|value| &value.1)
        ))
        .await;
    world
        .sql(&format!(
            "INSERT INTO usage_now (bucket, account, region, at, bytes, objects, unfinished_bytes) VALUES {}",
            list(|value| &value.2)
        ))
        .await;
    limit_storage(&world, Some(1_000)).await;
    let first = asked(&world).await.unwrap();
    let order: Vec<BucketId> = first.1.iter().map(|quota| quota.bucket).collect();
    let expected: Vec<BucketId> = values.iter().rev().map(|value| value.0).collect();
    assert_eq!(order, expected[..MAX_QUOTAS]);
    done(&world, &first, vec![]).await;
    let rest = asked(&world).await.unwrap();
    assert_eq!(bytes(&rest.1), [(values[0].0, Some(1_000))].into());
}

#[tokio::test]
async fn nobody_is_asked_in_vain() {
    let world = start().await;
    has(&world, A, 20, 0).await;
    limit_storage(&world, Some(30)).await;
    for away in [
        "connected = 0",
        "quarantined = 'why'",
        "revoked_at = 1",
        "not_offered = '[\"account.set_quotas\"]'",
    ] {
        world.sql(&format!("UPDATE agents SET {away}")).await;
        assert_eq!(asked(&world).await, None, "{away}");
        world
            .sql("UPDATE agents SET connected = 1, quarantined = NULL, revoked_at = NULL, not_offered = '[]'")
            .await;
    }
    let (id, _) = asked(&world).await.unwrap();
    let now = world.app.clock.now();
    world
        .sql(&format!(
            "UPDATE operations SET state = 'failed', finished_at = {} WHERE id = '{id}'",
            now.0
        ))
        .await;
    assert!(look_at(&world.app, world.customer.account).await.unwrap());
    assert_eq!(asked(&world).await, None, "what failed rests");
    world.clock.advance_seconds(61);
    let (again, _) = asked(&world).await.unwrap();
    let operation = world.app.store.operation(again).await.unwrap().unwrap();
    assert!(operation.actor.operator);
    assert_eq!(operation.actor.via.as_str(), "system");
}

#[tokio::test]
async fn a_region_sets_the_quotas_of_so_many_accounts_at_a_time() {
    let world = start().await;
    let mut accounts = vec![];
    for _ in 0..3 {
        let account = AccountId::new(world.app.clock.now(), random());
        let id = BucketId(random());
        for text in [
            format!("INSERT INTO accounts VALUES ('{account}', 'more', 0)"),
            format!(
                "INSERT INTO account_limits (account, storage_bytes, reset_at) VALUES ('{account}', 9, 0)"
            ),
            format!(
                "INSERT INTO buckets (id, region, account, created_at) VALUES ('{id}', 'home', '{account}', 0)"
            ),
        ] {
            world.sql(&text).await;
        }
        accounts.push(account);
    }
    let mut later = vec![];
    for account in &accounts {
        later.push(look_at(&world.app, *account).await.unwrap());
    }
    assert_eq!(later, [false, false, true]);
    world
        .sql("UPDATE operations SET state = 'done' WHERE command = 'account.set_quotas'")
        .await;
    assert!(!look_at(&world.app, accounts[2]).await.unwrap());
}

#[tokio::test]
async fn accounts_with_limits_are_those_that_have_or_had_some() {
    let world = World::new().await;
    let (store, account) = (&world.app.store, world.customer.account);
    assert_eq!(store.accounts_with_limits().await.unwrap(), []);
    for buckets in [Some(Limit::new(3).unwrap()), None] {
        let limits = AccountLimits {
            buckets,
            storage_bytes: None,
            keys: None,
        };
        assert!(store.set_limits(account, &limits, Micros(1)).await.unwrap());
        assert_eq!(store.accounts_with_limits().await.unwrap(), [account]);
    }
}
