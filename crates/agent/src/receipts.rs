//! Receipts: each is signed and chained inside the commit that ends its operation; the audit file
//! holds the same envelopes as lines, for people and for `storm-pulse audit verify`.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use storm_protocol::{
    envelope::{Envelope, PayloadType, VERSION},
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
/// `predecessor` is what a chain's first receipt names.
pub(crate) fn append(
    tx: &mut Tx<'_>,
    identity: &Identity,
    predecessor: Option<Digest>,
    draft: Draft,
) -> Result<ReceiptFrame, redb::Error> {
    let head = tx.head()?;
    let account_head = tx.account_head(draft.account)?;
    let receipt = Receipt {
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
    let unserializable = |error: serde_json::Error| redb::Error::Corrupted(error.to_string());
    let envelope = Envelope::sign_json(PayloadType::Receipt, &receipt, &identity.receipt_key)
        .map_err(unserializable)?;
    let head = Head {
        sequence: receipt.sequence,
        digest: Some(envelope.identity()),
    };
    let line = serde_json::to_string(&envelope).map_err(unserializable)?;
    tx.append_receipt(
        receipt.account,
        receipt.account_sequence,
        head,
        line,
        draft.sealed.as_ref(),
    )?;
    Ok(ReceiptFrame {
        sequence: receipt.sequence,
        receipt: envelope,
        sealed: draft.sealed,
    })
}

/// The audit file, open at its end.
pub(crate) struct AuditFile {
    file: File,
    path: PathBuf,
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
        Ok(Self { file, path })
    }

    /// Appends lines. A failure is no failure of the commit: the journal has the receipts, and the
    /// next start completes the file.
    pub(crate) fn append(&mut self, lines: &[String]) {
        for line in lines {
            let written = self.file.write_all(format!("{line}\n").as_bytes());
            if let Err(error) = written {
                tracing::error!(%error, path = %self.path.display(), "the audit file is incomplete until the next start");
                return;
            }
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
