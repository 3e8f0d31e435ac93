//! The stream of events.

use std::time::Duration;

use ::http::{Method, StatusCode, header};
use axum::{body::BodyDataStream, response::Response};
use futures_util::StreamExt;
use serde_json::json;

use super::{BUCKET, KEY, Site, request};
use crate::{
    app::Change,
    events::{MAX_STREAMS_PER_ACCOUNT, MAX_STREAMS_PER_PERSON},
};

async fn open(site: &Site, token: &str) -> Response {
    let mut request = request(Method::GET, "/api/v1/events", None);
    request.headers_mut().insert(
        header::AUTHORIZATION,
        format!("Bearer {token}").parse().unwrap(),
    );
    site.send(request).await
}

async fn next(stream: &mut BodyDataStream) -> String {
    let bytes = tokio::time::timeout(Duration::from_secs(5), stream.next())
        .await
        .unwrap();
    String::from_utf8(bytes.unwrap().unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn each_hears_of_their_own() {
    let site = Site::new().await;
    let response = open(&site, &site.viewer).await;
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/event-stream"
    );
    let mut ours = response.into_body().into_data_stream();
    let mut theirs = open(&site, &site.stranger)
        .await
        .into_body()
        .into_data_stream();
    let (_, made) = site
        .post(&site.member, "/api/v1/buckets", json!({"name": "videos"}))
        .await;
    let text = next(&mut ours).await;
    assert!(text.starts_with("event: operation\ndata: {"), "{text}");
    assert!(text.contains(made["operation"]["id"].as_str().unwrap()));
    site.app
        .bus
        .tell(Change::Bucket(Some(site.account), BUCKET.parse().unwrap()));
    assert!(next(&mut ours).await.starts_with("event: bucket\n"));
    site.app
        .bus
        .tell(Change::Bucket(None, BUCKET.parse().unwrap()));
    site.sql(&format!("UPDATE keys SET gone_at = 1 WHERE id = '{KEY}'"))
        .await;
    site.app
        .bus
        .tell(Change::Key(Some(site.account), KEY.parse().unwrap()));
    assert_eq!(
        next(&mut ours).await,
        format!("event: key_gone\ndata: \"{KEY}\"\n\n")
    );
    let silent = tokio::time::timeout(Duration::from_millis(100), theirs.next()).await;
    assert!(silent.is_err(), "another account heard of it");
}

#[tokio::test]
async fn a_mark_of_its_limit_is_told_to_the_account() {
    let site = Site::new().await;
    let mut ours = open(&site, &site.viewer)
        .await
        .into_body()
        .into_data_stream();
    let mut theirs = open(&site, &site.stranger)
        .await
        .into_body()
        .into_data_stream();
    let account = site.account;
    site.sql("UPDATE buckets SET bytes = 85").await;
    site.sql(&format!(
        "INSERT INTO account_limits (account, storage_bytes, mark, marked_at, reset_at) \
         VALUES ('{account}', 100, 80, 5, 5)"
    ))
    .await;
    site.app.bus.tell(Change::Mark(account));
    let text = next(&mut ours).await;
    let data = text.strip_prefix("event: limit\ndata: ").unwrap();
    let notice: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        notice,
        json!({"account": account, "percent": 80, "used_bytes": 85, "limit_bytes": 100, "at": 5})
    );
    let silent = tokio::time::timeout(Duration::from_millis(100), theirs.next()).await;
    assert!(silent.is_err(), "another account heard of it");
}

#[tokio::test]
async fn who_falls_behind_is_told() {
    let site = Site::new().await;
    let mut stream = open(&site, &site.viewer)
        .await
        .into_body()
        .into_data_stream();
    for _ in 0..2000 {
        site.app.bus.tell(Change::Certificate(String::new()));
    }
    assert_eq!(next(&mut stream).await, "event: missed\ndata: null\n\n");
}

#[tokio::test]
async fn streams_are_bounded() {
    let site = Site::new().await;
    let mut streams = vec![];
    for _ in 0..MAX_STREAMS_PER_PERSON {
        streams.push(open(&site, &site.viewer).await);
    }
    let more = open(&site, &site.viewer).await;
    assert_eq!(more.status(), StatusCode::TOO_MANY_REQUESTS);
    for _ in MAX_STREAMS_PER_PERSON..MAX_STREAMS_PER_ACCOUNT {
        streams.push(open(&site, &site.member).await);
    }
    assert!(
        streams
            .iter()
            .all(|stream| stream.status() == StatusCode::OK)
    );
    assert_eq!(
        open(&site, &site.owner).await.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(open(&site, &site.stranger).await.status(), StatusCode::OK);
    streams.pop();
    assert_eq!(open(&site, &site.owner).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn streams_and_waits_end_with_the_process() {
    let site = Site::with_wait(Duration::from_secs(10)).await;
    let mut stream = open(&site, &site.viewer)
        .await
        .into_body()
        .into_data_stream();
    let stop = async {
        site.app.bus.signer.notified().await;
        site.app.bus.stopping.cancel();
    };
    let asked = site.post(&site.member, "/api/v1/buckets", json!({"name": "videos"}));
    let both = async { tokio::join!(asked, stop) };
    let ((status, _), ()) = tokio::time::timeout(Duration::from_secs(5), both)
        .await
        .unwrap();
    assert_eq!(status, StatusCode::ACCEPTED);
    let rest = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(5), rest)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_operator_hears_of_everyones_operations_when_asked() {
    let site = Site::new().await;
    let open = async |token: &str, path: &str| {
        let mut request = request(Method::GET, path, None);
        let bearer = format!("Bearer {token}");
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, bearer.parse().unwrap());
        site.send(request).await
    };
    let everyones = "/api/v1/events?everyones=true";
    let refused = open(&site.owner, everyones).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let mut stranger = open(&site.stranger, "/api/v1/events")
        .await
        .into_body()
        .into_data_stream();
    let mut all = open(&site.operator, everyones)
        .await
        .into_body()
        .into_data_stream();
    let (_, made) = site
        .post(&site.member, "/api/v1/buckets", json!({"name": "videos"}))
        .await;
    let text = next(&mut all).await;
    assert!(
        text.contains(made["operation"]["id"].as_str().unwrap()),
        "{text}"
    );
    let silent = tokio::time::timeout(Duration::from_millis(100), stranger.next()).await;
    assert!(silent.is_err(), "another account heard of it");
}

#[tokio::test]
async fn everybody_hears_that_a_regions_agent_went() {
    let site = Site::new().await;
    let agent = "01900000-0000-7000-8000-000000000000";
    site.sql(&format!(
        "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, connected, \
         created_at) VALUES ('{agent}', 'home', 'h', 'x', 'x', 'x', '{{}}', 0, 0)"
    ))
    .await;
    let mut stream = open(&site, &site.stranger)
        .await
        .into_body()
        .into_data_stream();
    site.app.bus.tell(Change::Agent(agent.parse().unwrap()));
    let text = next(&mut stream).await;
    let data = text.strip_prefix("event: region\ndata: ").unwrap();
    let region: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        (&region["name"], &region["connected"]),
        (&json!("home"), &json!(false))
    );
}
