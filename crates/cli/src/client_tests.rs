use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::errors::report;

/// What the peer does with a request: answers with this, or hangs up.
enum Act {
    Answer(&'static str, &'static str),
    HangUp,
}

/// A server that plays `acts`, one a connection, and keeps what it was sent.
async fn peer(acts: Vec<Act>) -> (Url, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    tokio::spawn(async move {
        for act in acts {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 8192];
            let length = socket.read(&mut request).await.unwrap();
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            kept.lock().unwrap().push(text.to_lowercase());
            if let Act::Answer(status, body) = act {
                let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
                let length = format!("content-length: {}\r\n\r\n", body.len());
                let answer = [head.as_str(), &length, body].concat();
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (url.parse().unwrap(), seen)
}

fn api(url: Url) -> Api {
    Api::new(url, Credential::Token(SecretString::from("sbt_x"))).unwrap()
}

async fn post(api: &Api, idempotency_key: Option<&str>) -> Result<Value, ApiError> {
    let body = serde_json::json!({ "name": "photos" });
    let call = Call {
        method: Method::POST,
        path: "/buckets",
        body: Some(&body),
        idempotency_key,
    };
    api.json(&call).await
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_when_it_says_and_under_the_same_key() {
    let busy = "429 Too Many Requests\r\nretry-after: 1";
    let acts = vec![
        Act::Answer(busy, INTERNAL),
        Act::Answer("201 Created", "{\"a\":1}"),
    ];
    let (url, seen) = peer(acts).await;
    let answer = post(&api(url), Some("key-1")).await.unwrap();
    assert_eq!(answer["a"], 1);
    let seen = seen.lock().unwrap();
    assert!(
        seen.len() == 2
            && seen
                .iter()
                .all(|one| one.contains("idempotency-key: key-1"))
    );
}

#[tokio::test]
async fn a_server_that_is_busy_for_long_is_not_waited_for() {
    let busy = "429 Too Many Requests\r\nretry-after: 900";
    let (url, seen) = peer(vec![Act::Answer(busy, INTERNAL)]).await;
    let error = post(&api(url), Some("key-1")).await.unwrap_err();
    assert!(error.to_string().contains("Failed."), "{error}");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

const TAKEN: &str = r#"{"error":{"code":"name_taken","message":"Taken.","request":"r1"}}"#;
const INTERNAL: &str = r#"{"error":{"code":"internal","message":"Failed.","request":"r1"}}"#;

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_the_same_key() {
    let (url, seen) = peer(vec![
        Act::HangUp,
        Act::Answer("502 Bad Gateway", "<html>"),
        Act::Answer("201 Created", "{\"a\":1}"),
    ])
    .await;
    let answer = post(&api(url), Some("key-1")).await.unwrap();
    assert_eq!(answer["a"], 1);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3);
    for request in seen.iter() {
        assert!(request.starts_with("post /api/v1/buckets http/1.1"));
        for line in [
            "idempotency-key: key-1",
            "authorization: bearer sbt_x",
            "storm-via: cli",
        ] {
            assert!(request.contains(line), "{request}");
        }
    }
}

#[tokio::test]
async fn a_request_that_may_not_be_repeated_is_sent_once() {
    let (url, seen) = peer(vec![Act::HangUp, Act::Answer("201 Created", "{}")]).await;
    let error = post(&api(url), None).await.unwrap_err();
    assert!(!error.is_final(), "it may have arrived");
    assert_eq!(report(&error.into(), false), 7);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn each_answer_has_its_exit_code_and_says_whether_it_is_the_end() {
    let cases = [
        ("409 Conflict", TAKEN, 5, true),
        ("404 Not Found", TAKEN, 4, true),
        ("400 Bad Request", INTERNAL, 2, true),
        ("401 Unauthorized", INTERNAL, 3, true),
        ("403 Forbidden", INTERNAL, 3, true),
        ("422 Unprocessable", INTERNAL, 2, false),
        ("500 Internal", INTERNAL, 1, false),
        ("502 Bad Gateway", TAKEN, 1, true),
        ("500 Internal", "<html>", 1, false),
        ("404 Not Found", "<html>", 1, false),
        ("200 OK", "<html>", 1, false),
    ];
    for (status, body, exit, is_final) in cases {
        let (url, _) = peer(vec![Act::Answer(status, body)]).await;
        let error = post(&api(url), Some("key-1")).await.unwrap_err();
        assert_eq!(error.is_final(), is_final, "{status} {body}");
        assert_eq!(report(&error.into(), true), exit, "{status} {body}");
    }
}

#[tokio::test]
async fn a_refusal_after_a_lost_answer_is_not_the_end() {
    let (url, _) = peer(vec![Act::HangUp, Act::Answer("401 Unauthorized", INTERNAL)]).await;
    let error = post(&api(url), Some("key-1")).await.unwrap_err();
    assert!(!error.is_final());
}

#[tokio::test]
async fn nobody_there_is_said_and_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = post(&api(url.parse().unwrap()), Some("key-1"))
        .await
        .unwrap_err();
    assert!(error.is_final());
    assert!(error.to_string().contains(&url), "{error}");
    assert_eq!(report(&error.into(), false), 7);
}

#[tokio::test]
async fn lists_go_through_all_pages() {
    let (url, seen) = peer(vec![Act::Answer(
        "200 OK",
        r#"{"items":[],"next_cursor":null}"#,
    )])
    .await;
    let filters = [("name", Some("a b&c")), ("region", None)];
    let found = api(url)
        .list::<BucketPage>("/buckets", &filters)
        .await
        .unwrap();
    assert!(found.is_empty());
    assert!(seen.lock().unwrap()[0].starts_with("get /api/v1/buckets?name=a+b%26c http"));
}
