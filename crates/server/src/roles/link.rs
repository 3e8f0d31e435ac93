//! Carries the bus between processes, by LISTEN and NOTIFY of PostgreSQL. It only hurries: what is told
//! while it is down is found in the tables by those who look each second, and dashboards are told that they
//! missed something.

use std::time::Duration;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, PgConnection, postgres::PgListener};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Change, Word},
    clock::random,
};

/// The channel that all processes of a database share.
const CHANNEL: &str = "storm";
/// Words in one notification, which has room for 8,000 bytes; each is at most 200.
const WORDS_AT_ONCE: usize = 32;
/// Milliseconds to rest after the database failed.
const RETRY_MILLISECONDS: u64 = 1_000;

/// What travels. Ids only: whoever cares reads the row.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// The process that tells, which knows already.
    from: String,
    words: Vec<Word>,
}

/// Tells the others what is told here, and the other way round, until `stop`.
pub(crate) async fn run(
    app: App,
    url: SecretString,
    mut words: Receiver<Word>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let me = hex::encode(random::<8>());
    tokio::select! {
        () = stop.cancelled() => {}
        () = hear(&app, &url, &me) => {}
        () = tell(&url, &me, &mut words) => {}
    }
    Ok(())
}

async fn hear(app: &App, url: &SecretString, me: &str) {
    loop {
        if let Err(error) = hear_on_one(app, url, me).await {
            tracing::warn!(
                error = format!("{error:#}"),
                "other processes are not heard; this one looks by itself"
            );
        }
        tokio::time::sleep(Duration::from_millis(RETRY_MILLISECONDS)).await;
    }
}

async fn hear_on_one(app: &App, url: &SecretString, me: &str) -> anyhow::Result<()> {
    let mut listener = PgListener::connect(url.expose_secret()).await?;
    listener.listen(CHANNEL).await?;
    // Whatever was told before nobody heard.
    app.bus.hear(Word::Change(Change::Missed));
    loop {
        let heard = listener
            .try_recv()
            .await?
            .context("the connection was lost")?;
        match serde_json::from_str::<Note>(heard.payload()) {
            Ok(note) if note.from == me => {}
            Ok(note) => note.words.into_iter().for_each(|word| app.bus.hear(word)),
            // From a process of another version.
            Err(error) => tracing::debug!(%error, "a notification cannot be read"),
        }
    }
}

async fn tell(url: &SecretString, me: &str, words: &mut Receiver<Word>) {
    loop {
        if let Err(error) = tell_on_one(url, me, words).await {
            tracing::warn!(
                error = format!("{error:#}"),
                "other processes are not told; they look by themselves"
            );
        }
        tokio::time::sleep(Duration::from_millis(RETRY_MILLISECONDS)).await;
    }
}

async fn tell_on_one(
    url: &SecretString,
    me: &str,
    words: &mut Receiver<Word>,
) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url.expose_secret()).await?;
    let mut some = Vec::with_capacity(WORDS_AT_ONCE);
    while words.recv_many(&mut some, WORDS_AT_ONCE).await > 0 {
        let note = Note {
            from: me.to_owned(),
            words: std::mem::take(&mut some),
        };
        sqlx::query("SELECT pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(serde_json::to_string(&note)?)
            .execute(&mut connection)
            .await?;
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;

    use super::run;
    use crate::{
        app::{App, Bus, Change},
        store::Place,
        testing::World,
    };

    #[tokio::test]
    async fn what_one_process_tells_another_hears_once() {
        let world = World::new().await;
        let Place::Server(url) = &world.place else {
            // One process: nobody to tell.
            assert!(Bus::linked().1.is_empty());
            return;
        };
        let stop = CancellationToken::new();
        let mut apps = vec![];
        for _ in 0..2 {
            let (bus, words) = Bus::linked();
            let app = App {
                bus: Arc::new(bus),
                ..world.app.clone()
            };
            let mut changes = app.bus.listen();
            tokio::spawn(run(app.clone(), url.clone(), words, stop.clone()));
            // Says that it listens.
            assert_eq!(changes.recv().await.unwrap(), Change::Missed);
            apps.push((app, changes));
        }
        let account = world.customer.account;
        let (there, mut heard) = apps.pop().unwrap();
        let (here, mut own) = apps.pop().unwrap();
        for change in [Change::Limits(account), Change::Mark(account)] {
            here.bus.tell(change.clone());
            assert_eq!(own.recv().await.unwrap(), change);
            assert_eq!(heard.recv().await.unwrap(), change);
        }
        here.bus.signer.notify_one();
        there.bus.signer.notified().await;
        assert!(own.is_empty() && heard.is_empty());
        stop.cancel();
    }
}
