//! Asking the signer for a certificate, through the database.

use std::time::Duration;

use anyhow::bail;
use storm_protocol::ident::OperationId;
use tokio::time::Instant;

use crate::{
    app::App,
    clock::random,
    store::certificates::{Answer, Asked},
};

/// Seconds that the signer has to answer.
const ANSWER_SECONDS: u64 = 10;
/// Milliseconds between looks when no wake comes.
const POLL_MILLISECONDS: u64 = 200;

/// Writes the request down, wakes the signer and waits for its answer.
pub(super) async fn ask(app: &App, asked: &Asked) -> anyhow::Result<Answer> {
    let now = app.clock.now();
    // Any id of version 7 serves.
    let id = OperationId::new(now, random()).to_string();
    let mut changes = app.bus.listen();
    if !app.store.ask_certificate(&id, asked, now).await? {
        bail!("too many requests for certificates wait, or this one was made too often");
    }
    app.bus.signer.notify_one();
    let until = Instant::now() + Duration::from_secs(ANSWER_SECONDS);
    while Instant::now() < until {
        if let Some(answer) = app.store.certificate_answer(&id).await? {
            return Ok(answer);
        }
        // A missed wake costs one poll.
        let _ =
            tokio::time::timeout(Duration::from_millis(POLL_MILLISECONDS), changes.recv()).await;
    }
    bail!("the signer did not answer in {ANSWER_SECONDS} seconds");
}
