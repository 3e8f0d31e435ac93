//! Carries the bus between processes, by LISTEN and NOTIFY of PostgreSQL. It only hurries: whoever has work
//! to do looks at the tables each second. Dashboards have nothing to look at, so they are told when something
//! may have been missed: notifications are numbered, and each process sends one at least every half second.

use std::{collections::HashMap, sync::atomic::Ordering, time::Duration};

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, PgConnection, postgres::PgListener};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Change, Word, Words},
    clock::random,
};

/// The channel that all processes of a database share.
const CHANNEL: &str = "storm";
/// Words in one notification, which has room for 8,000 bytes; each is at most 200.
const WORDS_AT_ONCE: usize = 32;
/// Milliseconds to rest after the database failed.
const RETRY_MILLISECONDS: u64 = 1_000;
/// Milliseconds between two notifications of a process at most.
const BEAT_MILLISECONDS: u64 = 500;
/// Milliseconds without any from a process after which something of it may have been missed.
const SILENT_MILLISECONDS: u64 = 1_500;

/// What travels. Ids only: whoever cares reads the row.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// The process that tells, which knows already.
    from: String,
    /// One more than its note before, and one more again for each that was lost on the way out.
    number: u64,
    words: Vec<Word>,
}

/// Tells the others what is told here, and the other way round, until `stop`.
pub(crate) async fn run(
    app: App,
    url: SecretString,
    words: Words,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    run_on([CHANNEL; 2], app, url, words, stop).await
}

/// The same, on one channel to tell and one to hear.
async fn run_on(
    [out, into]: [&'static str; 2],
    app: App,
    url: SecretString,
    mut words: Words,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let me = hex::encode(random::<8>());
    tokio::select! {
        () = stop.cancelled() => {}
        () = hear(&app, &url, &me, into) => {}
        () = tell(&url, &me, &mut words, out) => {}
    }
    Ok(())
}

async fn hear(app: &App, url: &SecretString, me: &str, channel: &str) {
    loop {
        if let Err(error) = hear_on_one(app, url, me, channel).await {
            tracing::warn!(
                error = format!("{error:#}"),
                "other processes are not heard; this one looks by itself"
            );
        }
        // Who looks at dashboards meanwhile reads again and again.
        missed(app);
        tokio::time::sleep(Duration::from_millis(RETRY_MILLISECONDS)).await;
    }
}

fn missed(app: &App) {
    app.bus.hear(Word::Change(Change::Missed));
}

async fn hear_on_one(app: &App, url: &SecretString, me: &str, channel: &str) -> anyhow::Result<()> {
    let mut listener = PgListener::connect(url.expose_secret()).await?;
    listener.listen(channel).await?;
    // Whatever was told before nobody heard.
    missed(app);
    let mut heard = Heard::new(me);
    let mut ticks = tokio::time::interval(Duration::from_millis(BEAT_MILLISECONDS));
    loop {
        let notification = tokio::select! {
            notification = listener.try_recv() => notification?.context("the connection was lost")?,
            _ = ticks.tick() => {
                if heard.has_silence(Instant::now()) {
                    missed(app);
                }
                continue;
            }
        };
        match serde_json::from_str::<Note>(notification.payload()) {
            Ok(note) => {
                if heard.take_in(&note, Instant::now()) {
                    missed(app);
                }
                if note.from != me {
                    note.words.into_iter().for_each(|word| app.bus.hear(word));
                }
            }
            // From a process of another version.
            Err(error) => tracing::debug!(%error, "a notification cannot be read"),
        }
    }
}

/// What was last heard of each process.
struct Heard<'a> {
    me: &'a str,
    last: HashMap<String, (u64, Instant)>,
}

impl<'a> Heard<'a> {
    fn new(me: &'a str) -> Self {
        // Its own notifications show whether any come through.
        let last = HashMap::from([(me.to_owned(), (0, Instant::now()))]);
        Self { me, last }
    }

    /// Whether one before this note is missing.
    fn take_in(&mut self, note: &Note, now: Instant) -> bool {
        let before = self.last.insert(note.from.clone(), (note.number, now));
        let before = before.map_or(0, |(number, _)| number);
        // What this process told it knows.
        note.from != self.me && note.number != before + 1
    }

    /// Whether somebody has been silent for too long. Of another process it is said once, of this one, which
    /// then hears nobody, as often as it is so.
    fn has_silence(&mut self, now: Instant) -> bool {
        let silent = Duration::from_millis(SILENT_MILLISECONDS);
        let mut found = false;
        self.last.retain(|from, (_, at)| {
            if now - *at <= silent {
                return true;
            }
            found = true;
            *at = now;
            from == self.me
        });
        found
    }
}

async fn tell(url: &SecretString, me: &str, words: &mut Words, channel: &str) {
    let mut number = 0;
    loop {
        if let Err(error) = tell_on_one(url, me, words, channel, &mut number).await {
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
    words: &mut Words,
    channel: &str,
    number: &mut u64,
) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url.expose_secret()).await?;
    let beat = Duration::from_millis(BEAT_MILLISECONDS);
    let mut some = Vec::with_capacity(WORDS_AT_ONCE);
    loop {
        // None in time is a sign of life alone.
        let _ = tokio::time::timeout(beat, words.words.recv_many(&mut some, WORDS_AT_ONCE)).await;
        // Before it is sent, so that one that does not arrive leaves a gap.
        *number += 1 + u64::from(words.lost.swap(false, Ordering::Relaxed));
        let note = Note {
            from: me.to_owned(),
            number: *number,
            words: std::mem::take(&mut some),
        };
        sqlx::query("SELECT pg_notify($1, $2)")
            .bind(channel)
            .bind(serde_json::to_string(&note)?)
            .execute(&mut connection)
            .await?;
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::{sync::broadcast::Receiver, time::Instant};
    use tokio_util::sync::CancellationToken;

    use super::{CHANNEL, Heard, Note, SILENT_MILLISECONDS, run_on};
    use crate::{
        app::{App, Bus, Change},
        store::Place,
        testing::World,
    };

    /// A process of `world` whose bus is linked on these channels.
    fn process(world: &World, channels: [&'static str; 2]) -> (App, Receiver<Change>) {
        let (bus, words) = Bus::linked();
        let app = App {
            bus: Arc::new(bus),
            ..world.app.clone()
        };
        let changes = app.bus.listen();
        let Place::Server(url) = &world.place else {
            panic!("only on a server there are others");
        };
        let running = run_on(
            channels,
            app.clone(),
            url.clone(),
            words,
            CancellationToken::new(),
        );
        tokio::spawn(running);
        (app, changes)
    }

    /// The next change but those that say that something may have been missed.
    async fn next(changes: &mut Receiver<Change>) -> Change {
        loop {
            match changes.recv().await.unwrap() {
                Change::Missed => {}
                change => return change,
            }
        }
    }

    #[tokio::test]
    async fn what_one_process_tells_another_hears_once() {
        let world = World::new().await;
        if !world.is_on_postgres() {
            // One process: nobody to tell.
            assert!(Bus::linked().1.words.is_empty());
            return;
        }
        let (there, mut heard) = process(&world, [CHANNEL; 2]);
        assert_eq!(heard.recv().await.unwrap(), Change::Missed);
        let (here, mut own) = process(&world, [CHANNEL; 2]);
        let account = world.customer.account;
        for change in [Change::Limits(account), Change::Mark(account)] {
            here.bus.tell(change.clone());
            assert_eq!(next(&mut own).await, change);
            assert_eq!(next(&mut heard).await, change);
        }
        here.bus.signer.notify_one();
        there.bus.signer.notified().await;
        let last = Change::Agent(storm_protocol::ident::AgentId::new(
            world.app.clock.now(),
            [1; 10],
        ));
        here.bus.tell(last.clone());
        assert_eq!(next(&mut own).await, last);
        assert_eq!(next(&mut heard).await, last);
    }

    #[tokio::test]
    async fn whoever_hears_nothing_any_more_tells_its_dashboards_again_and_again() {
        let world = World::new().await;
        if !world.is_on_postgres() {
            return;
        }
        // What it tells goes elsewhere, so that nothing at all comes in.
        let (_app, mut changes) = process(&world, ["elsewhere", CHANNEL]);
        for _ in 0..4 {
            assert_eq!(changes.recv().await.unwrap(), Change::Missed);
        }
    }

    #[test]
    fn a_missing_note_and_a_silent_process_are_found() {
        let (mut heard, start) = (Heard::new("me"), Instant::now());
        let note = |from: &str, number| Note {
            from: from.to_owned(),
            number,
            words: vec![],
        };
        for (from, number, missing) in [
            ("a", 1, false),
            ("a", 2, false),
            ("b", 7, true),
            ("a", 4, true),
            ("b", 8, false),
            ("me", 9, false),
            ("me", 12, false),
        ] {
            assert_eq!(
                heard.take_in(&note(from, number), start),
                missing,
                "{from} {number}"
            );
        }
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        assert!(!heard.has_silence(at(SILENT_MILLISECONDS)));
        heard.take_in(&note("me", 13), at(SILENT_MILLISECONDS));
        assert!(heard.has_silence(at(SILENT_MILLISECONDS + 1)));
        assert!(!heard.has_silence(at(SILENT_MILLISECONDS + 2)));
        // It comes back: what it told meanwhile was missed. This process's own silence does not end.
        assert!(heard.take_in(&note("a", 9), at(SILENT_MILLISECONDS + 3)));
        for later in [4_000, 6_000] {
            assert!(heard.has_silence(at(later)));
            assert!(!heard.has_silence(at(later + 1)));
        }
    }
}
