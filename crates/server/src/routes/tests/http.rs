//! Bodies, queries, headers, errors; and the description of it all.

use std::{cell::RefCell, fs, path::PathBuf};

use ::http::{Method, Request, StatusCode, header};
use axum::{Router, body::Body, middleware, routing::get};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{BUCKET, SEAL_TO, Site, code, read, request};
use crate::{auth::Gate, openapi::openapi_json, web};

#[tokio::test]
async fn bad_bodies_name_the_field() {
    let site = Site::new().await;
    let grant = json!({"bucket": BUCKET, "read": true, "write": false, "owner": false});
    let nothing = json!({"bucket": BUCKET, "read": false, "write": false, "owner": false});
    let buckets = "/api/v1/buckets";
    let keys = "/api/v1/keys";
    let cases = [
        (buckets, json!({"name": "videos", "quote": 1}), "quote"),
        (
            buckets,
            json!({"name": "Videos"}),
            "name: not a valid bucket name",
        ),
        (
            buckets,
            json!({"name": "videos", "quota_bytes": 0}),
            "quota_bytes: expected a whole number",
        ),
        (
            buckets,
            json!({"name": "videos", "quota_bytes": "1GB"}),
            "quota_bytes",
        ),
        (buckets, json!({"quota_bytes": 5}), "missing field `name`"),
        (
            buckets,
            json!({"name": "videos", "key": "first"}),
            "seal_to",
        ),
        (
            buckets,
            json!({"name": "videos", "key": "a/b", "seal_to": SEAL_TO}),
            "key: not a valid key label",
        ),
        (
            buckets,
            json!({"name": "videos", "key": "a", "seal_to": "AQE="}),
            "seal_to",
        ),
        (buckets, json!([]), "body"),
        (
            keys,
            json!({"label": "x", "seal_to": SEAL_TO, "expires_at": 5}),
            "expires_at: 5 has passed, since it is 1800000000000000 now; expected",
        ),
        (
            keys,
            json!({"label": "x", "seal_to": SEAL_TO, "grants": [grant, grant]}),
            "grants[1]: this bucket is named twice",
        ),
        (
            keys,
            json!({"label": "x", "seal_to": SEAL_TO, "grants": [nothing]}),
            "grants[0]: none of",
        ),
        (
            keys,
            json!({"label": "x", "seal_to": SEAL_TO, "grants": vec![grant; 101]}),
            "grants: expected 100 at most",
        ),
        (
            keys,
            json!({"label": "x", "seal_to": SEAL_TO, "grants": [{"bucket": "x"}]}),
            "grants[0].bucket",
        ),
    ];
    for (path, body, words) in cases {
        let (status, problem) = site.post(&site.member, path, body.clone()).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::BAD_REQUEST, "bad_request"),
            "{body}"
        );
        let message = problem["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{body}: {message}");
    }
    let rotate = json!({"grace_seconds": 7_776_001, "seal_to": SEAL_TO});
    let path = format!("/api/v1/keys/{}/rotate", super::KEY);
    assert_eq!(
        site.post(&site.member, &path, rotate).await.0,
        StatusCode::BAD_REQUEST
    );
    let (_, operations) = site.get(&site.member, "/api/v1/operations").await;
    assert_eq!(operations["items"], json!([]), "nothing was left behind");
}

async fn raw(site: &Site, media_type: Option<&str>, body: Vec<u8>) -> (StatusCode, Value) {
    let mut request = request(Method::POST, "/api/v1/buckets", None);
    *request.body_mut() = Body::from(body);
    let bearer = format!("Bearer {}", site.member);
    request
        .headers_mut()
        .insert(header::AUTHORIZATION, bearer.parse().unwrap());
    if let Some(media_type) = media_type {
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type.parse().unwrap());
    }
    read(site.send(request).await).await
}

#[tokio::test]
async fn odd_bytes() {
    let site = Site::new().await;
    let json = Some("application/json; charset=utf-8");
    let good = br#"{"name":"videos"}"#.to_vec();
    assert_eq!(raw(&site, json, good.clone()).await.0, StatusCode::ACCEPTED);
    for media_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonx"),
    ] {
        let (status, problem) = raw(&site, media_type, good.clone()).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
        );
    }
    for text in [
        "",
        "{",
        "nonsense",
        r#"{"name":"videos"} x"#,
        r#"{"name":"videos","name":"photos"}"#,
        "\u{feff}{}",
    ] {
        let (status, problem) = raw(&site, json, text.into()).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::BAD_REQUEST, "bad_request"),
            "{text}"
        );
    }
    let mut padded = good;
    padded.resize(web::MAX_BODY_BYTES, b' ');
    assert_eq!(
        raw(&site, json, padded.clone()).await.0,
        StatusCode::ACCEPTED
    );
    padded.push(b' ');
    let (status, problem) = raw(&site, json, padded).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::PAYLOAD_TOO_LARGE, "too_large")
    );
}

#[tokio::test]
async fn odd_addresses() {
    let site = Site::new().await;
    let cases = [
        (Method::GET, "/api/v1/nothing", 404, "no_such_address"),
        (Method::GET, "/favicon.ico", 404, "no_such_address"),
        (Method::PATCH, "/api/v1/buckets", 405, "method_not_allowed"),
        (Method::GET, "/api/v1/buckets/short", 400, "bad_request"),
        (Method::GET, "/api/v1/buckets/%FF", 400, "bad_request"),
        (Method::GET, "/api/v1/buckets?limit=0", 400, "bad_request"),
        (
            Method::GET,
            "/api/v1/buckets?limit=1001",
            400,
            "bad_request",
        ),
        (Method::GET, "/api/v1/buckets?limit=-1", 400, "bad_request"),
        (
            Method::GET,
            "/api/v1/buckets?colour=red",
            400,
            "bad_request",
        ),
        (Method::GET, "/api/v1/buckets?cursor=x", 400, "bad_request"),
        (Method::GET, "/api/v1/buckets?region=A", 400, "bad_request"),
        (
            Method::GET,
            "/api/v1/operations?state=odd",
            400,
            "bad_request",
        ),
        (
            Method::GET,
            "/api/v1/operations?cursor=WyJ4Il0",
            400,
            "bad_request",
        ),
        (
            Method::GET,
            "/api/v1/regions/elsewhere",
            404,
            "no_such_region",
        ),
    ];
    for (method, path, status, expected) in cases {
        let (got, problem) = site.ask(&site.member, method, path, None).await;
        assert_eq!(
            (got.as_u16(), code(&problem)),
            (status, expected),
            "{path}: {problem}"
        );
    }
    let (_, problem) = site.get(&site.member, "/api/v1/buckets/short").await;
    let message = problem["error"]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "path: not a valid bucket id: expected 64 lower-case hex digits."
    );
}

#[tokio::test]
async fn a_region_has_to_be_named_among_several() {
    let site = Site::new().await;
    let videos = json!({"name": "videos"});
    let elsewhere = json!({"name": "videos", "region": "elsewhere"});
    let ask = async |body: &Value| {
        site.post(&site.member, "/api/v1/buckets", body.clone())
            .await
    };
    let words = |problem: &Value| problem["error"]["message"].as_str().unwrap().to_owned();
    let (status, problem) = ask(&elsewhere).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::NOT_FOUND, "no_such_region")
    );
    assert!(
        words(&problem).contains("region elsewhere")
            && words(&problem).contains("GET /api/v1/regions")
    );

    site.sql(
        "INSERT INTO regions (name, s3_endpoint, s3_region, created_at) VALUES ('away', 'x', 'y', 0)",
    )
    .await;
    let (status, problem) = ask(&videos).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::BAD_REQUEST, "bad_request")
    );
    assert!(words(&problem).starts_with("region: ") && words(&problem).contains("away, home"));

    site.sql("DELETE FROM grants").await;
    site.sql("DELETE FROM keys").await;
    site.sql("DELETE FROM buckets").await;
    site.sql("DELETE FROM regions").await;
    let (status, problem) = ask(&videos).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "no_region")
    );
}

thread_local! {
    /// What this thread has logged: a test of its own each.
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(vec![]) };
}

struct Log;

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn probes_leave_no_line_in_the_log() {
    // For all tests, and never taken away: whether anybody listens is remembered for each place that
    // logs, and a listener that comes and goes on one thread would race with the others.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .with_writer(|| Log)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let site = Site::new().await;
    for path in ["/healthz", "/readyz", "/api/v1/about"] {
        let status = site.send(request(Method::GET, path, None)).await.status();
        assert_eq!(status, StatusCode::OK);
    }
    let text = String::from_utf8(LOG.take()).unwrap();
    assert!(
        text.contains("/api/v1/about") && !text.contains("/readyz") && !text.contains("/healthz"),
        "{text}"
    );
}

#[tokio::test]
async fn headers_on_everything() {
    let site = Site::new().await;
    for path in [
        "/",
        "/page.css",
        "/api/v1/about",
        "/api/v1/whoami",
        "/nothing",
    ] {
        let response = site.send(request(Method::GET, path, None)).await;
        let headers = response.headers();
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
        // The dashboard has scripts, its own.
        assert!(path == "/" || !policy.contains("script"));
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert_eq!(headers["storm-request"].len(), 16);
    }
    let response = site
        .send(request(Method::GET, "/api/v1/whoami", None))
        .await;
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
    let response = site
        .send(request(Method::PATCH, "/api/v1/keys", None))
        .await;
    assert!(response.headers().contains_key(header::ALLOW));
    let text = web::plain(&site.app).await;
    assert!(text.contains("The API is up.") && text.contains(super::PUBLIC_URL));
    assert!(!text.contains("{{") && !text.contains("<script") && !text.contains("style="));
}

#[tokio::test]
async fn a_panic_says_nothing_to_the_client() {
    let site = Site::new().await;
    let gate = Gate::new(site.app.clone());
    async fn boom() -> &'static str {
        panic!("a secret detail")
    }
    let router: Router = Router::new()
        .route("/", get(boom))
        .layer(middleware::from_fn_with_state(gate, web::guard));
    let request = Request::get("/").body(Body::empty()).unwrap();
    let (status, problem) = read(router.oneshot(request).await.unwrap()).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::INTERNAL_SERVER_ERROR, "internal")
    );
    assert!(!problem.to_string().contains("detail"));
}

#[tokio::test]
async fn a_database_fault_says_nothing_to_the_client() {
    let site = Site::new().await;
    site.sql("DROP TABLE grants").await;
    let (status, problem) = site.get(&site.viewer, "/api/v1/keys").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::INTERNAL_SERVER_ERROR, "internal")
    );
    assert!(!problem.to_string().contains("grants"));
}

#[test]
fn the_committed_description_is_current() {
    let file = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/openapi.json"
    ));
    let now = openapi_json();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &now).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == now,
        "docs/openapi.json is old: run this test with UPDATE=1 and commit it"
    );
}

#[test]
fn the_description_is_whole() {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(
            schemas.contains_key(name),
            "{name} is named and not described"
        );
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            let declared = operation["parameters"].as_array().into_iter().flatten();
            let declared = declared
                .filter(|parameter| parameter["in"] == "path")
                .count();
            assert_eq!(declared, path.matches('{').count(), "{method} {path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let response = match response["$ref"].as_str() {
                    Some(name) => document.pointer(&name[1..]).unwrap(),
                    None => response,
                };
                assert!(
                    response["description"].is_string(),
                    "{method} {path} {status}"
                );
                assert_eq!(
                    response["content"].is_object(),
                    !matches!(status.as_str(), "204" | "303"),
                    "{method} {path} {status}"
                );
            }
        }
    }
}
