//! The API: requests that no client of ours would send.

use anyhow::{Result, ensure};
use e2e::harness::{
    api::Api,
    now,
    server::{EMAIL, PASSWORD},
    stack::{REGION, Stack},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use storm_protocol::seal::OpenKey;

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_request_is_answered_with_its_field() -> Result<()> {
    let stack = Stack::single().await?;
    let seal = json!(OpenKey::generate().seal_key());
    let bucket = |name: &str, value: Value| {
        let mut body = json!({ "region": REGION, "name": "photos", "key": "k", "seal_to": seal });
        body[name] = value;
        body
    };
    let key = |name: &str, value: Value| {
        let mut body = json!({ "region": REGION, "label": "k", "grants": [], "seal_to": seal });
        body[name] = value;
        body
    };
    let nobodys =
        json!([{ "bucket": "ab".repeat(32), "read": true, "write": false, "owner": false }]);
    let cases = [
        ("/buckets", bucket("name", json!("NOT A NAME")), 400, "name"),
        ("/buckets", bucket("name", json!(null)), 400, "name"),
        (
            "/buckets",
            bucket("quota_bytes", json!(0)),
            400,
            "quota_bytes",
        ),
        (
            "/buckets",
            bucket("quota_bytes", json!(-1)),
            400,
            "quota_bytes",
        ),
        (
            "/buckets",
            bucket("quota_bytes", json!(1_u64 << 60)),
            400,
            "quota_bytes",
        ),
        ("/buckets", bucket("seal_to", json!(null)), 400, "seal_to"),
        ("/buckets", bucket("seal_to", json!("AAAA")), 400, "seal_to"),
        ("/buckets", bucket("key", json!("a/b")), 400, "key"),
        (
            "/buckets",
            bucket("region", json!("nowhere")),
            404,
            "region",
        ),
        ("/buckets", bucket("shell", json!("id")), 400, "shell"),
        (
            "/keys",
            key("expires_at", json!(now().plus_seconds(-1))),
            400,
            "expires_at",
        ),
        ("/keys", key("label", json!("")), 400, "label"),
        ("/keys", key("grants", nobodys), 400, "grants[0]"),
        (
            "/regions",
            json!({ "name": "x y", "s3_endpoint": "http://a", "s3_region": "b" }),
            400,
            "name",
        ),
        (
            "/agents/enrol-tokens",
            json!({ "region": REGION, "expires_in_seconds": 0 }),
            400,
            "expires_in_seconds",
        ),
        ("/nothing", json!({}), 404, ""),
    ];
    for (path, body, status, field) in cases {
        let answer = stack
            .api
            .send(Method::POST, path, Some(&body), None)
            .await?;
        let message = answer.body["error"]["message"].as_str().unwrap_or_default();
        ensure!(
            answer.status.as_u16() == status,
            "{path} {body}: {answer:?}"
        );
        ensure!(
            message.contains(field) && !message.is_empty(),
            "{path} {body}: {answer:?}"
        );
        ensure!(
            !answer.code().is_empty() && answer.body["error"]["request"].is_string(),
            "{answer:?}"
        );
    }
    let contents = stack.cluster.admin.contents().await?;
    ensure!(
        contents.buckets.is_empty() && contents.keys.is_empty(),
        "{contents:?}"
    );

    for token in ["", "sbt_", "sbt_0000000000000000", "wrong"] {
        let stranger = Api::with_token(&stack.server.web_url, token)?;
        let answer = stranger.send(Method::GET, "/buckets", None, None).await?;
        ensure!(
            answer.status == StatusCode::UNAUTHORIZED,
            "{token:?}: {answer:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_passwords_is_slowed_down() -> Result<()> {
    let stack = Stack::single().await?;
    let mut limited = false;
    for number in 0..100 {
        let guess = json!({ "email": EMAIL, "password": format!("guess number {number}") });
        let answer = stack.api.post("/session", &guess).await?;
        match answer.status {
            StatusCode::UNAUTHORIZED => {}
            StatusCode::TOO_MANY_REQUESTS => {
                limited = true;
                break;
            }
            status => anyhow::bail!("a wrong password is answered with {status}: {answer:?}"),
        }
    }
    ensure!(limited, "a hundred guesses were taken");
    // Not even the right one is tried now, and those who are signed in notice nothing.
    ensure!(
        Api::sign_in(&stack.server.web_url, EMAIL, PASSWORD)
            .await
            .is_err()
    );
    stack.api.whoami().await?;
    Ok(())
}
