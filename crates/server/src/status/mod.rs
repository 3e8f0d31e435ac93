//! What a machine asks about this process, on a listener of its own (`[status] listen`): whether it lives,
//! whether it can do its work, and its figures in the text form that Prometheus reads.

mod figures;
mod process;
mod readiness;
#[cfg(test)]
mod tests;
mod waiting;

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::{StatusCode, header};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use self::{
    figures::{Figures, Stage, short_waits},
    readiness::unready,
};
use crate::{
    app::App,
    listener::{self, Bounds},
};

/// The form that the figures have: OpenMetrics, which Prometheus takes.
const FIGURES_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Connections at the same time. Whoever asks here is a handful of machines.
const MAX_CONNECTIONS: usize = 32;

/// Answers on `listener` until `stop`, which comes after everything else has ended: how far the end is, is
/// asked here.
pub(crate) async fn serve(app: App, listener: TcpListener, stop: CancellationToken) {
    let bounds = Bounds {
        connections: MAX_CONNECTIONS,
        per_network: MAX_CONNECTIONS,
        ..Bounds::default()
    };
    listener::serve(listener, router(app), bounds, stop).await;
}

fn router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(app))
}

/// The process lives: its event loop came to this.
async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready, or one line for each part that is not.
async fn readyz(State(app): State<Arc<App>>) -> (StatusCode, String) {
    let unready = unready(&app).await;
    if unready.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let lines: String = unready.iter().map(|part| format!("{part}\n")).collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines)
}

async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let text = app.figures.text(&app).await;
    ([(header::CONTENT_TYPE, FIGURES_TYPE)], text)
}

/// How long the database may take to answer what is asked here.
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);
