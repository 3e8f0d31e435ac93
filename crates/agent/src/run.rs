//! `storm-pulse run`: puts engine, channel, inventory, counts of requests, spool and status together
//! and takes them down in order.

use std::{
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use storm_protocol::{envelope::Envelope, trust::TrustDocument};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    channel::{Channel, Fatal, HubAddress, Hubs},
    clock::{Clock, SystemClock},
    config::Config,
    engine::{Engine, EngineOptions},
    exit::{Code, OrStop as _, Stop, stop},
    garage::{GarageClient, load_token},
    identity::{Enrolment, Identity, TlsKey},
    inventory::{self, ChannelPorts, Inventory},
    spool,
    state::{AgentLock, StateDir},
    status::{self, Board},
    tls::ClientCertificate,
    traffic::{self, Traffic},
    trust::{Offered, Trust, TrustError},
};

/// Milliseconds that Garage has to say its version while the hub is dialled.
const VERSION_MILLISECONDS: u64 = 1000;
/// Seconds that the channel has to say goodbye.
const GOODBYE_SECONDS: u64 = 2;

/// What the parts of a running agent share.
pub(crate) struct Shell {
    /// The state directory.
    pub state: StateDir,
    /// What the control plane said at enrolment.
    pub enrolment: Enrolment,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The engine.
    pub engine: Engine,
    /// Garage's admin API.
    pub garage: GarageClient,
    /// What the agent shows of itself.
    pub board: Board,
    /// Commands that this agent does not offer.
    pub disabled: Vec<String>,
    /// Counts of requests on their way to the hub.
    pub traffic: Traffic,
    metrics: GarageClient,
    trust: Mutex<Trust>,
    token: Mutex<Token>,
    // Last: the lock goes when all else is gone.
    _lock: AgentLock,
}

/// The file that the Garage token was read from, as it was then.
struct Token {
    path: PathBuf,
    version: Option<(u64, i64, i64)>,
}

/// A shell with everything in it, nothing of it running yet.
pub(crate) struct Opened {
    /// The shell.
    pub shell: Arc<Shell>,
    /// The key of the agent's certificate.
    pub key: TlsKey,
    /// The inventory's side towards the channel.
    pub ports: ChannelPorts,
    inventory: Inventory,
}

impl Shell {
    /// Opens everything under the agent's lock.
    pub(crate) async fn open(
        config: &Config,
        state: StateDir,
        lock: AgentLock,
    ) -> Result<Opened, Stop> {
        let (enrolment, identity, key) = Identity::load(&state)?;
        let trust = Trust::load(&state, enrolment.root_key).or_stop(Code::Usage)?;
        let path = config.token_file();
        let version = file_version(&path);
        let token = load_token(&path).or_stop(Code::Usage)?;
        let admin = config.admin().map_err(anyhow::Error::msg)?;
        let metrics = config.metrics().map_err(anyhow::Error::msg)?;
        let garage = GarageClient::new(admin, token.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let engine = Engine::open(EngineOptions {
            state_dir: state.path().to_owned(),
            identity: Arc::new(identity),
            clock: Arc::clone(&clock),
            garage: garage.clone(),
            disabled: config.not_offered(),
            s3: config.s3().map_err(anyhow::Error::msg)?,
            max_jobs: config.jobs.max_running,
            predecessor_head: enrolment.predecessor_head,
        })
        .await
        .map_err(anyhow::Error::from)?;
        engine.set_trust(trust.document.clone());
        let board = Board::new(Arc::clone(&clock));
        let generation = engine.generation().unwrap_or(0);
        board.inventory(|shown| shown.generation = generation);
        let shell = Arc::new(Self {
            state,
            enrolment,
            clock,
            engine,
            garage,
            board,
            disabled: config.not_offered(),
            traffic: Traffic::new(),
            metrics: GarageClient::new(metrics, token),
            trust: Mutex::new(trust),
            token: Mutex::new(Token { path, version }),
            _lock: lock,
        });
        let metrics = shell.metrics.clone();
        let (inventory, ports, refresh) = Inventory::new(Arc::clone(&shell), metrics);
        shell.engine.set_refresher(Arc::new(move || {
            let refresh = refresh.clone();
            Box::pin(async move { refresh.refresh().await })
        }));
        Ok(Opened {
            shell,
            key,
            ports,
            inventory,
        })
    }

    /// The trust document in force.
    pub(crate) fn trust(&self) -> TrustDocument {
        lock(&self.trust).document.clone()
    }

    /// The serial of the trust document in force.
    pub(crate) fn trust_serial(&self) -> u64 {
        lock(&self.trust).document.serial
    }

    /// Takes a newer trust document, for the engine too.
    pub(crate) fn offer_trust(&self, envelope: &Envelope) -> Result<Offered, TrustError> {
        let mut trust = lock(&self.trust);
        let offered = trust.offer(&self.state, envelope)?;
        if offered == Offered::Kept {
            tracing::info!(
                serial = trust.document.serial,
                "a new trust document is in force"
            );
            self.engine.set_trust(trust.document.clone());
        }
        Ok(offered)
    }

    /// Asks Garage for its version, unless that takes longer than a registration may wait.
    pub(crate) async fn ask_garage_version(&self) {
        let limit = Duration::from_millis(VERSION_MILLISECONDS);
        // Without an answer what is known stays; the inventory asks again.
        if let Ok(version) = timeout(limit, inventory::garage_version(&self.metrics)).await {
            self.board.set_garage_version(version);
        }
    }

    /// Takes a Garage token that was made anew since the last look.
    pub(crate) fn reload_token(&self) {
        let mut token = lock(&self.token);
        let version = file_version(&token.path);
        if version.is_none() || version == token.version {
            return;
        }
        token.version = version;
        match load_token(&token.path) {
            Ok(secret) => {
                tracing::info!("a new Garage token is in use");
                self.metrics.set_token(secret.clone());
                self.garage.set_token(secret);
            }
            Err(error) => tracing::error!(%error, "the new Garage token is not taken"),
        }
    }
}

impl Opened {
    /// Starts recovery and the inventory; gives the rest to the channel.
    pub(crate) fn start(self) -> (Arc<Shell>, TlsKey, ChannelPorts, JoinHandle<()>) {
        self.shell.engine.start_recovery();
        let inventory = tokio::spawn(self.inventory.run());
        (self.shell, self.key, self.ports, inventory)
    }
}

/// Runs the agent until a signal, or until the hub says that it is no longer wanted.
pub(crate) async fn run(config: &Config) -> Result<(), Stop> {
    let mut terminate = signal(SignalKind::terminate()).map_err(anyhow::Error::from)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(anyhow::Error::from)?;
    let state = StateDir::open(&config.state_dir)?;
    state.must_be_ours()?;
    let enrolment = Enrolment::load(&state)?;
    let named = HubAddress::parse(&enrolment.hub)
        .map_err(anyhow::Error::msg)
        .context("identity.json is damaged")?;
    let mut hubs = config.hubs().map_err(anyhow::Error::msg)?;
    if hubs.is_empty() {
        hubs.push(named);
    }
    ClientCertificate::load(&state).or_stop(Code::Usage)?;
    state.spool().or_stop(Code::Usage)?;
    let lock = state.lock()?;
    let (shell, key, ports, inventory) = Shell::open(config, state, lock).await?.start();
    tracing::info!(
        agent = %shell.enrolment.agent,
        region = %shell.enrolment.region,
        version = env!("CARGO_PKG_VERSION"),
        "running"
    );
    let mut helpers = vec![
        inventory,
        tokio::spawn(status::keep_written(Arc::clone(&shell))),
        tokio::spawn(spool::watch(Arc::clone(&shell))),
    ];
    if let Some(log) = config.traffic.clone() {
        helpers.push(tokio::spawn(traffic::count(Arc::clone(&shell), log)));
    }
    let goodbye = CancellationToken::new();
    let channel = Channel::new(Arc::clone(&shell), Hubs::new(hubs), key, ports);
    let mut channel = tokio::spawn(channel.run(goodbye.clone()));

    let ended = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        ended = &mut channel => Some(ended),
    };
    tracing::info!("stopping: what has begun is finished first");
    for helper in &helpers {
        helper.abort();
    }
    // The channel is still there, so that the last receipts go out.
    shell.engine.shutdown().await;
    goodbye.cancel();
    let ended = match ended {
        Some(ended) => Some(ended),
        None => timeout(Duration::from_secs(GOODBYE_SECONDS), channel)
            .await
            .ok(),
    };
    status::write(&shell);
    match ended {
        Some(Ok(Err(fatal))) => refused(&fatal),
        Some(Ok(Ok(())) | Err(_)) | None => Ok(()),
    }
}

fn refused(fatal: &Fatal) -> Result<(), Stop> {
    stop(
        Code::Refused,
        format!(
            "{fatal}; nothing was deleted here. If it should come back, enrol this server anew \
             with another state_dir"
        ),
    )
}

fn file_version(path: &std::path::Path) -> Option<(u64, i64, i64)> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.ino(), found.mtime(), found.mtime_nsec()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
