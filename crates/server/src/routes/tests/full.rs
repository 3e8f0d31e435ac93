//! What is answered when as much waits as may: each bound with its status, its code, and when to come again.

use std::time::Duration;

use ::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use storm_protocol::{
    api::VIA_HEADER,
    ident::{AccountId, Micros, UserId},
};

use super::{Site, code, read, request};
use crate::{
    clock::random,
    events::MAX_STREAMS,
    store::{
        mails::MAX_QUEUED,
        operations::{ALWAYS_OPEN_PER_ACCOUNT, MAX_OPEN_OPERATIONS_PER_ACCOUNT, MAX_REQUESTED},
    },
};

/// Status, seconds to wait and body of a request.
async fn ask(
    site: &Site,
    token: Option<&str>,
    method: Method,
    path: &str,
    body: Option<Value>,
    key: Option<&str>,
) -> (StatusCode, Option<u64>, Value) {
    let mut request = request(method, path, body);
    let headers = request.headers_mut();
    if let Some(token) = token {
        let bearer = format!("Bearer {token}");
        headers.insert(header::AUTHORIZATION, bearer.parse().unwrap());
    }
    headers.insert(VIA_HEADER, "api".parse().unwrap());
    if let Some(key) = key {
        headers.insert("idempotency-key", key.parse().unwrap());
    }
    let answer = site.send(request).await;
    let seconds = answer.headers().get(header::RETRY_AFTER);
    let seconds = seconds.map(|seconds| seconds.to_str().unwrap().parse().unwrap());
    let (status, body) = read(answer).await;
    (status, seconds, body)
}

async fn ask_for_bucket(site: &Site, token: &str, key: &str) -> (StatusCode, Option<u64>, Value) {
    let body = Some(json!({"name": "videos"}));
    let path = "/api/v1/buckets";
    ask(site, Some(token), Method::POST, path, body, Some(key)).await
}

/// Copies the only operation that there is so often.
async fn copy_operation(site: &Site, times: i64) {
    site.sql(&format!(
        "INSERT INTO operations (id, state, account, \"user\", operator, via, region, command, parameters, \
         request_digest, requested_at, give_up_at) \
         WITH RECURSIVE numbers (number) AS \
         (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {times}) \
         SELECT 'copy-' || number, state, account, \"user\", operator, via, region, command, parameters, \
         request_digest, requested_at, give_up_at FROM operations, numbers"
    ))
    .await;
}

#[tokio::test]
async fn an_account_waits_for_its_own_and_nobody_else_does() {
    let site = Site::new().await;
    let (status, ..) = ask_for_bucket(&site, &site.member, "first").await;
    assert_eq!(status, StatusCode::ACCEPTED);
    copy_operation(&site, MAX_OPEN_OPERATIONS_PER_ACCOUNT - 1).await;
    let (status, seconds, problem) = ask_for_bucket(&site, &site.member, "second").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!((code(&problem), seconds), ("rate_limited", Some(5)));
    // Of another role of the account no more is taken, of another account it is.
    let (status, ..) = ask_for_bucket(&site, &site.owner, "third").await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let (status, ..) = ask_for_bucket(&site, &site.stranger, "fourth").await;
    assert_eq!(status, StatusCode::ACCEPTED);
    site.sql("UPDATE operations SET state = 'done' WHERE id = 'copy-1'")
        .await;
    let (status, ..) = ask_for_bucket(&site, &site.member, "second").await;
    assert_eq!(status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn whoever_fills_the_signers_queue_keeps_nobody_out() {
    let site = Site::new().await;
    let (status, ..) = ask_for_bucket(&site, &site.stranger, "first").await;
    assert_eq!(status, StatusCode::ACCEPTED);
    copy_operation(&site, MAX_REQUESTED - 1).await;
    for number in 0..ALWAYS_OPEN_PER_ACCOUNT {
        let key = number.to_string();
        let (status, ..) = ask_for_bucket(&site, &site.member, &key).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{number}");
    }
    let (status, seconds, problem) = ask_for_bucket(&site, &site.member, "more").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((code(&problem), seconds), ("busy", Some(5)));
    // What stands already is found.
    let (status, ..) = ask_for_bucket(&site, &site.member, "0").await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let (status, body) = site.get(&site.member, "/api/v1/operations").await;
    assert_eq!(status, StatusCode::OK);
    let mine = body["items"].as_array().unwrap().len();
    assert_eq!(mine, usize::try_from(ALWAYS_OPEN_PER_ACCOUNT).unwrap());

    // Signed, they wait for their agents, and no longer here.
    site.sql("UPDATE operations SET state = 'signed' WHERE id LIKE 'copy-%'")
        .await;
    let (status, ..) = ask_for_bucket(&site, &site.member, "more").await;
    assert_eq!(status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn no_mail_is_asked_for_while_too_many_wait_whoever_has_the_address() {
    let open = "[sign_up]\nopen = true\n[sign_up.limits]\nstorage_bytes = 1000\n";
    let site = Site::configured(Duration::from_millis(20), open).await;
    site.sql(&format!(
        "INSERT INTO mails (id, recipient, subject, state, next_try_at, created_at) \
         WITH RECURSIVE numbers (number) AS \
         (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {MAX_QUEUED}) \
         SELECT 'mail-' || number, 'somebody@example.org', 'a subject', 'queued', 0, 0 FROM numbers"
    ))
    .await;
    let (owner, nobody) = ("owner@example.org", "nobody@example.org");
    let mut bodies = vec![];
    for email in [owner, nobody] {
        let forgotten = json!({"email": email});
        let sign_up = json!({"email": email, "name": "Somebody"});
        for (path, body) in [
            ("/api/v1/password/forgotten", forgotten),
            ("/api/v1/sign-ups", sign_up),
        ] {
            let answer = ask(&site, None, Method::POST, path, Some(body), None).await;
            let (status, seconds, mut problem) = answer;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!((code(&problem), seconds), ("busy", Some(60)));
            problem["error"]["request"].take();
            bodies.push(problem);
        }
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    let invite = async || {
        let body = Some(json!({"email": nobody, "role": "viewer"}));
        let path = "/api/v1/invitations";
        ask(&site, Some(&site.owner), Method::POST, path, body, None).await
    };
    let (status, seconds, problem) = invite().await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((code(&problem), seconds), ("busy", Some(60)));
    let (_, invitations) = site.get(&site.owner, "/api/v1/invitations").await;
    assert_eq!(invitations["items"], json!([]));

    site.sql("UPDATE mails SET state = 'sent' WHERE id = 'mail-1'")
        .await;
    assert_eq!(invite().await.0, StatusCode::CREATED);
    // Its e-mail took the place.
    assert_eq!(invite().await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn streams_of_everybody_are_bounded() {
    let site = Site::new().await;
    let other = || {
        let account = AccountId::new(Micros(0), random());
        site.gate
            .streams()
            .take(account, UserId::new(Micros(0), random()))
    };
    let held: Vec<_> = (0..MAX_STREAMS).map(|_| other().ok().unwrap()).collect();
    let path = "/api/v1/events";
    let answer = ask(&site, Some(&site.viewer), Method::GET, path, None, None).await;
    let (status, seconds, problem) = answer;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((code(&problem), seconds), ("busy", Some(15)));
    drop(held);
    assert!(other().is_ok());
}
