//! An agent of the tests' own making, and a running hub to talk with.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ed25519_dalek::SigningKey;
use futures_util::{SinkExt as _, StreamExt as _};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, pem::PemObject as _,
};
use storm_protocol::{
    api::{Operation, OperationStatus},
    command::Command,
    encoding::Base64,
    envelope::{Audience, CommandPayload, Envelope, PayloadType, VERSION, VerifyKey, Via},
    frame::{
        ClosingCode, CommandRow, Enrol, Enrolled, HUB_SERVER_NAME, Hello, PROTOCOL_VERSION,
        ReceiptFrame, RenewFrame, ToAgent, ToHub,
    },
    ident::{AccountId, AgentId, Digest, Micros, OperationId, RegionName, UserId},
    receipt::{Head, Outcome, Receipt},
    seal::{OpenKey, Sealed},
    trust::{EnrolToken, KeyRole},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use crate::{clock::random, hub, signer::Signer, testing::World};

/// Seconds that anything in these tests may take.
const PATIENCE_SECONDS: u64 = 20;

pub(super) type Socket = WebSocketStream<TlsStream<TcpStream>>;
/// A certificate chain and its key (PKCS #8).
pub(super) type Certified = (Vec<CertificateDer<'static>>, Vec<u8>);

/// A hub and a signer over a world of their own.
pub(super) struct Running {
    pub(super) world: World,
    addresses: Vec<SocketAddr>,
    /// The hub that is dialled.
    at: AtomicUsize,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// How to dial.
#[derive(Default)]
pub(super) struct Dial {
    pub(super) tls12: bool,
    pub(super) certificate: Option<Certified>,
}

impl Running {
    pub(super) async fn start() -> Self {
        Self::start_hubs(1).await
    }

    /// Several hubs, none of which hears the other's words: what they know of each other stands in the
    /// database.
    pub(super) async fn start_hubs(count: usize) -> Self {
        let world = World::new().await;
        let stop = CancellationToken::new();
        let signer = Signer::open(&world.app, &world.files).unwrap();
        let mut tasks = vec![tokio::spawn(signer.run(stop.clone()))];
        let mut addresses = vec![];
        for number in 0..count {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            addresses.push(listener.local_addr().unwrap());
            let (mut app, stop) = (world.app.clone(), stop.clone());
            if number > 0 {
                app.bus = Arc::default();
            }
            tasks.push(tokio::spawn(async move {
                // Again when it was taken for dead.
                while !stop.is_cancelled() {
                    let (app, stop) = (app.clone(), stop.clone());
                    hub::run(app, &listener, count == 1, stop).await.unwrap();
                }
            }));
        }
        Self {
            world,
            addresses,
            at: AtomicUsize::new(0),
            stop,
            tasks,
        }
    }

    /// Dials this hub from now on.
    pub(super) fn turn_to(&self, hub: usize) {
        self.at.store(hub, Ordering::SeqCst);
    }

    /// How the database names the hub that is dialled, once it has begun.
    pub(super) async fn hub_id(&self) -> String {
        let address = self.address().to_string();
        let wait = async {
            loop {
                let beats = self.world.app.store.beats().await.unwrap();
                if let Some(beat) = beats.into_iter().find(|beat| beat.address == address) {
                    return beat.hub;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(PATIENCE_SECONDS), wait)
            .await
            .unwrap()
    }

    fn address(&self) -> SocketAddr {
        self.addresses[self.at.load(Ordering::SeqCst)]
    }

    pub(super) async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
        assert_eq!(
            self.world
                .count("SELECT COUNT(*) FROM agents WHERE connected = 1")
                .await,
            0
        );
    }

    pub(super) async fn dial(&self, certificate: Option<Certified>) -> anyhow::Result<Socket> {
        self.dial_with(Dial {
            certificate,
            ..Dial::default()
        })
        .await
    }

    pub(super) async fn dial_with(&self, dial: Dial) -> anyhow::Result<Socket> {
        let tls = self.dial_tls(dial).await?;
        let (socket, _) = client_async(format!("wss://{HUB_SERVER_NAME}/agent"), tls).await?;
        Ok(socket)
    }

    /// What a WebSocket goes over.
    pub(super) async fn dial_tls(&self, dial: Dial) -> anyhow::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        for authority in &self.world.app.trust.borrow().document.authorities {
            roots.add(CertificateDer::from(authority.0.clone()))?;
        }
        let version = if dial.tls12 { &TLS12 } else { &TLS13 };
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])?
            .with_root_certificates(roots);
        let config = match dial.certificate {
            Some((chain, key)) => config
                .with_client_auth_cert(chain, PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key)))?,
            None => config.with_no_client_auth(),
        };
        let stream = TcpStream::connect(self.address()).await?;
        let name = ServerName::try_from(HUB_SERVER_NAME)?;
        let connector = TlsConnector::from(Arc::new(config));
        Ok(connector.connect(name, stream).await?)
    }

    /// An agent that has enrolled and is connected.
    pub(super) async fn enrolled(&self) -> (Double, Socket) {
        let (agent, socket) = self.enrolled_in(&self.world.region).await;
        assert!(agent.executor);
        (agent, socket)
    }

    /// The same in another region.
    pub(super) async fn enrolled_in(&self, region: &RegionName) -> (Double, Socket) {
        let token = self.world.enrol_token_of(region, 3600).await;
        let mut agent = Double::new();
        agent.enrol(self, &token).await.unwrap();
        let socket = agent.connect(self).await.unwrap();
        (agent, socket)
    }

    /// Waits until the database says so.
    pub(super) async fn until_count(&self, question: &str, answer: i64) {
        let wait = async {
            while self.world.count(question).await != answer {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(PATIENCE_SECONDS), wait)
            .await
            .unwrap();
    }

    /// Waits until the operation is there.
    pub(super) async fn until(&self, id: OperationId, state: OperationStatus) -> Operation {
        let mut changes = self.world.app.bus.listen();
        let wait = async {
            loop {
                let operation = self.world.app.store.operation(id).await.unwrap();
                if let Some(operation) = operation.filter(|operation| operation.state == state) {
                    return operation;
                }
                let _ = tokio::time::timeout(Duration::from_millis(50), changes.recv()).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(PATIENCE_SECONDS), wait)
            .await
            .unwrap()
    }
}

/// A command as it came.
pub(super) struct Received {
    pub(super) payload: CommandPayload,
    identity: Digest,
}

/// An agent.
pub(super) struct Double {
    tls: KeyPair,
    receipts: SigningKey,
    seal: OpenKey,
    enrolled: Option<(AgentId, RegionName)>,
    certificate: Option<Certified>,
    /// Whether the last welcome said so.
    pub(super) executor: bool,
    /// Its receipts: account, place in the account's part, identity.
    pub(super) chain: Vec<(AccountId, u64, Digest)>,
}

impl Double {
    pub(super) fn new() -> Self {
        Self {
            tls: KeyPair::generate().unwrap(),
            receipts: SigningKey::from_bytes(&random()),
            seal: OpenKey::generate(),
            enrolled: None,
            certificate: None,
            executor: false,
            chain: vec![],
        }
    }

    pub(super) fn id(&self) -> AgentId {
        self.enrolled.as_ref().unwrap().0
    }

    pub(super) fn certified(&self) -> Certified {
        self.certificate.clone().unwrap()
    }

    pub(super) fn use_certificate(&mut self, certificate: Certified) {
        self.certificate = Some(certificate);
    }

    pub(super) async fn enrol(
        &mut self,
        hub: &Running,
        token: &EnrolToken,
    ) -> Result<Enrolled, ClosingCode> {
        let mut socket = hub.dial(None).await.unwrap();
        let enrol = Enrol {
            version: PROTOCOL_VERSION,
            secret: Digest(token.secret),
            request: request(&self.tls),
            receipt_key: VerifyKey::of(&self.receipts),
            seal_key: self.seal.seal_key(),
            host: "node".to_owned(),
        };
        self.send(&mut socket, &ToHub::Enrol(enrol)).await;
        match next(&mut socket).await {
            Some(ToAgent::Enrolled(enrolled)) => {
                self.enrolled = Some((enrolled.agent, enrolled.region.clone()));
                self.certificate =
                    Some((chain(&enrolled.certificate.chain), self.tls.serialize_der()));
                Ok(*enrolled)
            }
            Some(ToAgent::Closing(closing)) => Err(closing.code),
            other => panic!("expected an identity, got {other:?}"),
        }
    }

    /// Connects and is welcomed, or learns why not.
    pub(super) async fn connect(&mut self, hub: &Running) -> Result<Socket, ClosingCode> {
        let mut socket = hub.dial(self.certificate.clone()).await.unwrap();
        self.send(&mut socket, &ToHub::Hello(Box::new(self.hello(&hub.world))))
            .await;
        match next(&mut socket).await {
            Some(ToAgent::Welcome(welcome)) => {
                self.executor = welcome.executor.executor;
                Ok(socket)
            }
            Some(ToAgent::Closing(closing)) => Err(closing.code),
            other => panic!("expected a welcome, got {other:?}"),
        }
    }

    pub(super) fn hello(&self, world: &World) -> Hello {
        let now = world.app.clock.now();
        let agent = self
            .enrolled
            .as_ref()
            .map_or_else(|| AgentId::new(now, random()), |known| known.0);
        let head = Head {
            version: VERSION,
            agent,
            sequence: self.chain.len() as u64,
            digest: self.chain.last().map(|receipt| receipt.2),
            at: now,
        };
        let rows = Command::TABLE.iter();
        Hello {
            version: PROTOCOL_VERSION,
            agent_version: "0.0.0".to_owned(),
            clock: now,
            commands: rows
                .map(|row| CommandRow {
                    name: row.name.to_owned(),
                    digest: row.digest(),
                })
                .collect(),
            disabled: vec![],
            head: Envelope::sign_json(PayloadType::Head, &head, &self.receipts).unwrap(),
            trust_serial: 1,
            epoch: 1,
            generation: 0,
            garage_version: None,
        }
    }

    pub(super) async fn send(&self, socket: &mut Socket, frame: &ToHub) {
        send_text(socket, &serde_json::to_string(frame).unwrap()).await;
    }

    /// The next command, with a signature that holds.
    pub(super) async fn command(&self, hub: &Running, socket: &mut Socket) -> Received {
        let envelope = match next(socket).await {
            Some(ToAgent::Command(envelope)) => envelope,
            other => panic!("expected a command, got {other:?}"),
        };
        let now = hub.world.app.clock.now();
        let keys = hub
            .world
            .app
            .trust
            .borrow()
            .document
            .keys(KeyRole::Dispatch, now);
        let verified = envelope.verify(PayloadType::Command, &keys).unwrap();
        let payload = CommandPayload::parse(verified.payload).unwrap();
        assert_eq!(payload.audience.agent, self.id());
        Received {
            payload,
            identity: verified.identity,
        }
    }

    /// A command that came through the spool.
    pub(super) fn offline(&self, world: &World, account: AccountId, now: Micros) -> Received {
        let command = Command::AgentPing(storm_protocol::command::AgentPing {});
        let (agent, region) = self.enrolled.clone().unwrap();
        let payload = CommandPayload {
            version: VERSION,
            operation: OperationId::new(now, random()),
            attempt: 1,
            audience: Audience {
                agent,
                region,
                epoch: 1,
            },
            issued_at: now,
            expires_at: now,
            actor: storm_protocol::envelope::Actor {
                account,
                user: UserId::new(now, random()),
                operator: world.operator.operator,
                via: Via::Offline,
            },
            command: command.to_raw(),
            seal_to: None,
        };
        Received {
            payload,
            identity: Digest(random()),
        }
    }

    /// The next receipt of this agent's chain.
    pub(super) fn receipt(&mut self, command: &Received, outcome: Outcome) -> ReceiptFrame {
        self.sealed_receipt(command, outcome, None)
    }

    /// The next receipt, with a secret beside it.
    pub(super) fn sealed_receipt(
        &mut self,
        command: &Received,
        outcome: Outcome,
        sealed: Option<Sealed>,
    ) -> ReceiptFrame {
        let account = command.payload.actor.account;
        let mine = self.chain.iter().rev().find(|receipt| receipt.0 == account);
        let (account_sequence, account_previous) = mine
            .map_or((1, None), |(_, sequence, identity)| {
                (sequence + 1, Some(*identity))
            });
        let (agent, region) = self.enrolled.clone().unwrap();
        let receipt = Receipt {
            version: VERSION,
            agent,
            region,
            sequence: self.chain.len() as u64 + 1,
            previous: self.chain.last().map(|receipt| receipt.2),
            account,
            account_sequence,
            account_previous,
            operation: command.payload.operation,
            attempt: command.payload.attempt,
            envelope: command.identity,
            intent: command.payload.intent(),
            command: command.payload.command.name.clone(),
            accepted_at: command.payload.issued_at,
            finished_at: command.payload.issued_at,
            outcome,
            sealed: sealed.as_ref().map(Sealed::digest),
        };
        let envelope = Envelope::sign_json(PayloadType::Receipt, &receipt, &self.receipts).unwrap();
        self.chain
            .push((account, account_sequence, envelope.identity()));
        ReceiptFrame {
            sequence: receipt.sequence,
            receipt: envelope,
            sealed,
        }
    }

    /// Waits for an acknowledgement.
    pub(super) async fn kept(&self, socket: &mut Socket) -> u64 {
        match next(socket).await {
            Some(ToAgent::ReceiptsKept(kept)) => kept.sequence,
            other => panic!("expected an acknowledgement, got {other:?}"),
        }
    }

    /// Takes a certificate for a new key.
    pub(super) async fn renew(&mut self, socket: &mut Socket) {
        let key = KeyPair::generate().unwrap();
        self.send(
            socket,
            &ToHub::Renew(RenewFrame {
                request: request(&key),
            }),
        )
        .await;
        match next(socket).await {
            Some(ToAgent::Renewed(certificate)) => {
                self.certificate = Some((chain(&certificate.chain), key.serialize_der()));
            }
            other => panic!("expected a certificate, got {other:?}"),
        }
    }
}

/// The next frame; `None` when the connection is gone.
pub(super) async fn next(socket: &mut Socket) -> Option<ToAgent> {
    let wait = async {
        loop {
            match socket.next().await? {
                Ok(Message::Text(text)) => return Some(ToAgent::parse(text.as_bytes()).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(PATIENCE_SECONDS), wait)
        .await
        .unwrap()
}

/// Why the hub closes, past whatever else it says.
pub(super) async fn closing_code(socket: &mut Socket) -> Option<ClosingCode> {
    loop {
        match next(socket).await? {
            ToAgent::Closing(closing) => return Some(closing.code),
            _ => continue,
        }
    }
}

pub(super) async fn send_text(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

/// A certificate for an agent, by a CA that is not ours, and that CA.
pub(super) fn certificate_of_another_ca() -> (Certified, CertificateDer<'static>) {
    let world = tempfile::tempdir().unwrap();
    let files = crate::keys::Files::new(&world.path().join("other"));
    let now = crate::clock::Clock::now(&crate::clock::SystemClock);
    crate::keys::make_missing(&files, None, now).unwrap();
    let authority = KeyPair::from_pem(&std::fs::read_to_string(files.ca_key()).unwrap()).unwrap();
    let pem = std::fs::read_to_string(files.ca_certificate()).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_pem(&pem, authority).unwrap();
    let key = KeyPair::generate().unwrap();
    let until = now.plus_seconds(3600);
    let mut params = crate::keys::certificate_params("agent", now, until).unwrap();
    let uri = format!("urn:storm:agent:{}", AgentId::new(now, random()));
    params.subject_alt_names = vec![rcgen::SanType::URI(uri.try_into().unwrap())];
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let authority = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let certified = (vec![certificate.der().clone()], key.serialize_der());
    (certified, authority)
}

fn request(key: &KeyPair) -> Base64 {
    let request = CertificateParams::default().serialize_request(key).unwrap();
    Base64(request.der().to_vec())
}

fn chain(certificates: &[Base64]) -> Vec<CertificateDer<'static>> {
    certificates
        .iter()
        .map(|der| CertificateDer::from(der.0.clone()))
        .collect()
}
