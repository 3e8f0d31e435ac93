//! A hub, as long as the process is one.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::watch;
use crate::{app::App, hub, store::Place};

/// Milliseconds to rest before a hub that was taken for dead begins again.
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
        loop {
            hub::run(app.clone(), &listener, alone, stop.clone()).await?;
            if stop.is_cancelled() {
                return Ok(());
            }
            tracing::warn!(
                "this hub was taken for dead: it has closed its connections and begins again"
            );
            tokio::time::sleep(Duration::from_millis(REST_MILLISECONDS)).await;
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
