//! Passkeys, with an authenticator in software that can be told to lie.

mod device;
mod life;

use ::http::{Method, StatusCode};
use serde_json::{Value, json};

use self::device::Device;
use super::{
    Site, code,
    second_factor::{OWNER, ask, sign_in, two_people},
};

const ADMIN: &str = "admin@example.org";
const PASSKEYS: &str = "/api/v1/passkeys";
const SIGN_IN: &str = "/api/v1/session/passkey";
const PROVE: &str = "/api/v1/session/reauthenticate/passkey";

/// What the authenticator is asked at `path`.
async fn asked(site: &Site, cookie: &str, path: &str) -> Value {
    let path = format!("{path}/begin");
    let (status, asked, _) = ask(site, cookie, Method::POST, &path, None).await;
    assert_eq!(status, StatusCode::OK, "{asked}");
    asked
}

async fn finish(
    site: &Site,
    cookie: &str,
    path: &str,
    asked: &Value,
    credential: Value,
) -> (StatusCode, Value, String) {
    let mut body = json!({"challenge": asked["challenge"], "credential": credential});
    if path == PASSKEYS {
        body["name"] = json!("desk");
    }
    ask(site, cookie, Method::POST, path, Some(body)).await
}

/// The code of the refusal of an answer.
async fn refused(site: &Site, cookie: &str, path: &str, asked: &Value, answer: Value) -> String {
    let (_, problem, set) = finish(site, cookie, path, asked, answer).await;
    assert_eq!(set, "", "{problem}");
    code(&problem).to_owned()
}

/// A device with a passkey of somebody, the passkey's id, and the session in which it was made.
async fn with_passkey(site: &Site, email: &str) -> (Device, String, String) {
    let (_, _, cookie) = sign_in(site, email, super::PASSWORD).await;
    let mut device = Device::new();
    let asked = asked(site, &cookie, PASSKEYS).await;
    let (status, made, _) = finish(site, &cookie, PASSKEYS, &asked, device.make(&asked)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    (device, made["id"].as_str().unwrap().to_owned(), cookie)
}

/// Signs in with a device.
async fn enter(site: &Site, device: &mut Device) -> (StatusCode, Value, String) {
    let asked = asked(site, "", SIGN_IN).await;
    finish(site, "", SIGN_IN, &asked, device.sign(&asked)).await
}

async fn count(site: &Site, sql: &str) -> i64 {
    let mut reader = site.app.store.read().await.unwrap();
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    let found = sqlx::query_scalar(sql).fetch_one(&mut *reader).await;
    found.unwrap()
}

#[tokio::test]
async fn a_passkey_signs_in_alone() {
    let site = Site::new().await;
    let (mut device, id, cookie) = with_passkey(&site, OWNER).await;
    // Whoever has a second factor is not asked for it: the passkey asked already.
    site.sql(
        "INSERT INTO totp_factors (\"user\", sealed, created_at, confirmed_at)
         SELECT id, 'x', 0, 1 FROM users WHERE email = 'owner@example.org'",
    )
    .await;
    let (status, who, mine) = enter(&site, &mut device).await;
    assert_eq!((status, &who["email"]), (StatusCode::OK, &json!(OWNER)));
    let (_, page, _) = ask(&site, &mine, Method::GET, "/api/v1/sessions", None).await;
    let sessions = page["items"].as_array().unwrap();
    let this = sessions.iter().find(|session| session["current"] == true);
    assert_eq!(this.unwrap()["method"], "passkey");

    let path = format!("{PASSKEYS}/{id}/name");
    let body = Some(json!({"name": "telephone"}));
    let renamed = ask(&site, &cookie, Method::PUT, &path, body).await;
    assert_eq!(renamed.0, StatusCode::NO_CONTENT);
    let (_, page, _) = ask(&site, &cookie, Method::GET, PASSKEYS, None).await;
    let listed = &page["items"][0];
    assert_eq!(
        (&listed["id"], &listed["name"]),
        (&json!(id), &json!("telephone"))
    );
    assert_eq!(listed["last_used_at"], json!(site.app.clock.now()));
    assert_eq!(listed["synced"], json!(false));
    let (_, has, _) = ask(&site, &cookie, Method::GET, "/api/v1/sign-in-methods", None).await;
    assert_eq!(has["passkeys"], 1);
    let told = "SELECT COUNT(*) FROM mails WHERE body_text LIKE '%A passkey was added%desk%'";
    assert_eq!(count(&site, told).await, 1);
}

#[tokio::test]
async fn nothing_is_answered_twice_late_or_for_another_end() {
    let site = Site::new().await;
    let (mut device, _, cookie) = with_passkey(&site, OWNER).await;
    let first = asked(&site, "", SIGN_IN).await;
    let answer = device.sign(&first);
    let (status, _, _) = finish(&site, "", SIGN_IN, &first, answer.clone()).await;
    assert_eq!(status, StatusCode::OK);
    let over = "no_such_challenge";
    assert_eq!(
        refused(&site, "", SIGN_IN, &first, answer.clone()).await,
        over
    );
    // In a new challenge it is the answer to another question.
    let second = asked(&site, "", SIGN_IN).await;
    assert_eq!(
        refused(&site, "", SIGN_IN, &second, answer).await,
        "bad_passkey"
    );
    // A wrong answer uses it up.
    let right = device.sign(&second);
    assert_eq!(refused(&site, "", SIGN_IN, &second, right).await, over);

    let late = asked(&site, "", SIGN_IN).await;
    let prove = asked(&site, &cookie, PROVE).await;
    let create = asked(&site, &cookie, PASSKEYS).await;
    let signed = device.sign(&prove);
    assert_eq!(refused(&site, "", SIGN_IN, &prove, signed).await, over);
    let signed = device.sign(&create);
    assert_eq!(refused(&site, "", SIGN_IN, &create, signed).await, over);
    let signed = device.sign(&late);
    assert_eq!(refused(&site, &cookie, PROVE, &late, signed).await, over);
    site.clock.forward(301);
    let signed = device.sign(&late);
    assert_eq!(refused(&site, "", SIGN_IN, &late, signed).await, over);
    let made = Device::new().make(&create);
    assert_eq!(refused(&site, &cookie, PASSKEYS, &create, made).await, over);
}

#[tokio::test]
async fn of_two_that_bring_one_answer_at_once_one_gets_in() {
    let site = Site::new().await;
    let (mut device, _, _) = with_passkey(&site, OWNER).await;
    let open = asked(&site, "", SIGN_IN).await;
    let answer = device.sign(&open);
    let (one, two) = tokio::join!(
        finish(&site, "", SIGN_IN, &open, answer.clone()),
        finish(&site, "", SIGN_IN, &open, answer)
    );
    let mut found = [one.0, two.0];
    found.sort();
    assert_eq!(found, [StatusCode::OK, StatusCode::UNAUTHORIZED]);
}

#[tokio::test]
async fn a_lie_does_not_sign_in() {
    let site = Site::new().await;
    let (mut device, _, _) = with_passkey(&site, OWNER).await;
    let bad = "bad_passkey";
    // Another page asked for it.
    for origin in [
        "https://evil.example.org",
        "https://buckets.example.org.evil.example",
        "http://buckets.example.org",
    ] {
        let open = asked(&site, "", SIGN_IN).await;
        let answer = device.at(origin).sign(&open);
        assert_eq!(
            refused(&site, "", SIGN_IN, &open, answer).await,
            bad,
            "{origin}"
        );
    }
    device.at(super::PUBLIC_URL);
    // Nobody was asked who they are.
    let open = asked(&site, "", SIGN_IN).await;
    device.verifies = false;
    let answer = device.sign(&open);
    device.verifies = true;
    assert_eq!(refused(&site, "", SIGN_IN, &open, answer).await, bad);
    // One byte of what was signed, of the signature, or of whose it is.
    for part in [
        "signature",
        "authenticatorData",
        "clientDataJSON",
        "userHandle",
    ] {
        let open = asked(&site, "", SIGN_IN).await;
        let mut answer = device.sign(&open);
        device::tamper(&mut answer["response"][part]);
        assert_eq!(
            refused(&site, "", SIGN_IN, &open, answer).await,
            bad,
            "{part}"
        );
    }
    let open = asked(&site, "", SIGN_IN).await;
    let mut answer = device.sign(&open);
    answer["response"]["userHandle"] = Value::Null;
    assert_eq!(refused(&site, "", SIGN_IN, &open, answer).await, bad);
    // A passkey that nobody has, and what is none.
    for answer in [
        Device::new().sign(&open),
        json!(null),
        json!("x"),
        json!({"id": 1}),
    ] {
        let open = asked(&site, "", SIGN_IN).await;
        assert_eq!(refused(&site, "", SIGN_IN, &open, answer).await, bad);
    }
    for challenge in ["", "x", &"x".repeat(43)] {
        let none = json!({"challenge": challenge});
        let answer = device.sign(&open);
        assert_eq!(
            refused(&site, "", SIGN_IN, &none, answer).await,
            "no_such_challenge"
        );
    }
    assert_eq!(enter(&site, &mut device).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_copy_that_counts_backwards_is_refused_and_told() {
    let site = Site::new().await;
    let (mut device, _, _) = with_passkey(&site, OWNER).await;
    for _ in 0..3 {
        assert_eq!(enter(&site, &mut device).await.0, StatusCode::OK);
    }
    for counter in [device.counter - 1, 0] {
        let kept = std::mem::replace(&mut device.counter, counter);
        let (status, problem, cookie) = enter(&site, &mut device).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::UNAUTHORIZED, "bad_passkey")
        );
        assert_eq!(cookie, "");
        device.counter = kept;
    }
    let told = "SELECT COUNT(*) FROM mails WHERE body_text LIKE '%counted backwards%'";
    assert_eq!(count(&site, told).await, 2);
    let noted = "SELECT COUNT(*) FROM security_events WHERE detail = 'a passkey counted backwards'";
    assert_eq!(count(&site, noted).await, 2);
    assert_eq!(enter(&site, &mut device).await.0, StatusCode::OK);
}

#[tokio::test]
async fn nothing_of_another_person_helps() {
    let site = Site::new().await;
    two_people(&site).await;
    let (mut hers, id, _) = with_passkey(&site, OWNER).await;
    let (mut his, _, cookie) = with_passkey(&site, ADMIN).await;
    // Her passkey proves nothing in his session, whoever it says that it is of.
    let user = hers.user.clone();
    for said in [user.clone(), his.user.clone()] {
        let open = asked(&site, &cookie, PROVE).await;
        hers.user = said;
        let answer = hers.sign(&open);
        assert_eq!(
            refused(&site, &cookie, PROVE, &open, answer).await,
            "bad_passkey"
        );
    }
    hers.user = user;
    let noted = "SELECT COUNT(*) FROM security_events WHERE kind = 'sign_in_failed' AND subject = ";
    assert_eq!(count(&site, &format!("{noted}'{ADMIN}'")).await, 2);
    assert_eq!(count(&site, &format!("{noted}'{OWNER}'")).await, 0);
    // Nor does his sign in as her.
    let open = asked(&site, "", SIGN_IN).await;
    let own = std::mem::replace(&mut his.user, hers.user.clone());
    let answer = his.sign(&open);
    assert_eq!(
        refused(&site, "", SIGN_IN, &open, answer).await,
        "bad_passkey"
    );
    his.user = own;
    // He neither adds hers as his, nor finishes what she began, nor sees or deletes it.
    let open = asked(&site, &cookie, PASSKEYS).await;
    let answer = hers.make_again(&open);
    assert_eq!(
        refused(&site, &cookie, PASSKEYS, &open, answer).await,
        "passkey_taken"
    );
    let (_, _, her_cookie) = sign_in(&site, OWNER, super::PASSWORD).await;
    let open = asked(&site, &her_cookie, PASSKEYS).await;
    let answer = Device::new().make(&open);
    assert_eq!(
        refused(&site, &cookie, PASSKEYS, &open, answer).await,
        "no_such_challenge"
    );
    let path = format!("{PASSKEYS}/{id}");
    let (status, problem, _) = ask(&site, &cookie, Method::DELETE, &path, None).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::NOT_FOUND, "no_such_passkey")
    );
    let body = Some(json!({"name": "mine"}));
    let renamed = ask(&site, &cookie, Method::PUT, &format!("{path}/name"), body).await;
    assert_eq!(renamed.0, StatusCode::NOT_FOUND);
    let (status, who, _) = enter(&site, &mut hers).await;
    assert_eq!((status, &who["email"]), (StatusCode::OK, &json!(OWNER)));
}

#[tokio::test]
async fn a_passkey_that_did_not_ask_or_is_too_many_is_not_kept() {
    let site = Site::new().await;
    let (device, _, cookie) = with_passkey(&site, OWNER).await;
    let open = asked(&site, &cookie, PASSKEYS).await;
    let excluded = &open["public_key"]["excludeCredentials"][0]["id"];
    assert_eq!(excluded, &json!(device.credential()));
    let selection = &open["public_key"]["authenticatorSelection"];
    assert_eq!(
        (&selection["residentKey"], &selection["userVerification"]),
        (&json!("required"), &json!("required"))
    );
    let mut careless = Device::new();
    careless.verifies = false;
    let answer = careless.make(&open);
    assert_eq!(
        refused(&site, &cookie, PASSKEYS, &open, answer).await,
        "bad_passkey"
    );
    let open = asked(&site, &cookie, PASSKEYS).await;
    let answer = Device::new().at("https://evil.example.org").make(&open);
    assert_eq!(
        refused(&site, &cookie, PASSKEYS, &open, answer).await,
        "bad_passkey"
    );
    let open = asked(&site, &cookie, PASSKEYS).await;
    for number in 1..20 {
        site.sql(&format!(
            "INSERT INTO passkeys (id, \"user\", credential, name, passkey, synced, created_at)
             SELECT 'x{number}', \"user\", 'x{number}', 'x', '', 0, 0 FROM passkeys LIMIT 1"
        ))
        .await;
    }
    let answer = Device::new().make(&open);
    assert_eq!(
        refused(&site, &cookie, PASSKEYS, &open, answer).await,
        "too_many_passkeys"
    );
}
