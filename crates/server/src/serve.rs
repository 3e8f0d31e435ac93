//! `storm-buckets serve`: first start, then web, signer and hub in one process until it is told to
//! stop.

use std::{fs, io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    account_keeper,
    app::{App, Bus},
    clock::{Clock, SystemClock},
    config::Config,
    first_operator::FirstOperator,
    hub,
    keys::{Files, PublicTrust, make_missing},
    listener::{self, Bounds},
    mail,
    output::line,
    reconcile,
    router::router,
    signer::Signer,
    status::{self, Figures},
    store::{Place, Store, StoreError, archive::MOVED_AT_ONCE},
    usage,
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
/// Seconds that security events are kept: 90 days.
const SECURITY_EVENTS_SECONDS: i64 = 90 * 24 * 3600;
/// Security events that are kept at most.
const MAX_SECURITY_EVENTS: u32 = 100_000;
/// Transactions of a round of tidying that move operations into the archive; the next goes on.
const ARCHIVINGS: u32 = 20;

/// Serves until SIGTERM or SIGINT.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    // Before anything is made: what is wrong with these leaves no trace.
    let place = config.place()?;
    let known = place
        .is_known()
        .await
        .map_err(|error| unusable(&place, error))?;
    if !known {
        FirstOperator::from_environment()?;
    }
    let web = bind(config.web.listen, "[web] listen").await?;
    let agents = bind(config.hub.listen, "[hub] listen").await?;
    let watchers = match config.status.listen {
        Some(address) => Some(bind(address, "[status] listen").await?),
        None => None,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let files = Files::new(&config.data_dir);
    let first_start = make_missing(&files, known.then_some(&place), clock.now())?;
    let _lock = files.lock()?;
    let trust = Arc::new(PublicTrust::load(&files)?);
    if first_start {
        line(format_args!(
            "root key digest: {} (write it down: clients compare it)",
            trust.root_key.id()
        ))?;
    }
    let store = open_store(&config).await?;
    if !store.has_users().await? {
        let first = FirstOperator::from_environment()?;
        first.make(&store, clock.as_ref()).await?;
    }
    let (trust_sender, trust) = watch::channel(trust);
    let app = App {
        config: Arc::new(config),
        figures: Arc::new(Figures::new(&store)),
        store,
        clock,
        bus: Arc::new(Bus::default()),
        trust,
    };
    let signer = Signer::open(&app, &files)?;
    // Before anything answers: whoever sees the server ready may stop it.
    let mut signals = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    ];
    let stop = CancellationToken::new();
    // Asked to the very end, and so no role.
    let gone = CancellationToken::new();
    let watching =
        watchers.map(|listener| tokio::spawn(status::serve(app.clone(), listener, gone.clone())));
    let mut roles = JoinSet::new();
    let running = stop.clone();
    roles.spawn(async move {
        signer.run(running).await;
        Ok(())
    });
    roles.spawn(hub::run(app.clone(), agents, stop.clone()));
    let (reconciled, running) = (app.clone(), stop.clone());
    roles.spawn(async move {
        reconcile::run(reconciled, running).await;
        Ok(())
    });
    let serving = listener::serve(web, router(app.clone()), Bounds::default(), stop.clone());
    roles.spawn(async move {
        serving.await;
        Ok(())
    });
    roles.spawn(follow_trust(files, trust_sender, stop.clone()));
    roles.spawn(tidy(app.clone(), stop.clone()));
    roles.spawn(mail::run(app.clone(), stop.clone()));
    roles.spawn(account_keeper::run(app.clone(), stop.clone()));
    roles.spawn(usage::closing::run(app.clone(), stop.clone()));
    roles.spawn(usage::keeper::run(app.clone(), stop.clone()));
    tracing::info!(
        web = %app.config.web.listen, hub = %app.config.hub.listen,
        root_key = %app.trust.borrow().root_key.id(), "serving"
    );
    let ended = until_stopped(&mut signals, &mut roles).await;
    app.bus.stopping.cancel();
    stop.cancel();
    let goodbye = async {
        while roles.join_next().await.is_some() {}
        app.bus.behind.finish().await;
    };
    if tokio::time::timeout(Duration::from_secs(STOP_SECONDS), goodbye)
        .await
        .is_err()
    {
        tracing::warn!("some requests were still open after {STOP_SECONDS} s and are cut off");
    }
    gone.cancel();
    if let Some(watching) = watching {
        watching.abort();
    }
    tracing::info!("stopped");
    ended
}

/// Opens the database, or says what is wrong with it.
pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let place = config.place()?;
    let opened = Store::open(place.clone()).await;
    opened.map_err(|error| unusable(&place, error))
}

pub(crate) fn unusable(place: &Place, error: StoreError) -> anyhow::Error {
    match error {
        StoreError::Schema(error) => anyhow::anyhow!(
            "{place} was written by a newer version, or its schema was changed ({error}): use that version, \
             or restore the backup made before the upgrade"
        ),
        StoreError::Unsuitable(why) => anyhow::anyhow!("{place} cannot be used: {why}"),
        StoreError::Database(_) | StoreError::Row { .. } => {
            anyhow::Error::new(error).context(format!("{place} cannot be opened"))
        }
    }
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
                .await?;
            let days = i64::from(app.config.audit.keep_days.get());
            app.store
                .drop_audit_events(now.plus_seconds(-days * 24 * 3600))
                .await?;
            let days = i64::from(app.config.operations.archive_days.get());
            for _ in 0..ARCHIVINGS {
                let before = now.plus_seconds(-days * 24 * 3600);
                if app.store.archive_operations(before).await? < MOVED_AT_ONCE {
                    break;
                }
            }
            let events_since = now.plus_seconds(-SECURITY_EVENTS_SECONDS);
            app.store
                .drop_security_events(events_since, MAX_SECURITY_EVENTS)
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
async fn until_stopped(
    [terminate, interrupt]: &mut [Signal; 2],
    roles: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
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
