//! Sessions and passwords.

use std::time::Duration;

use ::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::{PASSWORD, PUBLIC_URL, Site, code, read, request};

const NEW: &str = "another fine password";

/// Signs the owner in; gives the status and the cookie.
async fn sign_in(site: &Site, password: &str) -> (StatusCode, String) {
    let body = json!({"email": "owner@example.org", "password": password});
    let mut request = request(Method::POST, "/api/v1/session", Some(body));
    let agent = format!("Browser/{}", "1".repeat(300)).parse().unwrap();
    request.headers_mut().insert(header::USER_AGENT, agent);
    let answer = site.send(request).await;
    let cookie = answer.headers().get(header::SET_COOKIE);
    let cookie = cookie.map(|text| text.to_str().unwrap().split(';').next().unwrap().to_owned());
    (answer.status(), cookie.unwrap_or_default())
}

async fn with(
    site: &Site,
    cookie: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let mut request = request(method, path, body);
    let headers = request.headers_mut();
    headers.insert(header::COOKIE, cookie.parse().unwrap());
    headers.insert(header::ORIGIN, PUBLIC_URL.parse().unwrap());
    read(site.send(request).await).await
}

async fn whoami(site: &Site, cookie: &str) -> StatusCode {
    with(site, cookie, Method::GET, "/api/v1/whoami", None)
        .await
        .0
}

async fn post(site: &Site, path: &str, body: Value) -> (StatusCode, Value) {
    read(site.send(request(Method::POST, path, Some(body))).await).await
}

async fn mails(site: &Site) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM mails")
        .fetch_one(&mut *site.app.store.read().await.unwrap())
        .await
        .unwrap()
}

/// The secret of the newest link, once it is there.
async fn link(site: &Site, number: i64) -> String {
    while mails(site).await < number {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let text: String = sqlx::query_scalar("SELECT body_text FROM mails ORDER BY id DESC LIMIT 1")
        .fetch_one(&mut *site.app.store.read().await.unwrap())
        .await
        .unwrap();
    let (_, rest) = text.split_once("/password#").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn sessions_are_seen_and_ended_one_by_one() {
    let site = Site::new().await;
    let mut cookies = vec![];
    for _ in 0..3 {
        cookies.push(sign_in(&site, PASSWORD).await.1);
        site.clock.forward(1);
    }
    let (_, page) = with(&site, &cookies[1], Method::GET, "/api/v1/sessions", None).await;
    let items = page["items"].as_array().unwrap();
    let current: Vec<_> = items
        .iter()
        .map(|it| it["current"].as_bool().unwrap())
        .collect();
    assert_eq!(current, [false, true, false]);
    assert_eq!(items[0]["origin"], "192.0.2.1");
    assert_eq!(items[0]["user_agent"].as_str().unwrap().len(), 200);
    assert!(items[1]["seen_at"].as_i64() > items[0]["seen_at"].as_i64());
    let first = format!("/api/v1/sessions/{}", items[0]["id"].as_str().unwrap());
    // It is nobody else's to see or to end.
    let (_, none) = site.get(&site.admin, "/api/v1/sessions").await;
    assert_eq!(none["items"], json!([]));
    let (status, problem) = site.ask(&site.admin, Method::DELETE, &first, None).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::NOT_FOUND, "no_such_session")
    );
    let (status, _) = with(&site, &cookies[1], Method::DELETE, &first, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(whoami(&site, &cookies[0]).await, StatusCode::UNAUTHORIZED);
    assert_eq!(whoami(&site, &cookies[2]).await, StatusCode::OK);
    let others = "/api/v1/sessions/end-others";
    assert_eq!(
        with(&site, &cookies[1], Method::POST, others, None).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(whoami(&site, &cookies[2]).await, StatusCode::UNAUTHORIZED);
    assert_eq!(whoami(&site, &cookies[1]).await, StatusCode::OK);
}

#[tokio::test]
async fn a_session_lasts_while_it_is_used_but_not_for_ever() {
    let site = Site::new().await;
    let hours = |hours: i64| site.clock.forward(hours * 3600);
    let used = sign_in(&site, PASSWORD).await.1;
    let unused = sign_in(&site, PASSWORD).await.1;
    // Eleven hours at a time, until a session that is used as well has lasted thirty days.
    for _ in 0..65 {
        hours(11);
        assert_eq!(whoami(&site, &used).await, StatusCode::OK);
    }
    assert_eq!(whoami(&site, &unused).await, StatusCode::UNAUTHORIZED);
    hours(11);
    assert_eq!(whoami(&site, &used).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_dangerous_needs_a_proof_that_is_not_old() {
    let site = Site::new().await;
    let cookie = sign_in(&site, PASSWORD).await.1;
    let make = async |name: &str| {
        let body = Some(json!({"name": name}));
        with(&site, &cookie, Method::POST, "/api/v1/tokens", body).await
    };
    assert_eq!(make("one").await.0, StatusCode::CREATED);
    site.clock.forward(601);
    let (status, problem) = make("two").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::FORBIDDEN, "reauthenticate")
    );
    let path = "/api/v1/session/reauthenticate";
    let prove = async |password: &str| {
        let body = Some(json!({"password": password}));
        with(&site, &cookie, Method::POST, path, body).await.0
    };
    assert_eq!(prove("a wrong one").await, StatusCode::UNAUTHORIZED);
    let body = Some(json!({"password": PASSWORD, "code": "123456"}));
    let (status, problem) = with(&site, &cookie, Method::POST, path, body).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::BAD_REQUEST, "bad_request")
    );
    assert_eq!(make("two").await.0, StatusCode::FORBIDDEN);
    assert_eq!(prove(PASSWORD).await, StatusCode::NO_CONTENT);
    assert_eq!(make("two").await.0, StatusCode::CREATED);
    // A proof is worth nothing to another session.
    site.clock.forward(601);
    sign_in(&site, PASSWORD).await;
    assert_eq!(make("three").await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_password_is_changed_with_the_old_one_and_ends_other_sessions() {
    let site = Site::new().await;
    let (one, other) = (
        sign_in(&site, PASSWORD).await.1,
        sign_in(&site, PASSWORD).await.1,
    );
    let change = |current: &str, new: &str| Some(json!({"current": current, "new": new}));
    let path = "/api/v1/password";
    for (body, expected) in [
        (change("wrong one", NEW), StatusCode::UNAUTHORIZED),
        (change(PASSWORD, "short"), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(with(&site, &one, Method::PUT, path, body).await.0, expected);
    }
    assert_eq!(whoami(&site, &other).await, StatusCode::OK);
    let done = with(&site, &one, Method::PUT, path, change(PASSWORD, NEW)).await;
    assert_eq!(done.0, StatusCode::NO_CONTENT);
    assert_eq!(whoami(&site, &one).await, StatusCode::OK);
    assert_eq!(whoami(&site, &other).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&site, PASSWORD).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&site, NEW).await.0, StatusCode::OK);
    assert_eq!(
        site.get(&site.owner, "/api/v1/whoami").await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_by_a_link_once() {
    let site = Site::new().await;
    let session = sign_in(&site, PASSWORD).await.1;
    let forgotten = async |email: &str| {
        post(
            &site,
            "/api/v1/password/forgotten",
            json!({ "email": email }),
        )
        .await
    };
    // Known or not, the answer is one.
    assert_eq!(
        forgotten("nobody@example.org").await,
        forgotten("Owner@example.org").await
    );
    let token = link(&site, 1).await;
    assert_eq!(mails(&site).await, 1);
    // No flood of e-mails for one person.
    assert_eq!(
        forgotten("owner@example.org").await.0,
        StatusCode::NO_CONTENT
    );
    let reset = async |token: &str, password: &str| {
        post(
            &site,
            "/api/v1/password/reset",
            json!({"token": token, "password": password}),
        )
        .await
    };
    for token in ["", "x", &"x".repeat(43)] {
        let (status, problem) = reset(token, NEW).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::NOT_FOUND, "no_such_link")
        );
    }
    assert_eq!(reset(&token, "short").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(reset(&token, NEW).await.0, StatusCode::NO_CONTENT);
    assert_eq!(reset(&token, NEW).await.0, StatusCode::NOT_FOUND);
    assert_eq!(whoami(&site, &session).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&site, NEW).await.0, StatusCode::OK);
    assert_eq!(mails(&site).await, 1);

    // A newer link takes the old one's place, and an hour is all it has.
    site.clock.forward(301);
    forgotten("owner@example.org").await;
    let old = link(&site, 2).await;
    site.clock.forward(301);
    forgotten("owner@example.org").await;
    let new = link(&site, 3).await;
    assert_eq!(reset(&old, PASSWORD).await.0, StatusCode::NOT_FOUND);
    site.clock.forward(3600);
    assert_eq!(reset(&new, PASSWORD).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_link_that_was_sent_before_a_password_was_changed_is_not_good() {
    let site = Site::new().await;
    let forgotten = json!({"email": "owner@example.org"});
    post(&site, "/api/v1/password/forgotten", forgotten).await;
    let token = link(&site, 1).await;
    let session = sign_in(&site, PASSWORD).await.1;
    let body = Some(json!({"current": PASSWORD, "new": NEW}));
    let changed = with(&site, &session, Method::PUT, "/api/v1/password", body).await;
    assert_eq!(changed.0, StatusCode::NO_CONTENT);
    let body = json!({"token": token, "password": PASSWORD});
    let (status, problem) = post(&site, "/api/v1/password/reset", body).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::NOT_FOUND, "no_such_link")
    );
    assert_eq!(sign_in(&site, NEW).await.0, StatusCode::OK);
}
