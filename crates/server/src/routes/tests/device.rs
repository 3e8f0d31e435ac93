//! Programs that are let in from elsewhere, and those who would be let in for them.

use std::net::SocketAddr;

use ::http::{Method, StatusCode, header};
use axum::extract::ConnectInfo;
use serde_json::{Value, json};

use super::{PASSWORD, PUBLIC_URL, Site, code, read, request};

const BEGIN: &str = "/api/v1/device-authorizations";

fn path(verb: &str) -> String {
    format!("{BEGIN}/{verb}")
}

async fn post(site: &Site, path: &str, body: Value) -> (StatusCode, Value) {
    read(site.send(request(Method::POST, path, Some(body))).await).await
}

async fn begin(site: &Site) -> Value {
    let (status, codes) = post(site, BEGIN, json!({"client": "storm", "host": "laptop"})).await;
    assert_eq!(status, StatusCode::CREATED, "{codes}");
    codes
}

async fn answer(site: &Site, token: &str, verb: &str, codes: &Value) -> (StatusCode, Value) {
    let body = json!({"user_code": codes["user_code"]});
    site.post(token, &path(verb), body).await
}

async fn fetch(site: &Site, codes: &Value) -> (StatusCode, Value) {
    let body = json!({"device_code": codes["device_code"]});
    post(site, &path("token"), body).await
}

async fn rows(site: &Site) -> Vec<(String, Option<String>)> {
    sqlx::query_as("SELECT device_hash || user_hash || COALESCE(scopes, ''), account FROM device_authorizations")
        .fetch_all(&mut *site.app.store.read().await.unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_program_is_let_in_once() {
    let site = Site::new().await;
    let codes = begin(&site).await;
    let shown = codes["user_code"].as_str().unwrap();
    assert_eq!(codes["verification_uri"], format!("{PUBLIC_URL}/device"));
    let whole = format!("{PUBLIC_URL}/device#{shown}");
    assert_eq!(codes["verification_uri_complete"], whole);
    assert_eq!(
        (&codes["expires_in"], &codes["interval"]),
        (&json!(600), &json!(5))
    );
    // What is stored opens nothing.
    let stored = format!("{:?}", rows(&site).await);
    for part in [
        shown,
        &shown.replace('-', ""),
        codes["device_code"].as_str().unwrap(),
    ] {
        assert!(!stored.contains(part), "{stored}");
    }

    let (status, waiting) = fetch(&site, &codes).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(
        waiting,
        json!({"code": "authorization_pending", "interval": 5})
    );
    let (_, waiting) = fetch(&site, &codes).await;
    assert_eq!(waiting, json!({"code": "slow_down", "interval": 10}));

    let (status, found) = answer(&site, &site.member, "look-up", &codes).await;
    assert_eq!(status, StatusCode::OK, "{found}");
    assert_eq!(
        (&found["client"], &found["host"]),
        (&json!("storm"), &json!("laptop"))
    );
    assert_eq!(
        (&found["origin"], &found["same_network"]),
        (&json!("192.0.2.1"), &json!(true))
    );
    assert_eq!(
        found["may"],
        json!(["Everything that you may do in the account"])
    );

    let (status, _) = answer(&site, &site.member, "approve", &codes).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    // It waits no more: nobody else can answer it.
    for verb in ["look-up", "approve", "deny"] {
        let (status, problem) = answer(&site, &site.stranger, verb, &codes).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::NOT_FOUND, "no_such_code")
        );
    }
    let (status, made) = fetch(&site, &codes).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(made["token"]["name"], "storm on laptop");
    let end = site.app.clock.now().plus_seconds(90 * 86_400).0;
    assert_eq!(made["token"]["expires_at"], end);
    let secret = made["secret"].as_str().unwrap();
    let (_, me) = site.get(secret, "/api/v1/whoami").await;
    assert_eq!(me["email"], "member@example.org");
    // The code is spent, and nothing is left of it.
    let (status, problem) = fetch(&site, &codes).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::BAD_REQUEST, "expired_token")
    );
    assert_eq!(rows(&site).await, []);

    let (_, trail) = site.get(&site.owner, "/api/v1/audit").await;
    let acts: Vec<_> = trail["items"].as_array().unwrap().iter().collect();
    let did = |act: &str| {
        acts.iter()
            .find(|it| it["act"] == act && it["result"] == "done")
    };
    assert_eq!(did("device.approve").unwrap()["thing"], "storm on laptop");
    assert_eq!(did("token.create").unwrap()["thing"], made["token"]["id"]);
    assert!(!trail.to_string().contains(shown), "{trail}");
}

#[tokio::test]
async fn what_is_denied_or_too_late_gets_nothing() {
    let site = Site::new().await;
    let codes = begin(&site).await;
    let (status, _) = answer(&site, &site.viewer, "deny", &codes).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, problem) = fetch(&site, &codes).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::FORBIDDEN, "access_denied")
    );
    let (_, problem) = fetch(&site, &codes).await;
    assert_eq!(code(&problem), "expired_token");

    let codes = begin(&site).await;
    site.clock.forward(600);
    let (status, _) = answer(&site, &site.member, "approve", &codes).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (_, problem) = fetch(&site, &codes).await;
    assert_eq!(code(&problem), "expired_token");

    // Approved in the last second, it has a minute to fetch its token, and no more.
    for (later, expected) in [(59, StatusCode::CREATED), (60, StatusCode::BAD_REQUEST)] {
        let codes = begin(&site).await;
        site.clock.forward(599);
        answer(&site, &site.member, "approve", &codes).await;
        site.clock.forward(later);
        assert_eq!(fetch(&site, &codes).await.0, expected);
    }

    // Whoever is out of the account lets nobody in.
    let codes = begin(&site).await;
    answer(&site, &site.member, "approve", &codes).await;
    site.sql("DELETE FROM members WHERE role = 'member'").await;
    let (_, problem) = fetch(&site, &codes).await;
    assert_eq!(code(&problem), "access_denied");
}

#[tokio::test]
async fn a_token_lets_nobody_in_who_may_more_or_for_longer() {
    let site = Site::new().await;
    let end = site.app.clock.now().plus_seconds(3600).0;
    let body = json!({"name": "half", "scopes": ["device.*", "bucket.read"], "expires_at": end});
    let (_, made) = site.post(&site.owner, "/api/v1/tokens", body).await;
    let half = made["secret"].as_str().unwrap();

    let all = json!({"client": "storm", "host": "laptop", "scopes": ["*"]});
    let (_, codes) = post(&site, BEGIN, all).await;
    let (status, problem) = answer(&site, half, "approve", &codes).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::BAD_REQUEST, "bad_request")
    );

    // Who does not say what it needs gets what there is.
    let codes = begin(&site).await;
    let (status, _) = answer(&site, half, "approve", &codes).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (_, made) = fetch(&site, &codes).await;
    assert_eq!(made["token"]["scopes"], json!(["bucket.read", "device.*"]));
    assert_eq!(made["token"]["expires_at"], end);

    for scopes in [json!(["bucket.read"]), json!(["token.create"])] {
        let body = json!({"name": "less", "scopes": scopes});
        let (_, made) = site.post(&site.owner, "/api/v1/tokens", body).await;
        let codes = begin(&site).await;
        let less = made["secret"].as_str().unwrap();
        assert_eq!(
            answer(&site, less, "approve", &codes).await.0,
            StatusCode::FORBIDDEN
        );
    }
}

#[tokio::test]
async fn a_session_that_was_left_open_lets_nobody_in() {
    let site = Site::new().await;
    let body = json!({"email": "owner@example.org", "password": PASSWORD});
    let signed_in = site
        .send(request(Method::POST, "/api/v1/session", Some(body)))
        .await;
    let cookie = signed_in.headers()[header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    site.clock.forward(601);
    let codes = begin(&site).await;
    let ask = |verb: &'static str, body: Value, origin: &'static str| {
        let path = match verb {
            "reauthenticate" => "/api/v1/session/reauthenticate".to_owned(),
            _ => path(verb),
        };
        let mut request = request(Method::POST, &path, Some(body));
        let headers = request.headers_mut();
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        async { read(site.send(request).await).await }
    };
    let named = json!({"user_code": codes["user_code"]});
    let (status, problem) = ask("approve", named.clone(), PUBLIC_URL).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::FORBIDDEN, "reauthenticate")
    );
    let proof = json!({"password": PASSWORD});
    assert_eq!(
        ask("reauthenticate", proof, PUBLIC_URL).await.0,
        StatusCode::NO_CONTENT
    );
    // Another site's page cannot approve it either.
    let (status, problem) = ask("approve", named.clone(), "https://evil.example").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::FORBIDDEN, "cross_site")
    );
    assert_eq!(
        ask("approve", named, PUBLIC_URL).await.0,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn guesses_and_floods_are_bounded() {
    let site = Site::new().await;
    let waiting = begin(&site).await;
    let mut answers = vec![];
    for number in 0..25 {
        let letter = char::from(b"BCDFGHJKLMNPQRSTVWXZ"[number % 20]);
        let guess = json!({"user_code": format!("BBBB-BBB{letter}")});
        answers.push(site.post(&site.stranger, &path("look-up"), guess).await.0);
    }
    assert!(answers[..20].iter().all(|it| *it == StatusCode::NOT_FOUND));
    assert!(
        answers[20..]
            .iter()
            .all(|it| *it == StatusCode::TOO_MANY_REQUESTS)
    );
    // The right one is not looked at any more, and who it is for is not locked out.
    let (status, _) = answer(&site, &site.stranger, "approve", &waiting).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let (status, _) = answer(&site, &site.member, "look-up", &waiting).await;
    assert_eq!(status, StatusCode::OK);

    for _ in 1..20 {
        begin(&site).await;
    }
    let body = json!({"client": "storm", "host": "laptop"});
    let (status, problem) = post(&site, BEGIN, body.clone()).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::TOO_MANY_REQUESTS, "rate_limited")
    );
    assert_eq!(rows(&site).await.len(), 20);
    // It is that network's matter alone, and ends with its codes.
    let mut elsewhere = request(Method::POST, BEGIN, Some(body.clone()));
    let peer: SocketAddr = "198.51.100.7:4444".parse().unwrap();
    elsewhere.extensions_mut().insert(ConnectInfo(peer));
    let (status, codes) = read(site.send(elsewhere).await).await;
    assert_eq!(status, StatusCode::CREATED);
    let (_, found) = answer(&site, &site.member, "look-up", &codes).await;
    assert_eq!(found["same_network"], false);
    // Nor is it of those whom a proxy on this machine does not name.
    for _ in 0..25 {
        let mut here = request(Method::POST, BEGIN, Some(body.clone()));
        let peer: SocketAddr = "127.0.0.1:4444".parse().unwrap();
        here.extensions_mut().insert(ConnectInfo(peer));
        assert_eq!(site.send(here).await.status(), StatusCode::CREATED);
    }
    site.clock.forward(600);
    assert_eq!(post(&site, BEGIN, body).await.0, StatusCode::CREATED);
    assert_eq!(rows(&site).await.len(), 1);
}

#[tokio::test]
async fn strange_words_are_refused() {
    let site = Site::new().await;
    for (field, value) in [
        ("client", json!("")),
        ("client", json!("Your bank")),
        ("client", json!("s".repeat(21))),
        ("host", json!("lap\u{202e}top")),
        ("host", json!("<b>")),
        ("host", json!("h".repeat(41))),
        ("scopes", json!(["no.such"])),
        ("scopes", json!([])),
        ("token_days", json!(0)),
        ("token_days", json!(366)),
        ("more", json!(1)),
    ] {
        let mut body = json!({"client": "storm", "host": "laptop"});
        body[field] = value;
        let (status, problem) = post(&site, BEGIN, body).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::BAD_REQUEST, "bad_request"),
            "{field}"
        );
        assert!(
            problem["error"]["message"]
                .as_str()
                .unwrap()
                .contains(field),
            "{problem}"
        );
    }
    for wrong in ["", "short", &"é".repeat(30)] {
        let (status, problem) = post(&site, &path("token"), json!({"device_code": wrong})).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::BAD_REQUEST, "expired_token")
        );
    }
}
