//! Does what follows from an account's state: stops and resumes its keys, deletes what a closing
//! leaves, and ends the closing. It only asks, as the platform itself; signer and agent do what they do
//! with every request.
//!
//! The database alone says what is to be done, so a kill at any step is found by the next pass:
//! - after a state was set: all keys and buckets that the state is about are still there, and are found;
//! - after something was asked for: its operation is open, and nothing is asked for again until it has
//!   ended; a key that was stopped is kept in the same transaction;
//! - after something was done: its key or bucket is gone, or its operation stands as done;
//! - before a closing is ended: nothing is left, and the step that ends it also tells the owners and
//!   takes the people out, all in one transaction, once.
//!
//! While a region's executor is away, nothing is asked for there.

use std::time::Duration;

use storm_protocol::{
    api::AccountState,
    ident::{AccountId, Micros},
};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Change},
    store::{self, account_states::Kept},
};

/// Milliseconds between looks at the database when nothing wakes this.
const POLL_MILLISECONDS: u64 = 1_000;

/// Works until `stop`.
pub(crate) async fn run(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_millis(POLL_MILLISECONDS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = app.bus.accounts.notified() => {}
            _ = ticks.tick() => {}
        }
        if let Err(error) = pass(&app).await {
            tracing::error!(%error, "accounts that are suspended or closing could not be looked at; they will be again");
        }
    }
}

/// Asks for all that is due.
pub(crate) async fn pass(app: &App) -> store::Result<()> {
    let now = app.clock.now();
    for moved in app.store.count_closing_days(now).await? {
        let (account, seconds) = (moved.account, moved.seconds);
        tracing::warn!(%account, seconds, "the clock jumped or nothing ran: the end of a closing moves by as much");
    }
    app.store.begin_clearings(now).await?;
    for kept in app.store.kept_accounts().await? {
        if let Err(error) = keep(app, &kept, now).await {
            let account = kept.account;
            tracing::error!(%error, %account, "what follows from its state could not be asked for; it will be again");
        }
    }
    Ok(())
}

async fn keep(app: &App, kept: &Kept, now: Micros) -> store::Result<()> {
    let store = &app.store;
    match kept.state {
        AccountState::Active => {
            for key in store.held_keys(kept.account).await? {
                tell(app, store.ask_resume(kept, &key, now).await?);
            }
        }
        AccountState::Suspended => {
            for key in store.working_keys(kept.account).await? {
                tell(app, store.ask_suspend(kept, &key, now).await?);
            }
        }
        AccountState::Closing => {
            remove(app, kept, now).await?;
            if kept.clearing && store.end_closing(kept.account, now).await? {
                ended(app, kept.account);
            }
        }
        // Something has appeared that was made before, or beside us.
        AccountState::Closed => remove(app, kept, now).await?,
    }
    Ok(())
}

/// Asks for what goes: keys at once, buckets once their time has come.
async fn remove(app: &App, kept: &Kept, now: Micros) -> store::Result<()> {
    let store = &app.store;
    for key in store.keys_left(kept.account).await? {
        tell(app, store.ask_delete_key(kept, &key, now).await?);
    }
    if !kept.clearing {
        return Ok(());
    }
    for bucket in store.buckets_left(kept.account).await? {
        tell(app, store.ask_remove_bucket(kept, &bucket, now).await?);
    }
    Ok(())
}

fn tell(app: &App, asked: Option<Change>) {
    if let Some(operation) = asked {
        app.bus.signer.notify_one();
        app.bus.tell(operation);
    }
}

fn ended(app: &App, account: AccountId) {
    tracing::info!(%account, "the account is closed");
    app.bus.mail.notify_one();
}
