//! What an account hears of: changes from the bus, read from the database and filtered by who
//! listens. How many may listen is bounded.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus_client::metrics::gauge::Gauge;
use storm_protocol::{
    api::Event,
    ident::{AccountId, UserId},
};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::Instant,
};

use crate::{
    app::{Bus, Change},
    store::{Result, Store, sessions::Person},
};

/// Streams that an account may hold open.
pub(crate) const MAX_STREAMS_PER_ACCOUNT: usize = 32;
/// Streams that a person may hold open, in all their accounts: a browser's tab has one.
pub(crate) const MAX_STREAMS_PER_PERSON: usize = 24;
/// Streams at the same time: half of the listener's connections, so that requests find one.
pub(crate) const MAX_STREAMS: usize = 512;
/// Seconds between signs of life on a stream.
pub(crate) const HEARTBEAT_SECONDS: u64 = 15;
/// Seconds until a stream ends and its client, who comes back, is checked again.
const STREAM_SECONDS: u64 = 15 * 60;

/// Counts the open streams.
#[derive(Clone, Default)]
pub(crate) struct Streams {
    open: Arc<Mutex<Open>>,
    shown: Gauge,
}

#[derive(Default)]
struct Open {
    all: usize,
    accounts: HashMap<AccountId, usize>,
    people: HashMap<UserId, usize>,
}

/// Whose streams are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The person's.
    Person,
    /// The account's.
    Account,
    /// Everybody's.
    All,
}

/// A stream's place; free again when dropped.
pub(crate) struct Place {
    streams: Streams,
    account: AccountId,
    user: UserId,
}

impl Streams {
    /// Those that `shown` tells the number of.
    pub(crate) fn counted_in(shown: Gauge) -> Self {
        Self {
            open: Arc::default(),
            shown,
        }
    }

    /// Takes a place, if there is one.
    pub(crate) fn take(
        &self,
        account: AccountId,
        user: UserId,
    ) -> std::result::Result<Place, Full> {
        let mut open = self.held();
        let of_person = open.people.get(&user).copied().unwrap_or(0);
        let of_account = open.accounts.get(&account).copied().unwrap_or(0);
        if of_person >= MAX_STREAMS_PER_PERSON {
            return Err(Full::Person);
        }
        if of_account >= MAX_STREAMS_PER_ACCOUNT {
            return Err(Full::Account);
        }
        if open.all >= MAX_STREAMS {
            return Err(Full::All);
        }
        open.all += 1;
        open.accounts.insert(account, of_account + 1);
        open.people.insert(user, of_person + 1);
        self.shown.inc();
        Ok(Place {
            streams: self.clone(),
            account,
            user,
        })
    }

    fn held(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.held();
        open.all -= 1;
        one_less(&mut open.accounts, self.account);
        one_less(&mut open.people, self.user);
        self.streams.shown.dec();
    }
}

fn one_less<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}

/// The events for one listener.
pub(crate) struct Feed {
    changes: Receiver<Change>,
    store: Store,
    account: AccountId,
    operator: bool,
    /// Whether operations of all accounts are heard of.
    everyones: bool,
    ends: Instant,
    bus: Arc<Bus>,
    _place: Place,
}

impl Feed {
    /// What `person` hears from now on; `everyones`, which is for operators, adds the operations of all
    /// accounts.
    pub(crate) fn new(
        bus: &Arc<Bus>,
        store: Store,
        person: &Person,
        place: Place,
        everyones: bool,
    ) -> Self {
        Self {
            changes: bus.listen(),
            store,
            account: person.account,
            operator: person.operator,
            everyones: everyones && person.operator,
            ends: Instant::now() + Duration::from_secs(STREAM_SECONDS),
            bus: Arc::clone(bus),
            _place: place,
        }
    }

    /// The next event; `None` when the stream ends.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            let change = tokio::select! {
                change = self.changes.recv() => change,
                () = tokio::time::sleep_until(self.ends) => return None,
                () = self.bus.stopping.cancelled() => return None,
            };
            match change {
                Ok(change) => match self.event(change).await {
                    Ok(Some(event)) => return Some(event),
                    Ok(None) => {}
                    Err(error) => {
                        tracing::error!(cause = error.to_string(), "an event was lost");
                        return Some(Event::Missed);
                    }
                },
                Err(RecvError::Lagged(_)) => return Some(Event::Missed),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    async fn event(&self, change: Change) -> Result<Option<Event>> {
        let mine = |account: Option<AccountId>| account == Some(self.account);
        Ok(match change {
            Change::Operation(account, id) if self.everyones || mine(Some(account)) => {
                let operation = self.store.operation(id).await?;
                operation.map(|operation| Event::Operation(self.bus.progress.with(operation)))
            }
            Change::Bucket(account, id) if mine(account) => {
                let bucket = self.store.bucket(self.account, id).await?;
                Some(bucket.map_or(Event::BucketGone(id), Event::Bucket))
            }
            Change::Key(account, id) if mine(account) => {
                let key = self.store.key(self.account, &id).await?;
                Some(key.map_or(Event::KeyGone(id), Event::Key))
            }
            Change::Agent(id) if self.operator => self.store.agent(id).await?.map(Event::Agent),
            Change::Agent(id) => self.store.region_of_agent(id).await?.map(Event::Region),
            Change::Mark(account) if mine(Some(account)) => {
                self.store.limit_notice(account).await?.map(Event::Limit)
            }
            Change::Missed => Some(Event::Missed),
            Change::Operation(..)
            | Change::Limits(_)
            | Change::Mark(_)
            | Change::Bucket(..)
            | Change::Key(..)
            | Change::Certificate(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::gauge::Gauge;
    use storm_protocol::ident::{AccountId, Micros, UserId};

    use super::{
        Full, MAX_STREAMS, MAX_STREAMS_PER_ACCOUNT, MAX_STREAMS_PER_PERSON, Place, Streams,
    };
    use crate::clock::random;

    fn account() -> AccountId {
        AccountId::new(Micros(0), random())
    }

    fn user() -> UserId {
        UserId::new(Micros(0), random())
    }

    #[test]
    fn places_end_with_the_persons_the_accounts_and_everybodys() {
        let shown = Gauge::default();
        let streams = Streams::counted_in(shown.clone());
        let (ours, me) = (account(), user());
        let mut held: Vec<Place> = (0..MAX_STREAMS_PER_PERSON)
            .map(|_| streams.take(ours, me).ok().unwrap())
            .collect();
        assert_eq!(streams.take(ours, me).err(), Some(Full::Person));
        // Another account of the same person is no way around it.
        assert_eq!(streams.take(account(), me).err(), Some(Full::Person));
        while held.len() < MAX_STREAMS_PER_ACCOUNT {
            held.push(streams.take(ours, user()).ok().unwrap());
        }
        assert_eq!(streams.take(ours, user()).err(), Some(Full::Account));
        while held.len() < MAX_STREAMS {
            held.push(streams.take(account(), user()).ok().unwrap());
        }
        assert_eq!(streams.take(account(), user()).err(), Some(Full::All));
        assert_eq!(shown.get(), 512);
        held.clear();
        assert_eq!(shown.get(), 0);
        assert!(streams.take(ours, me).is_ok());
        let open = streams.held();
        assert!(open.accounts.is_empty() && open.people.is_empty());
    }
}
