//! A provider on a free port that says what it is told to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    response::IntoResponse,
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Site;
use crate::clock::random;

/// A code: whose proof key it needs, and the token that it is good for.
type Codes = Arc<Mutex<HashMap<String, (String, String)>>>;

pub(super) struct Provider {
    pub(super) issuer: String,
    pub(super) key: Arc<Mutex<SigningKey>>,
    codes: Codes,
}

#[derive(Clone)]
struct Inside {
    issuer: String,
    key: Arc<Mutex<SigningKey>>,
    codes: Codes,
}

impl Provider {
    pub(super) async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let inside = Inside {
            issuer: issuer.clone(),
            key: Arc::new(Mutex::new(SigningKey::from_bytes(&random()))),
            codes: Codes::default(),
        };
        let (key, codes) = (Arc::clone(&inside.key), Arc::clone(&inside.codes));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(inside);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { issuer, key, codes }
    }

    /// A code for a token with these claims, and those that every token has.
    pub(super) fn code(&self, site: &Site, challenge: &str, claims: Value) -> String {
        let token = self.token(site, self.head(), claims);
        self.code_for(challenge, token)
    }

    /// The head of a token that its key signs.
    pub(super) fn head(&self) -> Value {
        json!({"alg": "EdDSA", "kid": name(&self.key.lock().unwrap())})
    }

    pub(super) fn code_for(&self, challenge: &str, token: String) -> String {
        let code = hex::encode(random::<8>());
        let mut codes = self.codes.lock().unwrap();
        codes.insert(code.clone(), (challenge.to_owned(), token));
        code
    }

    pub(super) fn token(&self, site: &Site, head: Value, claims: Value) -> String {
        let now = site.app.clock.now().0 / 1_000_000;
        let mut all = json!({"iss": self.issuer, "aud": "storm", "iat": now, "exp": now + 300});
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&head), part(&all));
        let signature = self.key.lock().unwrap().sign(text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

async fn discovery(State(inside): State<Inside>) -> impl IntoResponse {
    let issuer = inside.issuer;
    axum::Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // More than is to be taken.
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    }))
}

async fn keys(State(inside): State<Inside>) -> impl IntoResponse {
    let key = inside.key.lock().unwrap();
    let (kid, x) = (
        name(&key),
        URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes()),
    );
    axum::Json(json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x},
    ]}))
}

async fn token(State(inside): State<Inside>, body: String) -> impl IntoResponse {
    let form: HashMap<String, String> = form(&body);
    let refused = (
        StatusCode::BAD_REQUEST,
        axum::Json(json!({"error": "invalid_grant"})),
    );
    let found = inside.codes.lock().unwrap().remove(&form["code"]);
    let Some((challenge, token)) = found else {
        return refused;
    };
    let made = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    if made != challenge {
        return refused;
    }
    let answer = json!({"access_token": "a", "token_type": "Bearer", "id_token": token});
    (StatusCode::OK, axum::Json(answer))
}

/// The fields of a form; none of those that matter is escaped.
fn form(body: &str) -> HashMap<String, String> {
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    pairs.map(owned).collect()
}

/// What a key is called.
fn name(key: &SigningKey) -> String {
    hex::encode(&key.verifying_key().as_bytes()[..8])
}
