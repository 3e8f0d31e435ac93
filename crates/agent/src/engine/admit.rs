//! From bytes to the journal: the checks in their order, refusals as receipts, and the one commit
//! after which an operation will be run.
//!
//! All that needs no waiting is done first, and ends with the operation's places in the lines of its
//! things; so commands keep the order in which they came, however long Garage takes to say whose a
//! thing is.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use secrecy::SecretString;
use storm_protocol::{
    command::{Class, Command},
    envelope::CommandPayload,
    error::Refusal,
    frame::ReceiptFrame,
    ident::{AccessKeyId, OperationId},
    receipt::Outcome,
};
use tokio::{sync::oneshot, time::timeout};

use super::{
    EngineEvent, Inner, Known, Phase, Submitted, lock,
    owners::{OWNERS_SECONDS, stripped},
    queue::Ticket,
    settle::Origin,
};
use crate::{
    journal::{Entry, JournalError, KeyTry, OwnerChange, Source},
    receipts::{self, Draft},
    secret::{Place, new_secret},
    verify::{self, Signed},
};

/// Seconds between two tries to see to it that an operation is not in the journal.
const TAKE_BACK_SECONDS: u64 = 1;
/// The most characters of an unknown command's name that a receipt repeats.
const MAX_NAME_CHARS: usize = 64;

/// How far an envelope came without waiting.
enum Begun {
    Answered(Submitted),
    Refused(Box<Signed>, Refusal),
    Claimed(Box<Claimed>),
}

/// An envelope that passed every check but that of its things' owners, with its place in line.
struct Claimed {
    signed: Signed,
    source: Source,
    command: Command,
    place: u64,
    begun_elsewhere: bool,
    claim: Claim,
}

/// An operation that is in line and not yet written down. Dropped, it was never there.
struct Claim {
    inner: Arc<Inner>,
    operation: OperationId,
    ticket: Option<Ticket>,
}

impl Claim {
    fn keep(mut self) -> Option<Ticket> {
        self.ticket.take()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.inner.forget(self.operation, ticket);
        }
    }
}

impl Inner {
    pub(super) fn submit(
        self: &Arc<Self>,
        bytes: &[u8],
        source: Source,
    ) -> impl Future<Output = Submitted> + Send + use<> {
        let begun = self.begin(bytes, source);
        let inner = Arc::clone(self);
        async move {
            match begun {
                Begun::Answered(submitted) => submitted,
                Begun::Refused(signed, refusal) => inner.refuse(*signed, refusal).await,
                Begun::Claimed(claimed) => inner.finish(*claimed).await,
            }
        }
    }

    fn begin(self: &Arc<Self>, bytes: &[u8], source: Source) -> Begun {
        let opened = {
            let trust = self
                .trust
                .read()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            verify::open(bytes, trust.as_ref(), source, self.now())
        };
        let signed = match opened {
            Ok(signed) => signed,
            Err(refusal) => {
                self.counters.add(self.now(), refusal, false);
                return Begun::Answered(Submitted::Dropped(refusal));
            }
        };
        if source == Source::Channel {
            self.heard();
        }
        match self.check(&signed, source) {
            Ok(Ok(command)) => self.claim(signed, source, command),
            Ok(Err(known)) => self.answer_known(signed, known),
            Err(refusal) => Begun::Refused(Box::new(signed), refusal),
        }
    }

    /// The checks that need no waiting; the inner error is what is known of the operation.
    fn check(&self, signed: &Signed, source: Source) -> Result<Result<Command, Known>, Refusal> {
        let payload = &signed.payload;
        verify::audience(payload, &self.identity, self.epoch.load(Ordering::SeqCst))?;
        if let Some(known) = lock(&self.operations).get(payload.operation) {
            return Ok(Err(known));
        }
        verify::freshness(payload, source, self.memory(), self.now())?;
        if *self.phase.borrow() != Phase::Open {
            return Err(Refusal::Busy);
        }
        Ok(Ok(verify::whitelist(payload, &self.disabled)?))
    }

    /// The first try of the key that the command makes, with its secret.
    fn first_key(
        &self,
        payload: &CommandPayload,
        command: &Command,
    ) -> Result<Option<(KeyTry, SecretString)>, Refusal> {
        let Some(recipient) = payload.seal_to.as_ref().filter(|_| command.makes_secret()) else {
            return Ok(None);
        };
        let place = Place {
            agent: self.identity.agent,
            region: &self.identity.region,
            actor: &payload.actor,
            operation: payload.operation,
        };
        let secret = new_secret();
        let id = AccessKeyId::derive(payload.operation, 0);
        // Only a key that nothing can be sealed to fails here.
        let sealed = place.seal(&secret, &id, recipient);
        let sealed = sealed.map_err(|_| Refusal::BadParameters)?;
        Ok(Some((KeyTry { number: 0, sealed }, secret)))
    }

    /// Equal intent: what is known, whatever clock and attempt say. Another: a conflict.
    fn answer_known(&self, signed: Signed, known: Known) -> Begun {
        match known {
            Known::Running { intent, .. } if intent == signed.intent => {
                Begun::Answered(Submitted::Running(signed.payload.operation))
            }
            Known::Ended(finished) if finished.intent == signed.intent => {
                let frame = self.stored(finished.sequence);
                let busy = Submitted::Dropped(Refusal::Busy);
                Begun::Answered(frame.map_or(busy, Submitted::Ended))
            }
            Known::Running { .. } | Known::Ended(_) => {
                Begun::Refused(Box::new(signed), Refusal::IntentConflict)
            }
        }
    }

    /// Takes the operation's place in the lines of its things, if its account may have one more.
    fn claim(self: &Arc<Self>, signed: Signed, source: Source, command: Command) -> Begun {
        let (operation, account) = (signed.payload.operation, signed.payload.actor.account);
        let read = is_read(&command);
        let begun_elsewhere = self.memory().begun_elsewhere(&signed.payload, source);
        let mut operations = lock(&self.operations);
        // The same envelope may have come twice at once.
        if let Some(known) = operations.get(operation) {
            drop(operations);
            return self.answer_known(signed, known);
        }
        if operations.is_leaving() && !read {
            // Signed afresh, it goes to whoever takes the role.
            let refusal = match source {
                Source::Channel => Refusal::OldEpoch,
                Source::Spool => Refusal::Busy,
            };
            return Begun::Refused(Box::new(signed), refusal);
        }
        if !operations.has_room(account, read) {
            if operations.is_full(account) {
                self.prune_soon();
            }
            return Begun::Refused(Box::new(signed), Refusal::Busy);
        }
        operations.begin(operation, read, account, signed.intent);
        self.expect_bucket(operation, Some(&command));
        let place = self.place.fetch_add(1, Ordering::SeqCst);
        let job = self.jobs.begin(operation, account, &command);
        let ticket = self.queue.enter(operation, command.resources(), job);
        drop(operations);
        let claim = Claim {
            inner: Arc::clone(self),
            operation,
            ticket: Some(ticket),
        };
        Begun::Claimed(Box::new(Claimed {
            signed,
            source,
            command,
            place,
            begun_elsewhere,
            claim,
        }))
    }

    /// Asks whose the things are, then takes the operation.
    async fn finish(self: Arc<Self>, claimed: Claimed) -> Submitted {
        let resources = claimed.command.resources();
        let payload = &claimed.signed.payload;
        let stripped = stripped(&claimed.command, claimed.begun_elsewhere);
        let asked = self.check_owners(&resources, &payload.actor, stripped);
        let learnt = match timeout(Duration::from_secs(OWNERS_SECONDS), asked).await {
            Ok(learnt) => learnt,
            Err(_) => {
                tracing::warn!(operation = %payload.operation, "Garage did not say in {OWNERS_SECONDS} seconds whose a thing is");
                Err(Refusal::Busy)
            }
        };
        let passed = learnt.and_then(|learnt| {
            let key = self.first_key(payload, &claimed.command)?;
            Ok((learnt, key))
        });
        match passed {
            Ok((learnt, key)) => self.take(claimed, learnt, key).await,
            Err(refusal) => {
                let Claimed { signed, claim, .. } = claimed;
                drop(claim);
                self.refuse(signed, refusal).await
            }
        }
    }

    /// Writes the operation down, unless it only reads, and starts it. This runs in a task of its
    /// own: it is not cut when whoever brought the envelope goes away.
    async fn take(
        self: Arc<Self>,
        claimed: Claimed,
        learnt: Vec<OwnerChange>,
        key: Option<(KeyTry, SecretString)>,
    ) -> Submitted {
        let Claimed {
            signed,
            source,
            command,
            place,
            begun_elsewhere,
            claim,
        } = claimed;
        let (operation, accepted_at) = (claim.operation, self.now());
        let (issued_at, epoch) = (signed.payload.issued_at, signed.payload.audience.epoch);
        let (key, secret) = key.unzip();
        let mut entry = Entry::new(
            signed.payload,
            signed.identity,
            source,
            place,
            accepted_at,
            key,
        );
        entry.begun_elsewhere = begun_elsewhere;
        entry.own_clock = Some(self.clock.now()).filter(|own| *own < accepted_at);
        let origin = if is_read(&command) {
            Origin::Read { issued_at, epoch }
        } else {
            Origin::Journal
        };
        let (tell, told) = oneshot::channel();
        let inner = Arc::clone(&self);
        tokio::spawn(async move {
            if origin == Origin::Journal {
                let row = entry.clone();
                let written = inner.journal.commit("intent", move |tx| {
                    tx.put_running(&row)?;
                    tx.change_owners(&learnt)?;
                    tx.take(issued_at, epoch)
                });
                if let Err(error) = written.await {
                    tracing::error!(%error, %operation, "an operation could not be written down");
                    let _ = tell.send(false);
                    return inner.take_back(claim, &error).await;
                }
            }
            inner.taken(issued_at, epoch);
            let _ = tell.send(true);
            inner.emit(EngineEvent::Accepted);
            if let Some(ticket) = claim.keep() {
                inner.drive(entry, secret, ticket, origin).await;
            }
        });
        if told.await == Ok(true) {
            return Submitted::Accepted(operation);
        }
        // What cannot be written down cannot be answered with a receipt either.
        self.counters.add(self.now(), Refusal::Busy, true);
        Submitted::Dropped(Refusal::Busy)
    }

    /// A commit that failed may have come through all the same, and the next start would run what it
    /// took. So the operation keeps its place until it is surely not in the journal: nothing newer
    /// on its things runs before.
    async fn take_back(&self, claim: Claim, error: &JournalError) {
        let operation = claim.operation;
        let mut error = error.clone();
        loop {
            match error {
                JournalError::Full => return drop(claim),
                JournalError::Closed => {
                    if let Some(ticket) = claim.keep() {
                        ticket.hold();
                    }
                    return;
                }
                JournalError::Storage(_) => {
                    tokio::time::sleep(Duration::from_secs(TAKE_BACK_SECONDS)).await;
                }
            }
            let removed = self
                .journal
                .commit("settings", move |tx| tx.remove_running(operation));
            match removed.await {
                Ok(()) => return drop(claim),
                // Not even tried: that says nothing of the first commit.
                Err(JournalError::Full) => error = JournalError::Storage(String::new()),
                Err(again) => error = again,
            }
        }
    }

    /// The operation was never taken.
    pub(super) fn forget(&self, operation: OperationId, ticket: Ticket) {
        lock(&self.operations).forget(operation);
        lock(&self.creating).remove(&operation);
        self.jobs.end(operation);
        drop(ticket);
    }

    /// Answers with a receipt. The same envelope refused again for the same reason gets the same.
    async fn refuse(&self, signed: Signed, refusal: Refusal) -> Submitted {
        let now = self.now();
        self.counters.add(now, refusal, true);
        let before = lock(&self.refused).receipt(signed.identity, refusal);
        if let Some(frame) = before.and_then(|sequence| self.stored(sequence)) {
            return Submitted::Ended(frame);
        }
        let payload = signed.payload;
        let draft = Draft {
            account: payload.actor.account,
            operation: payload.operation,
            attempt: payload.attempt,
            envelope: signed.identity,
            intent: signed.intent,
            command: payload.command.name.chars().take(MAX_NAME_CHARS).collect(),
            accepted_at: now,
            finished_at: now,
            outcome: Outcome::Refused {
                code: refusal,
                message: refusal.sentence().to_owned(),
            },
            sealed: None,
        };
        let (identity, predecessor) = (Arc::clone(&self.identity), self.predecessor);
        let written = self.journal.commit("refusal", move |tx| {
            receipts::append(tx, &identity, predecessor, draft)
        });
        match written.await {
            Ok(frame) => {
                lock(&self.refused).keep((signed.identity, refusal), frame.sequence);
                self.emit(EngineEvent::Ended);
                Submitted::Ended(frame)
            }
            Err(error) => {
                tracing::error!(%error, "a refusal could not be written down");
                Submitted::Dropped(refusal)
            }
        }
    }

    fn stored(&self, sequence: u64) -> Option<ReceiptFrame> {
        match self.journal.receipts(sequence, 1) {
            Ok(frames) => frames.into_iter().find(|frame| frame.sequence == sequence),
            Err(error) => {
                tracing::error!(%error, sequence, "a stored receipt cannot be read");
                None
            }
        }
    }
}

fn is_read(command: &Command) -> bool {
    command.row().class == Class::Read
}
