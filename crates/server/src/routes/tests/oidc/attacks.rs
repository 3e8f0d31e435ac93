//! What must not get in.

use ::http::{Method, StatusCode};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use serde_json::json;

use super::{Company, FLOW, ann};
use crate::{clock::random, routes::tests::request};

#[tokio::test]
async fn a_provider_takes_over_nobody_whom_it_has_no_say_in() {
    let company = Company::new().await;
    let account = company.site.account;
    let user = |at: u8, name: &str, operator: u8| {
        format!(
            "INSERT INTO users VALUES ('01900000-0000-7000-8000-0000000000{at:02}', '{name}@acme.org', \
             'hash', {operator}, 0)"
        )
    };
    let member = |at: u8, account: &str| {
        format!(
            "INSERT INTO members VALUES ('{account}', '01900000-0000-7000-8000-0000000000{at:02}', 'viewer')"
        )
    };
    let acme = "01900000-0000-7000-8000-00000000acce";
    let site = &company.site;
    // An operator, though in the account; a person of another account; one of both; one of none.
    for sql in [
        user(1, "op", 1),
        member(1, acme),
        user(2, "else", 0),
        member(2, &account.to_string()),
        user(3, "both", 0),
        member(3, acme),
        member(3, &account.to_string()),
        user(4, "none", 0),
    ] {
        site.sql(&sql).await;
    }
    for name in ["op", "else", "both", "none"] {
        let told = company
            .sign_in(
                json!({"sub": name, "email": format!("{name}@acme.org"), "email_verified": true,
                            "groups": ["boss"]}),
            )
            .await;
        assert_eq!(told.status, StatusCode::FORBIDDEN, "{name}");
        assert!(told.page.contains("has no say in"), "{name}: {}", told.page);
    }
    assert_eq!(company.count("SELECT COUNT(*) FROM oidc_people").await, 0);
    let untouched = "SELECT COUNT(*) FROM users WHERE password_hash = 'hash'";
    assert_eq!(company.count(untouched).await, 5);
    // Somebody who is linked, and is made an operator or a member elsewhere later on.
    let told = company.sign_in(ann(&["staff"])).await;
    assert_eq!(told.status, StatusCode::OK);
    site.sql("UPDATE users SET operator = 1 WHERE email = 'ann@acme.org'")
        .await;
    assert_eq!(
        company.sign_in(ann(&["staff"])).await.status,
        StatusCode::FORBIDDEN
    );
    // The address of somebody who left, given to somebody else.
    site.sql("UPDATE users SET operator = 0 WHERE email = 'ann@acme.org'")
        .await;
    let mut successor = ann(&["staff"]);
    successor["sub"] = json!("ann-2");
    let told = company.sign_in(successor).await;
    assert!(
        told.page.contains("belonged to somebody else"),
        "{}",
        told.page
    );
}

#[tokio::test]
async fn only_verified_addresses_of_its_own_domains_count() {
    let company = Company::new().await;
    for (email, verified, word) in [
        ("ann@acme.org", json!(false), "does not say"),
        ("ann@acme.org", json!(null), "does not say"),
        ("ann@other.org", json!(true), "no domain"),
        ("ann@sub.acme.org", json!(true), "no domain"),
        ("ann@acme.org@evil.org", json!(true), "does not say"),
    ] {
        let mut claims = ann(&["boss"]);
        claims["email"] = json!(email);
        claims["email_verified"] = verified;
        let told = company.sign_in(claims).await;
        assert_eq!(told.status, StatusCode::FORBIDDEN, "{email}");
        assert!(told.page.contains(word), "{email}: {}", told.page);
    }
    assert_eq!(company.count("SELECT COUNT(*) FROM oidc_people").await, 0);
}

#[tokio::test]
async fn a_token_that_is_not_for_this_very_sign_in_is_not_taken() {
    let company = Company::new().await;
    let now = company.site.app.clock.now().0 / 1_000_000;
    for wrong in [
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"aud": "another"}),
        json!({"aud": ["storm", "another"]}),
        json!({"azp": "another"}),
        json!({"iss": "https://evil.example"}),
        json!({"exp": now}),
        json!({"iat": now - 3600}),
        json!({"iat": now + 3600}),
        json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}),
        json!({"sub": ""}),
    ] {
        let mut claims = ann(&["boss"]);
        for (name, value) in wrong.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let told = company.sign_in(claims).await;
        assert_eq!(told.status, StatusCode::FORBIDDEN, "{wrong}");
        assert!(
            told.page.contains("cannot be believed"),
            "{wrong}: {}",
            told.page
        );
    }
    assert_eq!(
        company
            .count("SELECT COUNT(*) FROM users WHERE email = 'ann@acme.org'")
            .await,
        0
    );
}

#[tokio::test]
async fn a_token_without_the_providers_signature_is_not_taken() {
    let company = Company::new().await;
    let forged = |head: &str| {
        let head = URL_SAFE_NO_PAD.encode(head);
        move |token: String| {
            let payload = token.split('.').nth(1).unwrap();
            format!("{head}.{payload}.")
        }
    };
    let key = SigningKey::from_bytes(&random());
    for case in 0..4 {
        let sent = company.start("", None).await.unwrap();
        let mut claims = ann(&["boss"]);
        claims["nonce"] = json!(sent.nonce);
        let head = company.provider.head();
        let token = company.provider.token(&company.site, head, claims.clone());
        let token = match case {
            0 => forged(r#"{"alg":"none"}"#)(token),
            1 => forged(r#"{"alg":"HS256"}"#)(token),
            2 => {
                let head = company.provider.head();
                let real = company.provider.key.lock().unwrap().clone();
                *company.provider.key.lock().unwrap() = key.clone();
                let token = company.provider.token(&company.site, head, claims);
                *company.provider.key.lock().unwrap() = real;
                token
            }
            _ => {
                let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
                let payload = URL_SAFE_NO_PAD.decode(&parts[1]).unwrap();
                let text = String::from_utf8(payload).unwrap().replace("ann@", "eve@");
                parts[1] = URL_SAFE_NO_PAD.encode(text);
                parts.join(".")
            }
        };
        let code = company.provider.code_for(&sent.challenge, token);
        let query = format!("code={code}&state={}", sent.state);
        let told = company.callback("acme", &query, &sent.flow).await;
        assert!(
            told.status.is_client_error() || told.status.is_server_error(),
            "{case}"
        );
        assert_eq!(told.session, None, "{case}");
    }
}

#[tokio::test]
async fn an_answer_counts_once_and_in_the_browser_that_began() {
    let company = Company::new().await;
    let sent = company.start("", None).await.unwrap();
    let other = company.start("", None).await.unwrap();
    let mut claims = ann(&["staff"]);
    claims["nonce"] = json!(sent.nonce);
    let code = company
        .provider
        .code(&company.site, &sent.challenge, claims);
    let query = format!("code={code}&state={}", sent.state);
    // Login CSRF: an attacker's answer in a victim's browser. A mix-up: another provider's address or issuer.
    for (provider, query, cookie) in [
        ("acme", query.as_str(), "a=b"),
        ("acme", query.as_str(), other.flow.as_str()),
        (
            "acme",
            &format!("code={code}&state={}", other.state),
            sent.flow.as_str(),
        ),
        ("acme", &format!("code={code}"), sent.flow.as_str()),
        (
            "acme",
            &format!("code={code}&state={0}&state={0}", sent.state),
            sent.flow.as_str(),
        ),
        ("other", query.as_str(), sent.flow.as_str()),
        ("acme", query.as_str(), &format!("{FLOW}=x")),
    ] {
        let told = company.callback(provider, query, cookie).await;
        assert_eq!(
            told.status,
            StatusCode::BAD_REQUEST,
            "{provider} {query} {cookie}"
        );
        assert!(told.page.contains("did not begin"), "{}", told.page);
    }
    let told = company.callback("acme", &query, &sent.flow).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.page);
    let told = company.callback("acme", &query, &sent.flow).await;
    assert_eq!(told.status, StatusCode::BAD_REQUEST);
    // Under another issuer's name.
    let mixed = format!(
        "code=x&state={}&iss=https%3A%2F%2Fevil.example",
        other.state
    );
    let told = company.callback("acme", &mixed, &other.flow).await;
    assert_eq!(told.status, StatusCode::BAD_REQUEST);
    // After ten minutes.
    let late = company.start("", None).await.unwrap();
    company.site.clock.forward(601);
    assert_eq!(
        company.finish(&late, ann(&["staff"])).await.status,
        StatusCode::BAD_REQUEST
    );
    assert!(company.count("SELECT COUNT(*) FROM oidc_flows").await <= 1);
}

#[tokio::test]
async fn a_code_of_another_sign_in_is_of_no_use() {
    let company = Company::new().await;
    let victim = company.start("", None).await.unwrap();
    let attacker = company.start("", None).await.unwrap();
    let mut claims = ann(&["boss"]);
    claims["nonce"] = json!(victim.nonce);
    let code = company
        .provider
        .code(&company.site, &victim.challenge, claims);
    let query = format!("code={code}&state={}", attacker.state);
    let told = company.callback("acme", &query, &attacker.flow).await;
    assert_eq!(told.status, StatusCode::FORBIDDEN, "{}", told.page);
}

#[tokio::test]
async fn new_keys_of_the_provider_are_looked_for_once_a_minute() {
    let company = Company::new().await;
    assert_eq!(
        company.sign_in(ann(&["staff"])).await.status,
        StatusCode::OK
    );
    *company.provider.key.lock().unwrap() = SigningKey::from_bytes(&random());
    assert_eq!(
        company.sign_in(ann(&["staff"])).await.status,
        StatusCode::FORBIDDEN
    );
    company.site.clock.forward(61);
    assert_eq!(
        company.sign_in(ann(&["staff"])).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_flood_of_sign_ins_is_turned_away_and_nothing_is_kept_in_plain() {
    let company = Company::new().await;
    let sent = company.start("", None).await.unwrap();
    let secret = sent.flow.split('=').nth(1).unwrap();
    let plain = "SELECT COUNT(*) FROM oidc_flows WHERE length(state) = 64 AND length(browser) = 64";
    assert_eq!(company.count(plain).await, 1);
    assert!(!sent.url.contains(secret));
    let mut turned_away = false;
    for _ in 0..60 {
        let path = "/api/v1/oidc/acme/start";
        let answer = company.site.send(request(Method::GET, path, None)).await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.headers().contains_key("retry-after"));
            turned_away = true;
        }
    }
    assert!(turned_away);
    for path in ["/api/v1/oidc/nobody/start", "/api/v1/oidc/nobody/callback"] {
        let answer = company.site.send(request(Method::GET, path, None)).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
}
