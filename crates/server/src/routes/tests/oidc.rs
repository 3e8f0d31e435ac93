//! Signing in at a company's provider: who is let in, and the attacks.

mod attacks;
mod people;
mod provider;

use std::time::Duration;

use ::http::{Method, StatusCode, header};
use axum::body::to_bytes;
use serde_json::{Value, json};

use self::provider::Provider;
use super::{Site, read, request};

/// The cookie of a sign-in under way.
const FLOW: &str = "__Host-storm_oidc";

/// A site whose account's people sign in at a provider of the test's.
struct Company {
    site: Site,
    provider: Provider,
}

/// What a browser was told.
struct Told {
    status: StatusCode,
    /// The session's cookie.
    session: Option<String>,
    page: String,
}

/// A browser that was sent to the provider.
struct Sent {
    state: String,
    nonce: String,
    challenge: String,
    flow: String,
    url: String,
}

impl Company {
    async fn new() -> Self {
        let provider = Provider::new().await;
        let issuer = provider.issuer.clone();
        // The account gets its id only then: it is named below.
        let account = "01900000-0000-7000-8000-00000000acce";
        let company = |name: &str, domain: &str| {
            format!(
                "[[oidc]]\nname = {name:?}\ntitle = \"Acme\"\nissuer = {issuer:?}\nclient_id = \"storm\"\n\
                 domains = [{domain:?}]\naccount = {account:?}\n[oidc.roles]\nstaff = \"member\"\n\
                 boss = \"owner\"\n"
            )
        };
        let text = company("acme", "acme.org") + &company("other", "other.org");
        let site = Site::configured(Duration::from_millis(20), &text).await;
        site.sql(&format!(
            "INSERT INTO accounts VALUES ('{account}', 'Acme', 0)"
        ))
        .await;
        let company = Self { site, provider };
        company.person("root", "owner").await;
        company
    }

    /// Somebody with a password in the account.
    async fn person(&self, name: &str, role: &str) {
        let id = format!("01900000-0000-7000-8000-{:0>12}", hex::encode(name));
        self.site
            .sql(&format!(
                "INSERT INTO users VALUES ('{id}', '{name}@acme.org', 'hash', 0, 0)"
            ))
            .await;
        self.site
            .sql(&format!(
                "INSERT INTO members VALUES ('01900000-0000-7000-8000-00000000acce', '{id}', '{role}')"
            ))
            .await;
    }

    async fn start(&self, query: &str, cookie: Option<&str>) -> Option<Sent> {
        let path = format!("/api/v1/oidc/acme/start{query}");
        let mut request = request(Method::GET, &path, None);
        if let Some(cookie) = cookie {
            request
                .headers_mut()
                .insert(header::COOKIE, cookie.parse().unwrap());
        }
        let answer = self.site.send(request).await;
        if answer.status() != StatusCode::SEE_OTHER {
            return None;
        }
        let set = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        for part in [
            "; HttpOnly",
            "; SameSite=Lax",
            "; Path=/",
            "; Secure",
            "; Max-Age=600",
        ] {
            assert!(set.contains(part), "{set}");
        }
        let flow = set.split(';').next().unwrap().to_owned();
        let url = answer.headers()[header::LOCATION]
            .to_str()
            .unwrap()
            .to_owned();
        let part = |name: &str| {
            let (_, rest) = url.split_once(&format!("{name}=")).unwrap();
            rest.split('&').next().unwrap().to_owned()
        };
        Some(Sent {
            state: part("state"),
            nonce: part("nonce"),
            challenge: part("code_challenge"),
            flow,
            url,
        })
    }

    async fn callback(&self, provider: &str, query: &str, cookie: &str) -> Told {
        let path = format!("/api/v1/oidc/{provider}/callback?{query}");
        let mut request = request(Method::GET, &path, None);
        request
            .headers_mut()
            .insert(header::COOKIE, cookie.parse().unwrap());
        let answer = self.site.send(request).await;
        let status = answer.status();
        assert!(
            answer.headers()[header::CONTENT_TYPE]
                .to_str()
                .unwrap()
                .starts_with("text/html"),
            "a browser is told in a page"
        );
        let set = answer.headers().get_all(header::SET_COOKIE).iter();
        let session = set
            .filter_map(|set| set.to_str().unwrap().split(';').next())
            .find(|pair| pair.starts_with("__Host-storm_session="))
            .map(str::to_owned);
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let page = String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(
            session.is_some(),
            page.contains("You are signed in"),
            "{page}"
        );
        Told {
            status,
            session,
            page,
        }
    }

    /// Signs in with what the provider says, changed by `change`.
    async fn sign_in(&self, claims: Value) -> Told {
        let sent = self.start("", None).await.unwrap();
        self.finish(&sent, claims).await
    }

    async fn finish(&self, sent: &Sent, mut claims: Value) -> Told {
        if claims.get("nonce").is_none() {
            claims["nonce"] = json!(sent.nonce);
        }
        let code = self.provider.code(&self.site, &sent.challenge, claims);
        let query = format!("code={code}&state={}", sent.state);
        self.callback("acme", &query, &sent.flow).await
    }

    async fn whoami(&self, cookie: &str) -> (StatusCode, Value) {
        let mut request = request(Method::GET, "/api/v1/whoami", None);
        request
            .headers_mut()
            .insert(header::COOKIE, cookie.parse().unwrap());
        read(self.site.send(request).await).await
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let mut reader = self.site.app.store.read().await.unwrap();
        sqlx::query_scalar(sql)
            .fetch_one(&mut *reader)
            .await
            .unwrap()
    }
}

/// Ann of Acme, who is in these groups.
fn ann(groups: &[&str]) -> Value {
    json!({"sub": "ann-1", "email": "ann@acme.org", "email_verified": true, "groups": groups})
}
