//! What scopes and certain buckets leave of a token's rights, route by route.

use std::time::Duration;

use ::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    super::{BUCKET, SEAL_TO, Site},
    status,
    table::{filled, table},
};
use crate::auth::access::{self, Least};

/// A site on which nobody asks for too much.
async fn unlimited() -> Site {
    let limits = "[limits]\nrequests_per_second = 100000\nchanges_per_second = 100000\n\
                  account_requests_per_second = 100000\ntoken_requests_per_second = 100000\n\
                  address_requests_per_second = 100000\n";
    Site::configured(Duration::from_millis(20), limits).await
}

/// A token of the operator's that may `scopes` alone.
async fn token_for(site: &Site, scopes: &[&str]) -> String {
    let body = json!({"name": "scoped", "scopes": scopes});
    let (_, made) = site.post(&site.operator, "/api/v1/tokens", body).await;
    let secret = made["secret"].as_str();
    secret.unwrap_or_else(|| panic!("{made}")).to_owned()
}

#[tokio::test]
async fn every_route_does_what_its_scope_says_and_nothing_else() {
    let site = unlimited().await;
    for (method, path, act, expected, body) in table() {
        let method: Method = method.parse().unwrap();
        let path = filled(path);
        let with = token_for(&site, &[act]).await;
        // A token for making tokens makes none that may more.
        let expected = if act == "token.create" { 201 } else { expected };
        let found = status(&site, &with, &method, &path, &body).await;
        assert_eq!(found, expected, "{method} {path} with {act}");
        let (noun, _) = act.split_once('.').unwrap();
        let others: Vec<_> = access::TABLE
            .iter()
            .filter(|other| other.name != act && other.name.starts_with(&format!("{noun}.")))
            .map(|other| other.name)
            .chain([if noun == "region" {
                "bucket.*"
            } else {
                "region.*"
            }])
            .collect();
        let without = token_for(&site, &others).await;
        let found = status(&site, &without, &method, &path, &body).await;
        assert_eq!(found, 403, "{method} {path} without {act}");
        site.sql("DELETE FROM tokens WHERE name = 'scoped'").await;
    }
}

#[tokio::test]
async fn a_token_for_a_bucket_reaches_no_other() {
    let site = unlimited().await;
    let other = BUCKET.replace('a', "c");
    site.add_bucket(&other, Some("videos")).await;
    let body = json!({"name": "one", "buckets": [BUCKET]});
    let (_, made) = site.post(&site.owner, "/api/v1/tokens", body).await;
    let token = made["secret"].as_str().unwrap();
    assert_eq!(made["token"]["buckets"], json!([BUCKET]));
    let (_, page) = site.get(token, "/api/v1/buckets").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let (_, none) = site.get(token, "/api/v1/buckets?name=videos").await;
    assert_eq!(none["items"], json!([]));
    let mut compared = 0;
    for (method, path, act, expected, body) in table() {
        let act = access::of_command(act).unwrap();
        let method: Method = method.parse().unwrap();
        let found = status(&site, token, &method, &filled(path), &body).await;
        if act.least == Least::Operator || !act.on_buckets {
            assert_eq!(found, 403, "{method} {path}");
            continue;
        }
        let asks_for_more = ["/api/v1/keys", "/api/v1/usage"].contains(&path)
            || path.ends_with("/restore")
            || path.ends_with("/operations/{operation}");
        if !asks_for_more {
            assert_eq!(found, expected, "{method} {path}");
        }
        if path.contains("{bucket}") {
            let path = filled(path).replace(BUCKET, &other);
            let found = status(&site, token, &method, &path, &body).await;
            assert_eq!(found, 404, "{method} {path}");
            compared += 1;
        }
    }
    assert!(compared > 15, "{compared}");
    let grant =
        |bucket: &str| json!([{"bucket": bucket, "read": true, "write": false, "owner": false}]);
    for (grants, create_buckets, expected) in [
        (grant(BUCKET), false, 202),
        (grant(BUCKET), true, 403),
        (grant(&other), false, 403),
    ] {
        let body = json!({"label": "x", "seal_to": SEAL_TO, "grants": grants,
                          "create_buckets": create_buckets});
        let (found, answer) = site.post(token, "/api/v1/keys", body).await;
        assert_eq!(found.as_u16(), expected, "{answer}");
    }
    // What others asked for is not for it to see.
    let (_, theirs) = site
        .ask(
            &site.owner,
            Method::DELETE,
            &format!("/api/v1/buckets/{other}"),
            None,
        )
        .await;
    let theirs = format!(
        "/api/v1/operations/{}",
        theirs["operation"]["id"].as_str().unwrap()
    );
    assert_eq!(site.get(token, &theirs).await.0, StatusCode::NOT_FOUND);
    let (_, its) = site
        .ask(
            token,
            Method::DELETE,
            &format!("/api/v1/buckets/{BUCKET}"),
            None,
        )
        .await;
    let its = format!(
        "/api/v1/operations/{}",
        its["operation"]["id"].as_str().unwrap()
    );
    assert_eq!(site.get(token, &its).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_token_hands_on_no_more_than_it_has() {
    let site = Site::new().await;
    let ends = site.app.clock.now().plus_seconds(100);
    let body = json!({"name": "some", "scopes": ["token.create", "bucket.*"], "expires_at": ends});
    let (_, made) = site.post(&site.owner, "/api/v1/tokens", body).await;
    let some = made["secret"].as_str().unwrap();
    for (scopes, expires_at, words) in [
        (json!(["*"]), json!(ends), "has not *"),
        (json!(["key.read"]), json!(ends), "has not key.read"),
        (json!(["bucket.read"]), Value::Null, "ends at"),
        (
            json!(["bucket.read"]),
            json!(ends.plus_seconds(1)),
            "ends at",
        ),
        (json!([]), json!(ends), "1 to 50"),
        (
            json!(["bucket.fly"]),
            json!(ends),
            "nothing called bucket.fly",
        ),
        (json!(["Bucket.*"]), json!(ends), "scope"),
    ] {
        let body = json!({"name": "x", "scopes": scopes, "expires_at": expires_at});
        let (status, answer) = site.post(some, "/api/v1/tokens", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert!(
            answer["error"]["message"].as_str().unwrap().contains(words),
            "{answer}"
        );
    }
    let less = json!({"name": "less", "scopes": ["bucket.read"], "expires_at": ends});
    assert_eq!(
        site.post(some, "/api/v1/tokens", less).await.0,
        StatusCode::CREATED
    );
    let same = json!({"name": "same", "expires_at": ends});
    let (_, same) = site.post(some, "/api/v1/tokens", same).await;
    assert_eq!(same["token"]["scopes"], json!(["bucket.*", "token.create"]));
    let theirs = json!({"name": "x", "buckets": [BUCKET]});
    assert_eq!(
        site.post(&site.stranger, "/api/v1/tokens", theirs).await.0,
        StatusCode::NOT_FOUND
    );
}
