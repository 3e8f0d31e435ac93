//! Receipts: each is signed and chained inside the commit that ends its operation; the audit file
//! holds the same envelopes as lines, for people and for `storm-pulse audit verify`.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use storm_protocol::{
    command::MAX_ENVELOPE_BYTES,
    envelope::{Envelope, PayloadType, VERSION},
    error::Failure,
    frame::ReceiptFrame,
    ident::{AccountId, Digest, Micros, OperationId},
    receipt::{Outcome, Receipt},
    seal::Sealed,
};

use crate::{
    identity::Identity,
    journal::{Head, OpenError, Store, Tx},
};

/// The audit file in the state directory.
pub(crate) const AUDIT_FILE: &str = "audit.jsonl";
/// The largest receipt with its envelope, in bytes. Readers take this much; an agent that signed
/// more would break its own chain.
pub(crate) const MAX_RECEIPT_BYTES: usize = MAX_ENVELOPE_BYTES;
/// Receipts that are read at once to complete the audit file.
const BATCH_RECEIPTS: usize = 200;
/// The longest line that the end of the audit file is searched for, in bytes.
const MAX_LINE_BYTES: u64 = 256 * 1024;

/// A receipt before it has its place in the chains.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) account: AccountId,
    pub(crate) operation: OperationId,
    pub(crate) attempt: u32,
    pub(crate) envelope: Digest,
    pub(crate) intent: Digest,
    pub(crate) command: String,
    pub(crate) accepted_at: Micros,
    pub(crate) finished_at: Micros,
    pub(crate) outcome: Outcome,
    /// The secret that goes beside, when the outcome has one.
    pub(crate) sealed: Option<Sealed>,
}

/// Gives `draft` its place at the end of both chains, signs it and writes it into the commit.
/// `predecessor` is what a chain's first receipt names. An outcome that no receipt can hold is
/// replaced by a failure that says so, without a secret beside it.
pub(crate) fn append(
    tx: &mut Tx<'_>,
    identity: &Identity,
    predecessor: Option<Digest>,
    draft: Draft,
) -> Result<ReceiptFrame, redb::Error> {
    let head = tx.head()?;
    let account_head = tx.account_head(draft.account)?;
    let mut receipt = Receipt {
        version: VERSION,
        agent: identity.agent,
        region: identity.region.clone(),
        sequence: head.sequence + 1,
        previous: if head.sequence == 0 {
            predecessor
        } else {
            head.digest
        },
        account: draft.account,
        account_sequence: account_head.sequence + 1,
        account_previous: account_head.digest,
        operation: draft.operation,
        attempt: draft.attempt,
        envelope: draft.envelope,
        intent: draft.intent,
        command: draft.command,
        accepted_at: draft.accepted_at,
        finished_at: draft.finished_at,
        outcome: draft.outcome,
        sealed: draft.sealed.as_ref().map(Sealed::digest),
    };
    let mut sealed = draft.sealed;
    let (mut envelope, mut line) = sign(&receipt, identity)?;
    if line.len() > MAX_RECEIPT_BYTES {
        tracing::error!(operation = %receipt.operation, bytes = line.len(), "an outcome is too large for a receipt");
        receipt.outcome = Outcome::Failed {
            code: Failure::GaveUp,
            message: format!(
                "The command ended, but what came of it takes {} bytes and a receipt holds \
                 {MAX_RECEIPT_BYTES}. Look at the buckets and keys themselves.",
                line.len()
            ),
        };
        (receipt.sealed, sealed) = (None, None);
        (envelope, line) = sign(&receipt, identity)?;
    }
    let head = Head {
        sequence: receipt.sequence,
        digest: Some(envelope.identity()),
    };
    tx.append_receipt(
        receipt.account,
        receipt.account_sequence,
        head,
        line,
        sealed.as_ref(),
    )?;
    Ok(ReceiptFrame {
        sequence: receipt.sequence,
        receipt: envelope,
        sealed,
    })
}

/// The signed receipt, and its line in the audit file.
fn sign(receipt: &Receipt, identity: &Identity) -> Result<(Envelope, String), redb::Error> {
    let unserializable = |error: serde_json::Error| redb::Error::Corrupted(error.to_string());
    let envelope = Envelope::sign_json(PayloadType::Receipt, receipt, &identity.receipt_key)
        .map_err(unserializable)?;
    let line = serde_json::to_string(&envelope).map_err(unserializable)?;
    Ok((envelope, line))
}

/// The audit file, open at its end.
pub(crate) struct AuditFile {
    file: File,
    path: PathBuf,
    /// Lines may be missing at its end, or one be cut.
    behind: bool,
}

impl AuditFile {
    /// Opens the file in `folder`, cuts off a line that a crash left unfinished, and writes the
    /// receipts up to `head` that it lacks.
    pub(crate) fn open(folder: &Path, store: &Store, head: u64) -> Result<Self, OpenError> {
        let path = folder.join(AUDIT_FILE);
        let failed = |cause: io::Error| OpenError::File {
            path: path.clone(),
            cause,
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o600);
        let mut file = options.open(&path).map_err(failed)?;
        let last = last_sequence(&mut file).map_err(failed)?;
        if last > head {
            return Err(OpenError::Behind {
                path,
                audit: last,
                journal: head,
            });
        }
        let mut next = last + 1;
        while next <= head {
            let unreadable = |error: crate::journal::JournalError| failed(io::Error::other(error));
            let frames = store.receipts(next, BATCH_RECEIPTS).map_err(unreadable)?;
            let Some(end) = frames.last().map(|frame| frame.sequence) else {
                break;
            };
            for frame in frames {
                let mut line = serde_json::to_vec(&frame.receipt)
                    .map_err(io::Error::other)
                    .map_err(failed)?;
                line.push(b'\n');
                file.write_all(&line).map_err(failed)?;
            }
            next = end + 1;
        }
        Ok(Self {
            file,
            path,
            behind: false,
        })
    }

    /// A commit may have come through though it was said to have failed: the next lines are read
    /// from the journal.
    pub(crate) fn doubt(&mut self) {
        self.behind = true;
    }

    /// Appends the lines of a commit after which the chain ends at `head`. A failure is no failure
    /// of the commit: the journal has the receipts, and the next commit or start completes the file.
    pub(crate) fn append(&mut self, store: &Store, lines: &[String], head: u64) {
        if lines.is_empty() {
            return;
        }
        let written = if self.behind {
            let folder = self.path.parent().unwrap_or(Path::new("/"));
            Self::open(folder, store, head)
                .map(|whole| *self = whole)
                .map_err(io::Error::other)
        } else {
            let line = |line: &String| self.file.write_all(format!("{line}\n").as_bytes());
            lines.iter().try_for_each(line)
        };
        if let Err(error) = written {
            self.behind = true;
            tracing::error!(%error, path = %self.path.display(), "the audit file is incomplete for now");
        }
    }
}

/// The sequence of the last whole line; what follows it is cut off.
fn last_sequence(file: &mut File) -> io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    let from = length.saturating_sub(MAX_LINE_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let whole = tail
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    if whole < tail.len() {
        file.set_len(from + whole as u64)?;
    }
    let Some(text) = tail[..whole].strip_suffix(b"\n") else {
        return Ok(0);
    };
    let begin = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    match sequence_of(&text[begin..]) {
        Some(sequence) => Ok(sequence),
        // A damaged line is for `audit verify` to tell; its place says which receipt it was.
        None => count_lines(file),
    }
}

fn sequence_of(line: &[u8]) -> Option<u64> {
    let envelope: Envelope = serde_json::from_slice(line).ok()?;
    let receipt: Receipt = serde_json::from_slice(&envelope.payload.0).ok()?;
    Some(receipt.sequence)
}

fn count_lines(file: &mut File) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(file);
    let mut lines = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(lines);
        }
        let length = buffer.len();
        lines += buffer.iter().filter(|byte| **byte == b'\n').count() as u64;
        reader.consume(length);
    }
}
