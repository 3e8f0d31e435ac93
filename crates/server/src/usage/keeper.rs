//! Keeps storage limits: tells when an account crosses a mark, and asks for the quotas that have to
//! follow from what it uses. It only asks: signer and agent do what they do with every request.

use std::{collections::BTreeSet, time::Duration};

use storm_protocol::ident::AccountId;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Change},
    store,
};

/// Milliseconds in which changes gather before accounts are looked at.
const GATHER_MILLISECONDS: u64 = 500;
/// Seconds after which accounts are looked at again whose quotas could not all be asked for.
const AGAIN_SECONDS: u64 = 5;
/// Seconds between looks at every account with limits, should a wake be lost or an agent have been away.
const ALL_SECONDS: u64 = 60;

/// Works until `stop`.
pub(crate) async fn run(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    let mut changes = app.bus.listen();
    let mut ticks = tokio::time::interval(Duration::from_millis(GATHER_MILLISECONDS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut moved = BTreeSet::new();
    let (mut all, mut again) = (Instant::now(), Instant::now());
    let mut waiting = BTreeSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            change = changes.recv() => match change {
                Ok(Change::Missed) | Err(RecvError::Lagged(_)) => all = Instant::now(),
                Ok(change) => moved.extend(concerned(&change)),
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = ticks.tick() => {
                let now = Instant::now();
                if now >= all {
                    all = now + Duration::from_secs(ALL_SECONDS);
                    moved.extend(every_account(&app).await);
                }
                if now >= again {
                    again = now + Duration::from_secs(AGAIN_SECONDS);
                    moved.append(&mut waiting);
                }
                for account in std::mem::take(&mut moved) {
                    match look_at(&app, account).await {
                        Ok(true) => {
                            waiting.insert(account);
                        }
                        Ok(false) => {}
                        Err(error) => tracing::error!(%error, %account, "its limits could not be looked at; they will be again"),
                    }
                }
            }
        }
    }
}

/// Whose limits have to be looked at after a change.
fn concerned(change: &Change) -> Option<AccountId> {
    match change {
        Change::Bucket(account, _) => *account,
        Change::Limits(account) => Some(*account),
        Change::Operation(..)
        | Change::Key(..)
        | Change::Agent(_)
        | Change::Certificate(_)
        | Change::Mark(_)
        | Change::Missed => None,
    }
}

async fn every_account(app: &App) -> Vec<AccountId> {
    app.store
        .accounts_with_limits()
        .await
        .unwrap_or_else(|error| {
            tracing::error!(%error, "accounts with limits could not be read; they will be again");
            vec![]
        })
}

/// Tells and asks what follows from an account's use. `true`: not all could be asked for yet.
pub(crate) async fn look_at(app: &App, account: AccountId) -> store::Result<bool> {
    let now = app.clock.now();
    let fill = app.store.fill(account).await?;
    if app.store.keep_mark(account, fill, now).await? {
        tracing::info!(%account, percent = fill.mark(), "a mark of the storage limit was crossed");
        app.bus.tell(Change::Mark(account));
    }
    let requested = app.store.request_quotas(account, fill, now).await?;
    if !requested.operations.is_empty() {
        app.bus.signer.notify_one();
    }
    for operation in requested.operations {
        app.bus.tell(operation);
    }
    Ok(requested.more)
}
