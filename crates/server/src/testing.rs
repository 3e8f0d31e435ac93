//! What the tests of signer, hub and store share: an installation in a temporary directory.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use secrecy::ExposeSecret as _;
use sqlx::Connection as _;

use storm_protocol::{
    api::{CreateRegionRequest, EnrolTokenInfo},
    command::Command,
    envelope::{Actor, Via},
    ident::{AccountId, Digest, EnrolTokenId, Micros, OperationId, RegionName, UserId},
    seal::OpenKey,
    trust::EnrolToken,
};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::{
    app::{App, Bus},
    clock::{Clock, SystemClock, random},
    config::Config,
    keys::{Files, PublicTrust, make_missing},
    status::Figures,
    store::{
        Durability, Place, Store,
        operations::{NewOperation, Requested},
        setup::FirstOperator,
    },
};

/// The system's clock and as much more as a test wants.
#[derive(Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * Micros::SECOND, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Micros {
        Micros(SystemClock.now().0 + self.0.load(Ordering::SeqCst))
    }
}

/// The environment variable that names a PostgreSQL server: a URL of its database `postgres`, as which
/// databases may be made. With it the same tests run on PostgreSQL.
const POSTGRES_VARIABLE: &str = "STORM_TEST_POSTGRES";

/// An empty database of a test's own: a file in `dir`, or a database on the server that the environment
/// names.
pub(crate) async fn database(dir: &Path) -> Place {
    let Ok(url) = std::env::var(POSTGRES_VARIABLE) else {
        return Place::File(dir.join("storm.db"));
    };
    let mut url: url::Url = url.parse().unwrap();
    let name = format!("test_{}", hex::encode(random::<8>()));
    let mut server = sqlx::PgConnection::connect(url.as_str()).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
    )))
    .execute(&mut server)
    .await
    .unwrap();
    server.close().await.unwrap();
    url.set_path(&name);
    Place::Server(String::from(url).into())
}

/// An installation with one region, `home`, its operator and a customer.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) files: Files,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) region: RegionName,
    pub(crate) operator: Actor,
    pub(crate) customer: Actor,
    pub(crate) trust: watch::Sender<Arc<PublicTrust>>,
    pub(crate) place: Place,
    _dir: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let place = database(&data).await;
        let mut text = format!("data_dir = {data:?}\n");
        if let Place::Server(url) = &place {
            text.push_str(&format!("[database]\nurl = {:?}\n", url.expose_secret()));
        }
        let config = Config::parse(&text).unwrap();
        let files = Files::new(&data);
        let clock = Arc::new(TestClock::default());
        assert!(make_missing(&files, None, clock.now()).unwrap());
        let (trust_sender, trust) = watch::channel(Arc::new(PublicTrust::load(&files).unwrap()));
        let store = Store::open(place.clone()).await.unwrap();
        let app = App {
            config: Arc::new(config),
            figures: Arc::new(Figures::new(&store)),
            store,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            bus: Arc::new(Bus::default()),
            trust,
        };
        let operator = actor(&app, true);
        let first = FirstOperator {
            user: operator.user,
            account: operator.account,
            email: "admin@localhost",
            password_hash: "x",
        };
        app.store
            .create_first_operator(&first, app.clock.now(), || {})
            .await
            .unwrap();
        let customer = actor(&app, false);
        let world = Self {
            app,
            files,
            clock,
            region: "home".parse().unwrap(),
            operator,
            customer,
            trust: trust_sender,
            place,
            _dir: dir,
        };
        world.add_region("home").await;
        let (user, account) = (world.customer.user, world.customer.account);
        world
            .sql(&format!(
                "INSERT INTO users VALUES ('{user}', 'c@example.org', NULL, 0, 0)"
            ))
            .await;
        world
            .sql(&format!(
                "INSERT INTO accounts VALUES ('{account}', 'customer', 0)"
            ))
            .await;
        world
            .sql(&format!(
                "INSERT INTO members VALUES ('{account}', '{user}', 'member')"
            ))
            .await;
        world
    }

    /// Whether the database is a PostgreSQL server's.
    pub(crate) const fn is_on_postgres(&self) -> bool {
        matches!(self.place, Place::Server(_))
    }

    /// Changes the database in a way that the server itself never would.
    pub(crate) async fn sql(&self, text: &str) {
        let mut transaction = self.app.store.write(Durability::Process).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(text))
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }

    /// Makes another region.
    pub(crate) async fn add_region(&self, name: &str) -> RegionName {
        let region: RegionName = name.parse().unwrap();
        let request = CreateRegionRequest {
            name: region.clone(),
            s3_endpoint: "http://127.0.0.1:3900".to_owned(),
            s3_region: "garage".to_owned(),
            website_domain: None,
        };
        let now = self.app.clock.now();
        assert!(self.app.store.create_region(&request, now).await.unwrap());
        region
    }

    /// Reads one number.
    pub(crate) async fn count(&self, text: &str) -> i64 {
        // A sum is no BIGINT on PostgreSQL.
        let text = format!("SELECT CAST(({text}) AS BIGINT)");
        sqlx::query_scalar(sqlx::AssertSqlSafe(text))
            .fetch_one(&mut *self.app.store.read().await.unwrap())
            .await
            .unwrap()
    }

    /// Makes an enrolment token for `home`.
    pub(crate) async fn enrol_token(&self, seconds: i64) -> EnrolToken {
        self.enrol_token_of(&self.region, seconds).await
    }

    /// Makes an enrolment token.
    pub(crate) async fn enrol_token_of(&self, region: &RegionName, seconds: i64) -> EnrolToken {
        let now = self.app.clock.now();
        let trust = self.app.trust.borrow().clone();
        let token = EnrolToken {
            secret: random(),
            root_key: trust.root_key.id(),
            ca_key: trust.ca_key,
        };
        let info = EnrolTokenInfo {
            id: EnrolTokenId::new(now, random()),
            region: region.clone(),
            created_at: now,
            expires_at: now.plus_seconds(seconds),
            agent: None,
        };
        self.app
            .store
            .create_enrol_token(&info, token.hash(), self.operator.user)
            .await
            .unwrap();
        token
    }

    /// A request as the web tier writes it down.
    pub(crate) fn request(&self, actor: &Actor, command: Command) -> NewOperation {
        let now = self.app.clock.now();
        NewOperation {
            id: OperationId::new(now, random()),
            actor: actor.clone(),
            origin: None,
            region: self.region.clone(),
            seal_to: command
                .makes_secret()
                .then(|| OpenKey::generate().seal_key()),
            command,
            asked: None,
            token: None,
            idempotency_key: None,
            requested_at: now,
            give_up_at: now.plus_seconds(600),
        }
    }

    /// Writes a request down and wakes the signer.
    pub(crate) async fn ask(&self, actor: &Actor, command: Command) -> OperationId {
        let new = self.request(actor, command);
        let id = new.id;
        let requested = self.app.store.request_operation(new).await.unwrap();
        assert!(matches!(requested, Requested::New(_)));
        self.app.bus.signer.notify_one();
        id
    }
}

/// A digest that stands for anything.
pub(crate) fn some_digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn actor(app: &App, operator: bool) -> Actor {
    let now = app.clock.now();
    Actor {
        account: AccountId::new(now, random()),
        user: UserId::new(now, random()),
        operator,
        via: Via::Api,
    }
}
