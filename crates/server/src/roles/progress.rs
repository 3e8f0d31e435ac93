//! How far jobs are, for a process of web: read from the table in which hubs write it down.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Change, Word},
    store,
};

/// Milliseconds between looks: hubs write once a second.
const LOOK_MILLISECONDS: u64 = 1_000;

/// Follows the table until `stop`, and tells the dashboards of this process.
pub(crate) async fn run(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        if let Err(error) = look(&app).await {
            tracing::error!(%error, "how far jobs are could not be read; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(Duration::from_millis(LOOK_MILLISECONDS)) => {}
        }
    }
}

async fn look(app: &App) -> store::Result<()> {
    for job in app.store.job_progress().await? {
        let (account, id) = (job.account, job.operation);
        if app.bus.progress.read(job.agent, account, id, job.progress) {
            // Here alone: each process reads for itself.
            app.bus.hear(Word::Change(Change::Operation(account, id)));
        }
    }
    Ok(())
}
