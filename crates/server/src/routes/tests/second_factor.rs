//! Second factors, and what somebody who has half of the proof makes of it.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use ::http::{Method, StatusCode, header};
use axum::extract::ConnectInfo;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use super::{PASSWORD, PUBLIC_URL, Site, code, read, request};
use crate::{auth::secret::StoredSecret, store::Durability};

pub(super) const OWNER: &str = "owner@example.org";
const TOTP: &str = "/api/v1/sign-in-methods/totp";
const CONFIRM: &str = "/api/v1/sign-in-methods/totp/confirm";
const CODES: &str = "/api/v1/sign-in-methods/recovery-codes";

/// Status, body and cookie, asked from an address of its own, so that only what is for all counts.
pub(super) async fn ask(
    site: &Site,
    cookie: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value, String) {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    let mut request = request(method, path, body);
    let peer = [198, 51, 100, NEXT.fetch_add(1, Ordering::Relaxed)];
    let peer = ConnectInfo(SocketAddr::from((peer, 4444)));
    request.extensions_mut().insert(peer);
    if !cookie.is_empty() {
        let headers = request.headers_mut();
        headers.insert(header::COOKIE, cookie.parse().unwrap());
        headers.insert(header::ORIGIN, PUBLIC_URL.parse().unwrap());
    }
    let answer = site.send(request).await;
    let set = answer.headers().get(header::SET_COOKIE);
    let set = set.map(|text| text.to_str().unwrap().split(';').next().unwrap().to_owned());
    let (status, body) = read(answer).await;
    (status, body, set.unwrap_or_default())
}

pub(super) async fn sign_in(
    site: &Site,
    email: &str,
    password: &str,
) -> (StatusCode, Value, String) {
    let body = json!({"email": email, "password": password});
    ask(site, "", Method::POST, "/api/v1/session", Some(body)).await
}

/// The challenge of a sign-in that is half done.
async fn challenge(site: &Site, email: &str) -> String {
    let (status, body, cookie) = sign_in(site, email, PASSWORD).await;
    assert_eq!((status, cookie.as_str()), (StatusCode::OK, ""));
    assert!(body["email"].is_null());
    body["second_factor"]["challenge"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn answer(site: &Site, challenge: &str, code: &str) -> (StatusCode, Value, String) {
    let body = json!({"challenge": challenge, "code": code});
    let path = "/api/v1/session/second-factor";
    ask(site, "", Method::POST, path, Some(body)).await
}

/// The code of the refusal of an answer.
async fn refused(site: &Site, challenge: &str, text: &str) -> String {
    let (status, problem, cookie) = answer(site, challenge, text).await;
    assert_eq!((status, cookie.as_str()), (StatusCode::UNAUTHORIZED, ""));
    code(&problem).to_owned()
}

/// Somebody with an authenticator app.
struct Guarded {
    app: Totp,
    codes: Vec<String>,
    cookie: String,
}

impl Guarded {
    async fn new(site: &Site, email: &str) -> Self {
        let (_, _, cookie) = sign_in(site, email, PASSWORD).await;
        let (status, begun, _) = ask(site, &cookie, Method::POST, TOTP, None).await;
        assert_eq!(status, StatusCode::OK, "{begun}");
        let secret = Secret::try_from_base32(begun["secret"].as_str().unwrap()).unwrap();
        let app = Builder::new()
            .with_secret(secret)
            .with_account_name("x")
            .build()
            .unwrap();
        let mut guarded = Self {
            app,
            codes: vec![],
            cookie,
        };
        let body = Some(json!({"code": guarded.now(site)}));
        let (status, made, _) = ask(site, &guarded.cookie, Method::POST, CONFIRM, body).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let codes = made["recovery_codes"].as_array().unwrap();
        guarded.codes = codes
            .iter()
            .map(|code| code.as_str().unwrap().to_owned())
            .collect();
        // The code that confirmed it is used up.
        site.clock.forward(30);
        guarded
    }

    /// What the app shows.
    fn now(&self, site: &Site) -> String {
        let seconds = site.app.clock.now().0 / 1_000_000;
        self.app
            .generate(u64::try_from(seconds).unwrap())
            .to_string()
    }
}

/// Gives the admin a password, too.
pub(super) async fn two_people(site: &Site) {
    site.sql(
        "UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE email = 'owner@example.org')
         WHERE email = 'admin@example.org'",
    )
    .await;
}

#[tokio::test]
async fn a_sign_in_takes_both_halves_and_the_session_says_so() {
    let site = Site::new().await;
    let (_, _, other) = sign_in(&site, OWNER, PASSWORD).await;
    let ann = Guarded::new(&site, OWNER).await;
    // Sessions that were begun without it end.
    let whoami = async |cookie: &str| {
        ask(&site, cookie, Method::GET, "/api/v1/whoami", None)
            .await
            .0
    };
    assert_eq!(whoami(&other).await, StatusCode::UNAUTHORIZED);
    assert_eq!(whoami(&ann.cookie).await, StatusCode::OK);

    let (_, body, _) = sign_in(&site, OWNER, PASSWORD).await;
    let methods = &body["second_factor"]["methods"];
    assert_eq!(methods, &json!(["totp", "recovery_code"]));
    let open = body["second_factor"]["challenge"].as_str().unwrap();
    let (status, body, cookie) = answer(&site, open, &ann.now(&site)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["email"], OWNER);
    let (_, page, _) = ask(&site, &cookie, Method::GET, "/api/v1/sessions", None).await;
    let methods: Vec<_> = page["items"].as_array().unwrap().iter().collect();
    assert_eq!(methods[1]["method"], "password+totp");
    let (_, has, _) = ask(&site, &cookie, Method::GET, "/api/v1/sign-in-methods", None).await;
    assert_eq!(has["recovery_codes"], 10);
    // Neither a secret nor a code is readable in the database.
    let sealed: String = sqlx::query_scalar("SELECT sealed FROM totp_factors")
        .fetch_one(&mut *site.app.store.read().await.unwrap())
        .await
        .unwrap();
    assert!(!sealed.contains(&ann.codes[0]));
    assert_eq!(sealed.len(), 64);
}

#[tokio::test]
async fn no_code_is_taken_twice() {
    let site = Site::new().await;
    let ann = Guarded::new(&site, OWNER).await;
    let seen = ann.now(&site);
    let first = challenge(&site, OWNER).await;
    assert_eq!(answer(&site, &first, &seen).await.0, StatusCode::OK);
    // The challenge is over, and so is the code, in another challenge, too, and as a proof.
    assert_eq!(refused(&site, &first, &seen).await, "no_such_challenge");
    let second = challenge(&site, OWNER).await;
    assert_eq!(refused(&site, &second, &seen).await, "bad_code");
    let failures = "/api/v1/audit?result=bad_code";
    let (_, told) = site.get(&site.owner, failures).await;
    assert_eq!(told["items"][0]["thing"], OWNER, "{told}");
    let (_, told) = site.get(&site.stranger, failures).await;
    assert_eq!(told["items"].as_array().map(Vec::len), Some(0), "{told}");
    let prove = "/api/v1/session/reauthenticate";
    let body = Some(json!({"password": PASSWORD, "code": seen}));
    let (status, problem, _) = ask(&site, &ann.cookie, Method::POST, prove, body).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::UNAUTHORIZED, "bad_code")
    );
    // One that is older than the newest that was taken does not come back either.
    let old = ann.now(&site);
    site.clock.forward(30);
    assert_eq!(
        answer(&site, &second, &ann.now(&site)).await.0,
        StatusCode::OK
    );
    let third = challenge(&site, OWNER).await;
    assert_eq!(refused(&site, &third, &old).await, "bad_code");
    // Nor does a recovery code.
    assert_eq!(
        answer(&site, &third, &ann.codes[0].to_uppercase()).await.0,
        StatusCode::OK
    );
    let fourth = challenge(&site, OWNER).await;
    assert_eq!(refused(&site, &fourth, &ann.codes[0]).await, "bad_code");
    assert_eq!(
        answer(&site, &fourth, &ann.codes[1]).await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn of_two_that_bring_one_code_at_once_one_gets_in() {
    let site = Site::new().await;
    let ann = Guarded::new(&site, OWNER).await;
    for text in [ann.now(&site), ann.codes[0].clone()] {
        let (one, two) = (challenge(&site, OWNER).await, challenge(&site, OWNER).await);
        let answers = tokio::join!(answer(&site, &one, &text), answer(&site, &two, &text));
        let mut found = [answers.0.0, answers.1.0];
        found.sort();
        assert_eq!(found, [StatusCode::OK, StatusCode::UNAUTHORIZED]);
    }
    // And one challenge serves once, whatever is brought.
    let open = challenge(&site, OWNER).await;
    let answers = tokio::join!(
        answer(&site, &open, &ann.codes[1]),
        answer(&site, &open, &ann.codes[2])
    );
    let mut found = [answers.0.0, answers.1.0];
    found.sort();
    assert_eq!(found, [StatusCode::OK, StatusCode::UNAUTHORIZED]);
}

#[tokio::test]
async fn nothing_of_another_person_helps() {
    let site = Site::new().await;
    two_people(&site).await;
    let ann = Guarded::new(&site, OWNER).await;
    let bob = Guarded::new(&site, "admin@example.org").await;
    let open = challenge(&site, OWNER).await;
    assert_eq!(refused(&site, &open, &bob.now(&site)).await, "bad_code");
    assert_eq!(refused(&site, &open, &bob.codes[0]).await, "bad_code");
    // Bob's own challenge takes bob's code, and makes a session of his alone.
    let his = challenge(&site, "admin@example.org").await;
    assert_eq!(refused(&site, &his, &ann.now(&site)).await, "bad_code");
    let (status, who, _) = answer(&site, &his, &bob.codes[0]).await;
    assert_eq!(
        (status, &who["email"]),
        (StatusCode::OK, &json!("admin@example.org"))
    );
    // Bob's sealed secret in ann's row does not open for her.
    site.sql(
        "UPDATE totp_factors SET sealed = (SELECT sealed FROM totp_factors JOIN users ON users.id = \"user\"
         WHERE email = 'admin@example.org')",
    )
    .await;
    let (status, _, cookie) = answer(&site, &open, &bob.now(&site)).await;
    assert_eq!(
        (status, cookie.as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "")
    );
    for none in ["", "x", &"x".repeat(43)] {
        assert_eq!(
            refused(&site, none, &ann.now(&site)).await,
            "no_such_challenge"
        );
    }
}

#[tokio::test]
async fn guessing_ends_soon_and_keeps_nobody_out() {
    let site = Site::new().await;
    let ann = Guarded::new(&site, OWNER).await;
    let wrong = |number: u32| format!("{number:06}");
    let open = challenge(&site, OWNER).await;
    for number in 0..5 {
        assert_eq!(refused(&site, &open, &wrong(number)).await, "bad_code");
    }
    // The sixth try is none, even with the right code.
    assert_eq!(
        refused(&site, &open, &ann.now(&site)).await,
        "no_such_challenge"
    );
    // New challenges do not bring new tries for ever.
    let mut limited = None;
    for number in 5..30 {
        let open = challenge(&site, OWNER).await;
        let (status, problem, _) = answer(&site, &open, &wrong(number)).await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            limited = Some(code(&problem).to_owned());
            break;
        }
        assert_eq!(code(&problem), "bad_code");
    }
    assert_eq!(limited.as_deref(), Some("rate_limited"));
    // Its owner still gets in.
    let open = challenge(&site, OWNER).await;
    assert_eq!(answer(&site, &open, &ann.codes[9]).await.0, StatusCode::OK);
    let failures: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM security_events WHERE kind = 'sign_in_failed' AND subject = 'owner@example.org'",
    )
    .fetch_one(&mut *site.app.store.read().await.unwrap())
    .await
    .unwrap();
    assert!(failures >= 15, "{failures}");
}

#[tokio::test]
async fn a_challenge_is_void_when_what_it_stands_on_changes() {
    let site = Site::new().await;
    let ann = Guarded::new(&site, OWNER).await;
    let new = "another fine password";
    // It waits for five minutes.
    let late = challenge(&site, OWNER).await;
    site.clock.forward(301);
    assert_eq!(
        refused(&site, &late, &ann.now(&site)).await,
        "no_such_challenge"
    );
    // Another password.
    let open = challenge(&site, OWNER).await;
    let body = Some(json!({"current": PASSWORD, "new": new}));
    let changed = ask(&site, &ann.cookie, Method::PUT, "/api/v1/password", body).await;
    assert_eq!(changed.0, StatusCode::NO_CONTENT);
    assert_eq!(
        refused(&site, &open, &ann.now(&site)).await,
        "no_such_challenge"
    );
    // A reset, which does not get around the second factor.
    let (_, body, _) = sign_in(&site, OWNER, new).await;
    let open = body["second_factor"]["challenge"].as_str().unwrap();
    let body = Some(json!({"email": OWNER}));
    ask(&site, "", Method::POST, "/api/v1/password/forgotten", body).await;
    let token = link(&site).await;
    let body = Some(json!({"token": token, "password": PASSWORD}));
    let reset = ask(&site, "", Method::POST, "/api/v1/password/reset", body).await;
    assert_eq!((reset.0, reset.2.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(
        refused(&site, open, &ann.now(&site)).await,
        "no_such_challenge"
    );
    let open = challenge(&site, OWNER).await;
    let (_, _, cookie) = answer(&site, &open, &ann.now(&site)).await;
    // Turned off while one is open.
    let open = challenge(&site, OWNER).await;
    let off = ask(&site, &cookie, Method::DELETE, TOTP, None).await;
    assert_eq!(off.0, StatusCode::NO_CONTENT);
    site.clock.forward(30);
    for text in [&ann.now(&site), &ann.codes[0]] {
        assert_eq!(refused(&site, &open, text).await, "no_such_challenge");
    }
    let (_, who, cookie) = sign_in(&site, OWNER, PASSWORD).await;
    assert_eq!(who["email"], OWNER);
    assert!(!cookie.is_empty());
}

/// The secret of the newest link, once it is there.
async fn link(site: &Site) -> String {
    loop {
        let text: Option<String> = sqlx::query_scalar(
            "SELECT body_text FROM mails WHERE body_text LIKE '%/password#%' ORDER BY id DESC LIMIT 1",
        )
        .fetch_optional(&mut *site.app.store.read().await.unwrap())
        .await
        .unwrap();
        if let Some(text) = text {
            let (_, rest) = text.split_once("/password#").unwrap();
            return rest.split_whitespace().next().unwrap().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn changes_need_a_fresh_proof_and_are_told_by_e_mail() {
    let site = Site::new().await;
    let ann = Guarded::new(&site, OWNER).await;
    let (status, problem, _) = ask(&site, &ann.cookie, Method::POST, TOTP, None).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "already_on")
    );
    site.clock.forward(601);
    for (method, path) in [
        (Method::POST, TOTP),
        (Method::DELETE, TOTP),
        (Method::POST, CODES),
    ] {
        let (status, problem, _) = ask(&site, &ann.cookie, method, path, None).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::FORBIDDEN, "reauthenticate")
        );
    }
    let prove = async |body: Value| {
        let path = "/api/v1/session/reauthenticate";
        let (status, ..) = ask(&site, &ann.cookie, Method::POST, path, Some(body)).await;
        status
    };
    // Half of what a sign-in asks for is no proof, and spends nothing of the other half.
    let fresh = ann.now(&site);
    for half in [
        json!({}),
        json!({"password": PASSWORD}),
        json!({"code": fresh}),
    ] {
        assert_eq!(prove(half).await, StatusCode::BAD_REQUEST);
    }
    for wrong in [
        json!({"password": PASSWORD, "code": "not a code"}),
        json!({"password": "a wrong one", "code": fresh}),
        json!({"password": "a wrong one", "code": ann.codes[0]}),
    ] {
        assert_eq!(prove(wrong).await, StatusCode::UNAUTHORIZED);
    }
    let (status, problem, _) = ask(&site, &ann.cookie, Method::POST, CODES, None).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::FORBIDDEN, "reauthenticate")
    );
    assert_eq!(
        prove(json!({"password": PASSWORD, "code": fresh})).await,
        StatusCode::NO_CONTENT
    );
    let (status, made, _) = ask(&site, &ann.cookie, Method::POST, CODES, None).await;
    assert_eq!(status, StatusCode::OK);
    let new = made["recovery_codes"][0].as_str().unwrap();
    let open = challenge(&site, OWNER).await;
    assert_eq!(refused(&site, &open, &ann.codes[0]).await, "bad_code");
    assert_eq!(answer(&site, &open, new).await.0, StatusCode::OK);
    let off = ask(&site, &ann.cookie, Method::DELETE, TOTP, None).await;
    assert_eq!(off.0, StatusCode::NO_CONTENT);
    for path in [CODES, TOTP] {
        let method = match path {
            TOTP => Method::DELETE,
            _ => Method::POST,
        };
        let (status, problem, _) = ask(&site, &ann.cookie, method, path, None).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::NOT_FOUND, "no_second_factor")
        );
    }
    let told: Vec<String> = sqlx::query_scalar("SELECT body_text FROM mails")
        .fetch_all(&mut *site.app.store.read().await.unwrap())
        .await
        .unwrap();
    let words = ["is needed", "made anew", "turned off"];
    // The clock stood still between two of them: their order says nothing.
    for word in words {
        assert!(told.iter().any(|text| text.contains(word)), "{told:?}");
    }
    assert_eq!(told.len(), words.len());
    let acts: Vec<String> = sqlx::query_scalar(
        "SELECT act FROM audit_events WHERE act LIKE 'sign_in_method.%' AND result = 'done' ORDER BY act",
    )
    .fetch_all(&mut *site.app.store.read().await.unwrap())
    .await
    .unwrap();
    assert_eq!(
        acts,
        [
            "sign_in_method.add",
            "sign_in_method.add",
            "sign_in_method.remove",
            "sign_in_method.renew_codes"
        ]
    );
}

#[tokio::test]
async fn one_that_is_not_confirmed_does_not_count() {
    let site = Site::new().await;
    let (_, _, cookie) = sign_in(&site, OWNER, PASSWORD).await;
    ask(&site, &cookie, Method::POST, TOTP, None).await;
    let body = Some(json!({"code": "000000"}));
    let (status, problem, _) = ask(&site, &cookie, Method::POST, CONFIRM, body).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::UNAUTHORIZED, "bad_code")
    );
    let (_, who, _) = sign_in(&site, OWNER, PASSWORD).await;
    assert_eq!(who["email"], OWNER);
}

#[tokio::test]
async fn who_has_a_second_factor_is_told_to_nobody_without_the_password() {
    let site = Site::new().await;
    two_people(&site).await;
    Guarded::new(&site, OWNER).await;
    let mut answers = vec![];
    for email in [
        OWNER,
        "admin@example.org",
        "viewer@example.org",
        "nobody@example.org",
    ] {
        let (status, mut problem, cookie) = sign_in(&site, email, "a wrong password").await;
        problem["error"]["request"].take();
        answers.push((status, problem, cookie));
    }
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[tokio::test]
async fn a_forgotten_password_is_looked_up_after_the_answer() {
    let site = Site::new().await;
    // While nothing can be written, known and unknown are answered all the same.
    let held = site.app.store.write(Durability::Machine).await.unwrap();
    for email in [OWNER, "nobody@example.org"] {
        let body = Some(json!({"email": email}));
        let path = "/api/v1/password/forgotten";
        let asked = ask(&site, "", Method::POST, path, body);
        let (status, ..) = tokio::time::timeout(Duration::from_secs(20), asked)
            .await
            .unwrap();
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    drop(held);
    assert!(StoredSecret::of_link(&link(&site).await).is_some());
}
