//! A hub's row: written when it begins, kept alive, and taken away when it ends. Without it the hub changes
//! nothing any more.

use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Hub, POLL_MILLISECONDS};
use crate::{
    app::App,
    store::{Store, StoreError},
};

/// Milliseconds between a hub's signs of life.
const BEAT_MILLISECONDS: u64 = 1_000;
/// Seconds that the database gets to take one.
const BEAT_SECONDS: u64 = 5;
/// Seconds after which a hub whose signs of life are not taken sends its agents away: others may be better
/// off. Longer than a database takes that is replaced by its copy.
const CUT_OFF_SECONDS: u64 = 30;

/// Writes a hub down; the store that works for it. `None`: it is to stop.
pub(super) async fn begin(
    app: &App,
    id: &str,
    address: &str,
    alone: bool,
    ended: &CancellationToken,
) -> anyhow::Result<Option<Store>> {
    let root_key = app.trust.borrow().root_key.to_string();
    loop {
        let now = app.clock.now();
        let begun = app
            .store
            .begin_hub(id, address, &root_key, alone, now, ended);
        match begun.await {
            Ok(Some(store)) => return Ok(Some(store)),
            Ok(None) => bail!(
                "the database is served with another root key than the one in {}: this data_dir is another \
                 installation's; copy trust.json and root.pub from the signer that serves",
                app.config.data_dir.display()
            ),
            Err(error) => {
                tracing::error!(%error, "the hub could not be written down; it tries again");
            }
        }
        tokio::select! {
            () = ended.cancelled() => return Ok(None),
            () = tokio::time::sleep(Duration::from_millis(POLL_MILLISECONDS)) => {}
        }
    }
}

/// Says that the hub is alive, until it ends; ends it when nobody takes that.
pub(super) async fn beat(hub: &Hub, ended: &CancellationToken) {
    if hub.alone {
        // Nobody listens.
        return;
    }
    let patience = Patience {
        beat: Duration::from_secs(BEAT_SECONDS),
        cut_off: Duration::from_secs(CUT_OFF_SECONDS),
    };
    beat_for(&hub.app.store, &hub.id, ended, patience).await;
}

/// How long is waited for the database.
#[derive(Clone, Copy)]
struct Patience {
    /// With one sign of life.
    beat: Duration,
    /// Until the hub ends.
    cut_off: Duration,
}

async fn beat_for(store: &Store, id: &str, ended: &CancellationToken, patience: Patience) {
    let mut taken = Instant::now();
    while !ended.is_cancelled() {
        match timeout(patience.beat, store.hub_beats(id)).await {
            Ok(Ok(())) => taken = Instant::now(),
            // The store has ended the hub.
            Ok(Err(StoreError::Superseded(_))) => return,
            Ok(Err(error)) => {
                tracing::error!(%error, "the hub's sign of life could not be stored; it tries again");
            }
            Err(_) => tracing::error!("the database does not take the hub's sign of life"),
        }
        if taken.elapsed() > patience.cut_off {
            tracing::error!(
                "no sign of life was stored for {:?}: the hub sends its agents away",
                patience.cut_off
            );
            ended.cancel();
        }
        tokio::select! {
            () = ended.cancelled() => {}
            () = tokio::time::sleep(Duration::from_millis(BEAT_MILLISECONDS)) => {}
        }
    }
}

/// Takes the row away.
pub(super) async fn leave(hub: &Hub) {
    match hub.app.store.hub_leaves(&hub.id).await {
        Ok(()) | Err(StoreError::Superseded(_)) => {}
        Err(error) => tracing::error!(%error, "the hub's end could not be stored"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::{Patience, beat_for};
    use crate::{store::Durability, testing::World};

    #[tokio::test]
    async fn a_hub_that_the_database_does_not_hear_sends_its_agents_away() {
        let world = World::new().await;
        let (store, now) = (&world.app.store, world.app.clock.now());
        let ended = CancellationToken::new();
        let begun = store.begin_hub("h", "here", "root", false, now, &ended);
        let hub = begun.await.unwrap().unwrap();
        hub.hub_beats("h").await.unwrap();
        // No change of this process comes through.
        let held = store.write(Durability::Process).await.unwrap();
        let patience = Patience {
            beat: Duration::from_millis(20),
            cut_off: Duration::from_millis(50),
        };
        beat_for(&hub, "h", &ended, patience).await;
        assert!(ended.is_cancelled());
        drop(held);
        // Its row is still there: whoever watches finds it standing still.
        assert_eq!(store.beats().await.unwrap()[0].count, 1);
    }
}
