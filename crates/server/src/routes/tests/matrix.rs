//! Each route with each kind of caller.

mod scopes;
mod table;

use std::collections::BTreeSet;

use ::http::{Method, StatusCode};
use serde_json::{Value, json};

use storm_protocol::api::{AccountState, Role};

use self::table::{filled, table};
use super::{BUCKET, KEY, SEAL_TO, Site, read, request};
use crate::auth::access::{self, Least, Rights};

/// Status of a request with a token.
async fn status(
    site: &Site,
    token: &str,
    method: &Method,
    path: &str,
    body: &Option<Value>,
) -> u16 {
    let mut request = request(method.clone(), path, body.clone());
    let bearer = format!("Bearer {token}");
    request
        .headers_mut()
        .insert("authorization", bearer.parse().unwrap());
    site.send(request).await.status().as_u16()
}

#[tokio::test]
async fn every_route_with_every_role() {
    let site = Site::new().await;
    let callers = [
        (&site.viewer, Some(Role::Viewer), false),
        (&site.member, Some(Role::Member), false),
        (&site.admin, Some(Role::Admin), false),
        (&site.owner, Some(Role::Owner), false),
        (&site.operator, Some(Role::Owner), true),
    ];
    for (method, path, act, expected, body) in table() {
        let act = access::of_command(act).unwrap();
        let method: Method = method.parse().unwrap();
        let path = filled(path);
        let none = site
            .send(request(method.clone(), &path, body.clone()))
            .await
            .status();
        assert_eq!(none, StatusCode::UNAUTHORIZED, "{method} {path}");
        for (token, role, operator) in callers {
            let rights = Rights {
                role,
                operator,
                state: AccountState::Active,
                token: None,
            };
            let expected = if rights.allow(act).is_ok() && !act.by_session {
                expected
            } else {
                403
            };
            let status = status(&site, token, &method, &path, &body).await;
            assert_eq!(status, expected, "{method} {path} as {role:?}");
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
    // Whoever leaves is gone for the next row: it has a test of its own.
    let tested = table()
        .into_iter()
        .map(|row| (row.0, row.1))
        .chain([("POST", "/api/v1/account/leave")])
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    assert_eq!(described, tested);
    let open = [
        ("GET", "/api/v1/about"),
        ("POST", "/api/v1/session"),
        ("POST", "/api/v1/session/second-factor"),
        ("POST", "/api/v1/session/passkey/begin"),
        ("POST", "/api/v1/session/passkey"),
        ("DELETE", "/api/v1/session"),
        ("GET", "/api/v1/oidc/{provider}/start"),
        ("GET", "/api/v1/oidc/{provider}/callback"),
        ("POST", "/api/v1/invitations/look-up"),
        ("POST", "/api/v1/invitations/accept"),
        ("POST", "/api/v1/password/forgotten"),
        ("POST", "/api/v1/password/reset"),
        ("POST", "/api/v1/device-authorizations"),
        ("POST", "/api/v1/device-authorizations/token"),
        ("POST", "/api/v1/sign-ups"),
        ("POST", "/api/v1/sign-ups/confirm"),
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
    for (method, path, act, _, body) in table() {
        // Operators alone may name what is another's.
        if access::of_command(act).unwrap().least == Least::Operator {
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
