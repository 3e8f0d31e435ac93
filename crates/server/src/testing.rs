//! What the tests of signer, hub and store share: an installation in a temporary directory.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

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
    store::{
        Durability, Store,
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

/// An installation with one region, `home`, its operator and a customer.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) files: Files,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) region: RegionName,
    pub(crate) operator: Actor,
    pub(crate) customer: Actor,
    pub(crate) trust: watch::Sender<Arc<PublicTrust>>,
    _dir: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let config = Config::parse(&format!("data_dir = {:?}", data)).unwrap();
        let files = Files::new(&data);
        let clock = Arc::new(TestClock::default());
        assert!(make_missing(&files, &config.database(), clock.now()).unwrap());
        let (trust_sender, trust) = watch::channel(Arc::new(PublicTrust::load(&files).unwrap()));
        let store = Store::open(&config.database()).await.unwrap();
        let app = App {
            config: Arc::new(config),
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
        sqlx::query_scalar(sqlx::AssertSqlSafe(text))
            .fetch_one(&mut *self.app.store.read().await)
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
