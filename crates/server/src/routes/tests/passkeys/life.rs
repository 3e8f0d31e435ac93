//! What becomes of passkeys: deleted, the only way in, beside a second factor, under a flood.

use ::http::{Method, StatusCode};
use serde_json::json;
use storm_protocol::{
    api::Role,
    ident::{Micros, PasskeyId},
};

use super::{
    super::{PASSWORD, Site, code},
    ADMIN, OWNER, PASSKEYS, PROVE, SIGN_IN, ask, asked, count,
    device::Device,
    enter, finish, refused, sign_in, two_people, with_passkey,
};
use crate::{
    auth::secret::PlainSecret,
    clock::random,
    store::{
        oidc::{Admission, Arrival},
        sessions::NewSession,
    },
};

const PASSWORD_PATH: &str = "/api/v1/password";

async fn whoami(site: &Site, cookie: &str) -> StatusCode {
    ask(site, cookie, Method::GET, "/api/v1/whoami", None)
        .await
        .0
}

#[tokio::test]
async fn a_deleted_passkey_stops_at_once_and_the_last_way_in_stays() {
    let site = Site::new().await;
    let (mut device, id, cookie) = with_passkey(&site, OWNER).await;
    let (_, _, of_it) = enter(&site, &mut device).await;
    let open = asked(&site, "", SIGN_IN).await;
    let answer = device.sign(&open);
    let path = format!("{PASSKEYS}/{id}");
    site.sql("UPDATE users SET password_hash = NULL WHERE email = 'owner@example.org'")
        .await;
    let (status, problem, _) = ask(&site, &cookie, Method::DELETE, &path, None).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "last_sign_in_method")
    );
    // Without a password nobody signs in with one.
    let (status, problem, _) = sign_in(&site, OWNER, "").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::UNAUTHORIZED, "bad_credentials")
    );
    site.sql("UPDATE users SET password_hash = 'x' WHERE email = 'owner@example.org'")
        .await;
    let mut another = Device::new();
    let asked = asked(&site, &cookie, PASSKEYS).await;
    let (status, _, _) = finish(&site, &cookie, PASSKEYS, &asked, another.make(&asked)).await;
    assert_eq!(status, StatusCode::CREATED);
    let (_, _, of_another) = enter(&site, &mut another).await;
    let deleted = ask(&site, &cookie, Method::DELETE, &path, None).await;
    assert_eq!(deleted.0, StatusCode::NO_CONTENT);
    assert_eq!(
        refused(&site, "", SIGN_IN, &open, answer).await,
        "bad_passkey"
    );
    assert_eq!(enter(&site, &mut device).await.0, StatusCode::UNAUTHORIZED);
    // What it began ends; what the password or another passkey began stays.
    assert_eq!(whoami(&site, &of_it).await, StatusCode::UNAUTHORIZED);
    assert_eq!(whoami(&site, &cookie).await, StatusCode::OK);
    assert_eq!(whoami(&site, &of_another).await, StatusCode::OK);
    let told = "SELECT COUNT(*) FROM mails WHERE body_text LIKE '%desk%was deleted%'";
    assert_eq!(count(&site, told).await, 1);
}

#[tokio::test]
async fn changes_need_a_fresh_proof_which_a_passkey_gives() {
    let site = Site::new().await;
    let (mut device, id, cookie) = with_passkey(&site, OWNER).await;
    site.clock.forward(601);
    let path = format!("{PASSKEYS}/{id}");
    let begin = format!("{PASSKEYS}/begin");
    for (method, path) in [(Method::POST, &begin), (Method::DELETE, &path)] {
        let (status, problem, _) = ask(&site, &cookie, method, path, None).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::FORBIDDEN, "reauthenticate")
        );
    }
    let open = asked(&site, &cookie, PROVE).await;
    let (status, _, _) = finish(&site, &cookie, PROVE, &open, device.sign(&open)).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let deleted = ask(&site, &cookie, Method::DELETE, &path, None).await;
    assert_eq!(deleted.0, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn whom_a_provider_vouches_for_has_no_passkeys() {
    let site = Site::new().await;
    two_people(&site).await;
    let (mut device, _, cookie) = with_passkey(&site, ADMIN).await;
    let begun = asked(&site, &cookie, PASSKEYS).await;
    let arrival = Arrival {
        issuer: "https://id.example.com",
        subject: "7",
        email: ADMIN,
        account: site.account,
        role: Some(Role::Admin),
        expected: None,
        origin: None,
        tokens_until: site.app.clock.now(),
    };
    let admitted = site.app.store.admit(&arrival, site.app.clock.now()).await;
    let Admission::In(user) = admitted.unwrap() else {
        panic!("not let in")
    };
    assert_eq!(enter(&site, &mut device).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(
        count(
            &site,
            "SELECT COUNT(*) FROM passkey_challenges WHERE \"user\" IS NOT NULL"
        )
        .await,
        0
    );
    // Whatever session they have: there is no room for another one.
    assert!(begun["challenge"].is_string());
    let room = site.app.store.passkey_room(user).await.unwrap();
    assert_eq!(room, crate::store::passkeys::Room::Elsewhere);
}

#[tokio::test]
async fn a_passkey_that_is_deleted_meanwhile_begins_no_session() {
    let site = Site::new().await;
    let (_, id, _) = with_passkey(&site, OWNER).await;
    let owner = site.app.store.user_by_email(OWNER).await.unwrap();
    let user = owner.unwrap().id;
    let gone = PasskeyId::new(Micros(0), random());
    for (passkey, begins) in [(id.parse().unwrap(), true), (gone, false)] {
        let session = NewSession {
            secret: PlainSecret::session().stored(),
            user,
            account: site.account,
            origin: None,
            user_agent: None,
            created_at: site.app.clock.now(),
            method: "passkey",
            passkey: Some(passkey),
            idle: std::time::Duration::from_secs(60),
            ends_at: site.app.clock.now().plus_seconds(60),
        };
        assert_eq!(site.app.store.begin_session(session).await.unwrap(), begins);
    }
}

#[tokio::test]
async fn a_passkey_can_be_the_only_way_in() {
    let site = Site::new().await;
    let (_, _, other) = sign_in(&site, OWNER, PASSWORD).await;
    let (status, problem, _) = ask(&site, &other, Method::DELETE, PASSWORD_PATH, None).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "last_sign_in_method")
    );
    let (mut device, _, cookie) = with_passkey(&site, OWNER).await;
    site.clock.forward(601);
    let (_, problem, _) = ask(&site, &cookie, Method::DELETE, PASSWORD_PATH, None).await;
    assert_eq!(code(&problem), "reauthenticate");
    let open = asked(&site, &cookie, PROVE).await;
    let answer = device.sign(&open);
    finish(&site, &cookie, PROVE, &open, answer).await;
    let removed = ask(&site, &cookie, Method::DELETE, PASSWORD_PATH, None).await;
    assert_eq!(removed.0, StatusCode::NO_CONTENT);

    assert_eq!(whoami(&site, &cookie).await, StatusCode::OK);
    assert_eq!(whoami(&site, &other).await, StatusCode::UNAUTHORIZED);
    for password in [PASSWORD, ""] {
        let (status, problem, _) = sign_in(&site, OWNER, password).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::UNAUTHORIZED, "bad_credentials")
        );
    }
    assert_eq!(enter(&site, &mut device).await.0, StatusCode::OK);
    let told = "SELECT COUNT(*) FROM mails WHERE body_text LIKE '%Your password was removed%'";
    assert_eq!(count(&site, told).await, 1);
}

#[tokio::test]
async fn whoever_is_asked_for_a_code_can_take_a_passkey_instead() {
    let site = Site::new().await;
    let (mut device, _, _) = with_passkey(&site, OWNER).await;
    let methods = async || {
        let (_, wanted, cookie) = sign_in(&site, OWNER, PASSWORD).await;
        (wanted["second_factor"]["methods"].clone(), cookie)
    };
    // A passkey alone asks for no second step after a password.
    assert_ne!(methods().await.1, "");
    site.sql(
        "INSERT INTO totp_factors (\"user\", sealed, created_at, confirmed_at)
         SELECT id, 'x', 0, 1 FROM users WHERE email = 'owner@example.org'",
    )
    .await;
    assert_eq!(methods().await, (json!(["totp", "passkey"]), String::new()));
    assert_eq!(enter(&site, &mut device).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_passkey_of_a_suspended_account_opens_no_more_than_a_password() {
    let site = Site::new().await;
    let (mut device, _, _) = with_passkey(&site, OWNER).await;
    let suspend = "INSERT INTO account_states (account, state, since) SELECT id, 'suspended', 0 FROM accounts";
    site.sql(suspend).await;
    let (by_password, by_passkey) = (
        sign_in(&site, OWNER, PASSWORD).await,
        enter(&site, &mut device).await,
    );
    assert_eq!(by_passkey.0, by_password.0);
    let mut refusals = vec![];
    for cookie in [by_password.2, by_passkey.2] {
        let body = Some(json!({"name": "Other"}));
        let path = "/api/v1/account/name";
        let (status, problem, _) = ask(&site, &cookie, Method::PUT, path, body).await;
        refusals.push((status, code(&problem).to_owned()));
    }
    assert_eq!(refusals[0].0, StatusCode::FORBIDDEN, "{refusals:?}");
    assert_eq!(refusals[0], refusals[1]);
}

#[tokio::test]
async fn whoever_is_in_no_account_is_let_in_by_no_passkey() {
    let site = Site::new().await;
    let (mut device, _, _) = with_passkey(&site, OWNER).await;
    site.sql("DELETE FROM members WHERE \"user\" = (SELECT id FROM users WHERE email = 'owner@example.org')")
        .await;
    let (status, problem, cookie) = enter(&site, &mut device).await;
    assert_eq!(
        (status, code(&problem), cookie.as_str()),
        (StatusCode::FORBIDDEN, "forbidden", "")
    );
}

#[tokio::test]
async fn a_flood_of_sign_ins_keeps_nobody_out() {
    let site = Site::new().await;
    let (mut device, _, _) = with_passkey(&site, OWNER).await;
    let oldest = asked(&site, "", SIGN_IN).await;
    site.sql(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000)
         INSERT INTO passkey_challenges (hash, purpose, state, expires_at)
         SELECT 'x' || n, 'sign_in', '', expires_at + n FROM numbers, passkey_challenges",
    )
    .await;
    assert_eq!(enter(&site, &mut device).await.0, StatusCode::OK);
    let answer = device.sign(&oldest);
    assert_eq!(
        refused(&site, "", SIGN_IN, &oldest, answer).await,
        "no_such_challenge"
    );
    let kept = "SELECT COUNT(*) FROM passkey_challenges WHERE purpose = 'sign_in'";
    assert_eq!(count(&site, kept).await, 9_999);
}
