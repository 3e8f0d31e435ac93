//! What a simulated agent remembers: its chain of receipts, and the checks before it grows. In memory
//! alone.

use std::collections::HashMap;

use anyhow::{Context as _, Result, ensure};
use storm_protocol::{
    command::{Command, CommandResult},
    envelope::{CommandPayload, Envelope, PayloadType, VERSION, VerifyKey},
    error::Refusal,
    frame::ReceiptFrame,
    ident::{AccountId, BucketId, Digest, Micros, OperationId},
    receipt::{Outcome, Receipt},
    result::BucketCreated,
};

use super::{
    super::{now, random},
    member::Member,
};

/// How far ahead of ours a signer's clock may be.
const AHEAD_MICROS: i64 = 5 * Micros::SECOND;

/// What came of a command.
pub(super) enum Taken {
    /// It was new, and this is its receipt.
    Done(OperationId, Box<ReceiptFrame>),
    /// It was known.
    Known(Box<ReceiptFrame>),
}

/// The chain, and what is needed to go on with it.
#[derive(Debug, Default)]
pub(super) struct Journal {
    receipts: Vec<ReceiptFrame>,
    by_operation: HashMap<OperationId, (Digest, usize)>,
    accounts: HashMap<AccountId, (u64, Digest)>,
    kept: u64,
    pub(super) epoch: u64,
    pub(super) generation: u64,
}

impl Journal {
    /// The number of receipts.
    pub(super) fn sequence(&self) -> u64 {
        self.receipts.len() as u64
    }

    /// The identity of the last one.
    pub(super) fn head(&self) -> Option<Digest> {
        self.receipts.last().map(|last| last.receipt.identity())
    }

    /// The region's epoch, as the hub says it.
    pub(super) fn lead(&mut self, epoch: u64) {
        self.epoch = self.epoch.max(epoch);
    }

    /// Receipts are stored up to this one.
    pub(super) fn kept(&mut self, sequence: u64) {
        self.kept = self.kept.max(sequence);
    }

    /// Whether the operation has ended here.
    pub(super) fn knows(&self, operation: OperationId) -> bool {
        self.by_operation.contains_key(&operation)
    }

    /// The receipts from this one on.
    pub(super) fn receipts_from(&self, from: u64) -> Vec<ReceiptFrame> {
        let receipts = self.receipts.iter();
        let from = receipts.filter(|receipt| receipt.sequence >= from);
        from.cloned().collect()
    }

    /// Checks an envelope, does its command in words, signs the receipt.
    pub(super) fn take(
        &mut self,
        member: &Member,
        envelope: &Envelope,
        keys: &[VerifyKey],
    ) -> Result<Taken> {
        let verified = envelope.verify(PayloadType::Command, keys)?;
        let payload = CommandPayload::parse(verified.payload)?;
        let audience = &payload.audience;
        ensure!(audience.agent == member.id, "another agent's");
        ensure!(audience.region == member.region, "another region's");
        ensure!(audience.epoch >= self.epoch, "an earlier executor's");
        let intent = payload.intent();
        if let Some((known, place)) = self.by_operation.get(&payload.operation) {
            ensure!(*known == intent, "another intent");
            let receipt = self.receipts.get(*place).context("a receipt is gone")?;
            return Ok(Taken::Known(Box::new(receipt.clone())));
        }
        let accepted_at = now();
        let issued_in = payload.issued_at.0 - accepted_at.0;
        ensure!(issued_in <= AHEAD_MICROS, "from the future");
        ensure!(accepted_at < payload.expires_at, "too old");
        let outcome = outcome(&payload)?;
        let receipt = self.receipt(member, &payload, verified.identity, outcome, accepted_at);
        let frame = ReceiptFrame {
            sequence: receipt.sequence,
            receipt: Envelope::sign_json(PayloadType::Receipt, &receipt, &member.receipt_key)?,
            sealed: None,
        };
        let place = (receipt.account_sequence, frame.receipt.identity());
        self.accounts.insert(receipt.account, place);
        let known = (intent, self.receipts.len());
        self.by_operation.insert(payload.operation, known);
        self.receipts.push(frame.clone());
        Ok(Taken::Done(payload.operation, Box::new(frame)))
    }

    fn receipt(
        &self,
        member: &Member,
        payload: &CommandPayload,
        envelope: Digest,
        outcome: Outcome,
        accepted_at: Micros,
    ) -> Receipt {
        let account = payload.actor.account;
        let before = self.accounts.get(&account);
        Receipt {
            version: VERSION,
            agent: member.id,
            region: member.region.clone(),
            sequence: self.sequence() + 1,
            previous: self.head(),
            account,
            account_sequence: before.map_or(1, |(sequence, _)| sequence + 1),
            account_previous: before.map(|(_, identity)| *identity),
            operation: payload.operation,
            attempt: payload.attempt,
            envelope,
            intent: payload.intent(),
            command: payload.command.name.clone(),
            accepted_at,
            finished_at: now(),
            outcome,
            sealed: None,
        }
    }
}

/// A bucket that is made in words alone; all else is refused.
fn outcome(payload: &CommandPayload) -> Result<Outcome> {
    match payload.command.parse() {
        Ok(Command::BucketCreate(asked)) => {
            let made = BucketCreated {
                bucket: BucketId(random()?),
                name: asked.bucket,
                key: None,
            };
            Ok(Outcome::Done(CommandResult::BucketCreate(made)))
        }
        Ok(_) => Ok(refused(Refusal::DisabledCommand)),
        Err(code) => Ok(refused(code)),
    }
}

fn refused(code: Refusal) -> Outcome {
    Outcome::Refused {
        code,
        message: code.sentence().to_owned(),
    }
}
