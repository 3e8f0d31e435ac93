//! A hub of the test's own, with a root key, a dispatch key, an offline key and an authority that
//! are the test's too. A real agent enrols with it and takes its word, so that the test can sign
//! and send anything, to the byte, and read every answer.

mod connection;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, Result, bail, ensure};
use ed25519_dalek::SigningKey;
use futures_util::{SinkExt as _, StreamExt as _};
use storm_protocol::{
    command::Command,
    encoding::Base64,
    envelope::{Actor, Audience, CommandPayload, Envelope, PayloadType, VERSION, VerifyKey, Via},
    frame::{
        Certificate, Enrol, Enrolled, ExecutorState, Hello, InventoryKept, PROTOCOL_VERSION,
        ReceiptsKept, ToAgent, ToHub, TrafficKept, Welcome,
    },
    ident::{AccountId, AgentId, Digest, Micros, OperationId, RegionName, UserId},
    seal::SealKey,
    trust::{AgentStatement, EnrolToken, KeyRole, TrustDocument, TrustedKey},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

pub use connection::Connection;

use super::{now, random, tls::Authority, wait};

/// How long the tests' keys are trusted, in either direction.
const TRUST_SECONDS: i64 = 3650 * 24 * 3600;

/// The hub, and everyone whose word it can give.
pub struct HostileHub {
    /// Signs trust documents.
    pub root: SigningKey,
    /// Signs commands for the channel.
    pub dispatch: SigningKey,
    /// Signs commands for the spool.
    pub offline: SigningKey,
    /// The region that its agent belongs to.
    pub region: RegionName,
    /// The agent's id, given at enrolment.
    pub agent: AgentId,
    /// An account.
    pub account: AccountId,
    /// A person in it.
    pub user: UserId,
    address: SocketAddr,
    authority: Arc<Authority>,
    shared: Arc<Shared>,
    connections: mpsc::UnboundedReceiver<Connection>,
    listener: JoinHandle<()>,
}

struct Shared {
    secret: [u8; 32],
    root: VerifyKey,
    trust: Envelope,
    dispatch: SigningKey,
    agent: AgentId,
    region: RegionName,
    receipt_key: Mutex<Option<VerifyKey>>,
    receipts_kept: AtomicU64,
}

impl HostileHub {
    /// Listens on a free port.
    pub async fn start() -> Result<Self> {
        let authority = Arc::new(Authority::new()?);
        let (root, dispatch, offline) = (signing_key()?, signing_key()?, signing_key()?);
        let at = now();
        let trusted = |key: &SigningKey, role| TrustedKey {
            key: VerifyKey::of(key),
            role,
            not_before: at.plus_seconds(-TRUST_SECONDS),
            not_after: at.plus_seconds(TRUST_SECONDS),
        };
        let trust = TrustDocument {
            version: VERSION,
            serial: 1,
            issued_at: at,
            authorities: vec![Base64(authority.certificate.to_vec())],
            keys: vec![
                trusted(&dispatch, KeyRole::Dispatch),
                trusted(&offline, KeyRole::Offline),
            ],
        };
        let shared = Arc::new(Shared {
            secret: random()?,
            root: VerifyKey::of(&root),
            trust: Envelope::sign_json(PayloadType::Trust, &trust, &root)?,
            dispatch: dispatch.clone(),
            agent: AgentId::new(at, random()?),
            region: "hostile".parse()?,
            receipt_key: Mutex::new(None),
            receipts_kept: AtomicU64::new(0),
        });
        let listener = TcpListener::bind(("127.0.0.1", super::ports::free_port()?)).await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(Arc::new(authority.server_config()?));
        let (give, connections) = mpsc::unbounded_channel();
        let serving = (Arc::clone(&shared), Arc::clone(&authority));
        let listener = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, authority) = serving.clone();
                let (acceptor, give) = (acceptor.clone(), give.clone());
                tokio::spawn(async move {
                    // A connection that breaks is the agent's to make again.
                    if let Err(error) = serve(stream, acceptor, &shared, &authority, &give).await {
                        eprintln!("hostile hub: {error:#}");
                    }
                });
            }
        });
        Ok(Self {
            region: shared.region.clone(),
            agent: shared.agent,
            account: AccountId::new(at, random()?),
            user: UserId::new(at, random()?),
            root,
            dispatch,
            offline,
            address,
            authority,
            shared,
            connections,
            listener,
        })
    }

    /// What `storm-pulse enroll` takes as its address.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// What `storm-pulse enroll` takes as its token.
    pub fn token(&self) -> EnrolToken {
        EnrolToken {
            secret: self.shared.secret,
            root_key: self.shared.root.id(),
            ca_key: self.authority.key_digest,
        }
    }

    /// The signed trust document.
    pub fn trust(&self) -> &Envelope {
        &self.shared.trust
    }

    /// The next connection of the enrolled agent.
    pub async fn connection(&mut self) -> Result<Connection> {
        let waiting = tokio::time::timeout(wait::PATIENCE, self.connections.recv());
        waiting
            .await
            .context("the agent does not connect")?
            .context("the hub has ended")
    }

    /// A command as an honest signer would make it: for this agent, fresh, of a new operation.
    pub fn payload(&self, command: &Command, seal_to: Option<SealKey>) -> Result<CommandPayload> {
        let at = now();
        Ok(CommandPayload {
            version: VERSION,
            operation: OperationId::new(at, random()?),
            attempt: 1,
            audience: Audience {
                agent: self.agent,
                region: self.region.clone(),
                epoch: 1,
            },
            issued_at: at,
            expires_at: at.plus_seconds(60),
            actor: Actor {
                account: self.account,
                user: self.user,
                operator: false,
                via: Via::Api,
            },
            command: command.to_raw(),
            seal_to,
        })
    }

    /// Signs a command with the dispatch key.
    pub fn sign(&self, payload: &CommandPayload) -> Result<Envelope> {
        Ok(Envelope::sign_json(
            PayloadType::Command,
            payload,
            &self.dispatch,
        )?)
    }

    /// A number that orders instants of operations: `seconds` from now.
    pub fn at(seconds: i64) -> Micros {
        now().plus_seconds(seconds)
    }
}

impl Drop for HostileHub {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

fn signing_key() -> Result<SigningKey> {
    Ok(SigningKey::from_bytes(&random()?))
}

type Socket = WebSocketStream<TlsStream<TcpStream>>;

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    shared: &Shared,
    authority: &Authority,
    give: &mpsc::UnboundedSender<Connection>,
) -> Result<()> {
    let mut socket = accept_async(acceptor.accept(stream).await?).await?;
    match read(&mut socket).await? {
        Some(ToHub::Enrol(enrol)) => {
            let enrolled = shared.enrol(&enrol, authority)?;
            write(&mut socket, &ToAgent::Enrolled(Box::new(enrolled))).await?;
            // The agent ends this connection.
            while read(&mut socket).await?.is_some() {}
            Ok(())
        }
        Some(ToHub::Hello(hello)) => shared.register(socket, *hello, give).await,
        other => bail!("the agent began with {other:?}"),
    }
}

impl Shared {
    fn enrol(&self, enrol: &Enrol, authority: &Authority) -> Result<Enrolled> {
        ensure!(
            enrol.secret == Digest(self.secret),
            "the token's secret is another"
        );
        let mut receipt_key = self
            .receipt_key
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *receipt_key = Some(enrol.receipt_key);
        let statement = AgentStatement {
            version: VERSION,
            agent: self.agent,
            region: self.region.clone(),
            receipt_key: enrol.receipt_key,
            seal_key: enrol.seal_key,
            issued_at: now(),
        };
        let certificate = authority.issue(&enrol.request.0, self.agent)?;
        Ok(Enrolled {
            agent: self.agent,
            region: self.region.clone(),
            certificate: Certificate {
                chain: vec![
                    Base64(certificate.to_vec()),
                    Base64(authority.certificate.to_vec()),
                ],
            },
            root_key: self.root,
            trust: self.trust.clone(),
            statement: Envelope::sign_json(PayloadType::Agent, &statement, &self.dispatch)?,
        })
    }

    async fn register(
        &self,
        mut socket: Socket,
        hello: Hello,
        give: &mpsc::UnboundedSender<Connection>,
    ) -> Result<()> {
        ensure!(
            hello.version == PROTOCOL_VERSION,
            "the agent speaks {}",
            hello.version
        );
        let welcome = Welcome {
            hub_version: "hostile".to_owned(),
            clock: now(),
            executor: ExecutorState {
                executor: true,
                epoch: 1,
            },
            trust: None,
            receipts_kept: self.receipts_kept.load(Ordering::Relaxed),
            generation: hello.generation,
        };
        write(&mut socket, &ToAgent::Welcome(Box::new(welcome))).await?;
        let (to_agent, mut outgoing) = mpsc::unbounded_channel();
        let (heard, from_agent) = mpsc::unbounded_channel();
        let receipt_key = self.receipt_key()?;
        let connection = Connection {
            hello,
            to_agent,
            from_agent,
            receipts: HashMap::new(),
            receipt_key,
        };
        give.send(connection)
            .map_err(|_| anyhow::anyhow!("the test has ended"))?;
        loop {
            tokio::select! {
                frame = read(&mut socket) => {
                    let Some(frame) = frame? else { return Ok(()) };
                    if let Some(answer) = self.answer(&frame) {
                        write(&mut socket, &answer).await?;
                    }
                    // A test that no longer listens still wants the agent served.
                    let _ = heard.send(frame);
                }
                Some(message) = outgoing.recv() => socket.send(message).await?,
            }
        }
    }

    fn receipt_key(&self) -> Result<VerifyKey> {
        let key = self
            .receipt_key
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        key.context("the agent has not enrolled")
    }

    /// What any hub says at once.
    fn answer(&self, frame: &ToHub) -> Option<ToAgent> {
        match frame {
            ToHub::Heartbeat(beat) => Some(ToAgent::HeartbeatSeen(beat.clone())),
            ToHub::Receipt(frame) => {
                self.receipts_kept
                    .fetch_max(frame.sequence, Ordering::Relaxed);
                Some(ToAgent::ReceiptsKept(ReceiptsKept {
                    sequence: frame.sequence,
                }))
            }
            ToHub::Inventory(frame) if frame.last => Some(ToAgent::InventoryKept(InventoryKept {
                generation: frame.generation,
            })),
            ToHub::Inventory(_)
            | ToHub::Enrol(_)
            | ToHub::Hello(_)
            | ToHub::Accepted(_)
            | ToHub::States(_)
            | ToHub::Renew(_)
            | ToHub::TrustKept(_)
            | ToHub::Trouble(_)
            | ToHub::Progress(_)
            | ToHub::Moved => None,
            ToHub::Traffic(frame) => Some(ToAgent::TrafficKept(TrafficKept {
                sequence: frame.sequence,
            })),
        }
    }
}

async fn read(socket: &mut Socket) -> Result<Option<ToHub>> {
    while let Some(message) = socket.next().await {
        match message? {
            Message::Text(text) => return Ok(Some(ToHub::parse(text.as_bytes())?)),
            Message::Close(_) => return Ok(None),
            Message::Binary(_) => bail!("the agent sent a binary frame"),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
    Ok(None)
}

async fn write(socket: &mut Socket, frame: &ToAgent) -> Result<()> {
    socket
        .send(Message::text(serde_json::to_string(frame)?))
        .await?;
    Ok(())
}
