//! The hub, in one process at a time.

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::seat::Seat;
use crate::{app::App, hub, listener::bind, store::Place};

/// "hub" in ASCII.
const SEAT: Seat = Seat {
    role: "hub",
    lock: 0x0068_7562,
};

/// Is the hub whenever no other process is, until `stop`. Who waits listens to nobody, so
/// that agents try the next address; a file's only process brings its listener along.
pub(crate) async fn run(
    app: App,
    place: Place,
    mut listener: Option<TcpListener>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    while let Some(term) = SEAT.take(&app, &place, &stop).await? {
        let listener = match listener.take() {
            Some(listener) => listener,
            None => bind(app.config.hub.listen, "[hub] listen").await?,
        };
        hub::run(term.app.clone(), listener, term.ended.clone()).await?;
        if stop.is_cancelled() {
            break;
        }
    }
    Ok(())
}
