//! Floods, other sites' pages, and the headers that keep a browser safe, on every route there is.

use std::{net::SocketAddr, time::Duration};

use ::http::{HeaderMap, Method, StatusCode, header};
use axum::extract::ConnectInfo;
use serde_json::{Value, json};

use super::{PASSWORD, Site, request};

/// Every address that the server answers at, and some that it does not.
fn addresses() -> Vec<String> {
    let document: Value = serde_json::from_str(&crate::openapi::openapi_json()).unwrap();
    let described = document["paths"].as_object().unwrap().keys();
    let more = ["/", "/page.css", "/healthz", "/readyz", "/api/openapi.json"];
    let absent = [
        "/api/v1/nothing",
        "/%00",
        "/api/v1/buckets/x/../../..",
        "/api/v1/buckets/%ff",
    ];
    let all = described.map(String::as_str).chain(more).chain(absent);
    all.map(|path| path.replace(['{', '}'], "")).collect()
}

fn check(headers: &HeaderMap, what: &str) {
    for name in headers.keys() {
        assert!(
            !name.as_str().starts_with("access-control"),
            "{what}: {name}"
        );
    }
    let value = |name: &str| headers[name].to_str().unwrap().to_owned();
    let policy = value("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{what}: {policy}");
    assert!(
        policy.contains("frame-ancestors 'none'"),
        "{what}: {policy}"
    );
    for loose in ["unsafe", "*", "data:", "blob:"] {
        assert!(!policy.contains(loose), "{what}: {policy}");
    }
    assert_eq!(value("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(value("x-frame-options"), "DENY", "{what}");
    assert_eq!(value("referrer-policy"), "no-referrer", "{what}");
    assert!(
        value("strict-transport-security").starts_with("max-age="),
        "{what}"
    );
}

#[tokio::test]
async fn every_answer_is_closed_to_other_sites() {
    let site = Site::configured(
        Duration::from_millis(1),
        "[limits]\nrequests_per_second = 10000\nchanges_per_second = 10000\n\
         account_requests_per_second = 10000\ntoken_requests_per_second = 10000\n\
         address_requests_per_second = 10000",
    )
    .await;
    let mut seen = 0;
    for path in addresses() {
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "ODD",
        ] {
            for token in [None, Some(&site.viewer)] {
                let method: Method = method.parse().unwrap();
                let what = format!("{method} {path}");
                let mut request = request(method.clone(), &path, None);
                let headers = request.headers_mut();
                headers.insert(header::ORIGIN, "https://evil.example".parse().unwrap());
                headers.insert("access-control-request-method", "PUT".parse().unwrap());
                headers.insert(
                    "access-control-request-headers",
                    "authorization".parse().unwrap(),
                );
                if let Some(token) = token {
                    let bearer = format!("Bearer {token}");
                    headers.insert(header::AUTHORIZATION, bearer.parse().unwrap());
                }
                let response = site.send(request).await;
                check(response.headers(), &what);
                if method == Method::OPTIONS {
                    assert!(response.status().is_client_error(), "{what}");
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 500, "{seen}");
}

/// The first answer that is not `expected`, of many in a row.
async fn flood(site: &Site, token: &str, from: &str) -> Option<(StatusCode, HeaderMap)> {
    let from: SocketAddr = from.parse().unwrap();
    for _ in 0..100 {
        let mut request = request(Method::GET, "/api/v1/whoami", None);
        request.extensions_mut().insert(ConnectInfo(from));
        let bearer = format!("Bearer {token}");
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, bearer.parse().unwrap());
        let response = site.send(request).await;
        if response.status() != StatusCode::OK {
            return Some((response.status(), response.headers().clone()));
        }
    }
    None
}

fn limited(answer: Option<(StatusCode, HeaderMap)>) {
    let (status, headers) = answer.expect("a hundred requests in a row were taken");
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    let seconds = headers[header::RETRY_AFTER].to_str().unwrap();
    assert!(seconds.parse::<u64>().unwrap() > 0);
}

const ENOUGH: [(&str, &str); 5] = [
    ("requests_per_second", "10000"),
    ("changes_per_second", "10000"),
    ("account_requests_per_second", "10000"),
    ("token_requests_per_second", "10000"),
    ("address_requests_per_second", "10000"),
];

/// A site where `scarce` alone is.
async fn with_one(scarce: &str) -> Site {
    let lines = ENOUGH.map(|(name, value)| {
        let value = if name == scarce { "1" } else { value };
        format!("{name} = {value}")
    });
    Site::configured(
        Duration::from_millis(1),
        &format!("[limits]\n{}", lines.join("\n")),
    )
    .await
}

#[tokio::test]
async fn a_flood_from_an_address_is_its_networks_alone() {
    let site = with_one("address_requests_per_second").await;
    limited(flood(&site, &site.owner, "198.51.100.1:1").await);
    limited(flood(&site, &site.member, "198.51.100.1:2").await);
    limited(flood(&site, &site.owner, "[2001:db8::1]:1").await);
    limited(flood(&site, &site.owner, "[2001:db8::ffff]:1").await);
    let others = request(Method::GET, "/api/v1/about", None);
    assert_eq!(site.send(others).await.status(), StatusCode::OK);
    // A probe is answered, whoever floods.
    let mut probe = request(Method::GET, "/healthz", None);
    let from: SocketAddr = "198.51.100.1:1".parse().unwrap();
    probe.extensions_mut().insert(ConnectInfo(from));
    assert_eq!(site.send(probe).await.status(), StatusCode::OK);
    // Whom a proxy on this machine says nothing of is not taken for one.
    assert!(flood(&site, &site.owner, "127.0.0.1:1").await.is_none());
}

#[tokio::test]
async fn a_flood_of_an_account_is_the_accounts_alone() {
    let site = with_one("account_requests_per_second").await;
    limited(flood(&site, &site.owner, "198.51.100.1:1").await);
    limited(flood(&site, &site.member, "198.51.100.2:1").await);
    let (status, _) = site.get(&site.stranger, "/api/v1/whoami").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_flood_with_a_token_is_the_tokens_alone() {
    let site = with_one("token_requests_per_second").await;
    let (_, made) = site
        .post(&site.owner, "/api/v1/tokens", json!({"name": "wild"}))
        .await;
    let wild = made["secret"].as_str().unwrap();
    limited(flood(&site, wild, "198.51.100.1:1").await);
    let (status, _) = site.get(&site.owner, "/api/v1/whoami").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_cookie_that_a_neighbouring_host_could_set_is_none() {
    let site = Site::new().await;
    let body = json!({"email": "owner@example.org", "password": PASSWORD});
    let signed_in = site
        .send(request(Method::POST, "/api/v1/session", Some(body)))
        .await;
    let set = signed_in.headers()[header::SET_COOKIE].to_str().unwrap();
    let cookie = set.split(';').next().unwrap();
    // What browsers want of a cookie with this prefix.
    assert!(
        cookie.starts_with("__Host-") && set.contains("; Path=/;"),
        "{set}"
    );
    assert!(set.contains("; Secure") && !set.contains("Domain"), "{set}");
    let plain = cookie.replace("__Host-", "");
    for (cookie, expected) in [
        (cookie, StatusCode::OK),
        (plain.as_str(), StatusCode::UNAUTHORIZED),
    ] {
        let mut request = request(Method::GET, "/api/v1/whoami", None);
        let headers = request.headers_mut();
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        assert_eq!(site.send(request).await.status(), expected);
    }
}
