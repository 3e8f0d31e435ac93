//! `storm-buckets serve`: first start, then the roles of this process until it is told to stop.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, bail, ensure};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Bus},
    auth::sealing::Sealer,
    clock::{Clock, SystemClock},
    config::Config,
    first_operator::FirstOperator,
    keys::{Files, PublicTrust, make_missing},
    listener::{self, Bounds, bind},
    output::line,
    roles::{self, Roles, link},
    router::router,
    status::{self, Figures},
    store::{Place, Store, StoreError},
};

/// Seconds that open requests and connections get when the server stops.
const STOP_SECONDS: u64 = 8;
/// Seconds between looks at the trust document, which `trust` may replace while this runs.
const TRUST_POLL_SECONDS: u64 = 2;
/// Seconds between looks at a database that is not set up yet.
const SET_UP_POLL_SECONDS: u64 = 1;

/// Serves as these roles until SIGTERM or SIGINT.
pub(crate) async fn serve(config: Config, roles: Roles) -> anyhow::Result<()> {
    // Before anything is made: what is wrong with these leaves no trace.
    let place = config.place()?;
    let files = Files::new(&config.data_dir);
    roles.check(&place, &files)?;
    let web = bind_if(roles.web, config.web.listen, "[web] listen");
    let agents = bind_if(roles.hub, config.hub.listen, "[hub] listen");
    let watchers = match config.status.listen {
        Some(address) => Some(bind(address, "[status] listen").await?),
        None => None,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // Before anything answers: whoever sees the server ready may stop it.
    let mut signals = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    ];
    let (store, web, agents, _lock) = if roles.signer {
        let known = is_known(&place).await?;
        if !known {
            FirstOperator::from_environment()?;
            let owned = place.require_owner().await;
            owned.map_err(|error| unusable(&place, error))?;
        }
        let (web, agents) = (web.await?, agents.await?);
        let (store, lock) = set_up(&place, known, &files, clock.as_ref()).await?;
        (store, web, agents, lock)
    } else {
        let (web, agents) = (web.await?, agents.await?);
        let lock = files.lock()?;
        let [terminate, interrupt] = &mut signals;
        let store = tokio::select! {
            store = wait_for_store(&place) => store?,
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
        (store, web, agents, lock)
    };
    let (trust_sender, trust) = watch::channel(Arc::new(PublicTrust::load(&files)?));
    let (bus, words) = Bus::linked();
    let app = App {
        config: Arc::new(config),
        figures: Arc::new(Figures::new(&store)),
        store,
        clock,
        bus: Arc::new(bus),
        trust,
    };
    let stop = CancellationToken::new();
    if roles.hub {
        app.figures.shut_hub();
    }
    // Asked to the very end, and so no part.
    let gone = CancellationToken::new();
    let watching =
        watchers.map(|listener| tokio::spawn(status::serve(app.clone(), listener, gone.clone())));
    let mut parts = JoinSet::new();
    if let Place::Server(url) = &place {
        let linking = link::run(app.clone(), url.clone(), words, stop.clone());
        parts.spawn(linking);
    }
    if roles.signer {
        let (app, place, files) = (app.clone(), place.clone(), files.clone());
        parts.spawn(roles::signer(app, place, files, stop.clone()));
    }
    if let Some(listener) = agents {
        parts.spawn(roles::hub(
            app.clone(),
            place.clone(),
            listener,
            stop.clone(),
        ));
    }
    if roles.web && matches!(place, Place::Server(_)) {
        parts.spawn(roles::progress::run(app.clone(), stop.clone()));
    }
    if let Some(listener) = web {
        let bounds = Bounds::default();
        let serving = listener::serve(listener, router(app.clone()), bounds, stop.clone());
        parts.spawn(async move {
            serving.await;
            Ok(())
        });
    }
    parts.spawn(follow_trust(files, trust_sender, stop.clone()));
    tracing::info!(
        ?roles, web = %app.config.web.listen, hub = %app.config.hub.listen,
        root_key = %app.trust.borrow().root_key.id(), "serving"
    );
    let ended = until_stopped(&mut signals, &mut parts).await;
    app.bus.stopping.cancel();
    stop.cancel();
    let goodbye = async {
        while parts.join_next().await.is_some() {}
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

/// First start: keys, database and the operator's account, as far as they are not there.
pub(crate) async fn set_up(
    place: &Place,
    known: bool,
    files: &Files,
    clock: &dyn Clock,
) -> anyhow::Result<(Store, fs::File)> {
    // Until this returns no other process sets the same database up.
    let _turn = roles::set_up::turn(place).await?;
    let known = known || is_known(place).await?;
    let first_start = make_missing(files, known.then_some(place), clock.now())?;
    let lock = files.lock()?;
    if first_start {
        let trust = PublicTrust::load(files)?;
        line(format_args!(
            "root key digest: {} (write it down: clients compare it)",
            trust.root_key.id()
        ))?;
    }
    if matches!(place, Place::Server(_)) {
        // Machines that run web get a copy.
        Sealer::new(files.second_factor_key()).make_key()?;
    }
    let store = Store::open(place.clone()).await;
    let store = store.map_err(|error| unusable(place, error))?;
    if matches!(place, Place::Server(_)) {
        let root_key = PublicTrust::load(files)?.root_key.to_string();
        ensure!(
            store.claim(&root_key).await?,
            "{place} is another installation's than {}: copy the data_dir of the signer that serves it, or \
             name another database",
            files.data().display()
        );
    }
    if !store.has_users().await? {
        let first = FirstOperator::from_environment()?;
        first.make(&store, clock).await?;
    }
    Ok((store, lock))
}

async fn is_known(place: &Place) -> anyhow::Result<bool> {
    let known = place.is_known().await;
    known.map_err(|error| unusable(place, error))
}

/// The database, once a signer has set it up.
async fn wait_for_store(place: &Place) -> anyhow::Result<Store> {
    let mut said = false;
    loop {
        let opened = Store::open_when_set_up(place).await;
        if let Some(store) = opened.map_err(|error| unusable(place, error))? {
            return Ok(store);
        }
        if !said {
            said = true;
            tracing::info!(
                "{place} is not set up for this version yet: waiting for a signer, or \
                 for `storm-buckets db migrate`"
            );
        }
        tokio::time::sleep(Duration::from_secs(SET_UP_POLL_SECONDS)).await;
    }
}

async fn bind_if(
    wanted: bool,
    address: SocketAddr,
    key: &str,
) -> anyhow::Result<Option<TcpListener>> {
    if !wanted {
        return Ok(None);
    }
    Ok(Some(bind(address, key).await?))
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
        StoreError::Database(_) | StoreError::Superseded(_) | StoreError::Row { .. } => {
            anyhow::Error::new(error).context(format!("{place} cannot be opened"))
        }
    }
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
