//! What operators decide about agents.

use ::http::{Method, StatusCode};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use storm_protocol::envelope::{Envelope, PayloadType};

use super::{Site, code};
use crate::clock::random;

const AGENT: &str = "01900000-0000-7000-8000-000000000000";

/// A site whose executor is there.
async fn with_agent() -> Site {
    let site = Site::new().await;
    let signed = Envelope::sign_json(
        PayloadType::Agent,
        &json!({}),
        &SigningKey::from_bytes(&random()),
    );
    let statement = serde_json::to_string(&signed.unwrap()).unwrap();
    site.sql(&format!(
        "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, created_at)
         VALUES ('{AGENT}', 'home', 'node', 'x', 'x', 'x', '{statement}', 0)"
    ))
    .await;
    site
}

async fn decide(site: &Site, what: &str) -> (StatusCode, Value) {
    let path = format!("/api/v1/agents/{AGENT}/{what}");
    site.ask(&site.operator, Method::POST, &path, None).await
}

async fn noted(site: &Site) -> Vec<(String, String)> {
    sqlx::query_as("SELECT kind, subject FROM security_events ORDER BY id")
        .fetch_all(&mut *site.app.store.read().await.unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_revoked_agent_is_gone_and_its_region_has_no_executor() {
    let site = with_agent().await;
    for _ in 0..2 {
        let (status, agent) = decide(&site, "revoke").await;
        assert_eq!(
            (status, &agent["id"]),
            (StatusCode::OK, &json!(AGENT)),
            "{agent}"
        );
    }
    let (_, page) = site.get(&site.operator, "/api/v1/agents").await;
    assert_eq!(page["items"], json!([]));
    let (_, region) = site.get(&site.viewer, "/api/v1/regions/home").await;
    assert_eq!(region["executor"], Value::Null);
    assert_eq!(
        noted(&site).await,
        [("agent_revoked".to_owned(), AGENT.to_owned())]
    );
}

#[tokio::test]
async fn a_quarantine_ends_once() {
    let site = with_agent().await;
    site.sql("UPDATE agents SET quarantined = 'its chain is behind'")
        .await;
    let (status, agent) = decide(&site, "end-quarantine").await;
    assert_eq!(
        (status, &agent["quarantined"]),
        (StatusCode::OK, &Value::Null),
        "{agent}"
    );
    assert_eq!(
        noted(&site).await,
        [("quarantine_ended".to_owned(), AGENT.to_owned())]
    );
    let (status, problem) = decide(&site, "end-quarantine").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "not_quarantined")
    );
}

#[tokio::test]
async fn only_a_revoked_agent_is_lost() {
    let site = with_agent().await;
    let (status, problem) = decide(&site, "lost").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "not_revoked")
    );
    decide(&site, "revoke").await;
    let (status, told) = decide(&site, "lost").await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(
        (&told["agent"]["id"], &told["asked_again"], &told["ended"]),
        (&json!(AGENT), &json!(0), &json!(0))
    );
    let mut kinds: Vec<_> = noted(&site)
        .await
        .into_iter()
        .map(|event| event.0)
        .collect();
    kinds.sort();
    assert_eq!(kinds, ["agent_lost", "agent_revoked"]);
}

#[tokio::test]
async fn a_role_moves_from_an_agent_that_is_there_to_one_that_is() {
    const OTHER: &str = "01900000-0000-7000-8000-000000000001";
    let site = with_agent().await;
    let move_to = async |agent: &str| {
        let path = "/api/v1/regions/home/executor";
        let body = json!({ "agent": agent });
        let (status, answer) = site.post(&site.operator, path, body).await;
        (status, answer)
    };
    let refused = async |agent: &str| {
        let (status, problem) = move_to(agent).await;
        (status.as_u16(), code(&problem).to_owned())
    };
    let conflict = |code: &str| (409, code.to_owned());
    site.sql("UPDATE agents SET connected = 0").await;
    assert_eq!(refused(AGENT).await, conflict("already_executor"));
    assert_eq!(refused(OTHER).await, conflict("executor_away"));
    site.sql("UPDATE agents SET connected = 1").await;
    assert_eq!(refused(OTHER).await, (404, "no_such_agent".to_owned()));
    site.sql(&format!(
        "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, created_at)
         SELECT '{OTHER}', region, host, receipt_key, seal_key, tls_key, statement, 0 FROM agents"
    ))
    .await;
    assert_eq!(refused(OTHER).await, conflict("agent_away"));
    site.sql("UPDATE agents SET connected = 1").await;
    let (status, answer) = move_to(OTHER).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    assert_eq!(answer["operation"]["command"], json!("executor.release"));
    assert_eq!(refused(OTHER).await, conflict("already_moving"));
    site.sql("UPDATE regions SET executor = NULL").await;
    assert_eq!(refused(OTHER).await, conflict("no_agent"));
}
