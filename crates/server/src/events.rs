//! What an account hears of: changes from the bus, read from the database and filtered by who
//! listens. How many may listen is bounded.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use storm_protocol::{api::Event, ident::AccountId};
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
/// Seconds between signs of life on a stream.
pub(crate) const HEARTBEAT_SECONDS: u64 = 15;
/// Seconds until a stream ends and its client, who comes back, is checked again.
const STREAM_SECONDS: u64 = 15 * 60;

/// Counts the open streams of each account.
#[derive(Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<HashMap<AccountId, usize>>>);

/// A stream's place; free again when dropped.
pub(crate) struct Place {
    streams: Streams,
    account: AccountId,
}

impl Streams {
    /// Takes a place; `None` when the account has no more.
    pub(crate) fn take(&self, account: AccountId) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(account).or_default();
        if *count >= MAX_STREAMS_PER_ACCOUNT {
            return None;
        }
        *count += 1;
        Some(Place {
            streams: self.clone(),
            account,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self
            .streams
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.account);
            }
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
