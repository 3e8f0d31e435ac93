//! Whether this process can do its work, and in words what it lacks.

use storm_protocol::trust::KeyRole;

use super::DATABASE_PATIENCE;
use crate::app::App;

/// What keeps the process from its work, one sentence each; empty when nothing does. Names nothing that is
/// anybody's.
pub(crate) async fn unready(app: &App) -> Vec<&'static str> {
    if app.bus.stopping.is_cancelled() {
        return vec!["draining: it was told to stop, finishes what runs and takes nothing new"];
    }
    let mut unready = vec![];
    match tokio::time::timeout(DATABASE_PATIENCE, app.store.is_schema_current()).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => unready.push(
            "the database's schema is another version's: stop this one, or bring it to that version",
        ),
        Ok(Err(error)) => {
            tracing::error!(cause = error.to_string(), "not ready");
            unready.push("the database does not answer");
        }
        Err(_) => unready.push("the database does not answer in time"),
    }
    let trust = app.trust.borrow().clone();
    let keys = trust.document.keys(KeyRole::Dispatch, app.clock.now());
    if keys.is_empty() {
        unready.push(
            "the trust document has no dispatch key that is valid now: agents take no command",
        );
    }
    if app.figures.hub_is_shut() {
        unready.push("the agents' listener is not open yet");
    }
    unready
}
