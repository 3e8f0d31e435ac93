//! The web tier over a real database, without signer and hub: what they would do, a test does.

mod abuse;
mod account_states;
mod agents;
mod audit;
mod auth;
mod device;
mod equal_work;
mod events;
mod full;
mod http;
mod idempotency;
mod lists;
mod matrix;
mod oidc;
mod operations;
mod passkeys;
mod people;
mod raw_socket;
mod reconciliation;
mod second_factor;
mod sessions;
mod sign_ups;
mod usage;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use ::http::{Method, Request, StatusCode, header};
use axum::{Router, body::Body, extract::ConnectInfo, response::Response};
use ed25519_dalek::SigningKey;
use serde_json::Value;
use storm_protocol::{
    api::{AccountState, CreateRegionRequest, Role, Token},
    envelope::{Envelope, PayloadType, VERSION, VerifyKey},
    ident::{AccountId, Digest, Micros, Scope, TokenId, UserId},
    trust::TrustDocument,
};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::{
    app::{App, Bus},
    auth::{Gate, password, secret::PlainSecret},
    clock::{Clock, random},
    config::Config,
    keys::PublicTrust,
    router,
    status::Figures,
    store::{Durability, Store, sessions::Person},
    testing::database,
};

pub(super) const PUBLIC_URL: &str = "https://buckets.example.org";
pub(super) const PASSWORD: &str = "correct horse";
pub(super) const BUCKET: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(super) const KEY: &str = "GKaaaaaaaaaaaaaaaaaaaaaaaa";
pub(super) const SEAL_TO: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// A clock that stands until it is moved.
pub(super) struct TestClock(AtomicI64);

impl TestClock {
    pub(super) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * Micros::SECOND, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Micros {
        Micros(self.0.load(Ordering::SeqCst))
    }
}

/// A web tier with one region, an account with a bucket, a key and people in every role, and
/// another account.
pub(super) struct Site {
    pub(super) app: App,
    pub(super) clock: Arc<TestClock>,
    pub(super) account: AccountId,
    pub(super) viewer: String,
    pub(super) member: String,
    pub(super) admin: String,
    pub(super) owner: String,
    pub(super) operator: String,
    /// The other account's owner.
    pub(super) stranger: String,
    gate: Gate,
    router: Router,
    _dir: tempfile::TempDir,
}

impl Site {
    pub(super) async fn new() -> Self {
        Self::with_wait(Duration::from_millis(20)).await
    }

    pub(super) async fn with_wait(wait: Duration) -> Self {
        Self::configured(wait, "").await
    }

    /// With more lines of configuration.
    pub(super) async fn configured(wait: Duration, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(1_800_000_000_000_000)));
        let text = format!(
            "data_dir = {:?}\n[web]\npublic_url = {PUBLIC_URL:?}\n{more}",
            dir.path()
        );
        let store = Store::open(database(dir.path()).await).await.unwrap();
        let figures = Arc::new(Figures::new(&store));
        let app = App {
            figures,
            config: Arc::new(Config::parse(&text).unwrap()),
            store,
            clock: Arc::<TestClock>::clone(&clock),
            bus: Arc::new(Bus::default()),
            trust: watch::channel(Arc::new(trust())).1,
        };
        let account = add_account(&app, "Ours").await;
        let other = add_account(&app, "Theirs").await;
        let gate = Gate::with_wait(app.clone(), wait);
        let mut site = Self {
            router: router::through(gate.clone()),
            gate,
            clock,
            account,
            viewer: add_person(&app, "viewer", account, Role::Viewer, false).await,
            member: add_person(&app, "member", account, Role::Member, false).await,
            admin: add_person(&app, "admin", account, Role::Admin, false).await,
            owner: add_person(&app, "owner", account, Role::Owner, false).await,
            operator: add_person(&app, "operator", account, Role::Owner, true).await,
            stranger: add_person(&app, "stranger", other, Role::Owner, false).await,
            app,
            _dir: dir,
        };
        site.fill().await;
        site
    }

    async fn fill(&mut self) {
        let region = CreateRegionRequest {
            name: "home".parse().unwrap(),
            s3_endpoint: "https://s3.example.org".to_owned(),
            s3_region: "garage".to_owned(),
            website_domain: None,
        };
        assert!(
            self.app
                .store
                .create_region(&region, self.app.clock.now())
                .await
                .unwrap()
        );
        self.sql("UPDATE regions SET executor = '01900000-0000-7000-8000-000000000000'")
            .await;
        self.add_bucket(BUCKET, Some("photos")).await;
        self.add_key(KEY, "laptop").await;
        self.sql(&format!(
            "INSERT INTO grants VALUES ('home', '{BUCKET}', '{KEY}', 1, 1, 0)"
        ))
        .await;
    }

    pub(super) async fn add_bucket(&self, id: &str, name: Option<&str>) {
        let (account, now) = (self.account, self.app.clock.now().0);
        let (name, aliases) = match name {
            Some(name) => (format!("'{name}'"), format!("[\"{name}\"]")),
            None => ("NULL".to_owned(), "[]".to_owned()),
        };
        self.sql(&format!(
            "INSERT INTO buckets (id, region, account, name, aliases, created_at)
             VALUES ('{id}', 'home', '{account}', {name}, '{aliases}', {now})"
        ))
        .await;
    }

    pub(super) async fn add_key(&self, id: &str, label: &str) {
        let (account, now) = (self.account, self.app.clock.now().0);
        self.sql(&format!(
            "INSERT INTO keys (id, region, account, label, created_at)
             VALUES ('{id}', 'home', '{account}', '{label}', {now})"
        ))
        .await;
    }

    pub(super) async fn sql(&self, text: &str) {
        sql(&self.app, text).await;
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Status and JSON of a request with an API token.
    pub(super) async fn ask(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = request(method, path, body);
        let bearer = format!("Bearer {token}");
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, bearer.parse().unwrap());
        read(self.send(request).await).await
    }

    pub(super) async fn get(&self, token: &str, path: &str) -> (StatusCode, Value) {
        self.ask(token, Method::GET, path, None).await
    }

    pub(super) async fn post(&self, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.ask(token, Method::POST, path, Some(body)).await
    }
}

/// A request from 192.0.2.1.
pub(super) fn request(method: Method, path: &str, body: Option<Value>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let mut request = match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    }
    .unwrap();
    let peer: SocketAddr = "192.0.2.1:4444".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

/// Status and JSON of an answer; null when it has no body.
pub(super) async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    if bytes.is_empty() {
        return (status, Value::Null);
    }
    (status, serde_json::from_slice(&bytes).unwrap())
}

pub(super) fn code(problem: &Value) -> &str {
    assert_eq!(problem["error"]["request"].as_str().unwrap().len(), 16);
    assert!(
        problem["error"]["message"]
            .as_str()
            .unwrap()
            .ends_with(['.', ')']),
        "{problem}"
    );
    problem["error"]["code"].as_str().unwrap()
}

fn trust() -> PublicTrust {
    let root = SigningKey::from_bytes(&random());
    let document = TrustDocument {
        version: VERSION,
        serial: 1,
        issued_at: Micros(0),
        authorities: vec![],
        keys: vec![],
    };
    PublicTrust {
        root_key: VerifyKey::of(&root),
        envelope: Envelope::sign_json(PayloadType::Trust, &document, &root).unwrap(),
        document,
        ca_key: Digest::of(b"the CA's key"),
    }
}

async fn add_account(app: &App, name: &str) -> AccountId {
    let now = app.clock.now();
    let id = AccountId::new(now, random());
    sql(
        app,
        &format!("INSERT INTO accounts VALUES ('{id}', '{name}', {})", now.0),
    )
    .await;
    id
}

/// Adds a person and gives an API token of theirs.
async fn add_person(
    app: &App,
    name: &str,
    account: AccountId,
    role: Role,
    operator: bool,
) -> String {
    let now = app.clock.now();
    let user = UserId::new(now, random());
    let email = format!("{name}@example.org");
    // Hashing takes its time; one person who signs in is enough.
    let hash = match name {
        "owner" => format!("'{}'", password::hash(&PASSWORD.into(), &email).unwrap()),
        _ => "NULL".to_owned(),
    };
    let flag = i64::from(operator);
    sql(
        app,
        &format!(
            "INSERT INTO users VALUES ('{user}', '{email}', {hash}, {flag}, {})",
            now.0
        ),
    )
    .await;
    let role_name = format!("{role:?}").to_lowercase();
    sql(
        app,
        &format!("INSERT INTO members VALUES ('{account}', '{user}', '{role_name}')"),
    )
    .await;
    let secret = PlainSecret::token();
    let token = Token {
        id: TokenId::new(now, random()),
        name: "test".to_owned(),
        created_at: now,
        last_used_at: None,
        expires_at: None,
        scopes: vec![Scope::everything()],
        buckets: None,
    };
    let person = Person {
        user,
        email,
        account,
        account_name: String::new(),
        role,
        state: AccountState::Active,
        operator,
        token: None,
        proved_at: None,
    };
    assert!(
        app.store
            .create_token(&token, secret.stored(), &person, 100)
            .await
            .unwrap()
    );
    secret.expose().to_owned()
}

async fn sql(app: &App, text: &str) {
    let mut change = app.store.write(Durability::Process).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(text.to_owned()))
        .execute(&mut *change)
        .await
        .unwrap();
    change.commit().await.unwrap();
}
