//! Proofs, checked on this machine: the pinned root key signs the trust document, a dispatch key in
//! it signs each agent's statement, the statement's key signs the receipt, and the receipt says
//! that exactly what was asked was done.

use serde_json::value::RawValue;
use storm_protocol::{
    api::{OperationAnswer, TrustBundle},
    command::{CommandResult, RawCommand},
    envelope::{CommandPayload, Envelope, VERSION, Via},
    error::Refusal,
    ident::{AccessKeyId, AccountId, AgentId, Digest, Micros, RegionName},
    receipt::{ChainError, Outcome, Receipt},
    trust::{AgentStatement, TrustDocument},
};

use crate::asked::{Asked, new_key};

/// A proof that does not hold.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    /// Another root key than the one that was pinned at login.
    #[error(
        "The server shows another root key ({found}) than the one that was pinned at login ({pinned}). \
         Somebody may stand between, or the installation was made anew. Nothing was used. Compare with \
         `storm-buckets trust show` on the server; if it is right, sign in again with: \
         storm login --root-key {found}"
    )]
    OtherRoot {
        /// The pinned digest.
        pinned: Digest,
        /// The server's.
        found: Digest,
    },
    /// The trust document is not signed by the root key, or not of the expected shape.
    #[error(
        "The server's trust document does not hold ({0}). Nothing was used. Tell the operator."
    )]
    Trust(Refusal),
    /// The trust document is older than one seen before.
    #[error(
        "The server shows trust document {found}, but {seen} was seen before: an old one was put \
         back. Nothing was used. Tell the operator."
    )]
    OldTrust {
        /// The highest serial seen.
        seen: u64,
        /// The one shown.
        found: u64,
    },
    /// A statement that no dispatch key signed.
    #[error("An agent's statement does not hold ({0}). Nothing was used. Tell the operator.")]
    Statement(Refusal),
    /// The operation is done and nothing proves it.
    #[error("The operation is said to be done, but there is no receipt for it. Tell the operator.")]
    NoReceipt,
    /// No stated agent signed the receipt.
    #[error("The receipt does not hold ({0}). What it says was not used. Tell the operator.")]
    Receipt(Refusal),
    /// The receipt holds, but says something else.
    #[error(
        "The receipt proves something else than what was asked: {0}. Nothing was used. Tell the operator."
    )]
    Mismatch(&'static str),
    /// A chain has a break.
    #[error("The account's chain on agent {agent} is broken: {error}. Tell the operator.")]
    Chain {
        /// The agent.
        agent: AgentId,
        /// The break.
        error: ChainError,
    },
    /// A chain lacks receipts that were there before.
    #[error(
        "The account's chain on agent {agent} has changed: receipt {sequence}, which was verified \
         before, is gone or another one. Tell the operator."
    )]
    Rewritten {
        /// The agent.
        agent: AgentId,
        /// The last receipt that was verified before.
        sequence: u64,
    },
    /// A secret that does not open.
    #[error("The sealed secret does not open: {0}.")]
    Secret(String),
}

impl VerifyError {
    /// A stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::OtherRoot { .. } => "other_root_key",
            Self::Trust(_) => "bad_trust_document",
            Self::OldTrust { .. } => "old_trust_document",
            Self::Statement(_) => "bad_statement",
            Self::NoReceipt => "no_receipt",
            Self::Receipt(_) => "bad_receipt",
            Self::Mismatch(_) => "receipt_mismatch",
            Self::Chain { .. } => "broken_chain",
            Self::Rewritten { .. } => "rewritten_chain",
            Self::Secret(_) => "secret_does_not_open",
        }
    }
}

/// Who is trusted, verified from the root key down.
pub(crate) struct Trust {
    document: TrustDocument,
    agents: Vec<AgentStatement>,
}

impl Trust {
    /// Verifies `bundle` against the digest of the root key.
    pub(crate) fn open(bundle: &TrustBundle, pinned: Digest) -> Result<Self, VerifyError> {
        let found = bundle.root_key.id();
        if found != pinned {
            return Err(VerifyError::OtherRoot { pinned, found });
        }
        let document =
            TrustDocument::open(&bundle.trust, bundle.root_key).map_err(VerifyError::Trust)?;
        let statements = bundle.agents.iter();
        let agents = statements
            .map(|envelope| AgentStatement::open(envelope, &document))
            .collect::<Result<_, _>>()
            .map_err(VerifyError::Statement)?;
        Ok(Self { document, agents })
    }

    /// The trust document's serial.
    pub(crate) fn serial(&self) -> u64 {
        self.document.serial
    }

    /// The agents that have a statement.
    pub(crate) fn agents(&self) -> &[AgentStatement] {
        &self.agents
    }

    /// Verifies a receipt; gives it with its identity.
    pub(crate) fn receipt(&self, envelope: &Envelope) -> Result<(Receipt, Digest), VerifyError> {
        // The key ids only select candidates; the signature decides.
        let named = |statement: &&AgentStatement| {
            let id = statement.receipt_key.id();
            envelope.signatures.iter().any(|by| by.keyid == id)
        };
        let mut error = Refusal::BadSignature;
        for statement in self.agents.iter().filter(named) {
            match Receipt::open(envelope, statement.receipt_key) {
                Ok((receipt, identity)) => {
                    if receipt.agent != statement.agent || receipt.region != statement.region {
                        return Err(VerifyError::Mismatch("it names another agent or region"));
                    }
                    return Ok((receipt, identity));
                }
                Err(refusal) => error = refusal,
            }
        }
        Err(VerifyError::Receipt(error))
    }
}

/// What a verified receipt proves.
#[derive(Debug)]
pub(crate) struct Proof {
    /// The receipt.
    pub(crate) receipt: Receipt,
    /// What the command answered.
    pub(crate) result: CommandResult,
    /// The key that was made.
    pub(crate) key: Option<AccessKeyId>,
}

/// Checks that `answer` holds a receipt which proves that `asked` was done, for `account`, by an
/// agent of the region, and that the sealed secret beside it is the one that the agent sealed.
pub(crate) fn check(
    trust: &Trust,
    answer: &OperationAnswer,
    asked: &Asked,
    account: AccountId,
) -> Result<Proof, VerifyError> {
    let operation = &answer.operation;
    let envelope = operation.receipt.as_ref().ok_or(VerifyError::NoReceipt)?;
    let (receipt, _) = trust.receipt(envelope)?;
    expect(
        receipt.operation == operation.id,
        "it is of another operation",
    )?;
    expect(receipt.account == account, "it is of another account")?;
    expect(
        receipt.command == asked.command(),
        "it is of another command",
    )?;
    expect(in_region(asked, &receipt.region), "it is of another region")?;
    expect(
        receipt.intent == intent(answer, asked, account)?,
        "the agent was asked for something else",
    )?;
    let Outcome::Done(result) = &receipt.outcome else {
        return Err(VerifyError::Mismatch("it says that the work was not done"));
    };
    expect(asked.fits(result), "the result is of another request")?;
    let key = new_key(result);
    expect(
        key.is_some() == receipt.sealed.is_some(),
        "a key without a secret or the reverse",
    )?;
    if let Some(sealed) = &answer.sealed {
        expect(
            receipt.sealed == Some(sealed.digest()) && key.as_ref() == Some(&sealed.key),
            "the sealed secret is not the one that the agent sealed",
        )?;
    }
    Ok(Proof {
        result: result.clone(),
        key,
        receipt,
    })
}

fn expect(holds: bool, otherwise: &'static str) -> Result<(), VerifyError> {
    holds.then_some(()).ok_or(VerifyError::Mismatch(otherwise))
}

fn in_region(asked: &Asked, region: &RegionName) -> bool {
    asked.region().is_none_or(|asked| asked == region)
}

/// The digest of the intent that the agent must have had: the command as the server says that it
/// signed it, which must be what was asked, by this account, sealed to our key.
fn intent(
    answer: &OperationAnswer,
    asked: &Asked,
    account: AccountId,
) -> Result<Digest, VerifyError> {
    let operation = &answer.operation;
    let unreadable = VerifyError::Mismatch("its parameters cannot be read");
    let Ok(parameters) = RawValue::from_string(operation.parameters.to_string()) else {
        return Err(unreadable);
    };
    let raw = RawCommand {
        name: operation.command.clone(),
        parameters,
    };
    let command = raw.parse().map_err(|_| unreadable)?;
    expect(asked.is(&command), "the parameters are others")?;
    let actor = operation.actor.clone();
    expect(
        actor.account == account && actor.via == Via::Cli,
        "somebody else asked",
    )?;
    let payload = CommandPayload {
        version: VERSION,
        operation: operation.id,
        attempt: operation.attempt,
        // Who runs it and when are no part of the intent.
        audience: storm_protocol::envelope::Audience {
            agent: AgentId::new(Micros(0), [0; 10]),
            region: operation.region.clone(),
            epoch: 0,
        },
        issued_at: Micros(0),
        expires_at: Micros(0),
        actor,
        command: command.to_raw(),
        seal_to: asked.seal_to(),
    };
    Ok(payload.intent())
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
