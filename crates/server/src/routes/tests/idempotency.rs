//! The same request again, under its idempotency key.

use ::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    BUCKET, KEY, SEAL_TO, Site, code,
    operations::{ask, create, with_key},
};

#[tokio::test]
async fn one_idempotency_key_is_one_operation() {
    let site = Site::new().await;
    let ask = async |key: &str, body: Value| create(&site, &site.member, Some(key), body).await;
    let (status, first) = ask("k1", with_key()).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let (status, again) = ask("k1", with_key()).await;
    assert_eq!(
        (status, &again["operation"]["id"]),
        (StatusCode::ACCEPTED, &first["operation"]["id"])
    );
    // The first `seal_to` stands.
    let mut other_seal = with_key();
    other_seal["seal_to"] = json!(SEAL_TO.replace("AQEB", "AgIC"));
    assert_eq!(
        ask("k1", other_seal).await.1["operation"]["id"],
        first["operation"]["id"]
    );
    let mut other_body = with_key();
    other_body["quota_bytes"] = json!(5);
    let (status, problem) = ask("k1", other_body).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_conflict")
    );
    assert_ne!(
        ask("k2", with_key()).await.1["operation"]["id"],
        first["operation"]["id"]
    );
    // Another person's key is another key.
    let (_, others) = create(&site, &site.owner, Some("k1"), with_key()).await;
    assert_ne!(others["operation"]["id"], first["operation"]["id"]);
    for key in ["", "a b", &"x".repeat(129)] {
        let (status, _) = ask(key, with_key()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{key}");
    }
}

/// Commands on the one bucket and the one key.
fn commands() -> Vec<(Method, String, Value)> {
    let bucket = |rest: &str| format!("/api/v1/buckets/{BUCKET}{rest}");
    let key = |rest: &str| format!("/api/v1/keys/{KEY}{rest}");
    let rights = json!({"read": true, "write": false, "owner": false});
    let grant = json!({"bucket": BUCKET, "read": true, "write": false, "owner": false});
    let new_key = json!({"label": "x", "grants": [grant], "seal_to": SEAL_TO});
    let temporary = json!({"bucket": BUCKET, "write": false, "seal_to": SEAL_TO});
    let rotation = json!({"grace_seconds": 60, "seal_to": SEAL_TO});
    let ends = json!({"expires_at": 4_000_000_000_000_000_i64});
    let (nothing, post, put, delete) = (json!({}), Method::POST, Method::PUT, Method::DELETE);
    vec![
        (post.clone(), bucket("/clear"), nothing.clone()),
        (post.clone(), bucket("/measure"), json!({"prefix": "a"})),
        (
            post.clone(),
            bucket("/cleanup-uploads"),
            json!({"older_than_seconds": 60}),
        ),
        (put.clone(), bucket("/quota"), json!({"quota_bytes": 5})),
        (put.clone(), bucket("/cors"), json!({"rules": []})),
        (put.clone(), bucket("/lifecycle"), json!({"rules": []})),
        (put.clone(), bucket("/website"), json!({"website": null})),
        (
            post.clone(),
            bucket("/aliases"),
            json!({"name": "more-photos"}),
        ),
        (delete.clone(), bucket("/aliases/photos"), nothing.clone()),
        (put.clone(), bucket(&format!("/grants/{KEY}")), rights),
        (post.clone(), "/api/v1/keys/temporary".to_owned(), temporary),
        (post.clone(), "/api/v1/keys".to_owned(), new_key),
        (delete.clone(), bucket(""), nothing.clone()),
        (put.clone(), key("/label"), json!({"label": "y"})),
        (put, key("/expiry"), ends),
        (post.clone(), key("/suspend"), nothing.clone()),
        (post.clone(), key("/resume"), nothing.clone()),
        (post.clone(), key("/rotate"), rotation),
        (post, key("/revoke-leaked"), json!({"seal_to": SEAL_TO})),
        (delete, key(""), nothing),
    ]
}

#[tokio::test]
async fn the_same_request_is_answered_when_what_it_was_about_is_not_there_any_more() {
    // Gone; then somebody else's.
    for lost in ["gone_at = 1", "account = NULL"] {
        let site = Site::new().await;
        let mut first = vec![];
        let commands = commands();
        for (number, (method, path, body)) in commands.iter().enumerate() {
            let request = (method.clone(), path.as_str(), body.clone());
            let name = format!("k{number}");
            let (status, answer) = ask(&site, &site.member, Some(&name), request).await;
            assert_eq!(status, StatusCode::ACCEPTED, "{method} {path}: {answer}");
            first.push(answer["operation"]["id"].clone());
        }
        site.sql("UPDATE keys SET suspended = 1, expires_at = 5")
            .await;
        site.sql(&format!("UPDATE buckets SET {lost}")).await;
        site.sql(&format!("UPDATE keys SET {lost}")).await;
        for (number, (method, path, body)) in commands.iter().enumerate() {
            let again = async |token: &str| {
                let request = (method.clone(), path.as_str(), body.clone());
                ask(&site, token, Some(&format!("k{number}")), request).await
            };
            let (status, answer) = again(&site.member).await;
            assert_eq!(status, StatusCode::ACCEPTED, "{method} {path}: {answer}");
            assert_eq!(answer["operation"]["id"], first[number], "{method} {path}");
            // Another person's key is another key, and this a new request.
            let (status, _) = again(&site.owner).await;
            let no = [StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST];
            assert!(no.contains(&status), "{method} {path}: {status}");
        }
        // Nor another request under a key that was used.
        let (method, path, body) = commands[0].clone();
        let (status, _) = ask(&site, &site.member, Some("k1"), (method, &path, body)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

#[tokio::test]
async fn the_same_request_is_answered_when_the_end_that_it_asked_for_has_passed() {
    let site = Site::new().await;
    let ends = site.app.clock.now().plus_seconds(60);
    let body = json!({"label": "x", "grants": [], "seal_to": SEAL_TO, "expires_at": ends});
    let create = async |name: &str| {
        let request = (Method::POST, "/api/v1/keys", body.clone());
        ask(&site, &site.member, Some(name), request).await
    };
    let (status, first) = create("k1").await;
    assert_eq!(status, StatusCode::ACCEPTED, "{first}");
    site.clock.forward(61);
    let (status, again) = create("k1").await;
    assert_eq!(status, StatusCode::ACCEPTED, "{again}");
    assert_eq!(again["operation"]["id"], first["operation"]["id"]);
    assert_eq!(create("k2").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_same_request_is_answered_when_there_is_another_region_to_choose() {
    let site = Site::new().await;
    let body = with_key();
    let (status, first) = create(&site, &site.member, Some("k1"), body.clone()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{first}");
    let region =
        json!({"name": "far", "s3_endpoint": "https://far.example.org", "s3_region": "far"});
    let (status, made) = site.post(&site.operator, "/api/v1/regions", region).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let (status, again) = create(&site, &site.member, Some("k1"), body.clone()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{again}");
    assert_eq!(again["operation"]["id"], first["operation"]["id"]);
    assert_eq!(
        create(&site, &site.member, Some("k2"), body).await.0,
        StatusCode::BAD_REQUEST
    );
    let mut elsewhere = with_key();
    elsewhere["region"] = json!("far");
    let (status, _) = create(&site, &site.member, Some("k1"), elsewhere).await;
    assert_ne!(status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn two_at_once_are_one() {
    let site = Site::new().await;
    let ask = || create(&site, &site.member, Some("same"), with_key());
    let (one, two) = tokio::join!(ask(), ask());
    assert_eq!(one.1["operation"]["id"], two.1["operation"]["id"]);
}
