//! Drops what is kept for a time only.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{app::App, store::archive::MOVED_AT_ONCE};

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

/// Drops what is kept for a time only.
pub(crate) async fn run(app: App, stop: CancellationToken) -> anyhow::Result<()> {
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
