//! Accounts that people make for themselves, and what others try with that.

use std::time::Duration;

use ::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Site, code, read, request};

const OPEN: &str =
    "[sign_up]\nopen = true\naccounts_a_day = 2\n[sign_up.limits]\nstorage_bytes = 1000\n";

impl Site {
    async fn anyone(&self, path: &str, body: Value) -> (StatusCode, Value) {
        read(self.send(request(Method::POST, path, Some(body))).await).await
    }

    async fn sign_up(&self, email: &str) -> (StatusCode, Value) {
        let body = json!({"email": email, "name": "Mine https://evil.example"});
        self.anyone("/api/v1/sign-ups", body).await
    }

    async fn confirm(&self, token: &str) -> (StatusCode, Value) {
        let body = json!({"token": token, "password": "a fine long password"});
        self.anyone("/api/v1/sign-ups/confirm", body).await
    }

    /// The texts that went to an address, oldest first, once there are as many.
    async fn texts(&self, email: &str, count: usize) -> Vec<String> {
        for _ in 0..200 {
            let texts: Vec<String> = sqlx::query_scalar(
                "SELECT body_text FROM mails WHERE recipient = $1 ORDER BY created_at",
            )
            .bind(email)
            .fetch_all(&mut *self.app.store.read().await.unwrap())
            .await
            .unwrap();
            if texts.len() >= count {
                return texts;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no e-mail went to {email}");
    }

    async fn link(&self, email: &str, count: usize) -> String {
        let texts = self.texts(email, count).await;
        let (_, rest) = texts.last().unwrap().split_once("/sign-up#").unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn it_is_closed_unless_somebody_opens_it() {
    let site = Site::new().await;
    for (status, problem) in [
        site.sign_up("new@example.org").await,
        site.confirm("x").await,
    ] {
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::FORBIDDEN, "sign_up_closed")
        );
    }
    let about = read(site.send(request(Method::GET, "/api/v1/about", None)).await).await;
    assert_eq!(about.1["sign_up"], false);
}

#[tokio::test]
async fn a_link_makes_a_person_and_their_account_once() {
    let site = Site::configured(Duration::from_millis(20), OPEN).await;
    assert_eq!(
        site.sign_up("New@example.org").await.0,
        StatusCode::NO_CONTENT
    );
    let link = site.link("new@example.org", 1).await;
    assert_eq!(site.confirm(&link).await.0, StatusCode::NO_CONTENT);
    let (status, problem) = site.confirm(&link).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::NOT_FOUND, "no_such_link")
    );
    let user = site
        .app
        .store
        .user_by_email("new@example.org")
        .await
        .unwrap();
    let account = site
        .app
        .store
        .first_account(user.unwrap().id)
        .await
        .unwrap();
    let now = site.app.clock.now();
    let account = site.app.store.account(account.unwrap(), now).await.unwrap();
    let limit = account.unwrap().limits.storage_bytes.unwrap();
    assert_eq!(limit.get(), 1000);
}

#[tokio::test]
async fn whoever_is_known_hears_it_by_mail_alone() {
    let site = Site::configured(Duration::from_millis(20), OPEN).await;
    let known = site.sign_up("owner@example.org").await;
    assert_eq!(known, site.sign_up("new@example.org").await);
    let told = site.texts("owner@example.org", 1).await.remove(0);
    let asked = site.texts("new@example.org", 1).await.remove(0);
    assert!(told.contains("there already") && !told.contains("/sign-up#"));
    // What a stranger typed does not go out under our name.
    assert!(!told.contains("evil") && !asked.contains("evil"));

    // Who comes by another way before the link is used keeps what they have.
    let link = site.link("new@example.org", 1).await;
    site.sql("UPDATE users SET email = 'new@example.org' WHERE email = 'member@example.org'")
        .await;
    assert_eq!(site.confirm(&link).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nobody_is_written_to_again_and_again_and_old_links_end() {
    let site = Site::configured(Duration::from_millis(20), OPEN).await;
    site.sign_up("new@example.org").await;
    let old = site.link("new@example.org", 1).await;
    site.sign_up("new@example.org").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(site.texts("new@example.org", 1).await.len(), 1);
    site.clock.forward(301);
    site.sign_up("new@example.org").await;
    let newer = site.link("new@example.org", 2).await;
    assert_eq!(site.confirm(&old).await.0, StatusCode::NOT_FOUND);
    site.clock.forward(24 * 3600);
    assert_eq!(site.confirm(&newer).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_day_has_so_many_accounts_and_a_link_outlasts_a_full_one() {
    let site = Site::configured(Duration::from_millis(20), OPEN).await;
    let mut links = vec![];
    for name in ["a", "b", "c"] {
        let email = format!("{name}@example.org");
        site.sign_up(&email).await;
        links.push(site.link(&email, 1).await);
    }
    assert_eq!(site.confirm(&links[0]).await.0, StatusCode::NO_CONTENT);
    site.clock.forward(3600);
    assert_eq!(site.confirm(&links[1]).await.0, StatusCode::NO_CONTENT);
    assert_eq!(
        site.confirm(&links[2]).await.0,
        StatusCode::TOO_MANY_REQUESTS
    );
    site.sql("UPDATE signed_up_accounts SET made_at = 0").await;
    assert_eq!(site.confirm(&links[2]).await.0, StatusCode::NO_CONTENT);
}
