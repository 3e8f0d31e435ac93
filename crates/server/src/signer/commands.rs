//! Commands: may this actor do this to that, and how often; then the signature.

use std::collections::HashMap;

use storm_protocol::{
    command::{Command, MAX_ENVELOPE_BYTES, RawCommand, Resource},
    envelope::{Audience, CommandPayload, Envelope, MAX_VALIDITY_SECONDS, PayloadType, VERSION},
    error::{Failure, Refusal},
    ident::{AccountId, Micros, UserId},
    receipt::Outcome,
};

use super::Signer;
use crate::{
    auth::access::{self, Denied, Rights},
    status::Stage,
    store::{
        self, StoreError,
        signing::{Pending, Share, Standing, Verdict},
    },
};

/// Operations that an account may have at a region's agent at the same time, which keeps one
/// account's flood out of the others' way there.
pub(super) const IN_FLIGHT_PER_ACCOUNT: u32 = 100;
/// Signatures that an account gets in a second.
pub(super) const SIGNATURES_PER_ACCOUNT_AND_SECOND: u32 = 50;
/// Operations that are decided in one commit.
const OPERATIONS_AT_ONCE: u32 = 200;

/// Counts each account's signatures in the present second.
#[derive(Default)]
pub(super) struct Rates {
    second: i64,
    signed: HashMap<AccountId, u32>,
}

impl Rates {
    /// Takes one signature of the account's share, if any is left.
    pub(super) fn take(&mut self, account: AccountId, now: Micros) -> bool {
        let second = now.0 / Micros::SECOND;
        if second != self.second {
            self.second = second;
            self.signed.clear();
        }
        let signed = self.signed.entry(account).or_default();
        let left = *signed < SIGNATURES_PER_ACCOUNT_AND_SECOND;
        *signed += u32::from(left);
        left
    }
}

impl Signer {
    /// Decides all operations that wait and whose executor is there.
    pub(super) async fn sign_commands(&mut self) -> store::Result<()> {
        loop {
            let now = self.clock.now();
            let share = Share {
                at_once: SIGNATURES_PER_ACCOUNT_AND_SECOND,
                in_flight: IN_FLIGHT_PER_ACCOUNT,
            };
            let waiting = self
                .store
                .operations_to_sign(now, share, OPERATIONS_AT_ONCE)
                .await?;
            let full = waiting.len() == OPERATIONS_AT_ONCE as usize;
            let mut decisions = vec![];
            for pending in waiting {
                // The others wait for the next second.
                if self.rates.take(pending.actor.account, now) {
                    let verdict = self.decide(&pending, now).await?;
                    decisions.push((pending, verdict));
                }
            }
            if decisions.is_empty() {
                return Ok(());
            }
            let moved = self.store.decide_operations(&decisions, now).await?;
            for (_, verdict) in &decisions {
                if let Verdict::Signed { agent, .. } = verdict {
                    self.bus.hand_out(*agent);
                }
            }
            for change in moved {
                self.bus.tell(change);
            }
            for (pending, verdict) in &decisions {
                let (operation, command) = (pending.id, &pending.command);
                match verdict {
                    Verdict::Signed { agent, attempt, .. } => {
                        if *attempt == 1 {
                            let asked = pending.id.made_at();
                            self.figures.step(Stage::Signed, asked, self.clock.now());
                        }
                        tracing::info!(%operation, command, %agent, attempt, "signed");
                    }
                    Verdict::Ended(outcome) => {
                        self.figures.ended(outcome);
                        tracing::warn!(%operation, command, ?outcome, "not signed");
                    }
                }
            }
            // What came meanwhile has woken the signer again.
            if !full {
                return Ok(());
            }
        }
    }

    async fn decide(&self, pending: &Pending, now: Micros) -> store::Result<Verdict> {
        let raw = RawCommand {
            name: pending.command.clone(),
            parameters: serde_json::value::RawValue::from_string(pending.parameters.clone())
                .map_err(|error| StoreError::Row {
                    table: "operations",
                    what: error.to_string(),
                })?,
        };
        match self.examine(pending, &raw, now).await? {
            Ok(()) if self.name_is_gone(pending, &raw).await? => {
                Ok(Verdict::Ended(Outcome::Failed {
                    code: Failure::NameTaken,
                    message: Failure::NameTaken.sentence().to_owned(),
                }))
            }
            Ok(()) => self.sign(pending, raw, now),
            Err((code, message)) => Ok(refused(code, message)),
        }
    }

    /// Whether a bucket that is asked for once more has its name with another account's by now. The
    /// agent would find that out by itself, unless the agent that made the other bucket is lost: then
    /// it could take it for what was begun for this one.
    async fn name_is_gone(&self, pending: &Pending, raw: &RawCommand) -> store::Result<bool> {
        match raw.parse() {
            Ok(Command::BucketCreate(wanted)) if pending.attempt > 0 => {
                let (region, account) = (&pending.region, pending.actor.account);
                self.store
                    .is_name_of_another(region, &wanted.bucket, account)
                    .await
            }
            Ok(_) | Err(_) => Ok(false),
        }
    }

    /// The signer's own check of a request, whatever the web tier found.
    async fn examine(
        &self,
        pending: &Pending,
        raw: &RawCommand,
        now: Micros,
    ) -> store::Result<Result<(), (Refusal, &'static str)>> {
        let command = match raw.parse() {
            Ok(command) => command,
            Err(code) => return Ok(Err((code, code.sentence()))),
        };
        if pending.not_offered.contains(&pending.command) {
            let words = "The region's agent does not offer this command: it is switched off there, or the agent \
                         is of another version. Nothing was changed.";
            return Ok(Err((Refusal::DisabledCommand, words)));
        }
        if command.makes_secret() && pending.seal_to.is_none() {
            return Ok(Err((
                Refusal::SealKeyRequired,
                Refusal::SealKeyRequired.sentence(),
            )));
        }
        let actor = &pending.actor;
        let Some(rights) = pending.standing.as_ref().map(Standing::rights) else {
            return Ok(Err((
                Refusal::NotYours,
                "The person who asked, or the API token they asked with, does not exist any more.",
            )));
        };
        if actor.operator && !rights.operator {
            return Ok(Err((
                Refusal::NotYours,
                "The person who asked does not run this platform.",
            )));
        }
        // Only who asks as an operator has an operator's rights.
        let rights = Rights {
            operator: actor.operator,
            ..rights
        };
        let allowed = access::of_command(command.name()).map(|act| rights.allow(act));
        if let Some(Err(Denied::Suspended | Denied::Closing)) = allowed {
            let words = "The account is suspended, or is being closed. Nothing was changed.";
            return Ok(Err((Refusal::NotYours, words)));
        }
        let allowed = allowed.is_some_and(|allowed| allowed.is_ok());
        if !allowed || !rights.reach_all(&command) {
            return Ok(Err((
                Refusal::NotYours,
                "The person who asked, or the API token they asked with, may not do this in the account.",
            )));
        }
        if !actor.operator && !self.owns_all(pending, &command).await? {
            return Ok(Err((Refusal::NotYours, Refusal::NotYours.sentence())));
        }
        if actor.user == UserId::SYSTEM
            && let Command::BucketAdopt(adopt) = &command
            && !self
                .store
                .is_still_given(&pending.region, adopt.bucket, adopt.account)
                .await?
        {
            let words = "The bucket was taken from the account since, or is being taken from it.";
            return Ok(Err((Refusal::NotYours, words)));
        }
        if pending.attempt == 0 && !self.has_room(pending, &command, now).await? {
            let words = "The account has as many buckets or keys as it may have. Nothing was changed. Delete \
                         one, or ask whoever runs this platform for more.";
            return Ok(Err((Refusal::LimitReached, words)));
        }
        Ok(Ok(()))
    }

    /// Whether the account may have what the command makes, besides all that older requests and
    /// everything that was signed may still make. One that was signed before counts already.
    async fn has_room(
        &self,
        pending: &Pending,
        command: &Command,
        now: Micros,
    ) -> store::Result<bool> {
        let demand = self.store.demand(&pending.region, command, now).await?;
        let account = pending.actor.account;
        let full = self
            .store
            .is_full(account, demand, Some(pending.id), now)
            .await?;
        Ok(full.is_none())
    }

    async fn owns_all(&self, pending: &Pending, command: &Command) -> store::Result<bool> {
        for resource in command.resources() {
            let owner = match resource {
                Resource::Name(_) | Resource::Rights => continue,
                Resource::Account(id) => Some(id),
                Resource::Bucket(id) => self.store.bucket_account(&pending.region, id).await?,
                Resource::Key(id) => self.store.key_account(&pending.region, &id).await?,
            };
            if owner != Some(pending.actor.account) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn sign(&self, pending: &Pending, command: RawCommand, now: Micros) -> store::Result<Verdict> {
        let attempt = pending.attempt + 1;
        let payload = CommandPayload {
            version: VERSION,
            operation: pending.id,
            attempt,
            audience: Audience {
                agent: pending.agent,
                region: pending.region.clone(),
                epoch: pending.epoch,
            },
            issued_at: now,
            expires_at: now.plus_seconds(MAX_VALIDITY_SECONDS),
            actor: pending.actor.clone(),
            command,
            seal_to: pending.seal_to,
        };
        let row = |error: serde_json::Error| StoreError::Row {
            table: "operations",
            what: error.to_string(),
        };
        let envelope = Envelope::sign_json(PayloadType::Command, &payload, &self.keys.dispatch)
            .map_err(row)?;
        if serde_json::to_vec(&envelope).map_err(row)?.len() > MAX_ENVELOPE_BYTES {
            return Ok(refused(Refusal::Oversized, Refusal::Oversized.sentence()));
        }
        Ok(Verdict::Signed {
            agent: pending.agent,
            attempt,
            envelope,
        })
    }
}

fn refused(code: Refusal, message: &str) -> Verdict {
    Verdict::Ended(Outcome::Refused {
        code,
        message: message.to_owned(),
    })
}
