//! Asking for commands: waiting, what came of it, secrets.

use std::time::Duration;

use ::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use storm_protocol::{
    error::Refusal,
    ident::{OperationId, UserId},
    receipt::Outcome,
};

use super::{BUCKET, KEY, SEAL_TO, Site, code, read, request};
use crate::app::Change;

/// Asks for a bucket under an idempotency key.
pub(super) async fn create(
    site: &Site,
    token: &str,
    idempotency: Option<&str>,
    body: Value,
) -> (StatusCode, Value) {
    let path = "/api/v1/buckets";
    ask(site, token, idempotency, (Method::POST, path, body)).await
}

/// Asks for anything under one.
pub(super) async fn ask(
    site: &Site,
    token: &str,
    idempotency: Option<&str>,
    (method, path, body): (Method, &str, Value),
) -> (StatusCode, Value) {
    let mut request = request(method, path, Some(body));
    let headers = request.headers_mut();
    headers.insert(
        header::AUTHORIZATION,
        format!("Bearer {token}").parse().unwrap(),
    );
    if let Some(key) = idempotency {
        headers.insert("idempotency-key", key.parse().unwrap());
    }
    read(site.send(request).await).await
}

/// Ends an operation as the hub would.
async fn end(site: &Site, id: OperationId, state: &str, outcome: &Value, sealed: Option<Value>) {
    let text = |value: &Value| {
        if value.is_null() {
            "NULL".to_owned()
        } else {
            format!("'{value}'")
        }
    };
    let (outcome, sealed) = (text(outcome), text(&sealed.unwrap_or_default()));
    site.sql(&format!(
        "UPDATE operations SET state = '{state}', outcome = {outcome}, sealed = {sealed},
         finished_at = 1 WHERE id = '{id}'"
    ))
    .await;
    site.app.bus.tell(Change::Operation(site.account, id));
}

/// Ends the next operation that is asked for.
async fn end_next(site: &Site, state: &str, outcome: &Value, sealed: Option<Value>) -> OperationId {
    site.app.bus.signer.notified().await;
    let id: String = sqlx::query_scalar("SELECT id FROM operations WHERE state = 'requested'")
        .fetch_one(&mut *site.app.store.read().await.unwrap())
        .await
        .unwrap();
    let id = id.parse().unwrap();
    end(site, id, state, outcome, sealed).await;
    id
}

fn bucket_made() -> Value {
    let value = json!({"bucket": BUCKET, "name": "photos", "key": KEY});
    json!({"done": {"command": "bucket.create", "value": value}})
}

pub(super) fn with_key() -> Value {
    json!({"name": "videos", "key": "first", "seal_to": SEAL_TO})
}

fn sealed() -> Value {
    json!({"key": KEY, "encapsulated": "AQE=", "ciphertext": "AgI="})
}

#[tokio::test]
async fn the_answer_comes_with_the_end_and_the_secret_stays_until_acknowledged() {
    let site = Site::with_wait(Duration::from_secs(10)).await;
    let outcome = bucket_made();
    let ((status, answer), id) = tokio::join!(
        create(&site, &site.member, Some("k"), with_key()),
        end_next(&site, "done", &outcome, Some(sealed())),
    );
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    assert_eq!(answer["operation"]["state"], "done");
    assert_eq!(
        answer["operation"]["parameters"]["abort_uploads_after_days"],
        7
    );
    assert_eq!(
        (&answer["bucket"]["id"], &answer["key"]["id"]),
        (&json!(BUCKET), &json!(KEY))
    );
    assert_eq!(answer["sealed"], sealed());

    let (status, again) = create(&site, &site.member, Some("k"), with_key()).await;
    assert_eq!((status, &again["sealed"]), (StatusCode::CREATED, &sealed()));
    let path = format!("/api/v1/operations/{id}");
    assert_eq!(site.get(&site.member, &path).await.1["sealed"], sealed());
    let (status, seen) = site.get(&site.viewer, &path).await;
    assert_eq!((status, &seen["sealed"]), (StatusCode::OK, &Value::Null));

    let acknowledge = format!("{path}/acknowledge");
    let ask = || site.ask(&site.member, Method::POST, &acknowledge, None);
    assert_eq!(ask().await.0, StatusCode::NO_CONTENT);
    assert_eq!(ask().await.0, StatusCode::NO_CONTENT);
    assert_eq!(site.get(&site.member, &path).await.1["sealed"], Value::Null);
}

#[tokio::test]
async fn a_lost_wake_costs_a_second() {
    let site = Site::with_wait(Duration::from_secs(10)).await;
    let silent_end = async {
        site.app.bus.signer.notified().await;
        let outcome = bucket_made();
        site.sql(&format!(
            "UPDATE operations SET state = 'done', outcome = '{outcome}'"
        ))
        .await;
    };
    let ((status, _), ()) = tokio::join!(create(&site, &site.member, None, with_key()), silent_end);
    assert_eq!(status, StatusCode::CREATED);
}

#[tokio::test]
async fn bad_ends_have_their_status() {
    let site = Site::with_wait(Duration::from_secs(10)).await;
    let failed = |code: &str| json!({"failed": {"code": code, "message": ""}});
    let refused = |code: &str| json!({"refused": {"code": code, "message": ""}});
    let cases = [
        ("failed", failed("name_taken"), 409, "name_taken"),
        (
            "failed",
            failed("bucket_not_empty"),
            409,
            "bucket_not_empty",
        ),
        ("failed", failed("no_such_bucket"), 404, "no_such_bucket"),
        (
            "failed",
            failed("garage_unavailable"),
            502,
            "garage_unavailable",
        ),
        (
            "refused",
            refused("disabled_command"),
            502,
            "disabled_command",
        ),
        ("expired", Value::Null, 502, "expired"),
        ("cancelled", Value::Null, 409, "cancelled"),
    ];
    for (state, outcome, status, expected) in cases {
        let body = json!({"name": "videos"});
        let ((got, problem), id) = tokio::join!(
            create(&site, &site.member, None, body),
            end_next(&site, state, &outcome, None),
        );
        assert_eq!((got.as_u16(), code(&problem)), (status, expected));
        assert!(
            problem["error"]["message"]
                .as_str()
                .unwrap()
                .contains(&id.to_string())
        );
    }
}

#[tokio::test]
async fn parameters_that_are_not_known_are_an_empty_object() {
    let site = Site::new().await;
    let (_, made) = create(&site, &site.member, None, json!({"name": "videos"})).await;
    // As of an operation that came from a node's spool.
    site.sql("UPDATE operations SET parameters = 'null', via = 'offline'")
        .await;
    let id = made["operation"]["id"].as_str().unwrap();
    let (_, one) = site
        .get(&site.viewer, &format!("/api/v1/operations/{id}"))
        .await;
    assert_eq!(one["operation"]["parameters"], json!({}));
    let (_, page) = site.get(&site.viewer, "/api/v1/operations").await;
    assert_eq!(page["items"][0]["parameters"], json!({}));
}

#[tokio::test]
async fn an_operation_that_goes_on_is_found_and_cancelled() {
    let site = Site::new().await;
    let mut request = request(Method::DELETE, &format!("/api/v1/buckets/{BUCKET}"), None);
    let bearer = format!("Bearer {}", site.member);
    request
        .headers_mut()
        .insert(header::AUTHORIZATION, bearer.parse().unwrap());
    let response = site.send(request).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let place = response.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned();
    let (status, answer) = site.get(&site.viewer, &place).await;
    assert_eq!(
        (status, &answer["operation"]["command"]),
        (StatusCode::OK, &json!("bucket.delete"))
    );
    assert_eq!(answer["operation"]["origin"], "192.0.2.1");
    let early = site
        .ask(
            &site.member,
            Method::POST,
            &format!("{place}/acknowledge"),
            None,
        )
        .await;
    assert_eq!(
        (early.0, code(&early.1)),
        (StatusCode::CONFLICT, "not_done")
    );
    for _ in 0..2 {
        let (status, answer) = site
            .ask(&site.member, Method::POST, &format!("{place}/cancel"), None)
            .await;
        assert_eq!(
            (status, &answer["operation"]["state"]),
            (StatusCode::OK, &json!("cancelled"))
        );
    }
    site.sql("UPDATE operations SET state = 'sent'").await;
    let late = site
        .ask(&site.member, Method::POST, &format!("{place}/cancel"), None)
        .await;
    assert_eq!((late.0, code(&late.1)), (StatusCode::CONFLICT, "too_late"));
}

#[tokio::test]
async fn a_job_is_begun_at_once_and_stopped_by_a_command_of_its_own() {
    let site = Site::new().await;
    let clear = format!("/api/v1/buckets/{BUCKET}/clear");
    let (status, job) = site.ask(&site.member, Method::POST, &clear, None).await;
    assert_eq!(
        (status, &job["operation"]["state"]),
        (StatusCode::ACCEPTED, &json!("requested"))
    );
    let id = job["operation"]["id"].as_str().unwrap().to_owned();
    let cancel = format!("/api/v1/operations/{id}/cancel");
    for state in ["signed", "sent", "accepted"] {
        site.sql(&format!(
            "UPDATE operations SET state = '{state}' WHERE id = '{id}'"
        ))
        .await;
        let (status, stop) = site.ask(&site.member, Method::POST, &cancel, None).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{state}");
        assert_eq!(stop["operation"]["command"], "job.cancel");
        assert_eq!(stop["operation"]["parameters"], json!({ "operation": id }));
    }
    for state in ["done", "failed", "unknown"] {
        site.sql(&format!(
            "UPDATE operations SET state = '{state}' WHERE id = '{id}'"
        ))
        .await;
        let late = site.ask(&site.member, Method::POST, &cancel, None).await;
        assert_eq!((late.0, code(&late.1)), (StatusCode::CONFLICT, "too_late"));
    }
}

#[tokio::test]
async fn what_is_measured_has_bounds() {
    let site = Site::new().await;
    let measure = format!("/api/v1/buckets/{BUCKET}/measure");
    for (body, field) in [
        (json!({"max_objects": 0}), "max_objects"),
        (json!({"max_objects": 10_000_001}), "max_objects"),
        (json!({"max_objects": -1}), "max_objects"),
        (json!({"prefix": "a\u{1}"}), "prefix"),
        (json!({"prefix": "a".repeat(1025)}), "prefix"),
        (json!({"depth": 1}), "depth"),
    ] {
        let (status, problem) = site.post(&site.member, &measure, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        let message = problem["error"]["message"].as_str().unwrap();
        assert!(message.contains(field), "{message}");
    }
    let (status, answer) = site.post(&site.member, &measure, json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let parameters = &answer["operation"]["parameters"];
    assert_eq!(
        (&parameters["prefix"], &parameters["max_objects"]),
        (&json!(""), &json!(1_000_000))
    );
}

#[tokio::test]
async fn regions_are_chosen_or_named() {
    let site = Site::new().await;
    let body = |region: Option<&str>| json!({"name": "videos", "region": region});
    let (status, answer) = create(&site, &site.member, None, body(None)).await;
    assert_eq!(
        (status, &answer["operation"]["region"]),
        (StatusCode::ACCEPTED, &json!("home"))
    );
    let region =
        json!({"name": "far", "s3_endpoint": "https://far.example.org", "s3_region": "far"});
    assert_eq!(
        site.post(&site.operator, "/api/v1/regions", region).await.0,
        StatusCode::CREATED
    );
    let (status, problem) = create(&site, &site.member, None, body(None)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        problem["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("region: ")
    );
    let (status, problem) = create(&site, &site.member, None, body(Some("far"))).await;
    assert_eq!((status, code(&problem)), (StatusCode::CONFLICT, "no_agent"));
    // One that has enrolled and never started would take what came before for a repetition.
    let agent = "01900000-0000-7000-8000-0000000000fa";
    site.sql(&format!(
        "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, created_at) \
         VALUES ('{agent}', 'far', 'node', '', '', '', '', 1)"
    ))
    .await;
    site.sql(&format!(
        "UPDATE regions SET executor = '{agent}', epoch = 1 WHERE name = 'far'"
    ))
    .await;
    let (status, problem) = create(&site, &site.member, None, body(Some("far"))).await;
    assert_eq!((status, code(&problem)), (StatusCode::CONFLICT, "no_agent"));
    let words = problem["error"]["message"].as_str().unwrap();
    assert!(words.contains("never started"), "{words}");
    site.sql("UPDATE agents SET seen_at = 5").await;
    let (status, _) = create(&site, &site.member, None, body(Some("far"))).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let (status, problem) = create(&site, &site.member, None, body(Some("none"))).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::NOT_FOUND, "no_such_region")
    );
    for (field, value) in [
        ("s3_endpoint", "ftp://x"),
        ("s3_endpoint", "https://x/path"),
        ("s3_endpoint", "https://u@x"),
        ("s3_region", ""),
        ("website_domain", "a b"),
    ] {
        let mut region = json!({"name": "new", "s3_endpoint": "https://x", "s3_region": "x"});
        region[field] = json!(value);
        let (status, problem) = site.post(&site.operator, "/api/v1/regions", region).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(
            problem["error"]["message"]
                .as_str()
                .unwrap()
                .starts_with(field),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn where_the_executors_role_rests_an_operation_waits() {
    let site = Site::new().await;
    site.sql("UPDATE regions SET executor = NULL, epoch = 1")
        .await;
    let body = |name: &str| json!({"name": name, "region": "home"});
    let mut waiting = vec![];
    for name in ["films", "videos"] {
        let (status, answer) = create(&site, &site.member, None, body(name)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        let operation = &answer["operation"];
        assert_eq!(operation["state"], "requested");
        let waits = operation["gives_up_at"].as_i64().unwrap()
            - operation["requested_at"].as_i64().unwrap();
        assert_eq!(waits, 600_000_000);
        waiting.push(operation["id"].as_str().unwrap().to_owned());
    }
    let path = |id: &str| format!("/api/v1/operations/{id}");
    let cancel = format!("{}/cancel", path(&waiting[0]));
    let (status, answer) = site.post(&site.member, &cancel, Value::Null).await;
    assert_eq!(
        (status, &answer["operation"]["state"]),
        (StatusCode::OK, &json!("cancelled"))
    );
    let now = site.app.clock.now();
    let outcome = Outcome::Refused {
        code: Refusal::Expired,
        message: String::new(),
    };
    for (seconds, state) in [(590, "requested"), (600, "expired")] {
        let then = now.plus_seconds(seconds);
        let store = &site.app.store;
        store.expire_operations(&outcome, then).await.unwrap();
        let (_, answer) = site.get(&site.member, &path(&waiting[1])).await;
        assert_eq!(answer["operation"]["state"], state);
    }
}

#[tokio::test]
async fn what_the_platform_asks_by_itself_only_operators_cancel() {
    let site = Site::new().await;
    let (status, answer) = create(&site, &site.member, None, json!({"name": "films"})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let id = answer["operation"]["id"].as_str().unwrap();
    site.sql(&format!(
        "UPDATE operations SET \"user\" = '{}', via = 'system' WHERE id = '{id}'",
        UserId::SYSTEM
    ))
    .await;
    let path = format!("/api/v1/operations/{id}/cancel");
    for (token, expected) in [
        (&site.member, StatusCode::FORBIDDEN),
        (&site.operator, StatusCode::OK),
    ] {
        let (status, answer) = site.post(token, &path, Value::Null).await;
        assert_eq!(status, expected, "{answer}");
    }
}

#[tokio::test]
async fn enrolment_tokens() {
    let site = Site::new().await;
    let path = "/api/v1/agents/enrol-tokens";
    let (status, made) = site.post(&site.operator, path, json!({})).await;
    assert_eq!(status, StatusCode::CREATED);
    let secret =
        storm_protocol::trust::EnrolToken::parse(made["secret"].as_str().unwrap()).unwrap();
    let trust = site.app.trust.borrow().clone();
    assert_eq!(
        (secret.root_key, secret.ca_key),
        (trust.root_key.id(), trust.ca_key)
    );
    assert!(
        made["command"]
            .as_str()
            .unwrap()
            .starts_with("storm-pulse enroll https://")
    );
    assert!(
        site.app
            .store
            .knows_enrol_token(secret.hash())
            .await
            .unwrap()
    );
    let lasts = made["token"]["expires_at"].as_i64().unwrap()
        - made["token"]["created_at"].as_i64().unwrap();
    assert_eq!(lasts, 3_600_000_000);
    for seconds in [0, 604_801] {
        let (status, _) = site
            .post(&site.operator, path, json!({"expires_in_seconds": seconds}))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
    let (_, page) = site.get(&site.operator, path).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert!(!page.to_string().contains("ste1."));
}

#[tokio::test]
async fn operators_list_everyones_operations() {
    let site = Site::new().await;
    let (_, made) = create(&site, &site.member, None, json!({"name": "videos"})).await;
    let id = made["operation"]["id"].as_str().unwrap();
    let list = async |rest: &str| {
        let path = format!("/api/v1/operations?everyones=true{rest}");
        let (status, page) = site.get(&site.operator, &path).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let items = page["items"].as_array().unwrap();
        items.iter().any(|item| item["id"] == id)
    };
    assert!(list("").await);
    assert!(list("&open=true").await);
    assert!(!list("&not_done=true").await);
    end(&site, id.parse().unwrap(), "refused", &Value::Null, None).await;
    assert!(!list("&open=true").await);
    assert!(list("&not_done=true").await);
    for (rest, expected) in [
        ("everyones=true&open=true&not_done=true", 400),
        ("everyones=true&state=done", 400),
        ("open=true", 400),
    ] {
        let (status, _) = site
            .get(&site.operator, &format!("/api/v1/operations?{rest}"))
            .await;
        assert_eq!(status.as_u16(), expected, "{rest}");
    }
    let (status, _) = site
        .get(&site.owner, "/api/v1/operations?everyones=true")
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}
