//! `storm-buckets serve`: first start, then web, signer and hub in one process until it is told to
//! stop.

use std::{fs, future::IntoFuture as _, io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret as _, SecretString};
use storm_protocol::ident::{AccountId, UserId};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Bus},
    auth::password,
    clock::{Clock, SystemClock, random},
    config::Config,
    hub,
    keys::{Files, PublicTrust, make_missing},
    router::router,
    signer::Signer,
    store::{Store, StoreError, setup::FirstOperator},
};

/// Seconds that open requests and connections get when the server stops.
const STOP_SECONDS: u64 = 8;
/// Seconds between looks at the trust document, which `trust` may replace while this runs.
const TRUST_POLL_SECONDS: u64 = 2;
/// Seconds between rounds of tidying.
const TIDY_SECONDS: u64 = 600;
/// Seconds that a sealed secret is kept for a client that does not fetch it.
const SEALED_SECONDS: i64 = 24 * 3600;
/// Seconds that certificate requests are kept: longer than any enrolment token lives.
const CERTIFICATE_REQUESTS_SECONDS: i64 = 8 * 24 * 3600;
/// Letters of a generated password: five bits each, none that looks like another.
const PASSWORD_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters in a generated password.
const PASSWORD_LENGTH: usize = 20;

/// Serves until SIGTERM or SIGINT.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    // Before anything is made: a port that is taken leaves no trace.
    let web = bind(config.web.listen, "[web] listen").await?;
    let agents = bind(config.hub.listen, "[hub] listen").await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let files = Files::new(&config.data_dir);
    let first = make_missing(&files, &config.database(), clock.now())?;
    let _lock = lock(&files)?;
    let trust = Arc::new(PublicTrust::load(&files)?);
    if first {
        println!(
            "root key digest: {} (write it down: clients compare it)",
            trust.root_key.id()
        );
    }
    let store = open_store(&config).await?;
    first_operator(&store, clock.as_ref()).await?;
    let (trust_sender, trust) = watch::channel(trust);
    let app = App {
        config: Arc::new(config),
        store,
        clock,
        bus: Arc::new(Bus::default()),
        trust,
    };
    let signer = Signer::open(&app, &files)?;
    let stop = CancellationToken::new();
    let mut roles = JoinSet::new();
    let running = stop.clone();
    roles.spawn(async move {
        signer.run(running).await;
        Ok(())
    });
    roles.spawn(hub::run(app.clone(), agents, stop.clone()));
    roles.spawn(serve_web(app.clone(), web, stop.clone()));
    roles.spawn(follow_trust(files, trust_sender, stop.clone()));
    roles.spawn(tidy(app.clone(), stop.clone()));
    tracing::info!(
        web = %app.config.web.listen, hub = %app.config.hub.listen,
        root_key = %app.trust.borrow().root_key.id(), "serving"
    );
    let ended = until_stopped(&mut roles).await;
    app.bus.stopping.cancel();
    stop.cancel();
    let goodbye = async { while roles.join_next().await.is_some() {} };
    if tokio::time::timeout(Duration::from_secs(STOP_SECONDS), goodbye)
        .await
        .is_err()
    {
        tracing::warn!("some requests were still open after {STOP_SECONDS} s and are cut off");
    }
    tracing::info!("stopped");
    ended
}

/// Opens the database, or says what is wrong with it.
pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let file = config.database();
    Store::open(&file).await.map_err(|error| match error {
        StoreError::Schema(error) => anyhow::anyhow!(
            "{} was written by a newer version, or its schema was changed ({error}): use that version, or \
             restore the backup made before the upgrade",
            file.display()
        ),
        StoreError::Database(_) | StoreError::Row { .. } => {
            anyhow::Error::new(error).context(format!("{} cannot be opened", file.display()))
        }
    })
}

/// A password that nobody guesses, in groups that a person can copy.
pub fn generate_password() -> SecretString {
    let mut password = String::with_capacity(PASSWORD_LENGTH + 3);
    for (index, byte) in random::<PASSWORD_LENGTH>().iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            password.push('-');
        }
        password.push(char::from(PASSWORD_LETTERS[usize::from(byte % 32)]));
    }
    SecretString::from(password)
}

async fn bind(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{address} is in use by another program: stop that one, or set {key} to a free address"
        ),
        io::ErrorKind::PermissionDenied => anyhow::anyhow!(
            "{address} needs more rights than this user has: set {key} to a port from 1024 on"
        ),
        _ => anyhow::anyhow!("cannot listen on {address} ({error}): set {key} to an address of this machine"),
    })
}

/// One process serves from a data directory.
fn lock(files: &Files) -> anyhow::Result<fs::File> {
    let path = files.lock();
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    let taken = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
    if taken.is_err() {
        bail!(
            "another storm-buckets serves from {}: stop it first",
            path.with_file_name("").display()
        );
    }
    Ok(file)
}

async fn first_operator(store: &Store, clock: &dyn Clock) -> anyhow::Result<()> {
    if store.has_users().await? {
        return Ok(());
    }
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let email = given("STORM_ADMIN_EMAIL").unwrap_or_else(|| "admin@localhost".to_owned());
    let email = email.trim().to_lowercase();
    if !email
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
    {
        bail!("STORM_ADMIN_EMAIL \"{email}\" is not an e-mail address");
    }
    let chosen = given("STORM_ADMIN_PASSWORD").map(SecretString::from);
    let generated = chosen.is_none();
    let password = chosen.unwrap_or_else(generate_password);
    let password_hash = password::hash(&password).context("STORM_ADMIN_PASSWORD is not usable")?;
    let now = clock.now();
    let first = FirstOperator {
        user: UserId::new(now, random()),
        account: AccountId::new(now, random()),
        email: &email,
        password_hash: &password_hash,
    };
    let told = || {
        println!("operator: {email}");
        if generated {
            println!("password: {} (shown this once)", password.expose_secret());
        }
    };
    Ok(store.create_first_operator(&first, now, told).await?)
}

async fn serve_web(app: App, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned());
    Ok(serving.into_future().await?)
}

/// Puts a new trust document in force soon after `storm-buckets trust` wrote it.
async fn follow_trust(
    files: Files,
    trust: watch::Sender<Arc<PublicTrust>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let modified = || {
        fs::metadata(files.trust())
            .and_then(|metadata| metadata.modified())
            .ok()
    };
    let mut seen = modified();
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(Duration::from_secs(TRUST_POLL_SECONDS)) => {}
        }
        let now = modified();
        if now == seen {
            continue;
        }
        seen = now;
        match PublicTrust::load(&files) {
            Ok(new) if new.document.serial > trust.borrow().document.serial => {
                tracing::info!(
                    serial = new.document.serial,
                    "a new trust document is in force"
                );
                trust.send_replace(Arc::new(new));
            }
            Ok(_) => {}
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "the trust document cannot be used"
            ),
        }
    }
}

/// Drops what is kept for a time only.
async fn tidy(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        let now = app.clock.now();
        let tidied = async {
            app.store
                .drop_sealed(now.plus_seconds(-SEALED_SECONDS))
                .await?;
            app.store
                .drop_certificate_requests(now.plus_seconds(-CERTIFICATE_REQUESTS_SECONDS))
                .await
        };
        if let Err(error) = tidied.await {
            tracing::error!(%error, "tidying failed; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(Duration::from_secs(TIDY_SECONDS)) => {}
        }
    }
}

/// Until a signal comes, or a role ends, which none does by itself.
async fn until_stopped(roles: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        ended = roles.join_next() => match ended {
            Some(Ok(Ok(()))) | None => bail!("a part of the server ended by itself"),
            Some(Ok(Err(error))) => Err(error),
            Some(Err(error)) => Err(error).context("a part of the server failed"),
        },
    }
}
