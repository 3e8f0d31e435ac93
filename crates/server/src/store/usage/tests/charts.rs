//! Charts and bills of the month that was worked by hand: the same whether its hours are closed or not.

use std::time::Instant;

use storm_protocol::api::UsageExport;

use super::*;
use crate::store::usage::{Chart, MonthSpan, Span};

/// The instant at which the month is over and every hour of it can be closed.
fn after() -> Micros {
    day(31).plus_seconds(6)
}

fn chart(world: &World, bucket: Option<BucketId>, from: Micros, to: Micros) -> Chart {
    Chart {
        account: world.customer.account,
        bucket,
        from,
        to,
        now: after(),
    }
}

/// Hours and days of the account and of its buckets.
async fn charts(world: &World) -> Vec<Vec<Span>> {
    let store = &world.app.store;
    let mut charts = vec![];
    for bucket in [None, Some(A), Some(B)] {
        let whole = chart(world, bucket, day(1), day(31));
        let hours = store.usage_hours(&whole).await.unwrap();
        let days = store.usage_days(&whole).await.unwrap();
        assert!(hours.is_sorted_by_key(|hour| hour.at));
        charts.extend([hours, days]);
    }
    charts
}

async fn bill(world: &World, now: Micros) -> UsageExport {
    let month = MonthSpan {
        from: day(1),
        to: day(31),
    };
    let (account, name) = (world.customer.account, "2026-11".parse().unwrap());
    let store = &world.app.store;
    store
        .usage_export(account, &name, month, now)
        .await
        .unwrap()
}

fn sum(spans: &[Span]) -> u64 {
    spans.iter().map(|span| span.byte_hours).sum()
}

#[tokio::test]
async fn charts_and_bills_are_those_worked_by_hand_whatever_is_closed() {
    let world = World::new().await;
    month(&world).await;
    let open = charts(&world).await;
    let open_bill = bill(&world, after()).await;
    assert!(!open_bill.complete);
    // Half of it closed, in the middle of a day.
    close_until(&world.app.store, hours(day(15), 9)).await;
    assert_eq!(charts(&world).await, open);
    close_until(&world.app.store, after()).await;
    assert_eq!(charts(&world).await, open);
    // The changes are gone, but what they were is written down.
    world.app.store.forget_usage(after()).await.unwrap();
    assert_eq!(charts(&world).await, open);

    let [all_hours, all_days, a_hours, a_days, b_hours, b_days] = open.try_into().unwrap();
    assert_eq!((sum(&all_hours), sum(&all_days)), (684_978, 684_978));
    assert_eq!((sum(&a_hours), sum(&a_days)), (682_333, 682_333));
    assert_eq!((sum(&b_hours), sum(&b_days)), (2_645, 2_645));
    // From the first step with anything on none is missing, also where there was nothing.
    assert_eq!((all_hours.len(), all_days.len()), (30 * 24, 30));
    assert_eq!((b_hours.len(), b_days.len()), (15 * 24 + 18, 16));
    let at = |days: &[Span], number: i64| {
        *days
            .iter()
            .find(|found| found.at == day(number))
            .expect("a day of the month")
    };
    let third = at(&all_days, 3);
    assert_eq!(third, at(&a_days, 3));
    assert_eq!(
        (third.byte_hours, third.peak_bytes, third.closing.bytes),
        (58_333, 4_000, 4_000)
    );
    let none = at(&all_days, 12);
    assert_eq!((none.byte_hours, none.peak_bytes), (0, 0));
    assert_eq!(at(&all_days, 20).byte_hours, 7 * 24);

    let bill = bill(&world, after()).await;
    assert!(bill.complete);
    let rows: Vec<_> = bill
        .buckets
        .iter()
        .map(|row| (row.bucket.unwrap(), row.byte_hours, row.peak_bytes))
        .collect();
    assert_eq!(rows, [(A, 682_333, 4_000), (B, 2_645, 7)]);
    assert_eq!(
        (bill.total.byte_hours, bill.total.peak_bytes),
        (684_978, 4_000)
    );
    assert_eq!(
        UsageExport {
            complete: true,
            ..open_bill
        },
        bill
    );
}

#[tokio::test]
async fn a_month_that_goes_on_is_billed_as_far_as_it_has_come() {
    let world = World::new().await;
    month(&world).await;
    // B has had its 7 bytes for 6 and for 30 further minutes: 4.2 rounded down.
    for closed in [day(3), hours(day(15), 7)] {
        close_until(&world.app.store, closed).await;
        let now = Micros(hours(day(15), 7).0 + HOUR_MICROS * 6 / 10);
        let bill = bill(&world, now).await;
        assert!(!bill.complete);
        let b = bill.buckets.iter().find(|row| row.bucket == Some(B));
        assert_eq!(b.unwrap().byte_hours, 6 + 4);
        assert_eq!(bill.total.byte_hours, 682_333 + 6 + 4);
    }
}

#[tokio::test]
async fn every_change_of_two_days_is_shown() {
    let world = World::new().await;
    let account = world.customer.account;
    let now = after();
    let ago = |hours: i64| Micros(now.0 - hours * HOUR_MICROS);
    seen(&world, A, account, 100, 0, ago(60)).await;
    seen(&world, B, account, 10, 0, ago(12)).await;
    seen(&world, A, account, 200, 50, ago(6)).await;
    gone(&world, B, ago(2)).await;
    let store = &world.app.store;
    let of = |bucket| chart(&world, bucket, Micros(0), now);
    let shown = |spans: &[Span]| -> Vec<_> {
        spans
            .iter()
            .map(|span| (span.at, span.peak_bytes, span.byte_hours))
            .collect()
    };
    // Of what was before, what there was when the two days begin.
    let both = store.usage_changes(&of(None), 100).await.unwrap();
    let expected = [
        (ago(48), 100, 3_600),
        (ago(12), 110, 660),
        (ago(6), 260, 1_040),
        (ago(2), 250, 500),
    ];
    assert_eq!(shown(&both), expected);
    let one = store.usage_changes(&of(Some(B)), 100).await.unwrap();
    assert_eq!(shown(&one), [(ago(12), 10, 100), (ago(2), 0, 0)]);
    let few = store.usage_changes(&of(None), 2).await.unwrap();
    assert_eq!(few.len(), 2);
}

/// Prints how long a year's chart and a month's bill of an account with 1,000 buckets take, all of
/// which change each day; decides nothing by it.
#[tokio::test]
async fn a_year_of_a_thousand_buckets() {
    const BUCKETS: i64 = 1_000;
    const DAYS: i64 = 365;
    let world = World::new().await;
    let account = world.customer.account;
    let start = Micros(day(31).0 - DAYS * DAY_MICROS);
    let numbers = |name: &str, end: i64| {
        format!("{name} (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM {name} WHERE n + 1 < {end})")
    };
    let (b, d, h) = (
        numbers("b", BUCKETS),
        numbers("d", DAYS),
        numbers("h", 90 * 24),
    );
    let id = if world.is_on_postgres() {
        "lpad(to_hex(b.n), 64, '0')"
    } else {
        "printf('%064x', b.n)"
    };
    let first_hour = day(31).0 - 90 * DAY_MICROS;
    for text in [
        format!(
            "WITH RECURSIVE {b}, {d} INSERT INTO usage_days (account, bucket, at, region, bytes, objects, \
             unfinished_bytes, peak_bytes, byte_hours) SELECT '{account}', {id}, \
             {} + d.n * {DAY_MICROS}, 'home', d.n + 1, 1, 0, d.n + 1, 24 FROM b, d",
            start.0
        ),
        format!(
            "WITH RECURSIVE {d} INSERT INTO account_usage_days (account, at, bytes, objects, \
             unfinished_bytes, peak_bytes, byte_hours) SELECT '{account}', {} + d.n * {DAY_MICROS}, \
             {BUCKETS} * (d.n + 1), {BUCKETS}, 0, {BUCKETS} * (d.n + 1), {BUCKETS} * 24 FROM d",
            start.0
        ),
        format!(
            "WITH RECURSIVE {h} INSERT INTO account_usage_hours (account, at, bytes, objects, \
             unfinished_bytes, peak_bytes, byte_hours) SELECT '{account}', \
             {first_hour} + h.n * {HOUR_MICROS}, 1, 1, 0, 1, 1 FROM h"
        ),
        format!(
            "WITH RECURSIVE {b} INSERT INTO usage_open (account, bucket, region, bytes, objects, \
             unfinished_bytes, day_byte_hours, day_peak_bytes, day_hours) \
             SELECT '{account}', {id}, 'home', {DAYS}, 1, 0, 0, {DAYS}, 0 FROM b"
        ),
        format!(
            "INSERT INTO usage_closed (one, closed_until) VALUES (1, {})",
            day(31).0
        ),
    ] {
        world.sql(&text).await;
    }
    let store = &world.app.store;
    let year = chart(&world, None, start, after());
    let began = Instant::now();
    let days = store.usage_days(&year).await.unwrap();
    let chart_took = began.elapsed();
    assert_eq!(i64::try_from(days.len()).unwrap(), DAYS + 1);
    assert_eq!(days.last().unwrap().closing.bytes, 365 * 1_000);
    let began = Instant::now();
    let bill = bill(&world, after()).await;
    let bill_took = began.elapsed();
    assert_eq!(bill.buckets.len(), 1_000);
    assert_eq!(bill.total.byte_hours, 1_000 * 24 * 30);
    println!("a year's chart of {BUCKETS} buckets: {chart_took:?}; a month's bill: {bill_took:?}");
}
