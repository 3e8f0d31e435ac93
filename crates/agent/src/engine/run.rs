//! One operation on its way: how it calls Garage, what it does when an answer is unclear, what it
//! writes down meanwhile.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use storm_protocol::{
    command::{AdminCall, Class, Command, Resource},
    error::Failure,
    ident::{AccessKeyId, AccountId, Micros},
};

use super::{Inner, Phase, Stopped};
use crate::{
    execute::Stop,
    garage::{self, AdminRequest, CallError, GarageClient, Rejection},
    journal::{Entry, JournalError, KeyTry, OwnerChange, Record, Source},
    secret::{Place, new_secret},
};

/// Seconds after which an operation that has changed nothing gives up on a Garage that cannot be
/// reached.
pub(crate) const UNREACHABLE_SECONDS: u64 = 20;
/// Milliseconds before the first repetition of a call; each next wait is twice as long.
pub(crate) const BACKOFF_FIRST_MILLIS: u64 = 200;
/// The longest wait between repetitions, in milliseconds.
pub(crate) const BACKOFF_MAX_MILLIS: u64 = 10_000;

/// Garage's clear answer to a change.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The answer's body, or the clear no.
    pub(crate) result: Result<Bytes, Rejection>,
    /// Whether the call was sent before with an unclear outcome: then "gone" and "exists already"
    /// may be our own doing.
    pub(crate) repeated: bool,
}

/// What came of sending a change once.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// Garage's clear answer.
    Answered(Result<Bytes, Rejection>),
    /// Done, undone or half done.
    Unclear,
}

/// An operation being run.
pub(crate) struct Run {
    pub(crate) inner: Arc<Inner>,
    pub(crate) entry: Entry,
    /// The secret of the current try; gone once it is Garage's, or the process was another.
    pub(crate) secret: Option<SecretString>,
    /// Whether an earlier process of this agent may have sent any of the calls.
    resumed: bool,
    /// Whose things are, for the commit that ends the operation.
    pub(crate) owners: Vec<OwnerChange>,
    /// What was made or changed besides the command's own resources.
    pub(crate) touched: Vec<Resource>,
    /// Whether it gives up the executor's role.
    pub(super) released: bool,
    changing: bool,
    changed: bool,
    uncertain: bool,
    began: tokio::time::Instant,
    admin: Duration,
    journal: Duration,
}

/// What is left of a run when it has ended.
pub(super) struct Report {
    pub(super) entry: Entry,
    pub(super) owners: Vec<OwnerChange>,
    pub(super) touched: Vec<Resource>,
    /// The epoch whose executor this agent is no longer.
    pub(super) released: Option<u64>,
    pub(super) admin: Duration,
    pub(super) journal: Duration,
}

impl Run {
    pub(super) fn new(
        inner: Arc<Inner>,
        entry: Entry,
        command: Option<&Command>,
        secret: Option<SecretString>,
        resumed: bool,
    ) -> Self {
        Self {
            inner,
            entry,
            secret,
            resumed,
            owners: Vec::new(),
            touched: Vec::new(),
            released: false,
            changing: command.is_some_and(|command| command.row().class != Class::Read),
            changed: false,
            uncertain: false,
            began: tokio::time::Instant::now(),
            admin: Duration::ZERO,
            journal: Duration::ZERO,
        }
    }

    /// The account that asks.
    pub(crate) fn account(&self) -> AccountId {
        self.entry.actor.account
    }

    /// The earliest time by Garage's clock at which this operation can have made something, whoever
    /// began it.
    pub(crate) fn since(&self) -> Micros {
        const CLOCKS_APART_SECONDS: i64 = 5;
        let accepted_at = self.entry.accepted_at;
        let began = if self.entry.begun_elsewhere {
            accepted_at.min(self.entry.operation.made_at())
        } else {
            accepted_at
        };
        began.plus_seconds(-CLOCKS_APART_SECONDS)
    }

    /// Up to when what was written counts as there before the operation was taken, by whoever took it
    /// first and by this machine's own clock, with which Garage dates objects.
    pub(crate) fn taken_at(&self) -> Micros {
        let Entry {
            accepted_at,
            own_clock,
            ..
        } = &self.entry;
        let taken_at = own_clock.map_or(*accepted_at, |own| own.min(*accepted_at));
        if self.entry.begun_elsewhere {
            taken_at.min(self.entry.operation.made_at())
        } else {
            taken_at
        }
    }

    /// Whether the operation was begun before, or may have been by another agent: what it makes may
    /// be there already.
    pub(crate) const fn may_be_begun(&self) -> bool {
        self.resumed || self.entry.begun_elsewhere
    }

    /// Whether an earlier call's outcome is not known for sure, so that traces may be left.
    pub(crate) const fn is_uncertain(&self) -> bool {
        self.may_be_begun() || self.uncertain
    }

    /// Whether there may be something to take back when it fails.
    pub(crate) const fn may_have_left(&self) -> bool {
        self.changing && (self.may_be_begun() || self.changed)
    }

    /// Whether this agent may have changed anything: then it goes on until it is answered. What
    /// another agent may have begun binds it to nothing.
    const fn may_have_changed(&self) -> bool {
        self.changing && (self.resumed || self.changed)
    }

    /// Sends a change until it is clearly answered.
    pub(crate) async fn change(&mut self, request: AdminRequest) -> Stopped<Answer> {
        self.change_anew(|| request.clone()).await
    }

    /// As [`Run::change`], with a request that is made the moment it goes out.
    pub(crate) async fn change_anew(
        &mut self,
        request: impl Fn() -> AdminRequest + Send + Sync,
    ) -> Stopped<Answer> {
        let mut backoff = Backoff::default();
        let mut repeated = false;
        loop {
            match self.attempt_anew(&request).await? {
                Attempt::Answered(result) => return Ok(Answer { result, repeated }),
                Attempt::Unclear => repeated = true,
            }
            self.pause(backoff.next()).await?;
        }
    }

    /// Sends a change that must not fail: a clear no ends the operation under the matching code.
    pub(crate) async fn must(&mut self, request: AdminRequest) -> Stopped<Bytes> {
        self.change(request)
            .await?
            .result
            .map_err(|no| Stop::from(&no))
    }

    /// Sends a change once; waits as long as Garage cannot be reached at all.
    pub(crate) async fn attempt(&mut self, request: AdminRequest) -> Stopped<Attempt> {
        self.attempt_anew(|| request.clone()).await
    }

    async fn attempt_anew(
        &mut self,
        request: impl Fn() -> AdminRequest + Send + Sync,
    ) -> Stopped<Attempt> {
        let mut backoff = Backoff::default();
        loop {
            self.gate().await?;
            let request = request();
            // Only while the call is on its way: whoever looks for nameless buckets waits for it.
            let creates = request.call == AdminCall::CreateBucket;
            let shared = if creates {
                Some(self.inner.creates.read().await)
            } else {
                None
            };
            let began = Instant::now();
            let sent = self.inner.garage.send(request).await;
            drop(shared);
            self.admin += began.elapsed();
            match sent {
                Ok(body) => {
                    self.changed = true;
                    return Ok(Attempt::Answered(Ok(body)));
                }
                Err(CallError::Rejected(no)) => return Ok(Attempt::Answered(Err(no))),
                Err(error @ CallError::Unknown { .. }) => {
                    self.changed = true;
                    self.uncertain = true;
                    tracing::warn!(%error, operation = %self.entry.operation, "outcome unknown");
                    return Ok(Attempt::Unclear);
                }
                Err(error @ (CallError::NotReached { .. } | CallError::Denied { .. })) => {
                    self.out_of_reach(error)?;
                }
            }
            self.pause(backoff.next()).await?;
        }
    }

    /// Asks until there is a clear answer; `None` when Garage says that there is no such thing.
    pub(crate) async fn find<T: DeserializeOwned>(
        &mut self,
        request: AdminRequest,
    ) -> Stopped<Option<T>> {
        let read = |garage: GarageClient| {
            let request = request.clone();
            async move {
                let call = request.call.as_str();
                match garage.send(request).await {
                    Ok(body) => garage::parse(call, &body).map(Some),
                    Err(CallError::Rejected(no)) if no.status == 404 => Ok(None),
                    Err(error) => Err(error),
                }
            }
        };
        self.read(read).await
    }

    /// Reads with `read` until there is a clear answer.
    pub(crate) async fn read<T, F>(&mut self, read: impl Fn(GarageClient) -> F) -> Stopped<T>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let mut backoff = Backoff::default();
        loop {
            self.gate().await?;
            let began = Instant::now();
            let answer = read(self.inner.garage.clone()).await;
            self.admin += began.elapsed();
            match answer {
                Ok(value) => return Ok(value),
                Err(CallError::Rejected(no)) => return Err(Stop::from(&no)),
                Err(error) => self.out_of_reach(error)?,
            }
            self.pause(backoff.next()).await?;
        }
    }

    /// The id of the key of the current try.
    pub(crate) fn key_id(&self) -> AccessKeyId {
        AccessKeyId::derive(self.entry.operation, self.tries())
    }

    /// The number of the current try: how many ids were given up before it.
    pub(crate) fn tries(&self) -> u32 {
        self.entry.key.as_ref().map_or(0, |key| key.number)
    }

    /// Gives the current id up for ever and writes down the next one with a new secret.
    pub(crate) async fn next_try(&mut self) -> Stopped<()> {
        let number = self.tries() + 1;
        let id = AccessKeyId::derive(self.entry.operation, number);
        let secret = new_secret();
        let place = Place {
            agent: self.inner.identity.agent,
            region: &self.inner.identity.region,
            actor: &self.entry.actor,
            operation: self.entry.operation,
        };
        let recipient = self.entry.seal_to.as_ref();
        let sealed = recipient.and_then(|to| place.seal(&secret, &id, to).ok());
        let sealed = sealed.ok_or_else(|| {
            Stop::failed(
                Failure::GaveUp,
                "The new key's secret cannot be sealed.".to_owned(),
            )
        })?;
        self.entry.key = Some(KeyTry { number, sealed });
        self.write_down("key").await?;
        self.secret = Some(secret);
        Ok(())
    }

    /// Writes down what has to be known of the time before the first change.
    pub(crate) async fn record(&mut self, record: Record) -> Stopped<()> {
        self.entry.record = Some(record);
        self.write_down("record").await
    }

    /// Waits, unless the engine closes.
    pub(crate) async fn pause(&self, duration: Duration) -> Stopped<()> {
        let mut phase = self.inner.phase();
        let closing = phase.wait_for(|phase| *phase != Phase::Open);
        match tokio::time::timeout(duration, closing).await {
            Ok(_) => Err(Stop::Halted),
            Err(_) => Ok(()),
        }
    }

    pub(super) fn into_report(self) -> Report {
        Report {
            released: self.released.then_some(self.entry.epoch),
            entry: self.entry,
            owners: self.owners,
            touched: self.touched,
            admin: self.admin,
            journal: self.journal,
        }
    }

    /// Lets the next admin call start, or waits: a change that came over the channel starts nothing
    /// while the hub is silent, since another executor may have been named. That holds for what is
    /// recovered at start too, although it waits then: while this agent was away, another may have
    /// become the executor and changed the same things since, and to set a grant or quota that it
    /// took back once more would revive it. Only the hub can tell. What is signed offline goes on
    /// without the hub, as its signer meant it to, but never past an older unfinished operation on
    /// the same thing.
    ///
    /// An engine that closes lets short commands finish. A job stops at once: the next start goes on
    /// where it is.
    async fn gate(&self) -> Stopped<()> {
        let free = !self.changing || self.entry.source == Source::Spool;
        self.inner.gate(free, self.entry.job.is_some()).await?;
        Ok(())
    }

    /// Before the first change an operation may fail; after it, it goes on until it is answered.
    fn out_of_reach(&self, error: CallError) -> Stopped<()> {
        let waited = self.began.elapsed() >= Duration::from_secs(UNREACHABLE_SECONDS);
        let hopeless = matches!(error, CallError::Denied { .. });
        if !self.may_have_changed() && (waited || hopeless) {
            let mut words = error.to_string();
            if self.entry.begun_elsewhere {
                words.push_str(". An agent that is lost may have begun it: look at what is there");
            }
            return Err(Stop::failed(Failure::GarageUnavailable, words));
        }
        tracing::warn!(%error, operation = %self.entry.operation, "waiting for Garage");
        Ok(())
    }

    pub(super) async fn write_down(&mut self, name: &'static str) -> Stopped<()> {
        let began = Instant::now();
        loop {
            let row = self.entry.clone();
            match self
                .inner
                .journal
                .commit(name, move |tx| tx.put_running(&row))
                .await
            {
                Ok(()) => break,
                Err(JournalError::Closed) => return Err(Stop::Halted),
                Err(error) => {
                    tracing::error!(%error, operation = %self.entry.operation, "trying again");
                    self.pause(Duration::from_millis(BACKOFF_MAX_MILLIS))
                        .await?;
                }
            }
        }
        self.journal += began.elapsed();
        Ok(())
    }
}

/// Waits that double up to a bound.
#[derive(Debug, Default)]
pub(crate) struct Backoff(u32);

impl Backoff {
    /// How long to wait this time.
    pub(crate) fn next(&mut self) -> Duration {
        let millis = BACKOFF_FIRST_MILLIS.saturating_mul(1 << self.0.min(16));
        self.0 += 1;
        Duration::from_millis(millis.min(BACKOFF_MAX_MILLIS))
    }
}
