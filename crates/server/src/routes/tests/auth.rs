//! Signing in and out, tokens, other sites.

use std::{net::SocketAddr, time::Duration};

use ::http::{HeaderMap, Method, StatusCode, header};
use axum::extract::ConnectInfo;
use serde_json::{Value, json};

use super::{PASSWORD, PUBLIC_URL, Site, code, read, request};

async fn sign_in(site: &Site, email: &str, password: &str) -> (StatusCode, HeaderMap, Value) {
    sign_in_from(site, "192.0.2.1:4444", email, password).await
}

async fn sign_in_from(
    site: &Site,
    peer: &str,
    email: &str,
    password: &str,
) -> (StatusCode, HeaderMap, Value) {
    let body = json!({"email": email, "password": password});
    let mut request = request(Method::POST, "/api/v1/session", Some(body));
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = site.send(request).await;
    let headers = response.headers().clone();
    let (status, body) = read(response).await;
    (status, headers, body)
}

async fn cookie(site: &Site) -> String {
    let (status, headers, _) = sign_in(site, "owner@example.org", PASSWORD).await;
    assert_eq!(status, StatusCode::OK);
    let text = headers[header::SET_COOKIE].to_str().unwrap();
    text.split(';').next().unwrap().to_owned()
}

/// A request with the cookie and further headers.
async fn with_cookie(
    site: &Site,
    method: Method,
    path: &str,
    cookie: &str,
    more: &[(&'static str, &str)],
) -> (StatusCode, Value) {
    let body = (method == Method::POST).then(|| json!({"name": "mine", "expires_at": null}));
    let mut request = request(method, path, body);
    request
        .headers_mut()
        .insert(header::COOKIE, cookie.parse().unwrap());
    for (name, value) in more {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    read(site.send(request).await).await
}

#[tokio::test]
async fn a_session_begins_and_ends() {
    let site = Site::new().await;
    let (status, headers, body) = sign_in(&site, " Owner@Example.org ", PASSWORD).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(
        (body["email"].as_str(), body["role"].as_str()),
        (Some("owner@example.org"), Some("owner"))
    );
    let set = headers[header::SET_COOKIE].to_str().unwrap();
    for part in [
        "__Host-storm_session=",
        "; Path=/",
        "; HttpOnly",
        "; SameSite=Strict",
        "; Secure",
    ] {
        assert!(set.contains(part), "{set}");
    }
    let cookie = set.split(';').next().unwrap().to_owned();
    let whoami = async || with_cookie(&site, Method::GET, "/api/v1/whoami", &cookie, &[]).await;
    assert_eq!(whoami().await.0, StatusCode::OK);
    let leave = with_cookie(
        &site,
        Method::DELETE,
        "/api/v1/session",
        &cookie,
        &[("origin", PUBLIC_URL)],
    );
    assert_eq!(leave.await.0, StatusCode::NO_CONTENT);
    let (status, body) = whoami().await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::UNAUTHORIZED, "not_signed_in")
    );
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let site = Site::new().await;
    let cookie = cookie(&site).await;
    site.clock.forward(12 * 3600);
    let (status, _) = with_cookie(&site, Method::GET, "/api/v1/whoami", &cookie, &[]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn unknown_address_and_wrong_password_are_answered_alike_and_noted() {
    let site = Site::new().await;
    let mut answers = vec![];
    for email in [
        "owner@example.org",
        "viewer@example.org",
        "nobody@example.org",
    ] {
        let (status, headers, mut body) = sign_in(&site, email, "wrong password").await;
        assert!(headers.get(header::SET_COOKIE).is_none());
        assert_eq!(code(&body), "bad_credentials");
        body["error"]["request"].take();
        answers.push((status, body));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
    let noted: Vec<(String, String, String)> =
        sqlx::query_as("SELECT kind, subject, origin FROM security_events ORDER BY subject")
            .fetch_all(&mut *site.app.store.read().await.unwrap())
            .await
            .unwrap();
    assert_eq!(noted.len(), 3);
    assert_eq!(
        noted[0],
        (
            "sign_in_failed".into(),
            "nobody@example.org".into(),
            "192.0.2.1".into()
        )
    );
}

#[tokio::test]
async fn tries_are_limited() {
    let site = Site::new().await;
    let mut last = None;
    for _ in 0..12 {
        last = Some(sign_in(&site, "owner@example.org", "wrong password").await);
    }
    let (status, headers, body) = last.unwrap();
    assert_eq!(
        (status, code(&body)),
        (StatusCode::TOO_MANY_REQUESTS, "rate_limited")
    );
    let seconds: u64 = headers[header::RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=20).contains(&seconds));
    let right = sign_in_from(&site, "198.51.100.7:4444", "owner@example.org", PASSWORD).await;
    assert_eq!(right.0, StatusCode::OK, "a flood keeps the owner out");
}

#[tokio::test]
async fn a_flood_of_one_person_is_answered_429_and_affects_nobody_else() {
    let site = Site::configured(
        Duration::from_millis(20),
        "[limits]\nrequests_per_second = 1000\nchanges_per_second = 1",
    )
    .await;
    // Answered as a change, and changes nothing.
    let path = "/api/v1/tokens/01900000-0000-7000-8000-000000000000";
    let mut limited = None;
    for _ in 0..200 {
        let mut request = request(Method::DELETE, path, None);
        let bearer = format!("Bearer {}", site.owner);
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, bearer.parse().unwrap());
        let response = site.send(request).await;
        if response.status() != StatusCode::NOT_FOUND {
            limited = Some(response);
            break;
        }
    }
    let limited = limited.expect("two hundred changes in a row were taken");
    let seconds = limited.headers()[header::RETRY_AFTER].to_str().unwrap();
    assert!(seconds.parse::<u64>().unwrap() > 0);
    let (status, body) = read(limited).await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::TOO_MANY_REQUESTS, "rate_limited")
    );
    // Questions and other people go on.
    assert_eq!(
        site.get(&site.owner, "/api/v1/whoami").await.0,
        StatusCode::OK
    );
    let (status, _) = site.ask(&site.member, Method::DELETE, path, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn other_sites_change_nothing() {
    let site = Site::new().await;
    let cookie = cookie(&site).await;
    let cases: [(&[(&'static str, &str)], bool); 7] = [
        (&[("origin", PUBLIC_URL)], true),
        (&[("storm-via", "cli")], true),
        (&[], false),
        (&[("origin", "https://evil.example")], false),
        (
            &[("origin", "https://evil.example"), ("storm-via", "web")],
            false,
        ),
        (&[("origin", "null")], false),
        (&[("origin", "http://buckets.example.org")], false),
    ];
    for (headers, allowed) in cases {
        let (status, body) =
            with_cookie(&site, Method::POST, "/api/v1/tokens", &cookie, headers).await;
        if allowed {
            assert_eq!(status, StatusCode::CREATED, "{headers:?} {body}");
        } else {
            assert_eq!(
                (status, code(&body)),
                (StatusCode::FORBIDDEN, "cross_site"),
                "{headers:?}"
            );
        }
    }
    // Signing a visitor in as somebody else, or out, is a change too.
    let body = json!({"email": "owner@example.org", "password": PASSWORD});
    let mut foreign = request(Method::POST, "/api/v1/session", Some(body));
    foreign
        .headers_mut()
        .insert(header::ORIGIN, "https://evil.example".parse().unwrap());
    assert_eq!(site.send(foreign).await.status(), StatusCode::FORBIDDEN);
    let leave = with_cookie(&site, Method::DELETE, "/api/v1/session", &cookie, &[]).await;
    assert_eq!(leave.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn tokens_work_until_they_end() {
    let site = Site::new().await;
    let expires_at = site.app.clock.now().plus_seconds(100);
    let (status, made) = site
        .post(
            &site.owner,
            "/api/v1/tokens",
            json!({"name": "ci", "expires_at": expires_at}),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED);
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("sbt_") && secret.len() == 50);
    let (status, who) = site.get(secret, "/api/v1/whoami").await;
    assert_eq!(
        (status, who["email"].as_str()),
        (StatusCode::OK, Some("owner@example.org"))
    );

    let last_used = async || {
        let (_, page) = site.get(&site.owner, "/api/v1/tokens").await;
        page["items"][1]["last_used_at"].as_i64().unwrap()
    };
    let first = last_used().await;
    site.clock.forward(59);
    site.get(secret, "/api/v1/whoami").await;
    assert_eq!(last_used().await, first);
    site.clock.forward(2);
    site.get(secret, "/api/v1/whoami").await;
    assert_eq!(last_used().await, first + 61_000_000);

    site.clock.forward(60);
    let (status, body) = site.get(secret, "/api/v1/whoami").await;
    assert_eq!(
        (status, code(&body)),
        (StatusCode::UNAUTHORIZED, "bad_token")
    );
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM tokens WHERE hash LIKE 'sbt_%'")
        .fetch_one(&mut *site.app.store.read().await.unwrap())
        .await
        .unwrap();
    assert_eq!(stored, 0);
}

#[tokio::test]
async fn a_deleted_token_and_a_lost_membership_end_at_once() {
    let site = Site::new().await;
    let (_, page) = site.get(&site.admin, "/api/v1/tokens").await;
    let path = format!(
        "/api/v1/tokens/{}",
        page["items"][0]["id"].as_str().unwrap()
    );
    assert_eq!(
        site.ask(&site.owner, Method::DELETE, &path, None).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        site.ask(&site.admin, Method::DELETE, &path, None).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        site.get(&site.admin, "/api/v1/whoami").await.0,
        StatusCode::UNAUTHORIZED
    );
    site.sql("DELETE FROM members WHERE role = 'viewer'").await;
    assert_eq!(
        site.get(&site.viewer, "/api/v1/whoami").await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn odd_tokens() {
    let site = Site::new().await;
    for token in [
        "",
        "sbt_",
        "sbt_x",
        &format!("{}x", site.owner),
        "Basic",
        &site.owner.to_uppercase(),
    ] {
        let (status, body) = site.get(token, "/api/v1/whoami").await;
        assert_eq!(
            (status, code(&body)),
            (StatusCode::UNAUTHORIZED, "bad_token"),
            "{token}"
        );
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains("`storm login`"), "{message}");
    }
    for (name, expires_at) in [("", Value::Null), (" x", Value::Null), ("x", json!(1))] {
        let body = json!({"name": name, "expires_at": expires_at});
        assert_eq!(
            site.post(&site.owner, "/api/v1/tokens", body).await.0,
            StatusCode::BAD_REQUEST
        );
    }
}
