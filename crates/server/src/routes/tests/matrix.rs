//! Each route with each kind of caller.

use std::collections::BTreeSet;

use ::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{BUCKET, KEY, SEAL_TO, Site, read, request};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Needs {
    Viewer,
    Member,
    Operator,
}

/// The route, what it needs, and how it answers those who may.
fn table() -> Vec<(&'static str, &'static str, Needs, u16, Option<Value>)> {
    use Needs::{Member, Operator, Viewer};
    let create_bucket = json!({"name": "videos", "key": null});
    let create_key = json!({"label": "desk", "seal_to": SEAL_TO});
    let rotate = json!({"grace_seconds": 60, "seal_to": SEAL_TO});
    let grant = json!({"read": true, "write": false, "owner": false});
    let cors = json!({"rules": [{"allowed_origins": ["*"], "allowed_methods": ["GET"]}]});
    let question = json!({"origin": "https://example.org", "method": "GET"});
    let lifecycle = json!({"rules": [{"enabled": true, "expire_after_days": 30}]});
    let website = json!({"website": {"index_document": "index.html"}});
    let temporary = json!({"bucket": BUCKET, "write": false, "seal_to": SEAL_TO});
    let leaked = json!({"seal_to": SEAL_TO});
    let region =
        json!({"name": "home", "s3_endpoint": "https://s3.example.org", "s3_region": "garage"});
    vec![
        ("GET", "/api/v1/whoami", Viewer, 200, None),
        ("GET", "/api/v1/trust", Viewer, 200, None),
        ("GET", "/api/v1/regions", Viewer, 200, None),
        ("POST", "/api/v1/regions", Operator, 409, Some(region)),
        ("GET", "/api/v1/regions/{region}", Viewer, 200, None),
        ("POST", "/api/v1/regions/{region}/health", Viewer, 202, None),
        (
            "POST",
            "/api/v1/regions/{region}/refresh",
            Member,
            202,
            None,
        ),
        ("POST", "/api/v1/regions/{region}/ping", Member, 202, None),
        (
            "POST",
            "/api/v1/regions/{region}/executor",
            Operator,
            409,
            Some(json!({"agent": "01900000-0000-7000-8000-000000000000"})),
        ),
        ("GET", "/api/v1/buckets", Viewer, 200, None),
        ("POST", "/api/v1/buckets", Member, 202, Some(create_bucket)),
        ("GET", "/api/v1/buckets/{bucket}", Viewer, 200, None),
        ("DELETE", "/api/v1/buckets/{bucket}", Member, 202, None),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/quota",
            Member,
            202,
            Some(json!({"quota_bytes": 1})),
        ),
        (
            "GET",
            "/api/v1/buckets/{bucket}/settings",
            Viewer,
            200,
            None,
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/cors",
            Member,
            202,
            Some(cors),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/cors/check",
            Viewer,
            200,
            Some(question),
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/lifecycle",
            Member,
            202,
            Some(lifecycle),
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/website",
            Member,
            202,
            Some(website),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/aliases",
            Member,
            202,
            Some(json!({"name": "more"})),
        ),
        (
            "DELETE",
            "/api/v1/buckets/{bucket}/aliases/{name}",
            Member,
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/cleanup-uploads",
            Member,
            202,
            Some(json!({"older_than_seconds": 0})),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/restore",
            Member,
            202,
            None,
        ),
        ("POST", "/api/v1/buckets/{bucket}/accept", Member, 200, None),
        (
            "POST",
            "/api/v1/buckets/{bucket}/adopt",
            Operator,
            404,
            Some(json!({"account": "01900000-0000-7000-8000-000000000000"})),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/release",
            Operator,
            202,
            None,
        ),
        ("GET", "/api/v1/strays", Operator, 200, None),
        (
            "POST",
            "/api/v1/strays/ignore",
            Operator,
            404,
            Some(json!({"bucket": BUCKET, "ignored": true})),
        ),
        ("POST", "/api/v1/buckets/{bucket}/clear", Member, 202, None),
        (
            "POST",
            "/api/v1/buckets/{bucket}/measure",
            Member,
            202,
            Some(json!({"prefix": "logs/"})),
        ),
        (
            "GET",
            "/api/v1/buckets/{bucket}/requests",
            Viewer,
            200,
            None,
        ),
        ("GET", "/api/v1/buckets/{bucket}/grants", Viewer, 200, None),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/grants/{key}",
            Member,
            202,
            Some(grant),
        ),
        ("GET", "/api/v1/keys", Viewer, 200, None),
        ("POST", "/api/v1/keys", Member, 202, Some(create_key)),
        ("GET", "/api/v1/keys/{key}", Viewer, 200, None),
        ("DELETE", "/api/v1/keys/{key}", Member, 202, None),
        (
            "POST",
            "/api/v1/keys/{key}/rotate",
            Member,
            202,
            Some(rotate),
        ),
        (
            "POST",
            "/api/v1/keys/temporary",
            Member,
            202,
            Some(temporary),
        ),
        (
            "PUT",
            "/api/v1/keys/{key}/label",
            Member,
            202,
            Some(json!({"label": "desk"})),
        ),
        (
            "PUT",
            "/api/v1/keys/{key}/expiry",
            Member,
            202,
            Some(json!({"expires_at": null})),
        ),
        ("POST", "/api/v1/keys/{key}/suspend", Member, 202, None),
        ("POST", "/api/v1/keys/{key}/resume", Member, 202, None),
        (
            "POST",
            "/api/v1/keys/{key}/revoke-leaked",
            Member,
            202,
            Some(leaked),
        ),
        ("GET", "/api/v1/operations", Viewer, 200, None),
        ("GET", "/api/v1/operations/{operation}", Viewer, 404, None),
        (
            "POST",
            "/api/v1/operations/{operation}/cancel",
            Member,
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/operations/{operation}/acknowledge",
            Member,
            404,
            None,
        ),
        ("GET", "/api/v1/receipts", Viewer, 200, None),
        ("GET", "/api/v1/tokens", Viewer, 200, None),
        (
            "POST",
            "/api/v1/tokens",
            Viewer,
            201,
            Some(json!({"name": "ci"})),
        ),
        ("DELETE", "/api/v1/tokens/{token}", Viewer, 404, None),
        ("GET", "/api/v1/agents", Operator, 200, None),
        ("POST", "/api/v1/agents/{agent}/revoke", Operator, 404, None),
        ("POST", "/api/v1/agents/{agent}/lost", Operator, 404, None),
        (
            "POST",
            "/api/v1/agents/{agent}/end-quarantine",
            Operator,
            404,
            None,
        ),
        ("GET", "/api/v1/agents/enrol-tokens", Operator, 200, None),
        (
            "POST",
            "/api/v1/agents/enrol-tokens",
            Operator,
            201,
            Some(json!({})),
        ),
        ("GET", "/api/v1/account", Viewer, 200, None),
        ("GET", "/api/v1/accounts", Operator, 200, None),
        ("GET", "/api/v1/accounts/{account}", Operator, 404, None),
        (
            "PUT",
            "/api/v1/accounts/{account}/limits",
            Operator,
            404,
            Some(json!({"buckets": 1})),
        ),
        ("GET", "/api/v1/usage", Viewer, 200, None),
        ("GET", "/api/v1/usage/export", Viewer, 200, None),
        ("GET", "/api/v1/events", Viewer, 200, None),
    ]
}

fn filled(path: &str) -> String {
    const ID: &str = "01900000-0000-7000-8000-000000000000";
    path.replace("{region}", "home")
        .replace("{bucket}", BUCKET)
        .replace("{key}", KEY)
        .replace("{name}", "photos")
        .replace("{account}", ID)
        .replace("{operation}", ID)
        .replace("{agent}", ID)
        .replace("{token}", ID)
}

#[tokio::test]
async fn every_route_with_every_role() {
    let site = Site::new().await;
    let callers = [
        (&site.viewer, Needs::Viewer),
        (&site.member, Needs::Member),
        (&site.admin, Needs::Member),
        (&site.owner, Needs::Member),
        (&site.operator, Needs::Operator),
    ];
    for (method, path, needs, expected, body) in table() {
        let method: Method = method.parse().unwrap();
        let path = filled(path);
        let none = site
            .send(request(method.clone(), &path, body.clone()))
            .await
            .status();
        assert_eq!(none, StatusCode::UNAUTHORIZED, "{method} {path}");
        for (token, is) in callers {
            let mut request = request(method.clone(), &path, body.clone());
            let bearer = format!("Bearer {token}");
            request
                .headers_mut()
                .insert("authorization", bearer.parse().unwrap());
            let status = site.send(request).await.status().as_u16();
            let expected = if is >= needs { expected } else { 403 };
            assert_eq!(status, expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_table_has_every_route() {
    let document: Value = serde_json::from_str(&crate::openapi::openapi_json()).unwrap();
    let mut described = BTreeSet::new();
    let mut public = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let route = (method.to_uppercase(), path.clone());
            let is_public = operation["security"] == json!([{}]);
            if is_public {
                public.insert(route)
            } else {
                described.insert(route)
            };
        }
    }
    let tested = table()
        .into_iter()
        .map(|row| (row.0.to_owned(), row.1.to_owned()))
        .collect();
    assert_eq!(described, tested);
    let open = [
        ("GET", "/api/v1/about"),
        ("POST", "/api/v1/session"),
        ("DELETE", "/api/v1/session"),
    ];
    assert_eq!(
        public,
        open.map(|(method, path)| (method.to_owned(), path.to_owned()))
            .into()
    );
}

#[tokio::test]
async fn another_account_finds_nothing() {
    let site = Site::new().await;
    let (_, made) = site
        .post(&site.member, "/api/v1/buckets", json!({"name": "videos"}))
        .await;
    let operation = made["operation"]["id"].as_str().unwrap();
    let absent_bucket = BUCKET.replace('a', "b");
    let absent_key = KEY.replace('a', "b");
    let absent_operation = "01900000-0000-7000-8000-000000000000";
    let mut compared = 0;
    for (method, path, needs, _, body) in table() {
        // Operators alone may name what is another's.
        if needs == Needs::Operator {
            continue;
        }
        if !["{bucket}", "{key}", "{operation}"]
            .iter()
            .any(|part| path.contains(part))
        {
            continue;
        }
        let method: Method = method.parse().unwrap();
        let theirs = path.replace("{operation}", operation);
        let absent = path
            .replace("{bucket}", &absent_bucket)
            .replace("{key}", &absent_key)
            .replace("{name}", "photos")
            .replace("{operation}", absent_operation);
        // The answers name what was looked for, and are the same but for that.
        let ids = [
            [BUCKET, KEY, operation],
            [&absent_bucket, &absent_key, absent_operation],
        ];
        let mut answers = vec![];
        for (path, ids) in [filled(&theirs), absent].into_iter().zip(ids) {
            let (status, mut problem) = site
                .ask(&site.stranger, method.clone(), &path, body.clone())
                .await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}");
            problem["error"]["request"].take();
            let message = problem["error"]["message"].as_str().unwrap();
            assert!(ids.iter().any(|id| message.contains(id)), "{message}");
            let nameless = ids
                .iter()
                .fold(message.to_owned(), |text, id| text.replace(id, ""));
            problem["error"]["message"] = nameless.into();
            answers.push(problem);
        }
        assert_eq!(answers[0], answers[1], "{method} {path}");
        compared += 1;
    }
    assert_eq!(compared, 29);
    for path in [
        "/api/v1/buckets",
        "/api/v1/keys",
        "/api/v1/operations",
        "/api/v1/receipts",
    ] {
        let (_, page) = site.get(&site.stranger, path).await;
        assert_eq!(page["items"], json!([]), "{path}");
    }
    let grant = json!([{"bucket": BUCKET, "read": true, "write": false, "owner": false}]);
    let body = json!({"label": "x", "seal_to": SEAL_TO, "grants": grant});
    assert_eq!(
        site.post(&site.stranger, "/api/v1/keys", body).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn public_routes() {
    let site = Site::new().await;
    for path in ["/api/v1/about", "/api/openapi.json"] {
        let (status, body) = read(site.send(request(Method::GET, path, None)).await).await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.is_object());
    }
    for path in ["/", "/page.css", "/healthz", "/readyz"] {
        assert_eq!(
            site.send(request(Method::GET, path, None)).await.status(),
            StatusCode::OK
        );
    }
    let root = site.app.trust.borrow().root_key.id().to_string();
    let (_, about) = read(site.send(request(Method::GET, "/api/v1/about", None)).await).await;
    assert_eq!(about["root_key"], json!(root));
    let whole = "/api/v1/receipts?whole=true&agent=01900000-0000-7000-8000-000000000000";
    assert_eq!(site.get(&site.owner, whole).await.0, StatusCode::FORBIDDEN);
    assert_eq!(site.get(&site.operator, whole).await.0, StatusCode::OK);
}
