//! The channel to the hub: dial, introduce, run, come back. What is fatal and what is not are two
//! types; neither ever touches a credential.

mod hubs;
mod link;
mod session;

use std::{sync::Arc, time::Duration};

use storm_protocol::{
    backoff::Backoff,
    command::Command,
    frame::{ClosingCode, CommandRow, Hello, PROTOCOL_VERSION, ToAgent, ToHub, Welcome},
};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

pub(crate) use hubs::Hubs;
pub(crate) use link::{HubAddress, Incoming, Link};

use crate::{
    clock::random,
    identity::TlsKey,
    inventory::ChannelPorts,
    run::Shell,
    status::ConnectionState,
    tls::{self, ClientCertificate},
};

/// Seconds until a hub that does not answer `hello` counts as lost.
const WELCOME_TIMEOUT_SECONDS: u64 = 30;
/// Seconds that a connection has to hold before the next failure counts as the first.
const STABLE_SECONDS: u64 = 10;

/// A failure that coming back may mend.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Transient {
    /// No TCP connection.
    #[error("the hub cannot be reached at {hub}: {cause}")]
    NotReached {
        /// Where.
        hub: String,
        /// Why.
        cause: String,
    },
    /// TLS failed: the other side is not our hub, or does not take our certificate.
    #[error("the hub's TLS is not accepted, or it does not accept ours: {0}")]
    Tls(String),
    /// It speaks TLS but not our WebSocket.
    #[error("the hub did not open a WebSocket: {0}")]
    Handshake(String),
    /// A step took too long.
    #[error("{0} took longer than {1} seconds")]
    TooSlow(&'static str, u64),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// Nothing was heard for too long.
    #[error("nothing was heard from the hub for {0} seconds")]
    Silent(u64),
    /// The hub closed and said why.
    #[error("the hub closed the connection ({code}): {message}", code = .code.code())]
    Closing {
        /// The stable code.
        code: ClosingCode,
        /// The hub's words.
        message: String,
    },
    /// Another frame than the one that had to come.
    #[error("the hub sent something else than {0}")]
    Unexpected(&'static str),
    /// Our own files or engine failed.
    #[error("{0}")]
    Local(String),
}

/// A failure that ends the agent, with its keys kept.
#[derive(Debug, thiserror::Error)]
#[error("the hub refuses this agent ({code}): {message}", code = .code.code())]
pub(crate) struct Fatal {
    /// The stable code.
    pub code: ClosingCode,
    /// The hub's words.
    pub message: String,
}

/// Either kind.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    /// Come back.
    #[error(transparent)]
    Transient(#[from] Transient),
    /// Give up.
    #[error(transparent)]
    Fatal(#[from] Fatal),
}

impl ChannelError {
    /// What a hub's goodbye means.
    pub(crate) fn closing(code: ClosingCode, message: String) -> Self {
        if code.is_transient() {
            Transient::Closing { code, message }.into()
        } else {
            Fatal { code, message }.into()
        }
    }
}

/// The connection as it is now.
enum State {
    Waiting(Duration),
    Connecting,
    Introducing(Link),
    Running(Link, Box<Welcome>),
}

/// Keeps the agent connected.
pub(crate) struct Channel {
    shell: Arc<Shell>,
    hubs: Hubs,
    key: TlsKey,
    ports: ChannelPorts,
    backoff: Backoff,
    session: u64,
}

impl Channel {
    /// A channel to one of these hubs.
    pub(crate) fn new(shell: Arc<Shell>, hubs: Hubs, key: TlsKey, ports: ChannelPorts) -> Self {
        Self {
            shell,
            hubs,
            key,
            ports,
            backoff: Backoff::default(),
            session: 0,
        }
    }

    /// Runs until `stop`, or until the hub says that this agent is no longer wanted.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), Fatal> {
        let mut state = State::Connecting;
        while !stop.is_cancelled() {
            let next = match state {
                State::Waiting(delay) => {
                    self.show(ConnectionState::Waiting);
                    stop.run_until_cancelled(sleep(delay)).await;
                    Ok(State::Connecting)
                }
                State::Connecting => {
                    self.show(ConnectionState::Connecting);
                    match stop.run_until_cancelled(self.connect()).await {
                        Some(connected) => connected.map(State::Introducing).map_err(Into::into),
                        None => break,
                    }
                }
                State::Introducing(link) => {
                    self.show(ConnectionState::Introducing);
                    match stop.run_until_cancelled(self.introduce(link)).await {
                        Some(welcomed) => welcomed.map(|(link, hub)| State::Running(link, hub)),
                        None => break,
                    }
                }
                State::Running(link, welcome) => {
                    let since = Instant::now();
                    let ended = self.serve(link, *welcome, &stop).await;
                    if since.elapsed() >= Duration::from_secs(STABLE_SECONDS) {
                        self.backoff.reset();
                        self.hubs.begin_anew();
                    }
                    ended.map(|()| State::Connecting)
                }
            };
            state = match next {
                Ok(state) => state,
                Err(ChannelError::Fatal(fatal)) => {
                    self.shell.board.failed(&fatal.to_string());
                    return Err(fatal);
                }
                Err(ChannelError::Transient(error)) => self.come_back(&error),
            };
        }
        self.show(ConnectionState::Stopped);
        Ok(())
    }

    /// To the next hub at once; to rest when all were tried.
    fn come_back(&mut self, error: &Transient) -> State {
        if self.hubs.has_more() {
            tracing::warn!(%error, "not connected; the next hub is tried");
            self.shell.board.failed(&error.to_string());
            return State::Connecting;
        }
        let delay = self.backoff.next(random());
        let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(%error, retry_in_milliseconds = milliseconds, "not connected");
        self.shell.board.failed(&error.to_string());
        State::Waiting(delay)
    }

    async fn connect(&mut self) -> Result<Link, Transient> {
        let place = self.hubs.next().await?;
        // Read anew each time: both may have been replaced since.
        let certificate = ClientCertificate::load(&self.shell.state).map_err(local)?;
        self.shell.board.certificate(certificate.not_after());
        let config = {
            let trust = self.shell.trust();
            tls::channel_config(&trust, &certificate, &self.key).map_err(local)?
        };
        // At each connection: Garage may have been upgraded since.
        let version = self.shell.ask_garage_version();
        let (link, ()) = tokio::join!(Link::dial_at(&place, config), version);
        if link.is_ok() {
            tracing::debug!(hub = %place.hub, at = %place.at, "reached");
        }
        link
    }

    async fn introduce(&mut self, mut link: Link) -> Result<(Link, Box<Welcome>), ChannelError> {
        let shell = &self.shell;
        let asked = Instant::now();
        let clock = shell.clock.now();
        let hello = Hello {
            version: PROTOCOL_VERSION,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            clock,
            commands: rows(),
            disabled: shell.disabled.clone(),
            head: shell.engine.head(),
            trust_serial: shell.trust_serial(),
            epoch: shell.engine.epoch(),
            generation: shell
                .engine
                .generation()
                .map_err(|error| Transient::Local(error.to_string()))?,
            garage_version: shell.board.garage_version(),
        };
        link.send(&ToHub::Hello(Box::new(hello))).await?;
        let answer = timeout(
            Duration::from_secs(WELCOME_TIMEOUT_SECONDS),
            first_frame(&mut link),
        );
        let Ok(answer) = answer.await else {
            return Err(Transient::TooSlow("the hub's welcome", WELCOME_TIMEOUT_SECONDS).into());
        };
        match answer? {
            ToAgent::Welcome(welcome) => {
                shell
                    .board
                    .clock(clock, asked.elapsed(), welcome.clock, shell.clock.now());
                Ok((link, welcome))
            }
            ToAgent::Closing(closing) => Err(ChannelError::closing(closing.code, closing.message)),
            ToAgent::Enrolled(_)
            | ToAgent::HeartbeatSeen(_)
            | ToAgent::Command(_)
            | ToAgent::Query(_)
            | ToAgent::ReceiptsKept(_)
            | ToAgent::ReceiptsWanted(_)
            | ToAgent::InventoryKept(_)
            | ToAgent::Trust(_)
            | ToAgent::Renewed(_)
            | ToAgent::Executor(_)
            | ToAgent::Moved
            | ToAgent::TrafficKept(_) => Err(Transient::Unexpected("a welcome").into()),
        }
    }

    async fn serve(
        &mut self,
        link: Link,
        welcome: Welcome,
        stop: &CancellationToken,
    ) -> Result<(), ChannelError> {
        self.session += 1;
        tracing::info!(
            hub_version = welcome.hub_version,
            executor = welcome.executor.executor,
            "connected"
        );
        let session = session::Session::new(self.session, &self.shell, &self.key, link);
        let ended = session.run(welcome, &mut self.ports, stop).await;
        self.ports.disconnected();
        ended
    }

    fn show(&self, state: ConnectionState) {
        self.shell.board.connection(state, self.backoff.attempts());
    }
}

/// Waits for the first frame that is understood.
pub(crate) async fn first_frame(link: &mut Link) -> Result<ToAgent, Transient> {
    loop {
        if let Incoming::Frame(bytes) = link.receive().await? {
            return ToAgent::parse(&bytes)
                .map_err(|_| Transient::Unexpected("a frame that this agent understands"));
        }
    }
}

fn rows() -> Vec<CommandRow> {
    let row = |row: &storm_protocol::command::Row| CommandRow {
        name: row.name.to_owned(),
        digest: row.digest(),
    };
    Command::TABLE.iter().map(row).collect()
}

fn local(error: anyhow::Error) -> Transient {
    Transient::Local(format!("{error:#}"))
}
