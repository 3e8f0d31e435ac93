//! A Garage, a control plane's keys, and an engine between them.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use ed25519_dalek::SigningKey;
use secrecy::{ExposeSecret as _, SecretString};
use storm_protocol::{
    command::{Command, CommandResult},
    envelope::{Actor, Audience, CommandPayload, Envelope, PayloadType, VERSION, VerifyKey, Via},
    error::{Failure, Refusal},
    frame::ReceiptFrame,
    ident::{AccountId, AgentId, Micros, OperationId, UserId},
    receipt::{Outcome, Receipt},
    seal::{OpenKey, SealContext},
    trust::{KeyRole, TrustDocument, TrustedKey},
};
use tempfile::TempDir;

use super::{node::Garage, proxy::Proxy, s3_proxy::S3Proxy};
use crate::{
    clock::{Clock, SystemClock, random},
    engine::{Engine, EngineEvent, EngineOptions, OpenError, Phase, Source, Submitted},
    garage::{Endpoint, GarageClient},
    identity::Identity,
    s3::S3,
};

/// Jobs that run at the same time.
const MAX_JOBS: usize = 4;

/// The system's clock, moved by a test.
#[derive(Default)]
pub(super) struct TestClock(AtomicI64);

impl TestClock {
    pub(super) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * Micros::SECOND, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Micros {
        Micros(SystemClock.now().0 + self.0.load(Ordering::SeqCst))
    }
}

/// Someone who asks for commands.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) actor: Actor,
}

/// The whole bench: Garage, proxy, control plane's keys, and an engine that can be crashed.
pub(super) struct Bench {
    pub(super) garage: Garage,
    pub(super) proxy: Proxy,
    pub(super) s3: S3Proxy,
    /// The next engine is not told where S3 is.
    pub(super) without_s3: bool,
    pub(super) engine: Engine,
    pub(super) clock: Arc<TestClock>,
    pub(super) identity: Arc<Identity>,
    pub(super) dispatch: SigningKey,
    pub(super) offline: SigningKey,
    pub(super) client: OpenKey,
    pub(super) state: TempDir,
    token: SecretString,
}

impl Bench {
    pub(super) async fn start() -> Self {
        let garage = Garage::start().await;
        let proxy = Proxy::start(garage.folder.path().join("proxy.sock"), &garage.socket());
        let s3 = S3Proxy::start(garage.s3_port).await;
        let state = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::default());
        let identity = Arc::new(Identity {
            agent: AgentId::new(clock.now(), random()),
            region: "here".parse().unwrap(),
            receipt_key: SigningKey::from_bytes(&random()),
            open_key: OpenKey::generate(),
        });
        let token = garage.agent_token().await;
        let (dispatch, offline) = (
            SigningKey::from_bytes(&random()),
            SigningKey::from_bytes(&random()),
        );
        let at = Some(s3_at(&s3.endpoint));
        let options = options(state.path(), &identity, &clock, &proxy, at, &token);
        let engine = Engine::open(options).await.unwrap();
        let bench = Self {
            garage,
            proxy,
            s3,
            without_s3: false,
            engine,
            clock,
            identity,
            dispatch,
            offline,
            client: OpenKey::generate(),
            state,
            token,
        };
        bench.engine.set_trust(bench.trust());
        bench.engine.heard_from_hub();
        bench
    }

    pub(super) fn trust(&self) -> TrustDocument {
        let now = self.clock.now();
        let trusted = |key: &SigningKey, role| TrustedKey {
            key: VerifyKey::of(key),
            role,
            not_before: now.plus_seconds(-3600),
            not_after: now.plus_seconds(365 * 24 * 3600),
        };
        TrustDocument {
            version: VERSION,
            serial: 1,
            issued_at: now,
            authorities: vec![],
            keys: vec![
                trusted(&self.dispatch, KeyRole::Dispatch),
                trusted(&self.offline, KeyRole::Offline),
            ],
        }
    }

    /// What a kill leaves: the journal as it is, nothing in memory. The connections to Garage break
    /// as the kernel would break them.
    pub(super) async fn crash(&self) {
        self.engine.0.phase.send_replace(Phase::Halting);
        let journal = self.engine.0.journal.clone();
        tokio::task::spawn_blocking(move || journal.close())
            .await
            .unwrap();
    }

    /// Opens the engine again on the same state and drives what is unfinished forward.
    pub(super) async fn recover(&mut self) {
        self.reopen().await.unwrap();
        self.engine.set_trust(self.trust());
        self.engine.heard_from_hub();
        self.engine.start_recovery();
    }

    /// Another agent of the region on another server: its own identity and an empty journal, made
    /// after all that was asked so far. Nothing more comes of the one before.
    pub(super) async fn next_agent(&mut self) {
        self.crash().await;
        self.state = tempfile::tempdir().unwrap();
        self.identity = Arc::new(Identity {
            agent: AgentId::new(self.clock.now(), random()),
            region: self.identity.region.clone(),
            receipt_key: SigningKey::from_bytes(&random()),
            open_key: OpenKey::generate(),
        });
        self.recover().await;
    }

    /// The same request, signed once more, for the present agent as executor of `epoch`.
    pub(super) fn again(&self, payload: &CommandPayload, epoch: u64) -> CommandPayload {
        let now = self.clock.now();
        CommandPayload {
            attempt: payload.attempt + 1,
            audience: Audience {
                agent: self.identity.agent,
                region: self.identity.region.clone(),
                epoch,
            },
            issued_at: now,
            expires_at: now.plus_seconds(60),
            ..payload.clone()
        }
    }

    pub(super) async fn reopen(&mut self) -> Result<(), OpenError> {
        let options = self.options();
        self.engine = Engine::open(options).await?;
        Ok(())
    }

    pub(super) fn options(&self) -> EngineOptions {
        options(
            self.state.path(),
            &self.identity,
            &self.clock,
            &self.proxy,
            (!self.without_s3).then(|| s3_at(&self.s3.endpoint)),
            &self.token,
        )
    }

    /// Garage's S3 without the proxy.
    pub(super) fn direct_s3(&self) -> S3 {
        s3_at(&format!("http://127.0.0.1:{}", self.garage.s3_port))
    }

    pub(super) fn asker(&self) -> Asker {
        let now = self.clock.now();
        Asker {
            actor: Actor {
                account: AccountId::new(now, random()),
                user: UserId::new(now, random()),
                operator: false,
                via: Via::Api,
            },
        }
    }

    pub(super) fn payload(&self, asker: &Asker, command: &Command) -> CommandPayload {
        let now = self.clock.now();
        CommandPayload {
            version: VERSION,
            operation: OperationId::new(now, random()),
            attempt: 1,
            audience: Audience {
                agent: self.identity.agent,
                region: self.identity.region.clone(),
                epoch: 1,
            },
            issued_at: now,
            expires_at: now.plus_seconds(60),
            actor: asker.actor.clone(),
            command: command.to_raw(),
            seal_to: Some(self.client.seal_key()),
        }
    }

    pub(super) fn sign(&self, payload: &CommandPayload) -> Vec<u8> {
        envelope(payload, &self.dispatch)
    }

    /// Submits over the channel.
    pub(super) async fn submit(&self, payload: &CommandPayload) -> Submitted {
        self.engine
            .submit(&self.sign(payload), Source::Channel)
            .await
    }

    /// Submits and waits for the receipt.
    pub(super) async fn run(&self, asker: &Asker, command: Command) -> Done {
        let payload = self.payload(asker, &command);
        match self.submit(&payload).await {
            Submitted::Accepted(operation) => self.wait(operation).await,
            Submitted::Ended(frame) => self.done(frame),
            other => panic!("{other:?}"),
        }
    }

    /// Waits for an operation's receipt.
    pub(super) async fn wait(&self, operation: OperationId) -> Done {
        let mut events = self.engine.events();
        let wait = async {
            loop {
                let frames = self.engine.receipts_from(1, 10_000).unwrap();
                let mut found = frames.into_iter().map(|frame| self.done(frame));
                if let Some(done) = found.rfind(|done| done.ended(operation)) {
                    return done;
                }
                while !matches!(events.recv().await.unwrap(), EngineEvent::Ended) {}
            }
        };
        let limit = Duration::from_secs(60);
        tokio::time::timeout(limit, wait)
            .await
            .expect("the operation ends within a minute")
    }

    pub(super) fn done(&self, frame: ReceiptFrame) -> Done {
        let key = VerifyKey::of(&self.identity.receipt_key);
        let (receipt, _) = Receipt::open(&frame.receipt, key).unwrap();
        Done { receipt, frame }
    }

    /// Opens the secret of a receipt and sees that it is the one that Garage has.
    pub(super) fn secret(&self, done: &Done) -> String {
        let sealed = done.frame.sealed.as_ref().expect("a sealed secret");
        assert_eq!(done.receipt.sealed, Some(sealed.digest()));
        let context = SealContext {
            operation: done.receipt.operation,
            account: done.receipt.account,
            region: &done.receipt.region,
            agent: done.receipt.agent,
            key: &sealed.key,
        };
        let secret = sealed.open(&self.client, &context).unwrap();
        assert_eq!(
            secret.expose_secret(),
            self.garage.secret_of(sealed.key.as_str())
        );
        secret.expose_secret().to_owned()
    }
}

/// A receipt, verified, as it travels.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) receipt: Receipt,
    pub(super) frame: ReceiptFrame,
}

impl Done {
    /// Whether `operation` was run to this end.
    fn ended(&self, operation: OperationId) -> bool {
        self.receipt.operation == operation
            && !matches!(self.receipt.outcome, Outcome::Refused { .. })
    }

    pub(super) fn result(&self) -> &CommandResult {
        match &self.receipt.outcome {
            Outcome::Done(result) => result,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn failure(&self) -> Failure {
        match &self.receipt.outcome {
            Outcome::Failed { code, .. } => *code,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn refusal(&self) -> Refusal {
        match &self.receipt.outcome {
            Outcome::Refused { code, .. } => *code,
            other => panic!("{other:?}"),
        }
    }
}

pub(super) fn envelope(payload: &CommandPayload, key: &SigningKey) -> Vec<u8> {
    let envelope = Envelope::sign_json(PayloadType::Command, payload, key).unwrap();
    serde_json::to_vec(&envelope).unwrap()
}

fn s3_at(endpoint: &str) -> S3 {
    S3::new(endpoint, "garage").unwrap()
}

fn options(
    state: &Path,
    identity: &Arc<Identity>,
    clock: &Arc<TestClock>,
    proxy: &Proxy,
    s3: Option<S3>,
    token: &SecretString,
) -> EngineOptions {
    EngineOptions {
        state_dir: state.to_owned(),
        identity: Arc::clone(identity),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        garage: GarageClient::new(Endpoint::Unix(proxy.socket.clone()), token.clone()),
        disabled: vec!["cluster.health".to_owned()],
        s3,
        max_jobs: MAX_JOBS,
        predecessor_head: None,
    }
}
