//! Who is let in as whom.

use ::http::{Method, StatusCode};
use serde_json::json;

use super::{Company, ann};
use crate::{
    auth::secret::PlainSecret,
    routes::tests::{read, request},
};

#[tokio::test]
async fn somebody_new_is_in_the_account_in_the_role_of_their_groups() {
    let company = Company::new().await;
    let (_, about) = read(
        company
            .site
            .send(request(Method::GET, "/api/v1/about", None))
            .await,
    )
    .await;
    assert_eq!(
        about["providers"][0],
        json!({"name": "acme", "title": "Acme"})
    );
    let told = company.sign_in(ann(&["staff", "else"])).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.page);
    let (_, me) = company.whoami(&told.session.unwrap()).await;
    assert_eq!(
        (
            me["email"].as_str(),
            me["role"].as_str(),
            me["account_name"].as_str()
        ),
        (Some("ann@acme.org"), Some("member"), Some("Acme"))
    );
    // Another address at the company, other groups: the same person, another role.
    let mut moved = ann(&["boss"]);
    moved["email"] = json!("ann.b@acme.org");
    let told = company.sign_in(moved).await;
    let session = told.session.unwrap();
    let (_, again) = company.whoami(&session).await;
    assert_eq!(again["user"], me["user"]);
    assert_eq!(again["role"], "owner");
    // No group is left: out of the account, and signed out.
    let told = company.sign_in(ann(&[])).await;
    assert_eq!(told.status, StatusCode::FORBIDDEN);
    assert!(told.page.contains("None of your groups"), "{}", told.page);
    assert_eq!(company.whoami(&session).await.0, StatusCode::UNAUTHORIZED);
    let roles =
        "SELECT COUNT(*) FROM audit_events WHERE act IN ('member.set_role', 'member.remove')";
    assert_eq!(company.count(roles).await, 3);
    let sign_ins =
        "SELECT COUNT(*) FROM audit_events WHERE act = 'session.create' AND result = 'done'";
    assert_eq!(company.count(sign_ins).await, 2);
    let refused =
        "SELECT COUNT(*) FROM audit_events WHERE act = 'session.create' AND result = 'no_role'";
    assert_eq!(company.count(refused).await, 1);
}

#[tokio::test]
async fn the_last_owner_stays_one() {
    let company = Company::new().await;
    let root = |groups: &[&str]| json!({"sub": "root-1", "email": "root@acme.org", "email_verified": true, "groups": groups});
    let told = company.sign_in(root(&["staff"])).await;
    let (_, me) = company.whoami(&told.session.unwrap()).await;
    assert_eq!(me["role"], "owner");
    assert_eq!(
        company.sign_in(root(&[])).await.status,
        StatusCode::FORBIDDEN
    );
    let owners = "SELECT COUNT(*) FROM members WHERE role = 'owner' AND account LIKE '%acce'";
    assert_eq!(company.count(owners).await, 1);
}

#[tokio::test]
async fn who_is_linked_has_no_password_any_more_and_gets_no_link_for_one() {
    let company = Company::new().await;
    company.person("ann", "viewer").await;
    let told = company.sign_in(ann(&["staff"])).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.page);
    let passwords =
        "SELECT COUNT(*) FROM users WHERE email = 'ann@acme.org' AND password_hash IS NOT NULL";
    assert_eq!(company.count(passwords).await, 0);
    let body = json!({"email": "ann@acme.org"});
    let forgotten = request(Method::POST, "/api/v1/password/forgotten", Some(body));
    assert_eq!(
        company.site.send(forgotten).await.status(),
        StatusCode::NO_CONTENT
    );
    let body = json!({"email": "root@acme.org"});
    let forgotten = request(Method::POST, "/api/v1/password/forgotten", Some(body));
    assert_eq!(
        company.site.send(forgotten).await.status(),
        StatusCode::NO_CONTENT
    );
    while company.count("SELECT COUNT(*) FROM mails").await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(
        company.count("SELECT COUNT(*) FROM password_resets").await,
        1
    );
    let ann = "SELECT COUNT(*) FROM mails WHERE recipient = 'ann@acme.org'";
    assert_eq!(company.count(ann).await, 0);
}

#[tokio::test]
async fn a_proof_counts_for_the_same_person_alone() {
    let company = Company::new().await;
    let told = company.sign_in(ann(&["boss"])).await;
    let session = told.session.unwrap();
    let purpose = "?purpose=reauthenticate";
    assert!(company.start(purpose, None).await.is_none());
    company.site.clock.forward(3600);
    let proofs = "SELECT COUNT(*) FROM sessions WHERE proved_at > created_at";
    let sent = company.start(purpose, Some(&session)).await.unwrap();
    assert!(
        sent.url.contains("prompt=login") && sent.url.contains("max_age=0"),
        "{}",
        sent.url
    );
    // Whoever was signed in there an hour ago has proved nothing, and nobody else proves it for them.
    let at = company.site.app.clock.now().0 / 1_000_000;
    let mut old = ann(&["boss"]);
    old["auth_time"] = json!(at - 3600);
    assert_eq!(
        company.finish(&sent, old).await.status,
        StatusCode::FORBIDDEN
    );
    let sent = company.start(purpose, Some(&session)).await.unwrap();
    assert_eq!(
        company.finish(&sent, ann(&["boss"])).await.status,
        StatusCode::FORBIDDEN
    );
    let sent = company.start(purpose, Some(&session)).await.unwrap();
    let bob = json!({"sub": "bob-1", "email": "bob@acme.org", "email_verified": true, "groups": ["boss"],
                     "auth_time": at});
    assert_eq!(
        company.finish(&sent, bob).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(company.count(proofs).await, 0);
    company.site.sql("DELETE FROM oidc_people").await;
    let sent = company.start(purpose, Some(&session)).await.unwrap();
    let mut unlinked = ann(&["boss"]);
    unlinked["auth_time"] = json!(at);
    let told = company.finish(&sent, unlinked).await;
    assert_eq!(told.status, StatusCode::FORBIDDEN);
    assert_eq!(company.whoami(&session).await.0, StatusCode::OK);
    let session = company.sign_in(ann(&["boss"])).await.session.unwrap();
    company.site.clock.forward(5);
    assert_eq!(company.count(proofs).await, 0);
    let sent = company.start(purpose, Some(&session)).await.unwrap();
    let mut new = ann(&["boss"]);
    new["auth_time"] = json!(at);
    let told = company.finish(&sent, new).await;
    assert_eq!((told.status, told.session), (StatusCode::OK, None));
    assert_eq!(company.count(proofs).await, 1);
}

#[tokio::test]
async fn without_the_companys_word_sessions_end_and_tokens_rest() {
    let company = Company::new().await;
    let told = company.sign_in(ann(&["boss"])).await;
    let session = told.session.unwrap();
    let body = json!({"name": "robot"});
    let mut make = request(Method::POST, "/api/v1/tokens", Some(body));
    let headers = make.headers_mut();
    headers.insert("cookie", session.parse().unwrap());
    headers.insert("storm-via", "web".parse().unwrap());
    let (status, made) = read(company.site.send(make).await).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let token = made["secret"].as_str().unwrap();
    let works = async || company.site.get(token, "/api/v1/whoami").await.0;

    // Used all the time, a session still asks for the word again after 12 hours.
    for _ in 0..11 {
        company.site.clock.forward(3600);
        assert_eq!(company.whoami(&session).await.0, StatusCode::OK);
    }
    company.site.clock.forward(3600);
    assert_eq!(company.whoami(&session).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(works().await, StatusCode::OK);

    // A token of somebody who does not come any more rests, until they do.
    company.site.clock.forward(30 * 86_400);
    assert_eq!(works().await, StatusCode::UNAUTHORIZED);
    company.sign_in(ann(&["staff"])).await.session.unwrap();
    assert_eq!(works().await, StatusCode::OK);
    // Whom the company lets go has none any more.
    company.sign_in(ann(&[])).await;
    assert_eq!(works().await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        company
            .count("SELECT COUNT(*) FROM tokens WHERE account LIKE '%acce'")
            .await,
        0
    );
}

#[tokio::test]
async fn a_password_from_an_operator_does_not_need_the_word_of_a_provider_that_is_gone() {
    let company = Company::new().await;
    company.sign_in(ann(&["boss"])).await.session.unwrap();
    let secret = PlainSecret::token();
    company
        .site
        .sql(&format!(
            "INSERT INTO tokens (id, hash, \"user\", account, name, created_at, scopes, on_buckets) \
             SELECT id, '{}', id, '01900000-0000-7000-8000-00000000acce', 'old', 0, '[\"*\"]', 0 FROM users \
             WHERE email = 'ann@acme.org'",
            secret.stored().0
        ))
        .await;
    company.site.clock.forward(31 * 86_400);
    let works = async || company.site.get(secret.expose(), "/api/v1/whoami").await.0;
    assert_eq!(works().await, StatusCode::UNAUTHORIZED);
    let store = &company.site.app.store;
    assert!(store.reset_password("ann@acme.org", "hash").await.unwrap());
    assert_eq!(works().await, StatusCode::OK);
}

#[tokio::test]
async fn nobody_new_comes_into_a_suspended_account() {
    let company = Company::new().await;
    company.sign_in(ann(&["staff"])).await.session.unwrap();
    company
        .site
        .sql("INSERT INTO account_states (account, state, since) VALUES ('01900000-0000-7000-8000-00000000acce', 'suspended', 0)")
        .await;
    let bob = json!({"sub": "bob-1", "email": "bob@acme.org", "email_verified": true, "groups": ["staff"]});
    let told = company.sign_in(bob.clone()).await;
    assert_eq!(told.status, StatusCode::FORBIDDEN);
    assert!(told.page.contains("nobody new comes in"), "{}", told.page);
    let bobs = "SELECT COUNT(*) FROM users WHERE email = 'bob@acme.org'";
    assert_eq!(company.count(bobs).await, 0);
    // Who is in looks on, and is still let go.
    company.sign_in(ann(&["staff"])).await.session.unwrap();
    company.sign_in(ann(&[])).await;
    let members = "SELECT COUNT(*) FROM members WHERE account LIKE '%acce'";
    assert_eq!(company.count(members).await, 1);
    company.site.sql("DELETE FROM account_states").await;
    company.sign_in(bob).await.session.unwrap();
}
