//! Two requests with one `Idempotency-Key` are one request; the same key with another body is
//! refused.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::stack::{REGION, Stack};
use reqwest::Method;
use serde_json::json;
use storm_protocol::{api::OperationAnswer, seal::OpenKey};

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_make_one_bucket() -> Result<()> {
    let stack = Stack::single().await?;
    let seal = OpenKey::generate();
    let body = |name: &str| {
        json!({
            "region": REGION, "name": name, "quota_bytes": null, "quota_objects": null,
            "key": "first", "seal_to": seal.seal_key(),
        })
    };
    let ask = |body: serde_json::Value| {
        let api = stack.api.clone();
        async move {
            api.send(Method::POST, "/buckets", Some(&body), Some("once"))
                .await
        }
    };
    let (one, two) = tokio::join!(ask(body("photos")), ask(body("photos")));
    let one: OperationAnswer = one?.read()?;
    let two: OperationAnswer = two?.read()?;
    ensure!(one.operation.id == two.operation.id, "two operations");
    let contents = stack.cluster.admin.contents().await?;
    contents.check_whole()?;
    ensure!(
        contents.buckets.len() == 1 && contents.keys.len() == 1,
        "{contents:?}"
    );

    let again: OperationAnswer = ask(body("photos")).await?.read()?;
    ensure!(again.operation.id == one.operation.id);
    let key = stack.api.open(&again, &seal, stack.root_key).await?;
    let made = again.key.context("the answer names the key")?;
    ensure!(made.id == key.id);

    // Another client's one-time key does not make it another request, and does not get the secret.
    let other = OpenKey::generate();
    let mut resealed = body("photos");
    resealed["seal_to"] = json!(other.seal_key());
    let again: OperationAnswer = ask(resealed).await?.read()?;
    ensure!(again.operation.id == one.operation.id);
    ensure!(
        stack
            .api
            .open(&again, &other, stack.root_key)
            .await
            .is_err()
    );

    let refused = ask(body("films")).await?;
    ensure!(refused.status == 422, "{refused:?}");
    ensure!(stack.cluster.admin.contents().await?.buckets.len() == 1);
    Ok(())
}
