//! Each route with each kind of caller.

use std::{collections::BTreeSet, time::Duration};

use ::http::{Method, StatusCode};
use serde_json::{Value, json};

use storm_protocol::api::Role;

use super::{BUCKET, KEY, SEAL_TO, Site, read, request};
use crate::auth::access::{self, Least, Rights};

/// The route, what it does by the table of who may do what, and how it answers those who may.
fn table() -> Vec<(&'static str, &'static str, &'static str, u16, Option<Value>)> {
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
        ("GET", "/api/v1/whoami", "session.read", 200, None),
        ("GET", "/api/v1/sessions", "session.list", 200, None),
        (
            "DELETE",
            "/api/v1/sessions/{session}",
            "session.end",
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/sessions/end-others",
            "session.end",
            204,
            None,
        ),
        (
            "PUT",
            "/api/v1/password",
            "password.change",
            401,
            Some(json!({"current": "not this one", "new": "another one"})),
        ),
        ("GET", "/api/v1/trust", "trust.read", 200, None),
        ("GET", "/api/v1/regions", "region.read", 200, None),
        (
            "POST",
            "/api/v1/regions",
            "region.create",
            409,
            Some(region),
        ),
        ("GET", "/api/v1/regions/{region}", "region.read", 200, None),
        (
            "POST",
            "/api/v1/regions/{region}/health",
            "cluster.health",
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/regions/{region}/refresh",
            "inventory.refresh",
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/regions/{region}/ping",
            "agent.ping",
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/regions/{region}/executor",
            "region.move_executor",
            409,
            Some(json!({"agent": "01900000-0000-7000-8000-000000000000"})),
        ),
        ("GET", "/api/v1/buckets", "bucket.read", 200, None),
        (
            "POST",
            "/api/v1/buckets",
            "bucket.create",
            202,
            Some(create_bucket),
        ),
        ("GET", "/api/v1/buckets/{bucket}", "bucket.read", 200, None),
        (
            "DELETE",
            "/api/v1/buckets/{bucket}",
            "bucket.delete",
            202,
            None,
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/quota",
            "bucket.set_quota",
            202,
            Some(json!({"quota_bytes": 1})),
        ),
        (
            "GET",
            "/api/v1/buckets/{bucket}/settings",
            "bucket.read",
            200,
            None,
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/cors",
            "bucket.set_cors",
            202,
            Some(cors),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/cors/check",
            "bucket.read",
            200,
            Some(question),
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/lifecycle",
            "bucket.set_lifecycle",
            202,
            Some(lifecycle),
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/website",
            "bucket.set_website",
            202,
            Some(website),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/aliases",
            "bucket.add_alias",
            202,
            Some(json!({"name": "more"})),
        ),
        (
            "DELETE",
            "/api/v1/buckets/{bucket}/aliases/{name}",
            "bucket.remove_alias",
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/cleanup-uploads",
            "bucket.cleanup_uploads",
            202,
            Some(json!({"older_than_seconds": 0})),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/restore",
            "bucket.restore",
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/accept",
            "bucket.accept",
            200,
            None,
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/adopt",
            "bucket.adopt",
            404,
            Some(json!({"account": "01900000-0000-7000-8000-000000000000"})),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/release",
            "bucket.release",
            202,
            None,
        ),
        ("GET", "/api/v1/strays", "stray.read", 200, None),
        (
            "POST",
            "/api/v1/strays/ignore",
            "stray.ignore",
            404,
            Some(json!({"bucket": BUCKET, "ignored": true})),
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/clear",
            "bucket.clear",
            202,
            None,
        ),
        (
            "POST",
            "/api/v1/buckets/{bucket}/measure",
            "bucket.measure_prefix",
            202,
            Some(json!({"prefix": "logs/"})),
        ),
        (
            "GET",
            "/api/v1/buckets/{bucket}/requests",
            "usage.read",
            200,
            None,
        ),
        (
            "GET",
            "/api/v1/buckets/{bucket}/grants",
            "bucket.read",
            200,
            None,
        ),
        (
            "PUT",
            "/api/v1/buckets/{bucket}/grants/{key}",
            "key.set_grant",
            202,
            Some(grant),
        ),
        ("GET", "/api/v1/keys", "key.read", 200, None),
        ("POST", "/api/v1/keys", "key.create", 202, Some(create_key)),
        ("GET", "/api/v1/keys/{key}", "key.read", 200, None),
        ("DELETE", "/api/v1/keys/{key}", "key.delete", 202, None),
        (
            "POST",
            "/api/v1/keys/{key}/rotate",
            "key.rotate",
            202,
            Some(rotate),
        ),
        (
            "POST",
            "/api/v1/keys/temporary",
            "key.create_temporary",
            202,
            Some(temporary),
        ),
        (
            "PUT",
            "/api/v1/keys/{key}/label",
            "key.rename",
            202,
            Some(json!({"label": "desk"})),
        ),
        (
            "PUT",
            "/api/v1/keys/{key}/expiry",
            "key.set_expiry",
            202,
            Some(json!({"expires_at": null})),
        ),
        (
            "POST",
            "/api/v1/keys/{key}/suspend",
            "key.suspend",
            202,
            None,
        ),
        ("POST", "/api/v1/keys/{key}/resume", "key.resume", 202, None),
        (
            "POST",
            "/api/v1/keys/{key}/revoke-leaked",
            "key.revoke_leaked",
            202,
            Some(leaked),
        ),
        ("GET", "/api/v1/operations", "operation.list", 200, None),
        (
            "GET",
            "/api/v1/operations/{operation}",
            "operation.read",
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/operations/{operation}/cancel",
            "operation.cancel",
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/operations/{operation}/acknowledge",
            "operation.acknowledge",
            404,
            None,
        ),
        ("GET", "/api/v1/receipts", "receipt.read", 200, None),
        ("GET", "/api/v1/tokens", "token.read", 200, None),
        (
            "POST",
            "/api/v1/tokens",
            "token.create",
            201,
            Some(json!({"name": "ci"})),
        ),
        (
            "DELETE",
            "/api/v1/tokens/{token}",
            "token.delete",
            404,
            None,
        ),
        ("GET", "/api/v1/agents", "agent.read", 200, None),
        (
            "POST",
            "/api/v1/agents/{agent}/revoke",
            "agent.revoke",
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/agents/{agent}/lost",
            "agent.declare_lost",
            404,
            None,
        ),
        (
            "POST",
            "/api/v1/agents/{agent}/end-quarantine",
            "agent.end_quarantine",
            404,
            None,
        ),
        (
            "GET",
            "/api/v1/agents/enrol-tokens",
            "enrol_token.read",
            200,
            None,
        ),
        (
            "POST",
            "/api/v1/agents/enrol-tokens",
            "enrol_token.create",
            201,
            Some(json!({})),
        ),
        ("GET", "/api/v1/account", "account.read", 200, None),
        ("GET", "/api/v1/accounts/own", "account.list_own", 200, None),
        (
            "POST",
            "/api/v1/session/account",
            "account.switch",
            409,
            Some(json!({"account": "01900000-0000-7000-8000-000000000000"})),
        ),
        (
            "POST",
            "/api/v1/account/transfer",
            "account.transfer",
            404,
            Some(json!({"user": "01900000-0000-7000-8000-000000000000"})),
        ),
        ("GET", "/api/v1/members", "member.read", 200, None),
        (
            "PUT",
            "/api/v1/members/{user}/role",
            "member.set_role",
            404,
            Some(json!({"role": "viewer"})),
        ),
        (
            "DELETE",
            "/api/v1/members/{user}",
            "member.remove",
            404,
            None,
        ),
        ("GET", "/api/v1/invitations", "invitation.read", 200, None),
        (
            "POST",
            "/api/v1/invitations",
            "invitation.create",
            201,
            Some(json!({"email": "new@example.org", "role": "viewer"})),
        ),
        (
            "DELETE",
            "/api/v1/invitations/{invitation}",
            "invitation.withdraw",
            404,
            None,
        ),
        ("GET", "/api/v1/accounts", "account.list", 200, None),
        (
            "POST",
            "/api/v1/accounts",
            "account.create",
            201,
            Some(json!({"name": "Acme", "owner": "wile@example.org"})),
        ),
        (
            "PUT",
            "/api/v1/account/name",
            "account.rename",
            204,
            Some(json!({"name": "Ours"})),
        ),
        (
            "GET",
            "/api/v1/accounts/{account}",
            "account.list",
            404,
            None,
        ),
        (
            "PUT",
            "/api/v1/accounts/{account}/limits",
            "account.set_limits",
            404,
            Some(json!({"buckets": 1})),
        ),
        ("GET", "/api/v1/audit", "audit.read", 200, None),
        ("GET", "/api/v1/audit/export", "audit.read", 200, None),
        ("GET", "/api/v1/usage", "usage.read", 200, None),
        ("GET", "/api/v1/usage/export", "usage.export", 200, None),
        ("GET", "/api/v1/events", "event.read", 200, None),
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
        .replace("{session}", ID)
        .replace("{user}", ID)
        .replace("{invitation}", ID)
}

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

/// A site on which nobody asks for too much.
async fn unlimited() -> Site {
    let limits = "[limits]\nrequests_per_second = 100000\nchanges_per_second = 100000\n";
    Site::configured(Duration::from_millis(20), limits).await
}

/// A token of the operator's that may `scopes` alone.
async fn token_for(site: &Site, scopes: &[&str]) -> String {
    let body = json!({"name": "scoped", "scopes": scopes});
    let (_, made) = site.post(&site.operator, "/api/v1/tokens", body).await;
    made["secret"].as_str().unwrap().to_owned()
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
                token: None,
            };
            let expected = if rights.allow(act).is_ok() {
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
async fn every_route_does_what_its_scope_says_and_nothing_else() {
    let site = unlimited().await;
    for (method, path, act, expected, body) in table() {
        let method: Method = method.parse().unwrap();
        let path = filled(path);
        let with = token_for(&site, &[act]).await;
        // A token for making tokens makes none that may more.
        let expected = if act == "token.create" { 201 } else { expected };
        let found = status(&site, &with, &method, &path, &body).await;
        assert_eq!(found, expected, "{method} {path} with {act}");
        let (noun, _) = act.split_once('.').unwrap();
        let others: Vec<_> = access::TABLE
            .iter()
            .filter(|other| other.name != act && other.name.starts_with(&format!("{noun}.")))
            .map(|other| other.name)
            .chain([if noun == "region" {
                "bucket.*"
            } else {
                "region.*"
            }])
            .collect();
        let without = token_for(&site, &others).await;
        let found = status(&site, &without, &method, &path, &body).await;
        assert_eq!(found, 403, "{method} {path} without {act}");
        site.sql("DELETE FROM tokens WHERE name = 'scoped'").await;
    }
}

#[tokio::test]
async fn a_token_for_a_bucket_reaches_no_other() {
    let site = unlimited().await;
    let other = BUCKET.replace('a', "c");
    site.add_bucket(&other, Some("videos")).await;
    let body = json!({"name": "one", "buckets": [BUCKET]});
    let (_, made) = site.post(&site.owner, "/api/v1/tokens", body).await;
    let token = made["secret"].as_str().unwrap();
    assert_eq!(made["token"]["buckets"], json!([BUCKET]));
    let (_, page) = site.get(token, "/api/v1/buckets").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let (_, none) = site.get(token, "/api/v1/buckets?name=videos").await;
    assert_eq!(none["items"], json!([]));
    let mut compared = 0;
    for (method, path, act, expected, body) in table() {
        let act = access::of_command(act).unwrap();
        let method: Method = method.parse().unwrap();
        let found = status(&site, token, &method, &filled(path), &body).await;
        if act.least == Least::Operator || !act.on_buckets {
            assert_eq!(found, 403, "{method} {path}");
            continue;
        }
        let asks_for_more = ["/api/v1/keys", "/api/v1/usage"].contains(&path)
            || path.ends_with("/restore")
            || path.ends_with("/operations/{operation}");
        if !asks_for_more {
            assert_eq!(found, expected, "{method} {path}");
        }
        if path.contains("{bucket}") {
            let path = filled(path).replace(BUCKET, &other);
            let found = status(&site, token, &method, &path, &body).await;
            assert_eq!(found, 404, "{method} {path}");
            compared += 1;
        }
    }
    assert!(compared > 15, "{compared}");
    let grant =
        |bucket: &str| json!([{"bucket": bucket, "read": true, "write": false, "owner": false}]);
    for (grants, create_buckets, expected) in [
        (grant(BUCKET), false, 202),
        (grant(BUCKET), true, 403),
        (grant(&other), false, 403),
    ] {
        let body = json!({"label": "x", "seal_to": SEAL_TO, "grants": grants,
                          "create_buckets": create_buckets});
        let (found, answer) = site.post(token, "/api/v1/keys", body).await;
        assert_eq!(found.as_u16(), expected, "{answer}");
    }
    // What others asked for is not for it to see.
    let (_, theirs) = site
        .ask(
            &site.owner,
            Method::DELETE,
            &format!("/api/v1/buckets/{other}"),
            None,
        )
        .await;
    let theirs = format!(
        "/api/v1/operations/{}",
        theirs["operation"]["id"].as_str().unwrap()
    );
    assert_eq!(site.get(token, &theirs).await.0, StatusCode::NOT_FOUND);
    let (_, its) = site
        .ask(
            token,
            Method::DELETE,
            &format!("/api/v1/buckets/{BUCKET}"),
            None,
        )
        .await;
    let its = format!(
        "/api/v1/operations/{}",
        its["operation"]["id"].as_str().unwrap()
    );
    assert_eq!(site.get(token, &its).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_token_hands_on_no_more_than_it_has() {
    let site = Site::new().await;
    let ends = site.app.clock.now().plus_seconds(100);
    let body = json!({"name": "some", "scopes": ["token.create", "bucket.*"], "expires_at": ends});
    let (_, made) = site.post(&site.owner, "/api/v1/tokens", body).await;
    let some = made["secret"].as_str().unwrap();
    for (scopes, expires_at, words) in [
        (json!(["*"]), json!(ends), "has not *"),
        (json!(["key.read"]), json!(ends), "has not key.read"),
        (json!(["bucket.read"]), Value::Null, "ends at"),
        (
            json!(["bucket.read"]),
            json!(ends.plus_seconds(1)),
            "ends at",
        ),
        (json!([]), json!(ends), "1 to 50"),
        (
            json!(["bucket.fly"]),
            json!(ends),
            "nothing called bucket.fly",
        ),
        (json!(["Bucket.*"]), json!(ends), "scope"),
    ] {
        let body = json!({"name": "x", "scopes": scopes, "expires_at": expires_at});
        let (status, answer) = site.post(some, "/api/v1/tokens", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert!(
            answer["error"]["message"].as_str().unwrap().contains(words),
            "{answer}"
        );
    }
    let less = json!({"name": "less", "scopes": ["bucket.read"], "expires_at": ends});
    assert_eq!(
        site.post(some, "/api/v1/tokens", less).await.0,
        StatusCode::CREATED
    );
    let same = json!({"name": "same", "expires_at": ends});
    let (_, same) = site.post(some, "/api/v1/tokens", same).await;
    assert_eq!(same["token"]["scopes"], json!(["bucket.*", "token.create"]));
    let theirs = json!({"name": "x", "buckets": [BUCKET]});
    assert_eq!(
        site.post(&site.stranger, "/api/v1/tokens", theirs).await.0,
        StatusCode::NOT_FOUND
    );
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
        ("DELETE", "/api/v1/session"),
        ("POST", "/api/v1/invitations/accept"),
        ("POST", "/api/v1/password/forgotten"),
        ("POST", "/api/v1/password/reset"),
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
    for path in [
        "/",
        "/page.css",
        "/invitation",
        "/form.js",
        "/password",
        "/healthz",
        "/readyz",
    ] {
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
