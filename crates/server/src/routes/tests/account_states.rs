//! Accounts that are suspended or being closed: what their people may, and what is asked of Garage.

mod closing_days;

use ::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{BUCKET, KEY, PASSWORD, SEAL_TO, Site, code, read, request};
use crate::account_keeper::pass;

const AGENT: &str = "01900000-0000-7000-8000-000000000000";
const DAY_SECONDS: i64 = 24 * 3600;

/// A site with an executor that is there, and no operator in the customer's account.
async fn site() -> Site {
    let site = Site::new().await;
    site.sql(&format!(
        "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, connected, \
         created_at) VALUES ('{AGENT}', 'home', 'h', 'x', 'x', 'x', '{{}}', 1, 0)"
    ))
    .await;
    site.sql("INSERT INTO accounts VALUES ('01900000-0000-7000-8000-0000000000aa', 'Staff', 0)")
        .await;
    for table in ["members", "tokens"] {
        site.sql(&format!(
            "UPDATE {table} SET account = '01900000-0000-7000-8000-0000000000aa' WHERE \"user\" IN \
             (SELECT id FROM users WHERE operator = 1)"
        ))
        .await;
    }
    site
}

impl Site {
    async fn by_operator(&self, what: &str, body: Option<Value>) -> (StatusCode, Value) {
        let path = format!("/api/v1/accounts/{}/{what}", self.account);
        self.ask(&self.operator, Method::POST, &path, body).await
    }

    /// The keeper's next pass.
    async fn keep(&self) {
        self.clock.forward(1);
        pass(&self.app).await.unwrap();
    }

    /// Days on which the platform runs.
    async fn days(&self, days: i64) {
        for _ in 0..days * 6 {
            self.clock.forward(DAY_SECONDS / 6);
            pass(&self.app).await.unwrap();
        }
    }

    async fn count(&self, text: &str) -> i64 {
        let text = format!("SELECT COUNT(*) FROM {text}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(text))
            .fetch_one(&mut *self.app.store.read().await.unwrap())
            .await
            .unwrap()
    }

    /// Operations of a command that wait.
    async fn asked(&self, command: &str) -> i64 {
        let text = format!("operations WHERE command = '{command}' AND state = 'requested'");
        self.count(&text).await
    }

    /// What the agent does with all that waits; `effect`: what stands in the database then.
    async fn answered(&self, state: &str, effect: &str) {
        let now = self.app.clock.now().0;
        self.sql(&format!(
            "UPDATE operations SET state = '{state}', finished_at = {now} WHERE state = 'requested'"
        ))
        .await;
        self.sql(effect).await;
    }
}

fn suspension() -> Option<Value> {
    Some(json!({"reason": "The bill of May is not paid."}))
}

#[tokio::test]
async fn in_a_suspended_account_people_look_and_change_nothing() {
    let site = site().await;
    let (status, account) = site.by_operator("suspend", suspension()).await;
    assert_eq!(status, StatusCode::OK, "{account}");
    assert_eq!(account["state"], "suspended");
    let (status, own) = site.get(&site.viewer, "/api/v1/account").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(own["state_reason"], "The bill of May is not paid.");
    for path in ["/api/v1/buckets", "/api/v1/keys", "/api/v1/accounts/own"] {
        assert_eq!(
            site.get(&site.owner, path).await.0,
            StatusCode::OK,
            "{path}"
        );
    }
    let key = json!({"label": "x", "seal_to": SEAL_TO, "grants": []});
    for (path, body) in [
        ("/api/v1/keys".to_owned(), key),
        (format!("/api/v1/keys/{KEY}/resume"), json!({})),
        ("/api/v1/tokens".to_owned(), json!({"name": "x"})),
        ("/api/v1/account/close".to_owned(), json!({})),
        (
            "/api/v1/invitations".to_owned(),
            json!({"email": "a@example.org", "role": "owner"}),
        ),
    ] {
        let (status, problem) = site.post(&site.owner, &path, body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(code(&problem), "account_suspended", "{path}");
    }
    // Their other accounts, and other people's, go on.
    let made = site
        .post(&site.stranger, "/api/v1/tokens", json!({"name": "x"}))
        .await;
    assert_eq!(made.0, StatusCode::CREATED);
    let (status, problem) = site
        .by_operator("suspend", Some(json!({"reason": "x".repeat(501)})))
        .await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::BAD_REQUEST, "bad_request")
    );
}

#[tokio::test]
async fn an_invitation_made_before_waits_until_the_account_goes_on() {
    let site = site().await;
    for email in ["new@example.org", "stranger@example.org"] {
        let body = json!({"email": email, "role": "admin"});
        let made = site.post(&site.admin, "/api/v1/invitations", body).await;
        assert_eq!(made.0, StatusCode::CREATED);
    }
    let tokens: Vec<String> = sqlx::query_scalar("SELECT body_text FROM mails ORDER BY recipient")
        .fetch_all(&mut *site.app.store.read().await.unwrap())
        .await
        .unwrap();
    let token = |mail: &String| {
        let (_, rest) = mail.split_once("/invitation#").unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let tokens: Vec<_> = tokens.iter().map(token).collect();
    site.sql("UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE email = 'owner@example.org') WHERE email = 'stranger@example.org'").await;
    let people = format!("members WHERE account = '{}'", site.account);
    let (before, users) = (site.count(&people).await, site.count("users").await);
    site.by_operator("suspend", suspension()).await;
    let accept = async |token: &str| {
        let body = json!({"token": token, "password": PASSWORD});
        let path = "/api/v1/invitations/accept";
        read(site.send(request(Method::POST, path, Some(body))).await).await
    };
    for token in &tokens {
        let (status, problem) = accept(token).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::FORBIDDEN, "account_suspended")
        );
    }
    site.by_operator("resume", None).await;
    assert_eq!(accept(&tokens[0]).await.0, StatusCode::NO_CONTENT);
    assert_eq!(site.count(&people).await, before + 1);
    assert_eq!(site.count("users").await, users + 1);

    site.post(&site.owner, "/api/v1/account/close", json!({}))
        .await;
    let (status, problem) = accept(&tokens[1]).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::FORBIDDEN, "account_closing")
    );
    assert_eq!(site.count(&people).await, before + 1);
    site.post(&site.owner, "/api/v1/account/cancel-close", json!({}))
        .await;
    assert_eq!(accept(&tokens[1]).await.0, StatusCode::NO_CONTENT);
    assert_eq!(accept(&tokens[1]).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_resumed_account_has_the_keys_that_it_had() {
    let site = site().await;
    let asleep = KEY.replace('a', "b");
    site.add_key(&asleep, "asleep").await;
    site.sql(&format!(
        "UPDATE keys SET suspended = 1 WHERE id = '{asleep}'"
    ))
    .await;
    site.by_operator("suspend", suspension()).await;
    for _ in 0..3 {
        site.keep().await;
    }
    assert_eq!(site.asked("key.suspend").await, 1);
    site.answered("done", "UPDATE keys SET suspended = 1").await;
    site.keep().await;
    assert_eq!(site.asked("key.suspend").await, 0);

    // A key that appears meanwhile is stopped, too; one that fails is tried again later.
    let late = KEY.replace('a', "c");
    site.add_key(&late, "late").await;
    site.keep().await;
    assert_eq!(site.asked("key.suspend").await, 1);
    site.answered("failed", "UPDATE keys SET suspended = 1 WHERE 1 = 0")
        .await;
    site.keep().await;
    assert_eq!(site.asked("key.suspend").await, 0);
    site.clock.forward(31);
    site.keep().await;
    assert_eq!(site.asked("key.suspend").await, 1);
    site.answered("done", "UPDATE keys SET suspended = 1").await;

    site.clock.forward(1);
    let (_, account) = site.by_operator("resume", None).await;
    assert_eq!(account["state"], "active");
    assert_eq!(account["state_reason"], Value::Null);
    for _ in 0..3 {
        site.keep().await;
    }
    assert_eq!(site.asked("key.resume").await, 2);
    let touched = format!("operations WHERE parameters LIKE '%{asleep}%'");
    assert_eq!(site.count(&touched).await, 0);
    site.answered("done", "UPDATE keys SET suspended = 0").await;
    site.keep().await;
    assert_eq!(site.count("suspended_keys").await, 0);
    let (status, problem) = site.by_operator("resume", None).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "account_active")
    );
}

#[tokio::test]
async fn a_closing_goes_on_by_itself_and_ends_once() {
    let site = site().await;
    let (status, account) = site
        .post(&site.owner, "/api/v1/account/close", json!({}))
        .await;
    assert_eq!(status, StatusCode::OK, "{account}");
    assert_eq!(account["state"], "closing");
    assert_eq!(
        site.count("mails WHERE recipient = 'owner@example.org'")
            .await,
        1
    );
    let (_, problem) = site
        .post(&site.owner, "/api/v1/tokens", json!({"name": "x"}))
        .await;
    assert_eq!(code(&problem), "account_closing");
    site.keep().await;
    site.keep().await;
    assert_eq!(site.asked("key.delete").await, 1);
    site.answered("done", "UPDATE keys SET gone_at = 1").await;
    site.keep().await;
    assert_eq!(site.asked("bucket.clear").await, 0);

    // While the agent is away nothing is asked for, and the work goes on when it is back.
    site.sql("UPDATE agents SET connected = 0").await;
    site.days(30).await;
    assert_eq!(site.asked("bucket.clear").await, 0);
    site.sql("UPDATE agents SET connected = 1").await;
    site.keep().await;
    site.keep().await;
    assert_eq!(site.asked("bucket.clear").await, 1);
    let late = "/api/v1/account/cancel-close";
    let (status, problem) = site.post(&site.owner, late, json!({})).await;
    assert_eq!((status, code(&problem)), (StatusCode::CONFLICT, "too_late"));
    site.answered("done", "UPDATE keys SET gone_at = 1").await;

    // Something was written meanwhile: the deletion fails, and the bucket is cleared anew.
    site.keep().await;
    assert_eq!(site.asked("bucket.delete").await, 1);
    site.answered("failed", "UPDATE keys SET gone_at = 1").await;

    site.clock.forward(31);
    site.keep().await;
    assert_eq!(site.asked("bucket.clear").await, 1);
    site.answered("done", "UPDATE keys SET gone_at = 1").await;
    site.keep().await;
    assert_eq!(site.asked("bucket.delete").await, 1);
    site.answered("done", "UPDATE buckets SET gone_at = 1")
        .await;
    site.keep().await;
    site.keep().await;
    assert_eq!(
        site.count("mails WHERE recipient = 'owner@example.org'")
            .await,
        2
    );
    assert_eq!(
        site.get(&site.owner, "/api/v1/whoami").await.0,
        StatusCode::UNAUTHORIZED
    );
    let path = format!("/api/v1/accounts/{}", site.account);
    let (_, account) = site.get(&site.operator, &path).await;
    assert_eq!(
        (&account["state"], &account["name"]),
        (&json!("closed"), &json!("Ours"))
    );

    // What appears in it later goes the same way; nothing is given to it.
    site.add_key(&KEY.replace('a', "d"), "late").await;
    site.keep().await;
    assert_eq!(site.asked("key.delete").await, 1);
    let stray = BUCKET.replace('a', "e");
    site.add_bucket(&stray, None).await;
    site.sql(&format!(
        "UPDATE buckets SET account = NULL WHERE id = '{stray}'"
    ))
    .await;
    let adopt = format!("/api/v1/buckets/{stray}/adopt");
    let body = json!({"account": site.account});
    let (_, problem) = site.post(&site.operator, &adopt, body).await;
    assert_eq!(code(&problem), "account_closed");
}

#[tokio::test]
async fn a_cancelled_closing_keeps_the_buckets_and_an_operators_is_not_its_owners_to_cancel() {
    let site = site().await;
    let cancel = "/api/v1/account/cancel-close";
    site.post(&site.owner, "/api/v1/account/close", json!({}))
        .await;
    site.keep().await;
    let (_, problem) = site.post(&site.admin, cancel, json!({})).await;
    assert_eq!(code(&problem), "forbidden");
    let (status, account) = site.post(&site.owner, cancel, json!({})).await;
    assert_eq!(
        (status, &account["state"]),
        (StatusCode::OK, &json!("active"))
    );
    site.days(31).await;
    assert_eq!(site.asked("bucket.clear").await, 0);

    // One that was suspended is suspended again, and its people do not end that.
    site.by_operator("suspend", suspension()).await;
    site.by_operator("close", None).await;
    let (_, problem) = site.post(&site.owner, cancel, json!({})).await;
    assert_eq!(code(&problem), "forbidden");
    let (_, problem) = site.by_operator("resume", None).await;
    assert_eq!(code(&problem), "account_closing");
    let (_, account) = site.by_operator("cancel-close", None).await;
    assert_eq!(account["state"], "suspended");
}

#[tokio::test]
async fn an_account_with_an_operator_is_not_closed() {
    let site = Site::new().await;
    let (status, problem) = site.by_operator("close", None).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "has_operator")
    );
}
