//! As much work for an address that nobody has as for any other. Argon2 is all of it that could be told
//! apart from outside, so its runs are counted: a time proves nothing on a busy machine.

use ::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{PASSWORD, Site, read, request};

const NOBODY: &str = "nobody@example.org";
/// They have a password.
const OWNER: &str = "owner@example.org";
/// They have none.
const VIEWER: &str = "viewer@example.org";

impl Site {
    /// How often argon2 runs for a request that answers with `expected`.
    async fn work(&self, method: Method, path: &str, body: Value, expected: StatusCode) -> u64 {
        let before = self.gate.password_runs();
        let (status, answer) = read(self.send(request(method, path, Some(body))).await).await;
        assert_eq!(status, expected, "{path}: {answer}");
        // What is done after the answer is none of it either.
        tokio::task::yield_now().await;
        self.gate.password_runs() - before
    }

    async fn sign_in_work(&self, email: &str, password: &str, expected: StatusCode) -> u64 {
        let body = json!({"email": email, "password": password});
        self.work(Method::POST, "/api/v1/session", body, expected)
            .await
    }

    /// The secret of the link in the last e-mail to an address, once it waits.
    async fn link_to(&self, email: &str) -> String {
        let sql = "SELECT body_text FROM mails WHERE recipient = $1 ORDER BY id DESC LIMIT 1";
        loop {
            let text: Option<String> = sqlx::query_scalar(sql)
                .bind(email)
                .fetch_optional(&mut *self.app.store.read().await.unwrap())
                .await
                .unwrap();
            if let Some(text) = text {
                let (_, rest) = text.split_once('#').unwrap();
                return rest.split_whitespace().next().unwrap().to_owned();
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_sign_in_hashes_once_whoever_it_is() {
    let site = Site::new().await;
    for email in [NOBODY, OWNER, VIEWER, "storm@localhost"] {
        let runs = site.sign_in_work(email, "a wrong one", StatusCode::UNAUTHORIZED);
        assert_eq!(runs.await, 1, "{email}");
        let short = site.sign_in_work(email, "", StatusCode::UNAUTHORIZED);
        assert_eq!(short.await, 1, "{email}");
        let long = "x".repeat(2000);
        let long = site.sign_in_work(email, &long, StatusCode::UNAUTHORIZED);
        assert_eq!(long.await, 1, "{email}");
    }
    let right = site.sign_in_work(OWNER, PASSWORD, StatusCode::OK);
    assert_eq!(right.await, 1);
    let suspend = format!("/api/v1/accounts/{}/suspend", site.account);
    let body = json!({"reason": "x"});
    let suspended = site.post(&site.operator, &suspend, body).await;
    assert_eq!(suspended.0, StatusCode::OK);
    for (password, expected) in [
        ("a wrong one", StatusCode::UNAUTHORIZED),
        (PASSWORD, StatusCode::OK),
    ] {
        assert_eq!(site.sign_in_work(OWNER, password, expected).await, 1);
    }
}

#[tokio::test]
async fn asking_for_an_email_hashes_nothing_whoever_it_goes_to() {
    let open = "[sign_up]\nopen = true\n[sign_up.limits]\nstorage_bytes = 1000\n";
    let site = Site::configured(std::time::Duration::from_millis(20), open).await;
    for email in [NOBODY, OWNER, VIEWER] {
        for (path, body) in [
            ("/api/v1/password/forgotten", json!({"email": email})),
            (
                "/api/v1/sign-ups",
                json!({"email": email, "name": "Somebody"}),
            ),
        ] {
            let runs = site.work(Method::POST, path, body, StatusCode::NO_CONTENT);
            assert_eq!(runs.await, 0, "{path} {email}");
        }
        let body = json!({"email": email, "role": "viewer"});
        let before = site.gate.password_runs();
        let (status, _) = site.post(&site.stranger, "/api/v1/invitations", body).await;
        assert_eq!(status, StatusCode::CREATED, "{email}");
        assert_eq!(site.gate.password_runs(), before);
    }
}

#[tokio::test]
async fn a_link_hashes_once_and_one_that_is_not_good_never() {
    let open = "[sign_up]\nopen = true\n[sign_up.limits]\nstorage_bytes = 1000\n";
    let site = Site::configured(std::time::Duration::from_millis(20), open).await;
    let fine = "a fine long password";
    for path in [
        "/api/v1/invitations/accept",
        "/api/v1/sign-ups/confirm",
        "/api/v1/password/reset",
    ] {
        let made_up = json!({"token": "A".repeat(43), "password": fine});
        let runs = site.work(Method::POST, path, made_up, StatusCode::NOT_FOUND);
        assert_eq!(runs.await, 0, "{path}");
    }
    // Known or not, who answers an invitation has one password looked at.
    for (email, password) in [(NOBODY, fine), (OWNER, PASSWORD)] {
        let body = json!({"email": email, "role": "viewer"});
        site.post(&site.stranger, "/api/v1/invitations", body).await;
        let body = json!({"token": site.link_to(email).await, "password": password});
        let path = "/api/v1/invitations/accept";
        let runs = site.work(Method::POST, path, body, StatusCode::NO_CONTENT);
        assert_eq!(runs.await, 1, "{email}");
    }
    let new = "new@example.org";
    let body = json!({"email": new, "name": "Somebody"});
    site.work(
        Method::POST,
        "/api/v1/sign-ups",
        body,
        StatusCode::NO_CONTENT,
    )
    .await;
    let body = json!({"token": site.link_to(new).await, "password": fine});
    let path = "/api/v1/sign-ups/confirm";
    let runs = site.work(Method::POST, path, body, StatusCode::NO_CONTENT);
    assert_eq!(runs.await, 1);
    let body = json!({"email": VIEWER});
    let path = "/api/v1/password/forgotten";
    site.work(Method::POST, path, body, StatusCode::NO_CONTENT)
        .await;
    let body = json!({"token": site.link_to(VIEWER).await, "password": fine});
    let path = "/api/v1/password/reset";
    let runs = site.work(Method::POST, path, body, StatusCode::NO_CONTENT);
    assert_eq!(runs.await, 1);
}
