//! The audit trail: what is told of requests, to whom, and how much of a flood.

use ::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use storm_protocol::ident::Micros;

use super::{BUCKET, PASSWORD, PUBLIC_URL, Site, read, request};
use crate::store::security::SecurityEvent;

async fn events(site: &Site, token: &str, query: &str) -> Vec<Value> {
    let (status, page) = site.get(token, &format!("/api/v1/audit{query}")).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page["items"].as_array().unwrap().clone()
}

fn short(event: &Value) -> (&str, &str, &str, i64) {
    (
        event["act"].as_str().unwrap(),
        event["email"].as_str().unwrap_or(""),
        event["result"].as_str().unwrap(),
        event["count"].as_i64().unwrap(),
    )
}

async fn sign_in(site: &Site, email: &str, password: &str) -> (StatusCode, String) {
    let body = json!({"email": email, "password": password});
    let response = site
        .send(request(Method::POST, "/api/v1/session", Some(body)))
        .await;
    let cookie = response.headers().get(header::SET_COOKIE);
    let cookie = cookie.map_or("", |cookie| cookie.to_str().unwrap());
    let cookie = cookie.split(';').next().unwrap().to_owned();
    (response.status(), cookie)
}

#[tokio::test]
async fn changes_are_told_with_who_what_and_from_where() {
    let site = Site::new().await;
    let path = format!("/api/v1/buckets/{BUCKET}/quota");
    let body = json!({"quota_bytes": 1});
    let (status, answer) = site.ask(&site.member, Method::PUT, &path, Some(body)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    site.get(&site.member, "/api/v1/buckets").await;
    let found = events(&site, &site.owner, "").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        short(&found[0]),
        ("bucket.set_quota", "member@example.org", "done", 1)
    );
    assert_eq!(found[0]["thing"], json!(BUCKET));
    assert_eq!(found[0]["origin"], json!("192.0.2.1"));
    assert_eq!(found[0]["via"], json!("api"));
    assert_eq!(found[0]["operation"], answer["operation"]["id"]);
    assert!(found[0]["token"].is_string());
}

#[tokio::test]
async fn what_a_change_tells_is_in_its_own_transaction() {
    let site = Site::new().await;
    // Without a place for the event there is no change either.
    site.sql("DROP TABLE audit_events").await;
    let (status, _) = site
        .post(&site.owner, "/api/v1/tokens", json!({"name": "x"}))
        .await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let (_, page) = site.get(&site.owner, "/api/v1/tokens").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn sign_ins_and_failures_are_told_to_the_persons_account_alone() {
    let site = Site::new().await;
    assert_eq!(
        sign_in(&site, "owner@example.org", "wrong").await.0,
        StatusCode::UNAUTHORIZED
    );
    sign_in(&site, "nobody@example.org", "wrong").await;
    let (status, cookie) = sign_in(&site, "owner@example.org", PASSWORD).await;
    assert_eq!(status, StatusCode::OK);
    let mut leave = request(Method::DELETE, "/api/v1/session", None);
    let headers = leave.headers_mut();
    headers.insert(header::COOKIE, cookie.parse().unwrap());
    headers.insert(header::ORIGIN, PUBLIC_URL.parse().unwrap());
    assert_eq!(site.send(leave).await.status(), StatusCode::NO_CONTENT);

    let found = events(&site, &site.owner, "").await;
    let mut told: Vec<_> = found.iter().map(short).collect();
    told.sort_unstable();
    let owner = "owner@example.org";
    assert_eq!(
        told,
        [
            ("session.create", "", "bad_credentials", 1),
            ("session.create", owner, "done", 1),
            ("session.delete", owner, "done", 1),
        ]
    );
    assert!(events(&site, &site.stranger, "").await.is_empty());
    let all = events(&site, &site.operator, "?act=session.*&result=failed").await;
    let mut tried: Vec<_> = all.iter().map(|event| event["thing"].as_str()).collect();
    tried.sort_unstable();
    assert_eq!(tried, [Some("nobody@example.org"), Some(owner)]);
}

#[tokio::test]
async fn a_flood_of_refusals_is_two_rows_a_minute() {
    let site = Site::new().await;
    let refuse = async || {
        let (status, _) = site
            .post(&site.viewer, "/api/v1/buckets", json!({"name": "x"}))
            .await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    };
    for _ in 0..20 {
        refuse().await;
    }
    site.clock.forward(60);
    let counts = async || {
        let found = events(&site, &site.owner, "?result=forbidden").await;
        let mut counts: Vec<_> = found.iter().map(|event| short(event).3).collect();
        counts.sort_unstable();
        counts
    };
    assert_eq!(counts().await, [1]);
    // The request before was the first of a new minute.
    assert_eq!(counts().await, [1, 19]);
    let kept = events(&site, &site.owner, "?result=forbidden").await;
    assert!(kept.iter().all(|event| event["act"] == "bucket.create"));
}

#[tokio::test]
async fn a_flood_from_many_addresses_is_bounded() {
    let site = Site::new().await;
    for number in 0..300_u32 {
        let mut odd = request(Method::GET, "/api/v1/whoami", None);
        let headers = odd.headers_mut();
        headers.insert(header::AUTHORIZATION, "Bearer x".parse().unwrap());
        let from =
            std::net::SocketAddr::from(([10, 0, (number / 250) as u8, (number % 250) as u8], 1));
        odd.extensions_mut()
            .insert(axum::extract::ConnectInfo(from));
        assert_eq!(site.send(odd).await.status(), StatusCode::UNAUTHORIZED);
    }
    site.clock.forward(60);
    site.get(&site.owner, "/api/v1/whoami").await;
    let found = events(&site, &site.operator, "?limit=1000&result=bad_token").await;
    assert!((100..=102).contains(&found.len()), "{}", found.len());
    let sum: i64 = found.iter().map(|event| short(event).3).sum();
    assert_eq!(sum, 300);
}

#[tokio::test]
async fn an_account_sees_its_own_and_an_operator_all() {
    let site = Site::new().await;
    let name = json!({"name": "x"});
    site.post(&site.owner, "/api/v1/tokens", name.clone()).await;
    site.post(&site.stranger, "/api/v1/tokens", name).await;
    let limits = format!("/api/v1/accounts/{}/limits", site.account);
    let (status, answer) = site
        .ask(
            &site.operator,
            Method::PUT,
            &limits,
            Some(json!({"storage_bytes": 5})),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let ours = events(&site, &site.admin, "").await;
    let acts: Vec<_> = ours.iter().map(|event| short(event).0).collect();
    assert_eq!(acts.len(), 2, "{acts:?}");
    assert!(acts.contains(&"account.set_limits") && acts.contains(&"token.create"));
    let theirs = events(&site, &site.stranger, "").await;
    assert_eq!(theirs.len(), 1);
    assert_eq!(short(&theirs[0]).1, "stranger@example.org");
    let all = events(&site, &site.operator, "").await;
    assert_eq!(all.len(), 3);
    // Naming another account tells nothing, whether it exists or not.
    let stranger = theirs[0]["account"].as_str().unwrap();
    for account in [stranger, "01900000-0000-7000-8000-000000000000"] {
        for path in ["/api/v1/audit", "/api/v1/audit/export"] {
            let path = format!("{path}?account={account}");
            assert_eq!(site.get(&site.owner, &path).await.0, StatusCode::FORBIDDEN);
        }
    }
    let some = events(&site, &site.operator, &format!("?account={stranger}")).await;
    assert_eq!(some, theirs);
    assert_eq!(
        site.get(&site.member, "/api/v1/audit").await.0,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn pages_filters_and_exports_agree() {
    let site = Site::new().await;
    for _ in 0..5 {
        site.post(&site.owner, "/api/v1/tokens", json!({"name": "=x"}))
            .await;
        site.clock.forward(1);
    }
    let all = events(&site, &site.owner, "").await;
    assert_eq!(all.len(), 5);
    let mut paged = vec![];
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/audit?limit=2{cursor}");
        let (_, page) = site.get(&site.owner, &path).await;
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
    let (from, to) = (&all[3]["at"], &all[1]["at"]);
    let some = events(&site, &site.owner, &format!("?from={from}&to={to}")).await;
    assert_eq!(some, all[2..4]);
    let thing = all[2]["thing"].as_str().unwrap();
    assert_eq!(
        events(&site, &site.owner, &format!("?thing={thing}")).await,
        all[2..3]
    );
    assert!(
        events(&site, &site.stranger, &format!("?thing={thing}"))
            .await
            .is_empty()
    );
    for (query, length) in [
        ("?act=token.*", 5),
        ("?act=token.create&result=done", 5),
        ("?act=*", 5),
        ("?act=bucket.*", 0),
        ("?result=failed", 0),
    ] {
        assert_eq!(
            events(&site, &site.owner, query).await.len(),
            length,
            "{query}"
        );
    }
    let export = async |query: &str| {
        let mut request = request(Method::GET, &format!("/api/v1/audit/export{query}"), None);
        let bearer = format!("Bearer {}", site.owner);
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, bearer.parse().unwrap());
        let response = site.send(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        String::from_utf8(body.unwrap().to_vec()).unwrap()
    };
    let lines = export("?format=jsonl").await;
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines, all);
    let table = export("?format=csv").await;
    assert_eq!(table.lines().count(), 6);
    assert!(table.starts_with("id,at,account,"));
    for query in ["?act=bucket", "?limit=0", "?cursor=x", "?since=1"] {
        let (status, _) = site
            .get(&site.owner, &format!("/api/v1/audit{query}"))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn long_texts_are_cut_and_rows_never_changed() {
    let site = Site::new().await;
    let name = "x".repeat(5_000);
    let path = format!("/api/v1/buckets/{BUCKET}/aliases/{name}");
    site.ask(&site.owner, Method::DELETE, &path, None).await;
    let found = events(&site, &site.owner, "").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["thing"].as_str().unwrap().len(), 256);
    let mut change = site
        .app
        .store
        .write(crate::store::Durability::Process)
        .await
        .unwrap();
    let changed = sqlx::query("UPDATE audit_events SET result = 'x'")
        .execute(&mut *change)
        .await;
    assert!(changed.is_err());
    drop(change);
    let now = site.app.clock.now();
    let store = &site.app.store;
    store.drop_audit_events(now.plus_seconds(-1)).await.unwrap();
    assert_eq!(events(&site, &site.owner, "").await.len(), 1);
    store.drop_audit_events(now.plus_seconds(1)).await.unwrap();
    assert!(events(&site, &site.owner, "").await.is_empty());
    let (status, _) = read(site.send(request(Method::GET, "/api/v1/audit", None)).await).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn operators_page_through_security_events() {
    let site = Site::new().await;
    for (at, subject) in [(1, "first"), (2, "second"), (3, "third")] {
        let event = SecurityEvent {
            kind: "sign_in_failed",
            subject,
            origin: Some("203.0.113.7"),
            detail: "",
        };
        let at = Micros(at * Micros::SECOND);
        let noted = site.app.store.note_security_event(event, at).await;
        noted.unwrap();
    }
    let path = "/api/v1/security-events?limit=2";
    let (status, page) = site.get(&site.operator, path).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let subjects = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        let subject = |item: &Value| item["subject"].as_str().unwrap().to_owned();
        items.iter().map(subject).collect()
    };
    assert_eq!(subjects(&page), ["third", "second"]);
    let path = format!("{path}&cursor={}", page["next_cursor"].as_str().unwrap());
    let (_, page) = site.get(&site.operator, &path).await;
    assert_eq!(subjects(&page), ["first"]);
    assert!(page["next_cursor"].is_null());
}
