//! From bytes to the journal: the checks in their order, refusals as receipts, and the one commit
//! after which an operation will be run.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, atomic::Ordering},
};

use secrecy::SecretString;
use storm_protocol::{
    command::Command,
    envelope::CommandPayload,
    error::Refusal,
    frame::ReceiptFrame,
    ident::{AccessKeyId, Digest, OperationId},
    receipt::Outcome,
};
use tokio::sync::oneshot;

use super::{EngineEvent, Inner, Known, MAX_RUNNING, MAX_WAITING, Phase, Submitted, lock, queue};
use crate::{
    journal::{Entry, KeyTry, MAX_ENTRIES, OwnerChange, Source},
    receipts::{self, Draft},
    secret::{Place, new_secret},
    verify::{self, Signed},
};

/// Refused envelopes that are remembered, so that repeating one adds nothing to the chain.
const REFUSED_KEPT: usize = 1024;
/// The most characters of an unknown command's name that a receipt repeats.
const MAX_NAME_CHARS: usize = 64;

/// The receipts of envelopes that were refused lately.
#[derive(Default)]
pub(super) struct RefusedBefore {
    sequences: HashMap<(Digest, Refusal), u64>,
    order: VecDeque<(Digest, Refusal)>,
}

/// An envelope that passed every check.
struct Passed {
    command: Command,
    learnt: Vec<OwnerChange>,
    key: Option<(KeyTry, SecretString)>,
}

enum Checked {
    Known(Known),
    New(Box<Passed>),
}

impl Inner {
    pub(super) async fn submit(self: &Arc<Self>, bytes: &[u8], source: Source) -> Submitted {
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
                return Submitted::Dropped(refusal);
            }
        };
        if source == Source::Channel {
            self.heard();
        }
        let checked = self.check(&signed, source).await;
        let taken = match checked {
            Ok(Checked::Known(known)) => self.answer_known(&signed, known),
            Ok(Checked::New(passed)) => self.take(&signed, source, *passed).await,
            Err(refusal) => Err(refusal),
        };
        match taken {
            Ok(submitted) => submitted,
            Err(refusal) => self.refuse(signed, refusal).await,
        }
    }

    async fn check(&self, signed: &Signed, source: Source) -> Result<Checked, Refusal> {
        let payload = &signed.payload;
        verify::audience(payload, &self.identity, self.epoch.load(Ordering::SeqCst))?;
        if let Some(known) = lock(&self.operations).get(&payload.operation) {
            return Ok(Checked::Known(*known));
        }
        verify::freshness(payload, source, self.memory(), self.now())?;
        self.room()?;
        let command = verify::whitelist(payload, &self.disabled)?;
        let key = self.first_key(payload, &command)?;
        let learnt = self
            .check_owners(&command.resources(), &payload.actor)
            .await?;
        Ok(Checked::New(Box::new(Passed {
            command,
            learnt,
            key,
        })))
    }

    /// Whether the journal and the queue have room for one more.
    fn room(&self) -> Result<(), Refusal> {
        let full = lock(&self.operations).len() >= MAX_ENTRIES;
        if full {
            self.prune_soon();
        }
        let crowded = self.queue.len() >= MAX_RUNNING + MAX_WAITING;
        let closing = *self.phase.borrow() != Phase::Open;
        if full || crowded || closing {
            Err(Refusal::Busy)
        } else {
            Ok(())
        }
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
    fn answer_known(&self, signed: &Signed, known: Known) -> Result<Submitted, Refusal> {
        match known {
            Known::Running(intent) if intent == signed.intent => {
                Ok(Submitted::Running(signed.payload.operation))
            }
            Known::Ended(finished) if finished.intent == signed.intent => {
                let frame = self.stored(finished.sequence);
                Ok(frame.map_or(Submitted::Dropped(Refusal::Busy), Submitted::Ended))
            }
            Known::Running(_) | Known::Ended(_) => Err(Refusal::IntentConflict),
        }
    }

    /// Writes the operation down and starts it. The commit runs in a task of its own: it is not cut
    /// when whoever brought the envelope goes away.
    async fn take(
        self: &Arc<Self>,
        signed: &Signed,
        source: Source,
        passed: Passed,
    ) -> Result<Submitted, Refusal> {
        let (operation, accepted_at) = (signed.payload.operation, self.now());
        let (key, secret) = passed.key.unzip();
        let (entry, ticket) = {
            let mut operations = lock(&self.operations);
            // The same envelope may have come twice at once.
            if let Some(known) = operations.get(&operation).copied() {
                drop(operations);
                return self.answer_known(signed, known);
            }
            if operations.len() >= MAX_ENTRIES {
                return Err(Refusal::Busy);
            }
            operations.insert(operation, Known::Running(signed.intent));
            self.expect_bucket(operation, Some(&passed.command));
            let place = self.place.fetch_add(1, Ordering::SeqCst);
            let ticket = self.queue.enter(operation, passed.command.resources());
            let payload = signed.payload.clone();
            (
                Entry::new(payload, signed.identity, source, place, accepted_at, key),
                ticket,
            )
        };
        let (tell, told) = oneshot::channel();
        let (inner, audience_epoch) = (Arc::clone(self), signed.payload.audience.epoch);
        let issued_at = signed.payload.issued_at;
        let learnt = passed.learnt;
        tokio::spawn(async move {
            let row = entry.clone();
            let written = inner.journal.commit("intent", move |tx| {
                tx.put_running(&row)?;
                tx.change_owners(&learnt)?;
                tx.raise(issued_at, audience_epoch)
            });
            if let Err(error) = written.await {
                tracing::error!(%error, %operation, "an operation could not be written down");
                inner.forget(operation, ticket);
                let _ = tell.send(false);
                return;
            }
            inner.newest_issued.fetch_max(issued_at.0, Ordering::SeqCst);
            inner.epoch.fetch_max(audience_epoch, Ordering::SeqCst);
            let _ = tell.send(true);
            inner.emit(EngineEvent::Accepted);
            inner.drive(entry, secret, ticket, false).await;
        });
        if told.await == Ok(true) {
            return Ok(Submitted::Accepted(operation));
        }
        // What cannot be written down cannot be answered with a receipt either.
        self.counters.add(self.now(), Refusal::Busy, true);
        Ok(Submitted::Dropped(Refusal::Busy))
    }

    fn forget(&self, operation: OperationId, ticket: queue::Ticket) {
        lock(&self.operations).remove(&operation);
        lock(&self.creating).remove(&operation);
        drop(ticket);
    }

    /// Answers with a receipt. The same envelope refused again for the same reason gets the same.
    async fn refuse(&self, signed: Signed, refusal: Refusal) -> Submitted {
        let now = self.now();
        self.counters.add(now, refusal, true);
        let before = lock(&self.refused)
            .sequences
            .get(&(signed.identity, refusal))
            .copied();
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

impl RefusedBefore {
    fn keep(&mut self, refused: (Digest, Refusal), sequence: u64) {
        if self.order.len() >= REFUSED_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.sequences.remove(&oldest);
        }
        if self.sequences.insert(refused, sequence).is_none() {
            self.order.push_back(refused);
        }
    }
}
