//! Finds hubs that give no sign of life any more, so that their agents count as away. Each watcher goes by its
//! own monotonic clock; whether the hub still stands where it was seen decides the database.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Change},
    store::{self, hubs::Beat},
};

/// Seconds that a hub may go without a sign of life.
const LEASE_SECONDS: u64 = 10;
/// Milliseconds between looks.
const LOOK_MILLISECONDS: u64 = 1_000;
/// Seconds without a look after which what was seen before counts for nothing: the watcher slept, or the
/// database did.
const BLIND_SECONDS: u64 = 3;

/// When each hub's last sign of life was first seen.
#[derive(Default)]
struct Watch {
    seen: HashMap<String, (Beat, Instant)>,
    looked_at: Option<Instant>,
}

/// Watches until `stop`.
pub(super) async fn run(app: &App, stop: &CancellationToken) {
    let mut watch = Watch::default();
    loop {
        if let Err(error) = watch.look(app, Instant::now()).await {
            tracing::warn!(%error, "the hubs' signs of life could not be read; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(LOOK_MILLISECONDS)) => {}
        }
    }
}

impl Watch {
    async fn look(&mut self, app: &App, now: Instant) -> store::Result<()> {
        let beats = app.store.beats().await?;
        for dead in self.take_in(beats, now) {
            let Some(away) = app.store.end_hub(&dead).await? else {
                continue;
            };
            tracing::warn!(
                hub = dead.address,
                away,
                "a hub gave no sign of life for {LEASE_SECONDS} s: its agents count as away"
            );
            app.bus.tell(Change::Missed);
            // A role may be free.
            app.bus.hub.notify_one();
        }
        Ok(())
    }

    /// Those that have stood still for too long, under continuous watch.
    fn take_in(&mut self, beats: Vec<Beat>, now: Instant) -> Vec<Beat> {
        let blind = Duration::from_secs(BLIND_SECONDS);
        if self.looked_at.is_none_or(|at| now - at > blind) {
            self.seen.clear();
        }
        self.looked_at = Some(now);
        let mut dead = vec![];
        let mut seen = HashMap::with_capacity(beats.len());
        for beat in beats {
            let since = match self.seen.get(&beat.hub) {
                Some((before, since)) if *before == beat => *since,
                _ => now,
            };
            if now - since > Duration::from_secs(LEASE_SECONDS) {
                dead.push(beat.clone());
            }
            seen.insert(beat.hub.clone(), (beat, since));
        }
        self.seen = seen;
        dead
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;

    use super::{BLIND_SECONDS, LEASE_SECONDS, Watch};
    use crate::{
        store::{StoreError, hubs::Beat},
        testing::World,
    };

    fn beat(count: u64) -> Beat {
        Beat {
            hub: "h".into(),
            address: "here".into(),
            count,
        }
    }

    #[test]
    fn a_hub_is_dead_when_its_beat_stood_still_under_a_continuous_watch() {
        let (mut watch, start) = (Watch::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in 0..=LEASE_SECONDS {
            assert!(watch.take_in(vec![beat(1)], at(second)).is_empty());
        }
        // It moved at the last moment.
        assert!(watch.take_in(vec![beat(2)], at(11)).is_empty());
        for second in 12..=21 {
            assert!(watch.take_in(vec![beat(2)], at(second)).is_empty());
        }
        assert_eq!(watch.take_in(vec![beat(2)], at(22)), [beat(2)]);
        // Whoever slept begins to watch anew.
        let woken = 22 + BLIND_SECONDS + 1;
        assert!(watch.take_in(vec![beat(2)], at(woken)).is_empty());
        assert!(watch.take_in(vec![], at(woken + 1)).is_empty());
    }

    #[tokio::test]
    async fn a_hub_that_is_alone_is_never_taken_for_dead() {
        let world = World::new().await;
        let (app, now) = (&world.app, world.app.clock.now());
        let ended = CancellationToken::new();
        let begun = app.store.begin_hub("h", "here", "root", true, now, &ended);
        let hub = begun.await.unwrap().unwrap();
        let agent = "INSERT INTO hub_agents VALUES ('a', 'h')";
        world.sql(agent).await;
        let (mut watch, start) = (Watch::default(), Instant::now());
        for second in 0..=LEASE_SECONDS + 1 {
            let at = start + Duration::from_secs(second);
            watch.look(app, at).await.unwrap();
        }
        assert_eq!(hub.count_held("h").await.unwrap(), 1);
        assert!(!ended.is_cancelled());
    }

    #[tokio::test]
    async fn a_hub_that_is_taken_for_dead_changes_nothing_and_one_that_moved_is_not() {
        let world = World::new().await;
        let (app, now) = (&world.app, world.app.clock.now());
        let ended = CancellationToken::new();
        let begun = app.store.begin_hub("h", "here", "root", false, now, &ended);
        let hub = begun.await.unwrap().unwrap();
        let seen = app.store.beats().await.unwrap();
        assert_eq!(seen, [beat(0)]);
        hub.hub_beats("h").await.unwrap();
        // What the watcher saw is overtaken.
        assert_eq!(app.store.end_hub(&seen[0]).await.unwrap(), None);
        hub.hub_beats("h").await.unwrap();
        assert!(!ended.is_cancelled());
        let (mut watch, start) = (Watch::default(), Instant::now());
        for second in 0..=LEASE_SECONDS + 1 {
            let at = start + Duration::from_secs(second);
            watch.look(app, at).await.unwrap();
        }
        assert!(app.store.beats().await.unwrap().is_empty());
        assert!(matches!(
            hub.hub_beats("h").await,
            Err(StoreError::Superseded("hub"))
        ));
        assert!(ended.is_cancelled());
    }
}
