//! `storm-pulse audit verify`: whether the audit file is what the agent wrote, line by line.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    path::Path,
    time::Duration,
};

use storm_protocol::{
    envelope::{Envelope, PayloadType, VerifyKey},
    ident::{AgentId, Digest},
    json,
    receipt::{Chain, ChainError, Head, Receipt},
};

use crate::{
    exit::{Code, OrStop as _, Stop, stop},
    identity::{Enrolment, Identity},
    print,
    receipts::AUDIT_FILE,
    state::StateDir,
    status,
};

/// The longest line, in bytes.
const MAX_LINE_BYTES: usize = 256 * 1024;
/// Milliseconds after which a file that a running agent may be writing is read once more.
const AGAIN_MILLISECONDS: u64 = 500;

/// What is wrong with the audit file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    /// A line was changed: the agent's key did not sign what stands there.
    #[error("line {0} was changed: it is not what this agent signed")]
    Changed(u64),
    /// One or more lines are missing before this one.
    #[error(
        "before line {line} something is missing: receipt {expected} had to come, receipt {found} came"
    )]
    Missing {
        /// The line, from 1.
        line: u64,
        /// The receipt that had to come.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// A line stands where it does not belong.
    #[error("line {line} is out of order: receipt {found} stands where receipt {expected} belongs")]
    Reordered {
        /// The line, from 1.
        line: u64,
        /// The receipt that had to come.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// A line does not name the one before it, though its number follows.
    #[error("line {0} does not follow from the line before it")]
    Unlinked(u64),
    /// A line is another agent's.
    #[error("line {0} is by another agent")]
    OtherAgent(u64),
    /// The end of the file is gone.
    #[error(
        "the end is missing: line {line} with receipt {expected} was there, and receipts up to {signed} were signed"
    )]
    Truncated {
        /// The first missing line, from 1.
        line: u64,
        /// The receipt on it.
        expected: u64,
        /// The last receipt that the agent is known to have signed.
        signed: u64,
    },
    /// The last line is cut off.
    #[error("line {0} is cut off")]
    CutOff(u64),
    /// The agent signed another receipt under this number.
    #[error("line {0} is not the receipt that the agent last said its chain ends with")]
    OtherHead(u64),
}

/// A failure to read, or something wrong.
#[derive(Debug, thiserror::Error)]
enum VerifyError {
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error("the audit file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

/// Whose file it is.
struct Subject {
    agent: AgentId,
    key: VerifyKey,
    predecessor: Option<Digest>,
    /// Where the agent last said that its chain ends.
    head: Option<(u64, Option<Digest>)>,
}

/// Verifies the audit file and prints what was found.
pub(crate) async fn verify(state: &StateDir) -> Result<(), Stop> {
    let (enrolment, identity, _) = Identity::load(state)?;
    let path = state.file(AUDIT_FILE);
    let mut checked = check(state, &enrolment, &identity, &path)?;
    if checked.is_err() {
        // A running agent may have been in the middle of a line.
        tokio::time::sleep(Duration::from_millis(AGAIN_MILLISECONDS)).await;
        checked = check(state, &enrolment, &identity, &path)?;
    }
    match checked {
        Ok((lines, compared)) => {
            print::line(&format!(
                "{}: {lines} receipts, each signed and in its place.",
                path.display()
            ))?;
            if compared {
                return Ok(());
            }
            print::line("Its end was not compared: no signed head is there to compare it with.")
        }
        Err(VerifyError::Broken(broken)) => {
            stop(Code::AuditBroken, format!("{}: {broken}", path.display()))
        }
        Err(VerifyError::Unreadable(error)) => {
            stop(Code::Failed, format!("{}: {error}", path.display()))
        }
    }
}

/// The sequence in a head that this agent made itself.
pub(crate) fn sequence_of_head(head: &Envelope) -> u64 {
    serde_json::from_slice::<Head>(&head.payload.0).map_or(0, |head| head.sequence)
}

fn check(
    state: &StateDir,
    enrolment: &Enrolment,
    identity: &Identity,
    path: &Path,
) -> Result<Result<(u64, bool), VerifyError>, Stop> {
    let key = VerifyKey::of(&identity.receipt_key);
    // The head first: what the file gains meanwhile cannot look like a loss.
    let head = match status::read(state).or_stop(Code::AuditBroken)? {
        Some(status) => Some(open_head(&status.head, key, enrolment.agent)?),
        None => None,
    };
    let subject = Subject {
        agent: enrolment.agent,
        key,
        predecessor: enrolment.predecessor_head,
        head,
    };
    let checked = match File::open(path) {
        Ok(file) => subject.verify(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => subject.verify(io::empty()),
        Err(error) => Err(error.into()),
    };
    Ok(checked.map(|lines| (lines, subject.head.is_some())))
}

fn open_head(
    envelope: &Envelope,
    key: VerifyKey,
    agent: AgentId,
) -> Result<(u64, Option<Digest>), Stop> {
    let head = envelope
        .verify(PayloadType::Head, &[key])
        .and_then(|verified| json::from_slice::<Head>(verified.payload, MAX_LINE_BYTES));
    match head {
        Ok(head) if head.agent == agent => Ok((head.sequence, head.digest)),
        Ok(_) | Err(_) => stop(
            Code::AuditBroken,
            "the end of the chain in status.json was changed: this agent did not sign it",
        ),
    }
}

impl Subject {
    /// Verifies every line and the end; gives the number of lines.
    fn verify(&self, file: impl io::Read) -> Result<u64, VerifyError> {
        let mut reader = BufReader::new(file);
        let mut chain = Chain::default();
        let mut line = 0;
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let limit = MAX_LINE_BYTES as u64 + 1;
            if reader.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            line += 1;
            if bytes.pop() != Some(b'\n') {
                let cut = bytes.len() < MAX_LINE_BYTES;
                return Err(if cut {
                    Broken::CutOff(line)
                } else {
                    Broken::Changed(line)
                }
                .into());
            }
            self.line(&mut chain, &bytes, line)?;
        }
        match self.head {
            Some((signed, _)) if signed > chain.sequence => Err(Broken::Truncated {
                line: line + 1,
                expected: chain.sequence + 1,
                signed,
            }
            .into()),
            Some(_) | None => Ok(line),
        }
    }

    fn line(&self, chain: &mut Chain, bytes: &[u8], line: u64) -> Result<(), Broken> {
        let changed = || Broken::Changed(line);
        let envelope: Envelope = json::from_slice(bytes, MAX_LINE_BYTES).map_err(|_| changed())?;
        // The agent's own spelling, to the byte: one signature, no space, no other order.
        let own = serde_json::to_vec(&envelope).map_err(|_| changed())?;
        if own != bytes || envelope.signatures.len() != 1 {
            return Err(changed());
        }
        let (receipt, identity) = Receipt::open(&envelope, self.key).map_err(|_| changed())?;
        if receipt.agent != self.agent {
            return Err(Broken::OtherAgent(line));
        }
        let expected = chain.sequence + 1;
        chain
            .append(&receipt, identity)
            .map_err(|error| match error {
                ChainError::Gap { expected, found } if found > expected => Broken::Missing {
                    line,
                    expected,
                    found,
                },
                ChainError::Gap { expected, found } => Broken::Reordered {
                    line,
                    expected,
                    found,
                },
                ChainError::BrokenLink(_) => Broken::Unlinked(line),
                ChainError::OtherAgent(_) | ChainError::OtherAccount(_) => Broken::OtherAgent(line),
            })?;
        if expected == 1 && receipt.previous != self.predecessor {
            return Err(Broken::Unlinked(line));
        }
        match self.head {
            Some((sequence, digest)) if sequence == expected && digest != Some(identity) => {
                Err(Broken::OtherHead(line))
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
