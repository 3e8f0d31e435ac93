//! Use over time, bills, and what limits make of a request.

use ::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::{BUCKET, KEY, SEAL_TO, Site, code, read, request};
use crate::{
    app::Change,
    usage::step::{DAY_MICROS, HOUR_MICROS},
};

/// The site's clock stands at 2027-01-15T08:00:00Z.
const NOW: i64 = 1_800_000_000_000_000;
const NOBODY: &str = "01900000-0000-7000-8000-00000000ffff";

/// The bucket has had 3,000 bytes for three hours.
async fn use_the_bucket(site: &Site) {
    let account = site.account;
    site.sql(&format!(
        "INSERT INTO usage_changes (account, bucket, at, region, bytes, objects, unfinished_bytes) \
         VALUES ('{account}', '{BUCKET}', {}, 'home', 3000, 2, 0)",
        NOW - 3 * HOUR_MICROS
    ))
    .await;
}

async fn limit(site: &Site, body: Value) -> Value {
    let path = format!("/api/v1/accounts/{}/limits", site.account);
    let (status, account) = site
        .ask(&site.operator, Method::PUT, &path, Some(body))
        .await;
    assert_eq!(status, StatusCode::OK, "{account}");
    account
}

/// Asks for a bucket, under an idempotency key.
async fn create(site: &Site, name: &str, quota: u64, key: &str) -> (StatusCode, Value) {
    let body = json!({"name": name, "quota_bytes": quota});
    let mut request = request(Method::POST, "/api/v1/buckets", Some(body));
    let headers = request.headers_mut();
    let bearer = format!("Bearer {}", site.member);
    headers.insert(header::AUTHORIZATION, bearer.parse().unwrap());
    headers.insert("idempotency-key", key.parse().unwrap());
    read(site.send(request).await).await
}

#[tokio::test]
async fn use_is_shown_to_the_account_that_has_it() {
    let site = Site::new().await;
    use_the_bucket(&site).await;
    for path in [
        "/api/v1/usage".to_owned(),
        format!("/api/v1/usage?bucket={BUCKET}"),
    ] {
        let (status, usage) = site.get(&site.viewer, &path).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(usage["step_seconds"], 3_600);
        assert_eq!(usage["has_requests"], false);
        let points = usage["points"].as_array().unwrap();
        assert_eq!(points.len(), 3, "{usage}");
        assert_eq!(points[0]["at"], NOW - 3 * HOUR_MICROS);
        assert_eq!(points[2]["byte_hours"], 3_000);
        assert_eq!(points[2]["objects"], 2);
        assert_eq!(points[2]["requests"], Value::Null);
    }
    let (_, days) = site.get(&site.viewer, "/api/v1/usage?step=day").await;
    assert_eq!(days["step_seconds"], 86_400);
    assert_eq!(days["points"][0]["byte_hours"], 9_000);
    let (_, changes) = site.get(&site.viewer, "/api/v1/usage?step=change").await;
    assert_eq!(changes["step_seconds"], 0);
    assert_eq!(changes["points"].as_array().unwrap().len(), 1);
    let far = format!("/api/v1/usage?from={}", NOW - 15 * DAY_MICROS);
    let (_, usage) = site.get(&site.viewer, &far).await;
    assert_eq!(usage["step_seconds"], 86_400);

    let (_, theirs) = site.get(&site.stranger, "/api/v1/usage").await;
    assert_eq!(theirs["points"], json!([]));
    let (status, problem) = site
        .get(&site.stranger, &format!("/api/v1/usage?bucket={BUCKET}"))
        .await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::NOT_FOUND, "no_such_bucket")
    );
}

#[tokio::test]
async fn a_chart_that_cannot_be_is_refused_by_name() {
    let site = Site::new().await;
    let cases = [
        (format!("from={NOW}"), "from: expected an instant before"),
        (format!("from={}", NOW + 1), "from: expected an instant"),
        ("from=5&to=5".to_owned(), "from: expected an instant"),
        ("from=-1".to_owned(), "from: expected microseconds"),
        ("from=0&step=day".to_owned(), "step: more than 2000 points"),
        (
            format!("from={}&step=hour", NOW - 90 * DAY_MICROS),
            "step: more than 2000 points",
        ),
        ("step=week".to_owned(), "step"),
        ("bucket=photos".to_owned(), "bucket"),
        ("since=7d".to_owned(), "since"),
    ];
    for (query, words) in cases {
        let path = format!("/api/v1/usage?{query}");
        let (status, problem) = site.get(&site.viewer, &path).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::BAD_REQUEST, "bad_request"),
            "{query}"
        );
        let message = problem["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{query}: {message}");
    }
}

#[tokio::test]
async fn a_month_comes_as_json_and_as_a_table() {
    let site = Site::new().await;
    use_the_bucket(&site).await;
    let path = "/api/v1/usage/export";
    let (status, bill) = site.get(&site.viewer, path).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&bill["month"], &bill["complete"]),
        (&json!("2027-01"), &json!(false))
    );
    assert_eq!(bill["total"]["byte_hours"], 9_000);
    assert_eq!(bill["buckets"][0]["name"], "photos");

    let mut request = request(Method::GET, &format!("{path}?format=csv"), None);
    let bearer = format!("Bearer {}", site.viewer);
    request
        .headers_mut()
        .insert(header::AUTHORIZATION, bearer.parse().unwrap());
    let response = site.send(request).await;
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "text/csv; charset=utf-8"
    );
    assert_eq!(
        response.headers()[header::CONTENT_DISPOSITION],
        "attachment; filename=\"usage-2027-01.csv\""
    );
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    let account = site.account;
    assert_eq!(
        String::from_utf8(bytes.to_vec()).unwrap(),
        format!(
            "month,account,region,bucket,name,byte_hours,peak_bytes,requests,sent_bytes,complete\r\n\
             2027-01,{account},home,{BUCKET},photos,9000,3000,,,false\r\n\
             2027-01,{account},,,,9000,3000,,,false\r\n"
        )
    );

    let (_, before) = site
        .get(&site.viewer, &format!("{path}?month=2026-12"))
        .await;
    assert_eq!(before["buckets"], json!([]));
    // Of another account: for operators, and not of one that there is not.
    let ours = format!("{path}?account={account}");
    let none = format!("{path}?account={NOBODY}");
    let (status, problem) = site.get(&site.stranger, &ours).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::FORBIDDEN, "forbidden")
    );
    assert_eq!(
        site.get(&site.stranger, &none).await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        site.get(&site.viewer, &ours).await.1["account"],
        bill["account"]
    );
    let (status, problem) = site.get(&site.operator, &none).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::NOT_FOUND, "no_such_account")
    );
    for wrong in [
        "month=2026-13",
        "month=november",
        "month=9999-12",
        "format=xml",
    ] {
        let (status, problem) = site.get(&site.viewer, &format!("{path}?{wrong}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {problem}");
    }
}

#[tokio::test]
async fn requests_stand_beside_use_and_on_the_bill() {
    let site = Site::new().await;
    site.sql(
        "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, created_at, \
         traffic_sequence) VALUES ('a', 'home', 'node', '', '', '', '', 0, 1)",
    )
    .await;
    // Requests from an hour on, before anything is stored.
    let (hour, day) = (NOW - 5 * HOUR_MICROS, NOW - NOW.rem_euclid(DAY_MICROS));
    for (step, at, requests) in [
        (3_600, hour, 2),
        (3_600, NOW - HOUR_MICROS, 3),
        (86_400, day, 5),
    ] {
        for (bucket, method) in [(BUCKET, "read"), (BUCKET, "write"), ("", "read")] {
            site.sql(&format!(
                "INSERT INTO traffic VALUES ('{}', '{bucket}', {step}, {at}, '{method}', 2, \
                 {requests}, 4, 10)",
                site.account
            ))
            .await;
        }
    }
    let of_bucket = format!("/api/v1/usage?bucket={BUCKET}");
    let figures = async |path: &str| -> Vec<Value> {
        let (_, usage) = site.get(&site.viewer, path).await;
        assert_eq!(usage["has_requests"], !path.ends_with("change"), "{usage}");
        let points = usage["points"].as_array().unwrap().iter();
        let figures = points
            .map(|point| json!([point["byte_hours"], point["requests"], point["sent_bytes"]]));
        figures.collect()
    };
    let empty = json!([0, 0, 0]);
    assert_eq!(
        figures(&of_bucket).await,
        [
            json!([0, 4, 20]),
            empty.clone(),
            empty.clone(),
            empty.clone(),
            json!([0, 6, 20])
        ]
    );
    use_the_bucket(&site).await;
    let full = json!([3_000, 0, 0]);
    assert_eq!(
        figures(&of_bucket).await,
        [
            json!([0, 4, 20]),
            empty.clone(),
            full.clone(),
            full.clone(),
            json!([3_000, 6, 20])
        ]
    );
    assert_eq!(
        figures("/api/v1/usage").await,
        [
            json!([0, 2, 10]),
            empty,
            full.clone(),
            full,
            json!([3_000, 3, 10])
        ]
    );
    assert_eq!(
        figures(&format!("{of_bucket}&step=day")).await,
        [json!([9_000, 10, 20])]
    );
    assert_eq!(
        figures(&format!("{of_bucket}&step=change")).await,
        [json!([9_000, null, null])]
    );
    let (_, bill) = site.get(&site.viewer, "/api/v1/usage/export").await;
    for row in [&bill["total"], &bill["buckets"][0]] {
        assert_eq!(
            (&row["byte_hours"], &row["requests"], &row["sent_bytes"]),
            (&json!(9_000), &json!(10), &json!(20)),
            "{bill}"
        );
    }
    let (_, table) = site
        .get(&site.viewer, "/api/v1/usage/export?month=2026-12")
        .await;
    assert_eq!(
        (&table["buckets"], &table["total"]["requests"]),
        (&json!([]), &Value::Null)
    );
}

#[tokio::test]
async fn an_operator_says_what_an_account_may_have() {
    let site = Site::new().await;
    let wanted = json!({"storage_bytes": 5_000, "buckets": 3, "keys": null});
    let mut heard = site.app.bus.listen();
    let account = limit(&site, wanted.clone()).await;
    assert_eq!(account["limits"], wanted);
    assert_eq!(heard.try_recv(), Ok(Change::Limits(site.account)));
    let (_, own) = site.get(&site.viewer, "/api/v1/account").await;
    assert_eq!(own, account);
    assert_eq!((&own["buckets"], &own["keys"]), (&json!(1), &json!(1)));
    let (_, all) = site.get(&site.operator, "/api/v1/accounts?limit=1").await;
    let first = &all["items"][0];
    let cursor = all["next_cursor"].as_str().unwrap();
    let path = format!("/api/v1/accounts?cursor={cursor}");
    let (_, rest) = site.get(&site.operator, &path).await;
    // Both were made in the same moment: either may come first.
    let pages = [first, &rest["items"][0]];
    assert!(pages.contains(&&own), "{pages:?}");
    assert!(
        pages.iter().any(|account| account["name"] == "Theirs"),
        "{pages:?}"
    );
    assert_eq!(rest["next_cursor"], Value::Null);
    // What is not said is lifted.
    assert_eq!(
        limit(&site, json!({"keys": 2})).await["limits"],
        json!({"storage_bytes": null, "buckets": null, "keys": 2})
    );
    let path = format!("/api/v1/accounts/{}/limits", site.account);
    for wrong in [
        json!({"storage": 5}),
        json!({"buckets": 0}),
        json!({"keys": -1}),
    ] {
        let (status, problem) = site
            .ask(&site.operator, Method::PUT, &path, Some(wrong.clone()))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {problem}");
    }
    let (status, _) = site
        .ask(&site.owner, Method::PUT, &path, Some(json!({})))
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_full_account_is_told_so_and_an_old_request_answered_as_it_was() {
    let site = Site::new().await;
    limit(&site, json!({"buckets": 2, "keys": 1})).await;
    let (status, first) = create(&site, "second", 5, "k1").await;
    assert_eq!(status, StatusCode::ACCEPTED);
    // It is open, and counts.
    let (status, problem) = create(&site, "third", 5, "k2").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "limit_reached")
    );
    let message = problem["error"]["message"].as_str().unwrap();
    assert!(message.contains("may have 2 buckets"), "{message}");
    let (status, again) = create(&site, "second", 5, "k1").await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(again["operation"]["id"], first["operation"]["id"]);

    let key = json!({"label": "more", "seal_to": SEAL_TO});
    let (status, problem) = site.post(&site.member, "/api/v1/keys", key).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "limit_reached")
    );
    let rotate = format!("/api/v1/keys/{KEY}/rotate");
    let with_grace = json!({"grace_seconds": 60, "seal_to": SEAL_TO});
    let (status, problem) = site.post(&site.member, &rotate, with_grace).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "limit_reached")
    );
    let at_once = json!({"grace_seconds": 0, "seal_to": SEAL_TO});
    let (status, _) = site.post(&site.member, &rotate, at_once).await;
    assert_eq!(status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_quota_is_no_more_than_the_storage_limit_leaves() {
    let site = Site::new().await;
    limit(&site, json!({"storage_bytes": 1_000})).await;
    site.sql("UPDATE buckets SET bytes = 600, unfinished_bytes = 100")
        .await;
    let (_, small) = create(&site, "small", 5, "k1").await;
    assert_eq!(small["operation"]["parameters"]["quota_bytes"], 5);
    let (_, large) = create(&site, "large", 5_000, "k2").await;
    assert_eq!(large["operation"]["parameters"]["quota_bytes"], 300);
    // Less is left now, and the same request is still the same.
    site.sql("UPDATE buckets SET bytes = 700").await;
    let (status, again) = create(&site, "large", 5_000, "k2").await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(again["operation"]["id"], large["operation"]["id"]);
    let (status, problem) = create(&site, "large", 300, "k2").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_conflict")
    );
    let path = format!("/api/v1/buckets/{BUCKET}/quota");
    let (_, set) = site
        .ask(
            &site.member,
            Method::PUT,
            &path,
            Some(json!({"quota_objects": 4})),
        )
        .await;
    assert_eq!(
        set["operation"]["parameters"],
        json!({"bucket": BUCKET, "quota_bytes": 1_000, "quota_objects": 4})
    );
}
