//! Drift, what vanished, and strays, as they are asked for.

use ::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{BUCKET, KEY, Site, code, read, request};

const STRAY: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn path(bucket: &str, rest: &str) -> String {
    format!("/api/v1/buckets/{bucket}/{rest}")
}

/// The operation that asking for a restoration under this key is.
async fn restore(site: &Site, key: &str) -> (StatusCode, Value) {
    let mut request = request(Method::POST, &path(BUCKET, "restore"), None);
    let headers = request.headers_mut();
    let bearer = format!("Bearer {}", site.member);
    headers.insert("authorization", bearer.parse().unwrap());
    headers.insert("idempotency-key", key.parse().unwrap());
    read(site.send(request).await).await
}

async fn has_limit(site: &Site, bytes: u64) {
    site.sql(&format!("UPDATE buckets SET quota_bytes = {bytes}"))
        .await;
}

#[tokio::test]
async fn a_restoration_under_the_same_key_is_the_same_though_more_has_changed() {
    let site = Site::new().await;
    has_limit(&site, 5).await;
    let (status, first) = restore(&site, "once").await;
    assert_eq!(status, StatusCode::ACCEPTED, "{first}");
    assert_eq!(first["operation"]["parameters"]["quota_bytes"], 5);
    has_limit(&site, 6).await;
    let (_, again) = restore(&site, "once").await;
    assert_eq!(again["operation"]["id"], first["operation"]["id"]);
    let (_, other) = restore(&site, "twice").await;
    assert_eq!(other["operation"]["parameters"]["quota_bytes"], 6);
    // A key that came with something else is no restoration's.
    let quota = Some(json!({"quota_bytes": 1}));
    let mut change = request(Method::PUT, &path(BUCKET, "quota"), quota);
    let headers = change.headers_mut();
    let bearer = format!("Bearer {}", site.member);
    headers.insert("authorization", bearer.parse().unwrap());
    headers.insert("idempotency-key", "limits".parse().unwrap());
    assert_eq!(site.send(change).await.status(), StatusCode::ACCEPTED);
    let (status, problem) = restore(&site, "limits").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(code(&problem), "idempotency_conflict");
}

#[tokio::test]
async fn rules_that_cannot_be_said_are_not_deleted_silently() {
    let site = Site::new().await;
    site.sql(&format!(
        "INSERT INTO bucket_settings (region, bucket, cors, lifecycle, other_rules) \
         VALUES ('home', '{BUCKET}', '[]', '[]', 1)"
    ))
    .await;
    let (status, problem) = restore(&site, "once").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(code(&problem), "other_rules");
    let path = path(BUCKET, "settings");
    let (_, settings) = site.get(&site.viewer, &path).await;
    assert_eq!(settings["other_rules"], true);
    assert_eq!(settings["found"]["grants"][0]["key"], KEY);
}

#[tokio::test]
async fn lists_of_what_drifts_and_of_what_vanished() {
    let site = Site::new().await;
    let now = site.app.clock.now().0;
    for number in 0..25 {
        let id = format!("{number:064x}");
        site.add_bucket(&id, Some(&format!("b-{number}"))).await;
    }
    site.sql("UPDATE buckets SET drift = 1 WHERE name LIKE 'b-1%'")
        .await;
    site.sql(&format!(
        "UPDATE buckets SET vanished = 1, gone_at = {now} WHERE name LIKE 'b-2%'"
    ))
    .await;
    site.sql(&format!(
        "UPDATE keys SET vanished = 1, gone_at = {now} WHERE id = '{KEY}'"
    ))
    .await;
    let items = async |path: &str| {
        let (status, page) = site.get(&site.viewer, path).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        (page["items"].as_array().unwrap().len(), page)
    };
    let (count, page) = items("/api/v1/buckets?drift=true&limit=7").await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = format!("/api/v1/buckets?drift=true&limit=7&cursor={cursor}");
    assert_eq!((count, items(&rest).await.0), (7, 4));
    let (count, page) = items("/api/v1/buckets?vanished=true").await;
    assert_eq!((count, &page["items"][0]["vanished_at"]), (6, &now.into()));
    // What vanished is in no other list.
    assert_eq!(items("/api/v1/buckets").await.0, 26 - 6);
    assert_eq!(items("/api/v1/keys").await.0, 0);
    let (count, page) = items("/api/v1/keys?vanished=true").await;
    assert_eq!((count, &page["items"][0]["id"]), (1, &KEY.into()));
    let both = "/api/v1/buckets?vanished=true&drift=true";
    let (status, _) = site.get(&site.viewer, both).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_operator_finds_a_bucket_of_any_account_by_its_name() {
    let site = Site::new().await;
    site.add_bucket(STRAY, Some("theirs")).await;
    site.sql("INSERT INTO accounts VALUES ('01900000-0000-7000-8000-000000000001', 'Another', 0)")
        .await;
    site.sql(&format!(
        "UPDATE buckets SET account = '01900000-0000-7000-8000-000000000001' WHERE id = '{STRAY}'"
    ))
    .await;
    let path = "/api/v1/buckets?name=theirs&everyones=true";
    let (status, page) = site.get(&site.operator, path).await;
    assert_eq!(
        (status, &page["items"][0]["id"]),
        (StatusCode::OK, &STRAY.into())
    );
    let elsewhere = format!("{path}&region=elsewhere");
    let (_, page) = site.get(&site.operator, &elsewhere).await;
    assert_eq!(page["items"], json!([]));
    let (status, _) = site.get(&site.member, path).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let all = "/api/v1/buckets?everyones=true";
    let (status, _) = site.get(&site.operator, all).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_operator_adopts_within_the_accounts_storage_limit() {
    let site = Site::new().await;
    site.add_bucket(STRAY, Some("somebodys")).await;
    let account = &site.account;
    for sql in [
        format!("UPDATE buckets SET bytes = 4, account = NULL WHERE id = '{STRAY}'"),
        format!("UPDATE buckets SET bytes = 20 WHERE id = '{BUCKET}'"),
        format!(
            "INSERT INTO account_limits (account, storage_bytes, reset_at) VALUES ('{account}', 30, 0)"
        ),
    ] {
        site.sql(&sql).await;
    }
    let adopt = async |key: &str, quota: Option<u64>| {
        let body = Some(json!({"account": account, "quota_bytes": quota}));
        let mut request = request(Method::POST, &path(STRAY, "adopt"), body);
        let headers = request.headers_mut();
        let bearer = format!("Bearer {}", site.operator);
        headers.insert("authorization", bearer.parse().unwrap());
        headers.insert("idempotency-key", key.parse().unwrap());
        let (status, answer) = read(site.send(request).await).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer["operation"].clone()
    };
    let first = adopt("open", None).await;
    assert_eq!(first["parameters"]["quota_bytes"], 10);
    assert_eq!(
        adopt("small", Some(7)).await["parameters"]["quota_bytes"],
        7
    );
    // Whatever is left by then, the same request is the same.
    site.sql("UPDATE account_limits SET storage_bytes = 25")
        .await;
    assert_eq!(adopt("open", None).await["id"], first["id"]);
}

#[tokio::test]
async fn strays_and_what_operators_decide() {
    let site = Site::new().await;
    site.add_bucket(STRAY, Some("somebodys")).await;
    site.sql(&format!(
        "UPDATE buckets SET account = NULL WHERE id = '{STRAY}'"
    ))
    .await;
    site.add_key("GKbbbbbbbbbbbbbbbbbbbbbbbb", "x").await;
    site.sql("UPDATE keys SET account = NULL WHERE label = 'x'")
        .await;
    let list = "/api/v1/strays?limit=1";
    let (_, first) = site.get(&site.operator, list).await;
    assert_eq!(first["items"][0]["bucket"], STRAY);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = format!("{list}&cursor={cursor}");
    let (_, second) = site.get(&site.operator, &rest).await;
    assert_eq!(second["items"][0]["key"], "GKbbbbbbbbbbbbbbbbbbbbbbbb");
    assert_eq!(second["next_cursor"], Value::Null);

    let ignore = "/api/v1/strays/ignore";
    for wrong in [
        json!({"ignored": true}),
        json!({"bucket": STRAY, "key": KEY, "ignored": true}),
    ] {
        let (status, _) = site.post(&site.operator, ignore, wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
    let body = json!({"bucket": STRAY, "ignored": true});
    let (status, stray) = site.post(&site.operator, ignore, body).await;
    assert_eq!((status, &stray["ignored"]), (StatusCode::OK, &true.into()));
    let (_, page) = site
        .get(&site.operator, "/api/v1/strays?ignored=false")
        .await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);

    let none = json!({"account": "01900000-0000-7000-8000-000000000000"});
    site.sql("INSERT INTO accounts VALUES ('01900000-0000-7000-8000-000000000001', 'Another', 0)")
        .await;
    let another = json!({"account": "01900000-0000-7000-8000-000000000001"});
    let ours = json!({"account": site.account});
    for (bucket, body, status, wanted) in [
        (STRAY, none, 404, Some("no_such_account")),
        (BUCKET, another, 409, Some("has_account")),
        (BUCKET, ours.clone(), 202, None),
        (STRAY, ours, 202, None),
    ] {
        let (found, answer) = site
            .post(&site.operator, &path(bucket, "adopt"), body)
            .await;
        assert_eq!(found.as_u16(), status, "{answer}");
        assert_eq!(wanted, (status != 202).then(|| code(&answer)));
    }
    let (status, problem) = site
        .post(&site.operator, &path(STRAY, "release"), Value::Null)
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(code(&problem), "no_account");
}

#[tokio::test]
async fn an_operator_sets_any_accounts_bucket_right() {
    let site = Site::new().await;
    site.sql("UPDATE buckets SET drift = 1").await;
    site.sql("UPDATE buckets SET account = (SELECT id FROM accounts WHERE name = 'Theirs')")
        .await;
    let everyones = "/api/v1/buckets?drift=true&everyones=true";
    let (status, page) = site.get(&site.operator, everyones).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert_eq!(page["items"][0]["id"], BUCKET);
    assert!(page["items"][0]["account"].is_string());
    assert_eq!(
        site.get(&site.owner, everyones).await.0,
        StatusCode::FORBIDDEN
    );
    for (token, expected) in [(&site.owner, 404), (&site.operator, 200)] {
        let accept = path(BUCKET, "accept");
        let settings = path(BUCKET, "settings");
        let (status, _) = site.get(token, &settings).await;
        assert_eq!(status.as_u16(), expected);
        let (status, _) = site.post(token, &accept, Value::Null).await;
        assert_eq!(status.as_u16(), expected);
    }
}
