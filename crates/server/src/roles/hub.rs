//! A hub, as long as the process is one.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::watch;
use crate::{
    app::App,
    hub,
    store::{Place, Store},
};

/// Milliseconds to rest before a hub that was taken for dead begins again, and between tries to reach the
/// database.
const REST_MILLISECONDS: u64 = 500;

/// Is a hub on `listener` until `stop`: the only one when the database is a file. One that was taken for dead
/// closes all its connections and begins again as another one.
pub(crate) async fn run(
    app: App,
    place: Place,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let alone = matches!(place, Place::File(_));
    let being = async {
        let mut app = app.clone();
        loop {
            hub::run(app.clone(), &listener, alone, stop.clone()).await?;
            if stop.is_cancelled() {
                return Ok(());
            }
            tracing::warn!(
                "this hub was taken for dead: it has closed its connections and begins again"
            );
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                store = reconnected(&app.store, &place) => app.store = store,
            }
        }
    };
    if alone {
        return being.await;
    }
    let over = stop.child_token();
    let being = async {
        let ended = being.await;
        over.cancel();
        ended
    };
    let (ended, ()) = tokio::join!(being, watch::run(&app, &over));
    ended
}

/// The database by connections on which nothing waits for an answer that may never come.
async fn reconnected(store: &Store, place: &Place) -> Store {
    loop {
        tokio::time::sleep(Duration::from_millis(REST_MILLISECONDS)).await;
        match store.reconnected(place).await {
            Ok(store) => return store,
            Err(error) => {
                tracing::warn!(%error, "the hub does not reach the database; it tries again");
            }
        }
    }
}
