//! Closes hours and days as they end, and drops what is kept for a time only. One commit an hour, which
//! also says how far it has come: a kill leaves whole hours, and the next start goes on.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{app::App, store};

/// Seconds between looks whether an hour has ended.
const LOOK_SECONDS: u64 = 20;

/// Works until `stop`.
pub(crate) async fn run(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        if let Err(error) = close(&app, &stop).await {
            tracing::error!(%error, "an hour of use could not be closed; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(Duration::from_secs(LOOK_SECONDS)) => {}
        }
    }
}

/// Closes all that is due.
async fn close(app: &App, stop: &CancellationToken) -> store::Result<()> {
    let mut closed = false;
    while app.store.close_hour(app.clock.now()).await?.is_some() {
        closed = true;
        if stop.is_cancelled() {
            return Ok(());
        }
    }
    if closed {
        app.store.forget_usage(app.clock.now()).await?;
    }
    Ok(())
}
