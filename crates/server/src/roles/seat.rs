//! The seat of a role that one process at a time has: a lock of a session of PostgreSQL, on a connection
//! that does nothing else and is watched. Losing it ends the term at once; and should a process not notice,
//! the database refuses what it changes (`store/terms.rs`). A file has one process anyway.

use std::time::Duration;

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{app::App, store::Place};

/// Milliseconds between a waiting process's tries.
const TRY_MILLISECONDS: u64 = 500;
/// Milliseconds between looks at the lock's connection.
const WATCH_MILLISECONDS: u64 = 1_000;
/// Seconds that the server gets to answer on it.
const ANSWER_SECONDS: u64 = 3;
/// Seconds after which the server gives up a session whose process says nothing any more.
const IDLE_SESSION: &str = "SET idle_session_timeout = '10s'";

/// A seat, and where it stands.
pub(super) struct Seat {
    /// The role.
    pub(super) role: &'static str,
    /// The number of its lock.
    pub(super) lock: i64,
}

/// The right to be what the seat says, until dropped or ended.
pub(super) struct Term {
    /// For the term: changes nothing when it is over.
    pub(super) app: App,
    /// Cancelled when it is over, or the process stops.
    pub(super) ended: CancellationToken,
    watch: Option<JoinHandle<()>>,
}

impl Drop for Term {
    fn drop(&mut self) {
        // With its connection the lock goes, and never before the work has ended.
        if let Some(watch) = &self.watch {
            watch.abort();
        }
    }
}

impl Seat {
    /// Waits for the seat; `None` when the process stops before.
    pub(super) async fn take(
        &self,
        app: &App,
        place: &Place,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<Term>> {
        let ended = stop.child_token();
        let Place::Server(url) = place else {
            let app = app.clone();
            let watch = None;
            return Ok(Some(Term { app, ended, watch }));
        };
        let held = tokio::select! {
            () = stop.cancelled() => return Ok(None),
            held = self.wait(url) => held,
        };
        let root_key = app.trust.borrow().root_key.to_string();
        let store = app.store.begin_term(self.role, &root_key, &ended).await?;
        let Some(store) = store else {
            bail!(
                "the database is served with another root key than the one in {}: this data_dir is another \
                 installation's; copy the keys from the process that serves",
                app.config.data_dir.display()
            );
        };
        tracing::info!(role = self.role, "this process has the role now");
        let watch = tokio::spawn(watch(self.role, held, ended.clone()));
        Ok(Some(Term {
            app: App {
                store,
                ..app.clone()
            },
            ended,
            watch: Some(watch),
        }))
    }

    /// The connection that holds the lock.
    async fn wait(&self, url: &SecretString) -> PgConnection {
        let mut said = false;
        loop {
            match self.wait_on_one(url, &mut said).await {
                Ok(held) => return held,
                Err(error) => tracing::warn!(
                    role = self.role,
                    error = format!("{error:#}"),
                    "the lock of the role cannot be asked for; it is tried again"
                ),
            }
            tokio::time::sleep(Duration::from_millis(WATCH_MILLISECONDS)).await;
        }
    }

    async fn wait_on_one(
        &self,
        url: &SecretString,
        said: &mut bool,
    ) -> anyhow::Result<PgConnection> {
        let mut connection = answer(PgConnection::connect(url.expose_secret())).await?;
        // Servers before PostgreSQL 14 do not know it, and wait for TCP to give up.
        let _ = answer(sqlx::raw_sql(IDLE_SESSION).execute(&mut connection)).await;
        loop {
            let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(self.lock);
            if answer(lock.fetch_one(&mut connection)).await? {
                return Ok(connection);
            }
            if !*said {
                *said = true;
                tracing::info!(
                    role = self.role,
                    "another process has the role; this one waits"
                );
            }
            tokio::time::sleep(Duration::from_millis(TRY_MILLISECONDS)).await;
        }
    }
}

async fn watch(role: &'static str, mut held: PgConnection, ended: CancellationToken) {
    loop {
        tokio::time::sleep(Duration::from_millis(WATCH_MILLISECONDS)).await;
        if let Err(error) = answer(held.ping()).await {
            tracing::error!(
                role,
                error = format!("{error:#}"),
                "the lock of the role is lost: this process stops being it"
            );
            ended.cancel();
            return;
        }
    }
}

async fn answer<T>(asked: impl Future<Output = sqlx::Result<T>>) -> anyhow::Result<T> {
    let answered = tokio::time::timeout(Duration::from_secs(ANSWER_SECONDS), asked).await;
    Ok(answered.context("the database does not answer")??)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;
    use sqlx::{Connection as _, PgConnection};
    use tokio_util::sync::CancellationToken;

    use super::Seat;
    use crate::{
        store::{Place, StoreError},
        testing::World,
    };

    const SEAT: Seat = Seat {
        role: "signer",
        lock: 7,
    };

    #[tokio::test]
    async fn a_seat_whose_connection_is_cut_ends_at_once_and_goes_to_the_next() {
        let world = World::new().await;
        let stop = CancellationToken::new();
        let first = SEAT.take(&world.app, &world.place, &stop).await;
        let first = first.unwrap().unwrap();
        first.app.store.hub_beats("none").await.unwrap();
        let Place::Server(url) = &world.place else {
            // The only process, until it stops.
            stop.cancel();
            assert!(first.ended.is_cancelled());
            return;
        };
        let mut server = PgConnection::connect(url.expose_secret()).await.unwrap();
        let free = "SELECT pg_try_advisory_lock(7)";
        assert!(
            !sqlx::query_scalar::<_, bool>(free)
                .fetch_one(&mut server)
                .await
                .unwrap()
        );
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks \
             WHERE locktype = 'advisory' AND objid = 7 AND granted \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let cut: i64 = sqlx::query_scalar(cut)
            .fetch_one(&mut server)
            .await
            .unwrap();
        assert_eq!(cut, 1);
        let second = SEAT.take(&world.app, &world.place, &stop).await;
        let second = second.unwrap().unwrap();
        // Refused whether it has noticed by now or not.
        assert!(matches!(
            first.app.store.hub_beats("none").await,
            Err(StoreError::Superseded("signer"))
        ));
        first.ended.cancelled().await;
        second.app.store.hub_beats("none").await.unwrap();
        assert!(!second.ended.is_cancelled());
    }

    #[tokio::test]
    async fn who_gives_the_seat_up_frees_it() {
        let world = World::new().await;
        let stop = CancellationToken::new();
        let first = SEAT.take(&world.app, &world.place, &stop).await.unwrap();
        drop(first);
        let second = SEAT.take(&world.app, &world.place, &stop).await.unwrap();
        assert!(second.is_some());
        stop.cancel();
        let waiting = SEAT.take(&world.app, &world.place, &stop).await.unwrap();
        assert_eq!(waiting.is_none(), matches!(world.place, Place::Server(_)));
    }
}
