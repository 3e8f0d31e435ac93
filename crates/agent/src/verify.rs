//! The checks that an envelope must pass, as functions without side effects; the engine calls them
//! in the order in which they stand here, with the journal's check between [`audience`] and
//! [`freshness`].

use storm_protocol::{
    command::{Class, Command, Row},
    envelope::{
        CommandPayload, Envelope, MAX_AHEAD_SECONDS, MAX_OFFLINE_VALIDITY_SECONDS,
        MAX_VALIDITY_SECONDS, PayloadType, VerifyKey,
    },
    error::Refusal,
    ident::{Digest, Micros, OperationId},
    trust::{KeyRole, TrustDocument},
};

use crate::{
    identity::Identity,
    journal::{Source, Tenure},
};

/// Microseconds in a millisecond, the grain of the time in an operation's id.
const MILLI: i64 = 1000;
/// The epoch of a region's first executor: no agent was before it.
const FIRST_EPOCH: u64 = 1;
/// The attempt that no other signature was before.
const FIRST_ATTEMPT: u32 = 1;

/// A command that a trusted key signed, nothing else checked.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    /// The payload.
    pub(crate) payload: CommandPayload,
    /// The envelope's identity.
    pub(crate) identity: Digest,
    /// The digest of the intent.
    pub(crate) intent: Digest,
}

/// Size, payload type, signature by a key that is trusted for this way and time, payload.
///
/// Errors: the refusals of envelopes that get no receipt.
pub(crate) fn open(
    bytes: &[u8],
    trust: Option<&TrustDocument>,
    source: Source,
    now: Micros,
) -> Result<Signed, Refusal> {
    let envelope = Envelope::parse(bytes)?;
    let role = match source {
        Source::Channel => KeyRole::Dispatch,
        Source::Spool => KeyRole::Offline,
    };
    let keys: Vec<VerifyKey> = trust.map_or_else(Vec::new, |trust| trust.keys(role, now));
    let verified = envelope.verify(PayloadType::Command, &keys)?;
    let payload = CommandPayload::parse(verified.payload)?;
    Ok(Signed {
        intent: payload.intent(),
        identity: verified.identity,
        payload,
    })
}

/// Whether the command is for this agent, in an epoch that has not passed.
pub(crate) fn audience(
    payload: &CommandPayload,
    identity: &Identity,
    epoch: u64,
) -> Result<(), Refusal> {
    if payload.audience.agent != identity.agent || payload.audience.region != identity.region {
        return Err(Refusal::WrongAudience);
    }
    if payload.audience.epoch < epoch {
        return Err(Refusal::OldEpoch);
    }
    Ok(())
}

/// What the journal remembers of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// When the journal was made.
    pub(crate) birth: Micros,
    /// The largest operation that it has forgotten.
    pub(crate) floor: Option<OperationId>,
    /// The newest epoch that the agent has taken commands of.
    pub(crate) tenure: Tenure,
}

impl Memory {
    /// Whether an operation that the journal does not know may have been begun by another agent,
    /// which is lost: it was signed before, for an executor before this one. The payload cannot say
    /// so, but its times can. Whatever was asked after the role had moved nobody else has had; the
    /// role had moved when the first command of this epoch was signed; and both the operation's id
    /// and that signature have the control plane's time, so that no agent's clock counts.
    pub(crate) fn begun_elsewhere(&self, payload: &CommandPayload, source: Source) -> bool {
        let epoch = payload.audience.epoch;
        let role_had_moved = if self.tenure.epoch == epoch {
            self.tenure.first_issued
        } else {
            payload.issued_at
        };
        source == Source::Channel
            && payload.attempt > 1
            && epoch > FIRST_EPOCH
            && payload.operation.made_at() < role_had_moved
    }

    /// Whether an operation that is older than the journal has waited for this agent: it was asked for
    /// while the role rested, and signed for the first time since the journal was made. So no agent
    /// has had it, nor has a journal that was lost.
    fn has_waited(&self, payload: &CommandPayload, source: Source) -> bool {
        source == Source::Channel
            && payload.attempt == FIRST_ATTEMPT
            && payload.audience.epoch > FIRST_EPOCH
            && payload.issued_at >= self.birth
    }
}

/// Whether an operation that the journal does not know is fresh, and cannot be one that it has
/// forgotten or never saw. What another agent may have begun may be older than the journal: it runs
/// as what a crash has cut, which may be done again, so that a journal that was lost does no harm.
/// What has waited for an agent may be older too.
pub(crate) fn freshness(
    payload: &CommandPayload,
    source: Source,
    memory: Memory,
    now: Micros,
) -> Result<(), Refusal> {
    let longest = match source {
        Source::Channel => MAX_VALIDITY_SECONDS,
        Source::Spool => MAX_OFFLINE_VALIDITY_SECONDS,
    };
    if now >= payload.expires_at {
        return Err(Refusal::Expired);
    }
    if payload.issued_at > now.plus_seconds(MAX_AHEAD_SECONDS)
        || payload.expires_at > payload.issued_at.plus_seconds(longest)
    {
        return Err(Refusal::NotYetValid);
    }
    let birth = memory.birth.0 - memory.birth.0.rem_euclid(MILLI);
    let unborn = payload.operation.made_at().0 < birth;
    let may_be_older =
        || memory.begun_elsewhere(payload, source) || memory.has_waited(payload, source);
    if (unborn && !may_be_older()) || memory.floor.is_some_and(|floor| payload.operation <= floor) {
        return Err(Refusal::Replayed);
    }
    Ok(())
}

/// Whether the command is in the whitelist, switched on here, sound, and allowed to its actor by
/// its class. Whose its things are is the engine's to check.
pub(crate) fn whitelist(payload: &CommandPayload, disabled: &[String]) -> Result<Command, Refusal> {
    let row = Row::find(&payload.command.name).ok_or(Refusal::UnknownCommand)?;
    if disabled.iter().any(|name| name == row.name) {
        return Err(Refusal::DisabledCommand);
    }
    let command = payload.command.parse()?;
    if command.makes_secret() && payload.seal_to.is_none() {
        return Err(Refusal::SealKeyRequired);
    }
    if row.class == Class::Operator && !payload.actor.operator {
        return Err(Refusal::NotYours);
    }
    Ok(command)
}

#[cfg(test)]
mod tests;
