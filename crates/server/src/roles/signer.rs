//! What the signer runs: the signer itself, and everything that one process at a time does for all.

use anyhow::{Context as _, bail};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    seat::{Seat, Term},
    watch,
};
use crate::{
    account_keeper, app::App, keys::Files, mail, reconcile, signer::Signer, store::Place, tidy,
    usage,
};

/// "signer" in ASCII.
const SEAT: Seat = Seat {
    role: "signer",
    lock: 0x7369_676e_6572,
};

/// Is the signer whenever no other process is, until `stop`.
pub(crate) async fn run(
    app: App,
    place: Place,
    files: Files,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    while let Some(term) = SEAT.take(&app, &place, &stop).await? {
        app.figures.signer.set(1);
        let served = serve(&term, &place, &files).await;
        app.figures.signer.set(0);
        served?;
        if stop.is_cancelled() {
            break;
        }
    }
    Ok(())
}

async fn serve(term: &Term, place: &Place, files: &Files) -> anyhow::Result<()> {
    let (app, ended) = (&term.app, &term.ended);
    // Keys are read for each term, and forgotten with it.
    let signer = Signer::open(app, files)?;
    let mut parts = JoinSet::new();
    let running = ended.clone();
    parts.spawn(async move {
        signer.run(running).await;
        Ok(())
    });
    let (reconciled, running) = (app.clone(), ended.clone());
    parts.spawn(async move {
        reconcile::run(reconciled, running).await;
        Ok(())
    });
    if matches!(place, Place::Server(_)) {
        let (watched, running) = (app.clone(), ended.clone());
        parts.spawn(async move {
            watch::run(&watched, &running).await;
            Ok(())
        });
    }
    parts.spawn(tidy::run(app.clone(), ended.clone()));
    parts.spawn(mail::run(app.clone(), ended.clone()));
    parts.spawn(account_keeper::run(app.clone(), ended.clone()));
    parts.spawn(usage::closing::run(app.clone(), ended.clone()));
    parts.spawn(usage::keeper::run(app.clone(), ended.clone()));
    while let Some(part) = parts.join_next().await {
        part.context("a part of the signer failed")??;
        if !ended.is_cancelled() {
            bail!("a part of the signer ended by itself");
        }
    }
    Ok(())
}
