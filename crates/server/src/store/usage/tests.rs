//! Recording and closing, against a month that was worked by hand.

mod charts;

use std::time::Duration;

use storm_protocol::ident::{AccountId, BucketId, Micros};

use super::record;
use crate::{
    app::Change,
    store::{Durability, Store},
    testing::World,
    usage::step::{DAY_MICROS, HOUR_MICROS},
};

/// 2026-11-01T00:00:00Z.
const NOVEMBER: Micros = Micros(1_793_491_200 * Micros::SECOND);
const A: BucketId = BucketId([0xaa; 32]);
const B: BucketId = BucketId([0xbb; 32]);

fn day(day: i64) -> Micros {
    Micros(NOVEMBER.0 + (day - 1) * DAY_MICROS)
}

fn hours(from: Micros, hours: i64) -> Micros {
    Micros(from.0 + hours * HOUR_MICROS)
}

/// What a sweep would do: the bucket's row, then the record.
async fn seen(
    world: &World,
    id: BucketId,
    account: AccountId,
    bytes: i64,
    unfinished: i64,
    at: Micros,
) {
    world
        .sql(&format!(
            "INSERT INTO buckets (id, region, account, bytes, objects, unfinished_bytes, created_at) \
             VALUES ('{id}', 'home', '{account}', {bytes}, 1, {unfinished}, 0) ON CONFLICT (id) DO UPDATE \
             SET account = excluded.account, bytes = excluded.bytes, \
             unfinished_bytes = excluded.unfinished_bytes, gone_at = NULL"
        ))
        .await;
    recorded(world, id, at).await;
}

async fn gone(world: &World, id: BucketId, at: Micros) {
    world
        .sql(&format!(
            "UPDATE buckets SET gone_at = {} WHERE id = '{id}'",
            at.0
        ))
        .await;
    recorded(world, id, at).await;
}

async fn recorded(world: &World, id: BucketId, at: Micros) {
    let mut change = world.app.store.write(Durability::Process).await.unwrap();
    record(&mut change, &[Change::Bucket(None, id)], at)
        .await
        .unwrap();
    change.commit().await.unwrap();
}

async fn close_until(store: &Store, now: Micros) {
    while store.close_hour(now).await.unwrap().is_some() {}
}

/// | from             | used  | until            | for        | byte-hours            |
/// |------------------|-------|------------------|------------|-----------------------|
/// | A: 1st 00:00     | 1,000 | 3rd 12:00        | 60 h       | 60,000                |
/// | 3rd 12:00        | 1,500 | 3rd 12:40        | 2/3 h      | 1,000                 |
/// | 3rd 12:40        | 4,000 | 3rd 13:00        | 1/3 h      | 1,333.3; hour: 2,333  |
/// | 3rd 13:00        | 4,000 | 10th 00:00, gone | 155 h      | 620,000; A: 682,333   |
/// | B: 15th 06:00+1µs| 7     | 15th 07:00       | 1 h - 1 µs | 6.99; hour: 6         |
/// | 15th 07:00       | 7     | 1st of December  | 377 h      | 2,639; B: 2,645       |
///
/// Together 684,978; at most 4,000 bytes at a time. A's days: the 1st 24,000; the 3rd 12 x 1,000 +
/// 2,333 + 11 x 4,000 = 58,333; the 10th 0. The others are the closing bytes of the row before them.
async fn month(world: &World) {
    let account = world.customer.account;
    seen(world, A, account, 1_000, 0, day(1)).await;
    close_until(&world.app.store, day(3)).await;
    seen(world, A, account, 1_000, 500, hours(day(3), 12)).await;
    seen(
        world,
        A,
        account,
        4_000,
        0,
        Micros(hours(day(3), 12).0 + HOUR_MICROS / 3 * 2),
    )
    .await;
    gone(world, A, day(10)).await;
    seen(world, B, account, 7, 0, Micros(hours(day(15), 6).0 + 1)).await;
}

async fn check_month(world: &World) {
    let sum = |what: &str, rest: String| {
        let text = format!("SELECT COALESCE({what}, -1) FROM {rest}");
        async move { world.count(&text).await }
    };
    let days =
        |id: BucketId, at: Micros| format!("usage_days WHERE bucket = '{id}' AND at = {}", at.0);
    for table in ["account_usage_hours", "account_usage_days"] {
        assert_eq!(
            sum("SUM(byte_hours)", table.into()).await,
            684_978,
            "{table}"
        );
        assert_eq!(sum("MAX(peak_bytes)", table.into()).await, 4_000, "{table}");
    }
    assert_eq!(
        sum("COUNT(*)", format!("usage_days WHERE bucket = '{A}'")).await,
        3
    );
    for (at, byte_hours, peak, closing) in [
        (day(1), 24_000, 1_000, 1_000),
        (day(3), 58_333, 4_000, 4_000),
        (day(10), 0, 0, 0),
    ] {
        assert_eq!(sum("SUM(byte_hours)", days(A, at)).await, byte_hours);
        assert_eq!(sum("SUM(peak_bytes)", days(A, at)).await, peak);
        assert_eq!(sum("SUM(bytes)", days(A, at)).await, closing);
    }
    // B: 6 in its first hour and 17 hours of 7; then nothing changes.
    assert_eq!(sum("SUM(byte_hours)", days(B, day(15))).await, 6 + 17 * 7);
    assert_eq!(
        sum("COUNT(*)", format!("usage_days WHERE bucket = '{B}'")).await,
        1
    );
    let lines: i64 = 24_000 + 24_000 + 58_333 + 6 * 96_000 + (6 + 17 * 7) + 15 * 24 * 7;
    assert_eq!(lines, 684_978);
}

#[tokio::test]
async fn a_month_worked_by_hand() {
    let world = World::new().await;
    month(&world).await;
    close_until(&world.app.store, Micros(day(31).0 + 6 * Micros::SECOND)).await;
    assert_eq!(
        world.count("SELECT closed_until FROM usage_closed").await,
        day(31).0
    );
    check_month(&world).await;
}

#[tokio::test]
async fn closing_that_is_cut_off_or_started_again_closes_each_hour_once() {
    let world = World::new().await;
    month(&world).await;
    let now = Micros(day(31).0 + 6 * Micros::SECOND);
    for polls in 0..24 {
        let closing = world.app.store.close_hour(now);
        let mut closing = Box::pin(closing);
        for _ in 0..polls {
            if futures_util::poll!(closing.as_mut()).is_ready() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let again = Store::open(world.place.clone()).await.unwrap();
    close_until(&again, now).await;
    check_month(&world).await;
}

#[tokio::test]
async fn an_hour_is_closed_once_it_is_over() {
    let world = World::new().await;
    let store = &world.app.store;
    assert_eq!(store.close_hour(day(2)).await.unwrap(), None);
    seen(&world, A, world.customer.account, 5, 0, hours(day(1), 1)).await;
    let end = hours(day(1), 2);
    assert_eq!(store.close_hour(end).await.unwrap(), None);
    let later = end.plus_seconds(5);
    assert_eq!(store.close_hour(later).await.unwrap(), Some(end));
    assert_eq!(store.close_hour(later).await.unwrap(), None);
    // A clock that was set back does not change what is closed.
    seen(&world, A, world.customer.account, 9, 0, day(1)).await;
    assert_eq!(
        world.count("SELECT MAX(at) FROM usage_changes").await,
        end.0
    );
}

#[tokio::test]
async fn only_what_moved_is_recorded_and_each_account_has_its_own_time() {
    let world = World::new().await;
    let (ours, theirs) = (world.customer.account, world.operator.account);
    for hour in 0..3 {
        seen(&world, A, ours, 100, 0, hours(day(1), hour)).await;
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM usage_changes").await, 1);
    seen(&world, A, theirs, 100, 0, hours(day(1), 6)).await;
    close_until(&world.app.store, hours(day(2), 1)).await;
    for (account, byte_hours) in [(ours, 600), (theirs, 1_800)] {
        let sql = format!("SELECT byte_hours FROM account_usage_days WHERE account = '{account}'");
        assert_eq!(world.count(&sql).await, byte_hours);
    }
    // What has ended is not carried on.
    let open = format!("SELECT COUNT(*) FROM usage_open WHERE account = '{ours}'");
    assert_eq!(world.count(&open).await, 0);
}

#[tokio::test]
async fn a_bucket_of_nobody_is_not_recorded() {
    let world = World::new().await;
    world
        .sql(&format!(
            "INSERT INTO buckets (id, region, bytes, created_at) VALUES ('{A}', 'home', 5, 0)"
        ))
        .await;
    recorded(&world, A, day(1)).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM usage_changes").await, 0);
}

#[tokio::test]
async fn changes_are_kept_two_days_hours_ninety_and_days_for_ever() {
    let world = World::new().await;
    month(&world).await;
    let store = &world.app.store;
    // Nothing goes that is not closed.
    store.forget_usage(day(31)).await.unwrap();
    close_until(store, Micros(day(31).0 + 6 * Micros::SECOND)).await;
    check_month(&world).await;
    store.forget_usage(day(31)).await.unwrap();
    // The last one of each bucket that still has something says what it has had since.
    assert_eq!(
        world
            .count("SELECT SUM(bytes) * COUNT(*) FROM usage_changes")
            .await,
        7
    );
    check_month(&world).await;
    store.forget_usage(day(31 + 90)).await.unwrap();
    assert_eq!(world.count("SELECT COUNT(*) FROM usage_hours").await, 0);
    assert_eq!(
        world
            .count("SELECT COUNT(*) FROM account_usage_hours")
            .await,
        0
    );
    assert_eq!(
        world
            .count("SELECT SUM(byte_hours) FROM account_usage_days")
            .await,
        684_978
    );
}

/// 100 from 02:00, 300 from 05:00, 50 from 05:30, 10 from 20:00 on:
/// 3 h x 100 = 300; the hour from 05:00 (300 + 50) / 2 = 175; 14 h x 50 = 700; 4 h x 10 = 40. In all 1,215.
#[tokio::test]
async fn a_day_with_changes_in_several_hours() {
    let world = World::new().await;
    let account = world.customer.account;
    for (bytes, half_hours) in [(100, 4), (300, 10), (50, 11), (10, 40)] {
        let at = Micros(day(1).0 + half_hours * HOUR_MICROS / 2);
        seen(&world, A, account, bytes, 0, at).await;
    }
    close_until(&world.app.store, hours(day(2), 1)).await;
    for table in ["usage_days", "account_usage_days"] {
        let of = |what: &str| format!("SELECT {what} FROM {table}");
        assert_eq!(world.count(&of("byte_hours")).await, 1_215, "{table}");
        assert_eq!(world.count(&of("peak_bytes")).await, 300, "{table}");
        assert_eq!(world.count(&of("bytes")).await, 10, "{table}");
    }
}
