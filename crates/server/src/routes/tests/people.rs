//! Members, invitations, and who may do what to whom.

use ::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::{PASSWORD, Site, code, read, request};

async fn members(site: &Site) -> Vec<(String, String, String)> {
    let (_, page) = site.get(&site.viewer, "/api/v1/members").await;
    let text = |member: &Value, name: &str| member[name].as_str().unwrap().to_owned();
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|it| (text(it, "email"), text(it, "user"), text(it, "role")))
        .collect()
}

async fn user(site: &Site, name: &str) -> String {
    let email = format!("{name}@example.org");
    let members = members(site).await;
    members.into_iter().find(|it| it.0 == email).unwrap().1
}

async fn set_role(site: &Site, by: &str, user: &str, role: &str) -> (StatusCode, Value) {
    let path = format!("/api/v1/members/{user}/role");
    site.ask(by, Method::PUT, &path, Some(json!({ "role": role })))
        .await
}

async fn remove(site: &Site, by: &str, user: &str) -> (StatusCode, Value) {
    let path = format!("/api/v1/members/{user}");
    site.ask(by, Method::DELETE, &path, None).await
}

/// The link's secret in the last e-mail that waits.
async fn secret(site: &Site, to: &str) -> String {
    let text: String = sqlx::query_scalar(
        "SELECT body_text FROM mails WHERE recipient = $1 ORDER BY id DESC LIMIT 1",
    )
    .bind(to)
    .fetch_one(&mut *site.app.store.read().await.unwrap())
    .await
    .unwrap();
    let (_, rest) = text.split_once("/invitation#").unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

async fn accept(site: &Site, token: &str, password: &str) -> (StatusCode, Value) {
    let body = json!({ "token": token, "password": password });
    read(
        site.send(request(
            Method::POST,
            "/api/v1/invitations/accept",
            Some(body),
        ))
        .await,
    )
    .await
}

async fn invite(site: &Site, by: &str, email: &str, role: &str) -> (StatusCode, Value) {
    let body = json!({ "email": email, "role": role });
    site.post(by, "/api/v1/invitations", body).await
}

async fn look_up(site: &Site, token: &str) -> (StatusCode, Value) {
    let body = json!({ "token": token });
    let path = "/api/v1/invitations/look-up";
    read(site.send(request(Method::POST, path, Some(body))).await).await
}

#[tokio::test]
async fn whoever_holds_a_link_sees_what_it_asks() {
    let site = Site::new().await;
    for (email, known) in [("new@example.org", false), ("stranger@example.org", true)] {
        invite(&site, &site.admin, email, "member").await;
        let token = secret(&site, email).await;
        let (status, offer) = look_up(&site, &token).await;
        assert_eq!(status, StatusCode::OK, "{offer}");
        assert_eq!(offer["email"], email);
        assert_eq!(offer["role"], "member");
        assert_eq!(offer["invited_by"], "admin@example.org");
        assert_eq!(offer["account"], site.account.to_string());
        assert_eq!(offer["known"], known);
        // Looking uses nothing up; a withdrawn one tells nothing.
        assert_eq!(look_up(&site, &token).await.0, StatusCode::OK);
        let (_, page) = site.get(&site.admin, "/api/v1/invitations").await;
        let id = page["items"][0]["id"].as_str().unwrap();
        let path = format!("/api/v1/invitations/{id}");
        site.ask(&site.admin, Method::DELETE, &path, None).await;
        let (status, problem) = look_up(&site, &token).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::NOT_FOUND, "no_such_invitation")
        );
    }
    let (status, _) = look_up(&site, "not a link's secret").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nobody_gives_or_takes_what_stands_above_them() {
    let site = Site::new().await;
    let (owner, admin, viewer) = (
        user(&site, "owner").await,
        user(&site, "admin").await,
        user(&site, "viewer").await,
    );
    for (by, whom, role) in [
        (&site.admin, &owner, "viewer"),
        (&site.admin, &viewer, "owner"),
        (&site.admin, &admin, "owner"),
        (&site.member, &viewer, "member"),
    ] {
        let (status, problem) = set_role(&site, by, whom, role).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::FORBIDDEN, "forbidden")
        );
    }
    assert_eq!(
        remove(&site, &site.admin, &owner).await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        set_role(&site, &site.admin, &viewer, "admin").await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        set_role(&site, &site.owner, &viewer, "viewer").await.0,
        StatusCode::NO_CONTENT
    );
    // Another account's people are nobody here.
    let theirs = {
        let (_, page) = site.get(&site.stranger, "/api/v1/members").await;
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        page["items"][0]["user"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        remove(&site, &site.owner, &theirs).await.0,
        StatusCode::NOT_FOUND
    );
    let before = members(&site).await;
    assert_eq!(before.len(), 5);
    assert_eq!(
        remove(&site, &site.admin, &viewer).await.0,
        StatusCode::NO_CONTENT
    );
    // Their tokens have ended with it, and coming back does not bring them back.
    assert_eq!(
        site.get(&site.viewer, "/api/v1/whoami").await.0,
        StatusCode::UNAUTHORIZED
    );
    site.sql(&format!(
        "INSERT INTO members VALUES ('{}', '{viewer}', 'viewer')",
        site.account
    ))
    .await;
    assert_eq!(
        site.get(&site.viewer, "/api/v1/whoami").await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn an_account_has_an_owner_at_all_times() {
    let site = Site::new().await;
    let (owner, admin) = (user(&site, "owner").await, user(&site, "admin").await);
    let operator = user(&site, "operator").await;
    assert_eq!(
        remove(&site, &site.owner, &operator).await.0,
        StatusCode::NO_CONTENT
    );
    for (status, problem) in [
        set_role(&site, &site.owner, &owner, "admin").await,
        remove(&site, &site.owner, &owner).await,
        site.post(&site.owner, "/api/v1/account/leave", json!(null))
            .await,
    ] {
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::CONFLICT, "last_owner")
        );
    }
    let to = |user: &str| json!({ "user": user });
    let path = "/api/v1/account/transfer";
    assert_eq!(
        site.post(&site.owner, path, to(&owner)).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        site.post(&site.admin, path, to(&admin)).await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        site.post(&site.owner, path, to(&admin)).await.0,
        StatusCode::NO_CONTENT
    );
    let roles: Vec<_> = members(&site)
        .await
        .into_iter()
        .map(|it| (it.0, it.2))
        .collect();
    assert!(roles.contains(&("admin@example.org".to_owned(), "owner".to_owned())));
    assert!(roles.contains(&("owner@example.org".to_owned(), "admin".to_owned())));
    let left = site
        .ask(&site.owner, Method::POST, "/api/v1/account/leave", None)
        .await;
    assert_eq!(left.0, StatusCode::NO_CONTENT);
    assert_eq!(
        site.get(&site.owner, "/api/v1/whoami").await.0,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn an_invitation_is_answered_once() {
    let site = Site::new().await;
    let (status, made) = invite(&site, &site.admin, " New@Example.org ", "member").await;
    assert_eq!(
        (status, made["email"].as_str()),
        (StatusCode::CREATED, Some("new@example.org"))
    );
    let token = secret(&site, "new@example.org").await;
    let (status, problem) = accept(&site, &token, "short").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::BAD_REQUEST, "bad_request")
    );
    let wrong = format!("{}x", &token[..42]);
    for token in ["", "x", &wrong] {
        let (status, problem) = accept(&site, token, PASSWORD).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::NOT_FOUND, "no_such_invitation")
        );
    }
    assert_eq!(
        accept(&site, &token, "a fine password").await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        accept(&site, &token, "a fine password").await.0,
        StatusCode::NOT_FOUND
    );
    let (_, left) = site.get(&site.admin, "/api/v1/invitations").await;
    assert_eq!(left["items"], json!([]));
    let body = json!({"email": "new@example.org", "password": "a fine password"});
    let (status, me) = read(
        site.send(request(Method::POST, "/api/v1/session", Some(body)))
            .await,
    )
    .await;
    assert_eq!(
        (status, me["role"].as_str()),
        (StatusCode::OK, Some("member"))
    );
}

#[tokio::test]
async fn who_is_known_answers_with_their_password_and_has_both_accounts() {
    let site = Site::new().await;
    // The owner of ours is asked into the other account.
    invite(&site, &site.stranger, "owner@example.org", "viewer").await;
    let token = secret(&site, "owner@example.org").await;
    let (status, problem) = accept(&site, &token, "not this one").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::UNAUTHORIZED, "bad_credentials")
    );
    assert_eq!(
        accept(&site, &token, PASSWORD).await.0,
        StatusCode::NO_CONTENT
    );
    let (_, own) = site.get(&site.owner, "/api/v1/accounts/own").await;
    let names: Vec<_> = own["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].clone())
        .collect();
    assert_eq!(names, ["Ours", "Theirs"]);
    let theirs = own["items"][1]["id"].clone();

    let body = json!({"email": "owner@example.org", "password": PASSWORD});
    let signed_in = site
        .send(request(Method::POST, "/api/v1/session", Some(body)))
        .await;
    let cookie = signed_in.headers()[header::SET_COOKIE]
        .to_str()
        .unwrap()
        .to_owned();
    let with_session = async |account: &Value| {
        let body = json!({ "account": account });
        let mut request = request(Method::POST, "/api/v1/session/account", Some(body));
        let headers = request.headers_mut();
        headers.insert(
            header::COOKIE,
            cookie.split(';').next().unwrap().parse().unwrap(),
        );
        headers.insert(header::ORIGIN, super::PUBLIC_URL.parse().unwrap());
        read(site.send(request).await).await
    };
    let (status, me) = with_session(&theirs).await;
    assert_eq!(
        (status, me["role"].as_str()),
        (StatusCode::OK, Some("viewer")),
        "{me}"
    );
    let nowhere = json!("01900000-0000-7000-8000-000000000000");
    let (status, problem) = with_session(&nowhere).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::NOT_FOUND, "no_such_account")
    );
}

#[tokio::test]
async fn an_invitation_that_is_over_or_was_withdrawn_or_replaced_is_not_good() {
    let site = Site::new().await;
    let mut tokens = vec![];
    for _ in 0..2 {
        invite(&site, &site.admin, "new@example.org", "viewer").await;
        tokens.push(secret(&site, "new@example.org").await);
    }
    assert_eq!(
        accept(&site, &tokens[0], PASSWORD).await.0,
        StatusCode::NOT_FOUND
    );
    let (_, page) = site.get(&site.admin, "/api/v1/invitations").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let id = page["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/invitations/{id}");
    let theirs = site.ask(&site.stranger, Method::DELETE, &path, None).await;
    assert_eq!(theirs.0, StatusCode::NOT_FOUND);
    let withdrawn = site.ask(&site.admin, Method::DELETE, &path, None).await;
    assert_eq!(withdrawn.0, StatusCode::NO_CONTENT);
    assert_eq!(
        accept(&site, &tokens[1], PASSWORD).await.0,
        StatusCode::NOT_FOUND
    );

    invite(&site, &site.admin, "new@example.org", "viewer").await;
    let token = secret(&site, "new@example.org").await;
    site.clock.forward(7 * 24 * 3600);
    assert_eq!(
        accept(&site, &token, PASSWORD).await.0,
        StatusCode::NOT_FOUND
    );

    let (status, problem) = invite(&site, &site.admin, "new@example.org", "owner").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::FORBIDDEN, "forbidden")
    );
    for email in [
        "",
        "x",
        "a@b@c",
        "a b@example.org",
        "x\r\nBcc: y@example.org",
    ] {
        let (status, problem) = invite(&site, &site.admin, email, "viewer").await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::BAD_REQUEST, "bad_request"),
            "{email}"
        );
    }
}

#[tokio::test]
async fn an_account_sends_so_many_invitations_a_day() {
    let limits = "[limits]\nrequests_per_second = 100000\nchanges_per_second = 100000\n";
    let site = Site::configured(std::time::Duration::from_millis(20), limits).await;
    for number in 0..100 {
        let email = format!("n{number}@example.org");
        assert_eq!(
            invite(&site, &site.admin, &email, "viewer").await.0,
            StatusCode::CREATED
        );
    }
    let (status, problem) = invite(&site, &site.admin, "one@example.org", "viewer").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::CONFLICT, "too_many_invitations")
    );
    // Another account's are its own.
    assert_eq!(
        invite(&site, &site.stranger, "one@example.org", "viewer")
            .await
            .0,
        StatusCode::CREATED
    );
    site.clock.forward(24 * 3600 + 1);
    assert_eq!(
        invite(&site, &site.admin, "one@example.org", "viewer")
            .await
            .0,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn an_operator_makes_an_account_and_its_owner_has_it() {
    let site = Site::new().await;
    for (name, owner) in [
        ("", "a@example.org"),
        (" x", "a@example.org"),
        ("x", "nobody"),
    ] {
        let body = json!({"name": name, "owner": owner});
        let (status, problem) = site.post(&site.operator, "/api/v1/accounts", body).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::BAD_REQUEST, "bad_request")
        );
    }
    let body = json!({"name": "Acme & <sons>", "owner": "Wile@example.org"});
    let (status, made) = site.post(&site.operator, "/api/v1/accounts", body).await;
    assert_eq!(
        (status, made["buckets"].as_u64()),
        (StatusCode::CREATED, Some(0))
    );
    let token = secret(&site, "wile@example.org").await;
    assert_eq!(
        accept(&site, &token, PASSWORD).await.0,
        StatusCode::NO_CONTENT
    );
    let body = json!({"email": "wile@example.org", "password": PASSWORD});
    let (_, me) = read(
        site.send(request(Method::POST, "/api/v1/session", Some(body)))
            .await,
    )
    .await;
    assert_eq!(
        (&me["account"], &me["role"]),
        (&made["id"], &json!("owner"))
    );
    assert_eq!(me["account_name"], "Acme & <sons>");

    let name = json!({"name": "Ours and theirs"});
    let renamed = site
        .ask(&site.owner, Method::PUT, "/api/v1/account/name", Some(name))
        .await;
    assert_eq!(renamed.0, StatusCode::NO_CONTENT);
    let (_, me) = site.get(&site.viewer, "/api/v1/whoami").await;
    assert_eq!(me["account_name"], "Ours and theirs");
}
