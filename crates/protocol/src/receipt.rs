//! Receipts: an agent's signed answers, each linked to the one before it on the agent and to the
//! one before it of the same account on that agent.

use serde::{Deserialize, Serialize};

use crate::{
    command::{CommandResult, MAX_ENVELOPE_BYTES},
    envelope::{Envelope, PayloadType, VERSION, VerifyKey},
    error::{Failure, Refusal},
    ident::{AccountId, AgentId, Digest, Micros, OperationId, RegionName},
    json,
};

/// An agent's answer to one envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// [`VERSION`].
    pub version: u8,
    /// Who answers.
    pub agent: AgentId,
    /// Its region.
    pub region: RegionName,
    /// Its place in the agent's chain, from 1, without gaps.
    pub sequence: u64,
    /// The identity of the receipt before; for the first, the predecessor's head if there was one.
    pub previous: Option<Digest>,
    /// The account that asked.
    pub account: AccountId,
    /// Its place in the account's chain on this agent, from 1, without gaps.
    pub account_sequence: u64,
    /// The identity of the account's receipt before.
    pub account_previous: Option<Digest>,
    /// The operation.
    pub operation: OperationId,
    /// The attempt that was answered.
    pub attempt: u32,
    /// The identity of the envelope that was answered.
    pub envelope: Digest,
    /// The digest of the intent.
    pub intent: Digest,
    /// The command's name as it stood in the envelope.
    pub command: String,
    /// When the envelope was taken or refused.
    pub accepted_at: Micros,
    /// When it ended.
    pub finished_at: Micros,
    /// What came of it.
    pub outcome: Outcome,
    /// The digest of the sealed secret that travels beside.
    pub sealed: Option<Digest>,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did its work.
    Done(CommandResult),
    /// It was taken and ended without doing its work.
    Failed {
        /// Why, as a stable code.
        code: Failure,
        /// Why, in words.
        message: String,
    },
    /// It was not taken.
    Refused {
        /// Why, as a stable code.
        code: Refusal,
        /// Why, in words.
        message: String,
    },
}

impl Receipt {
    /// Verifies `envelope` with the agent's receipt key and reads the receipt in it; also gives the
    /// receipt's identity, which the next one names.
    ///
    /// Errors: those of [`Envelope::verify`] and [`json::from_slice`], unsupported version.
    pub fn open(envelope: &Envelope, key: VerifyKey) -> Result<(Self, Digest), Refusal> {
        let verified = envelope.verify(PayloadType::Receipt, &[key])?;
        let receipt: Self = json::from_slice(verified.payload, MAX_ENVELOPE_BYTES)?;
        if receipt.version != VERSION {
            return Err(Refusal::UnsupportedVersion);
        }
        Ok((receipt, verified.identity))
    }
}

/// Where an agent's chain ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// [`VERSION`].
    pub version: u8,
    /// The agent.
    pub agent: AgentId,
    /// The sequence of its last receipt; 0 when there is none.
    pub sequence: u64,
    /// The identity of its last receipt.
    pub digest: Option<Digest>,
    /// When this was said.
    pub at: Micros,
}

/// A break in a chain of receipts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A receipt is absent: the sequence jumps.
    #[error("receipt {expected} is missing: {found} stands in its place")]
    Gap {
        /// The sequence that had to come.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// A receipt does not name the one before it.
    #[error("receipt {0} does not follow from the one before it")]
    BrokenLink(u64),
    /// A receipt is another agent's.
    #[error("receipt {0} is by another agent")]
    OtherAgent(u64),
    /// A receipt is another account's.
    #[error("receipt {0} is of another account")]
    OtherAccount(u64),
}

/// A chain being checked, one receipt at a time: an agent's whole chain, or one account's part.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// The sequence of the last receipt; 0 before the first.
    pub sequence: u64,
    /// The identity of the last receipt.
    pub head: Option<Digest>,
    agent: Option<AgentId>,
    account: Option<AccountId>,
}

impl Chain {
    /// A chain that goes on after receipt `sequence` with identity `head`.
    pub fn resume(sequence: u64, head: Option<Digest>) -> Self {
        Self {
            sequence,
            head,
            ..Self::default()
        }
    }

    /// Takes the agent's next receipt.
    pub fn append(&mut self, receipt: &Receipt, identity: Digest) -> Result<(), ChainError> {
        self.take(receipt, identity, receipt.sequence, receipt.previous)
    }

    /// Takes the account's next receipt on one agent.
    pub fn append_account(
        &mut self,
        receipt: &Receipt,
        identity: Digest,
    ) -> Result<(), ChainError> {
        if *self.account.get_or_insert(receipt.account) != receipt.account {
            return Err(ChainError::OtherAccount(receipt.account_sequence));
        }
        self.take(
            receipt,
            identity,
            receipt.account_sequence,
            receipt.account_previous,
        )
    }

    fn take(
        &mut self,
        receipt: &Receipt,
        identity: Digest,
        sequence: u64,
        previous: Option<Digest>,
    ) -> Result<(), ChainError> {
        if *self.agent.get_or_insert(receipt.agent) != receipt.agent {
            return Err(ChainError::OtherAgent(sequence));
        }
        let expected = self.sequence + 1;
        if sequence != expected {
            return Err(ChainError::Gap {
                expected,
                found: sequence,
            });
        }
        // The first receipt of a chain may name a predecessor's head.
        if sequence > 1 && previous != self.head {
            return Err(ChainError::BrokenLink(sequence));
        }
        self.sequence = sequence;
        self.head = Some(identity);
        Ok(())
    }
}
