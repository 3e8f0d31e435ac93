//! A closing ends after days that went by, whatever the clock says meanwhile.

use ::http::StatusCode;
use serde_json::json;

use super::{DAY_SECONDS, Site, site};

impl Site {
    /// Seconds until a closing that has just begun clears its buckets.
    async fn left(&self) -> i64 {
        let clears_at: i64 =
            sqlx::query_scalar("SELECT clears_at FROM account_states WHERE state = 'closing'")
                .fetch_one(&mut *self.app.store.read().await.unwrap())
                .await
                .unwrap();
        (clears_at - self.app.clock.now().0) / 1_000_000
    }
}

async fn closing() -> Site {
    let site = site().await;
    site.post(&site.owner, "/api/v1/account/close", json!({}))
        .await;
    site.keep().await;
    site
}

const CLEARING: &str = "account_states WHERE clearing_since IS NOT NULL";

#[tokio::test]
async fn a_clock_that_jumps_ahead_ends_nothing() {
    let site = closing().await;
    site.days(10).await;
    let left = site.left().await;
    assert_eq!(left, 20 * DAY_SECONDS - 1);
    for _ in 0..2 {
        site.clock.forward(30 * DAY_SECONDS);
        site.keep().await;
        assert_eq!(site.count(CLEARING).await, 0);
        // The second between two passes is not counted either: nothing was seen of it.
        assert_eq!(site.left().await, left);
    }
    let told =
        "audit_events WHERE act = 'account.move_clearing' AND via = 'system' AND result = 'done'";
    assert_eq!(site.count(told).await, 2);
    let shown = format!("{told} AND account = '{}'", site.account);
    assert_eq!(site.count(&shown).await, 2);

    // Set right again, it ends when it would have.
    site.clock.forward(-60 * DAY_SECONDS - 2);
    site.keep().await;
    assert_eq!(site.left().await, left);
    assert_eq!(site.count(told).await, 3);
    site.days(19).await;
    assert_eq!(site.count(CLEARING).await, 0);
    site.days(1).await;
    assert_eq!(site.count(CLEARING).await, 1);
    assert_eq!(site.count(told).await, 3);
}

#[tokio::test]
async fn days_on_which_nothing_runs_do_not_count() {
    let site = closing().await;
    site.days(29).await;
    site.clock.forward(5 * DAY_SECONDS);
    site.keep().await;
    assert_eq!(site.left().await, DAY_SECONDS - 1);
    // Its owner is back and cancels.
    let cancel = "/api/v1/account/cancel-close";
    let (status, account) = site.post(&site.owner, cancel, json!({})).await;
    assert_eq!(
        (status, &account["state"]),
        (StatusCode::OK, &json!("active"))
    );
}

#[tokio::test]
async fn another_process_whose_clock_is_ahead_clears_nothing() {
    let site = closing().await;
    let now = site.app.clock.now();
    let ahead = now.plus_seconds(40 * DAY_SECONDS);
    // It has not counted: what counted is a process with another clock.
    site.app.store.begin_clearings(ahead).await.unwrap();
    assert_eq!(site.count(CLEARING).await, 0);
    // Until the keeper has looked, the owner can cancel, whatever the clock says.
    site.clock.forward(40 * DAY_SECONDS);
    let cancel = "/api/v1/account/cancel-close";
    let (status, _) = site.post(&site.owner, cancel, json!({})).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_closing_from_before_days_were_counted_is_counted_from_now_on() {
    let site = closing().await;
    site.sql("UPDATE account_states SET counted_at = NULL")
        .await;
    let left = site.left().await;
    site.keep().await;
    assert_eq!(site.left().await, left - 1);
    site.days(30).await;
    assert_eq!(site.count(CLEARING).await, 1);
}
