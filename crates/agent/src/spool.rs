//! The spool: a folder through which people on the node hand signed files to the agent, connected or
//! not. `<name>.json` is a command, `<name>.trust.json` a trust document; the agent answers with
//! `<name>.receipt.json` or `<name>.answer.json` and takes the file away.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use storm_protocol::{
    command::MAX_ENVELOPE_BYTES, error::Refusal, frame::ReceiptFrame, ident::Micros, json,
};
use tokio::time::sleep;

use crate::{
    clock::{Clock, random},
    engine::{Source, Submitted},
    files,
    folder::{Folder, Writing},
    run::Shell,
    state::StateDir,
    trust::{self, MAX_TRUST_FILE_BYTES},
};

/// Milliseconds between two looks into the spool. Nearly all of them are for nothing.
const LOOK_MILLISECONDS: u64 = 1000;
/// The same while something lies there: somebody waits for its answer.
const LOOK_AGAIN_MILLISECONDS: u64 = 100;
/// Files taken at one look.
const FILES_AT_ONCE: usize = 64;
/// Hours that an answer waits for whoever asked.
const ANSWER_HOURS: i64 = 24;
/// The largest answer file, in bytes.
const MAX_ANSWER_BYTES: usize = 512 * 1024;
const COMMAND: &str = ".json";
const TRUST: &str = ".trust.json";
const RECEIPT: &str = ".receipt.json";
const ANSWER: &str = ".answer.json";

/// An answer that is no receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// No trusted key signed the file, or it could not be read.
    Dropped {
        /// The stable code.
        code: Refusal,
    },
    /// The trust document is in force.
    TrustKept {
        /// Its serial.
        serial: u64,
    },
    /// The trust document is not taken.
    TrustRefused {
        /// Why, in words.
        message: String,
    },
}

/// What came back for a file.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A receipt.
    Receipt(Box<ReceiptFrame>),
    /// Something else.
    Answer(Answer),
}

/// What a file in the spool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A signed command.
    Command,
    /// A trust document.
    Trust,
}

/// A file that was handed over.
#[derive(Debug)]
pub(crate) struct Ticket {
    folder: Folder,
    name: String,
}

/// Hands `bytes` to the agent, as a file of the agent's user.
pub(crate) fn hand_over(
    state: &StateDir,
    kind: Kind,
    bytes: &[u8],
    clock: &dyn Clock,
) -> anyhow::Result<Ticket> {
    let folder = state.spool()?;
    // Sorts by time, so that files are taken in the order of their coming.
    let name = format!("{:020}-{}", clock.now().0, hex::encode(random::<8>()));
    let suffix = match kind {
        Kind::Command => COMMAND,
        Kind::Trust => TRUST,
    };
    let writing = Writing {
        durable: true,
        owner: Some(state.owner()?),
    };
    folder
        .write(&format!("{name}{suffix}"), bytes, writing)
        .with_context(|| format!("cannot write to {}", state.spool_path().display()))?;
    Ok(Ticket { folder, name })
}

impl Ticket {
    /// Takes the file back, as far as nobody has taken it.
    pub(crate) fn take_back(&self) {
        for suffix in [COMMAND, TRUST] {
            let _ = self.folder.remove(&format!("{}{suffix}", self.name));
        }
    }

    /// The reply, once it is there; it is taken away.
    pub(crate) fn reply(&self) -> anyhow::Result<Option<Reply>> {
        if let Some(frame) = self.answer(RECEIPT)? {
            return Ok(Some(Reply::Receipt(Box::new(frame))));
        }
        Ok(self.answer(ANSWER)?.map(Reply::Answer))
    }

    fn answer<T: DeserializeOwned>(&self, suffix: &str) -> anyhow::Result<Option<T>> {
        let name = format!("{}{suffix}", self.name);
        let Some(bytes) = self.folder.read(&name, MAX_ANSWER_BYTES)? else {
            return Ok(None);
        };
        let answer = json::from_slice(&bytes, MAX_ANSWER_BYTES)
            .with_context(|| format!("the agent's answer {name} is damaged"))?;
        let _ = self.folder.remove(&name);
        Ok(Some(answer))
    }
}

/// Looks into the spool until it is dropped.
pub(crate) async fn watch(shell: Arc<Shell>) {
    loop {
        let pause = match look(&shell).await {
            Ok(true) => LOOK_AGAIN_MILLISECONDS,
            Ok(false) => LOOK_MILLISECONDS,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the spool cannot be read");
                LOOK_MILLISECONDS
            }
        };
        sleep(Duration::from_millis(pause)).await;
    }
}

/// Takes what lies in the spool; gives whether there was anything. A command that still runs is asked for again
/// at the next look: the journal knows it.
pub(crate) async fn look(shell: &Shell) -> anyhow::Result<bool> {
    let folder = shell.state.spool_path();
    let mut names: Vec<String> = fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    let answers = |name: &String| name.ends_with(RECEIPT) || name.ends_with(ANSWER);
    let (answers, questions): (Vec<_>, Vec<_>) = names.into_iter().partition(answers);
    for name in &answers {
        forget_old(&folder.join(name), shell.clock.now());
    }
    for name in questions.iter().take(FILES_AT_ONCE) {
        let path = folder.join(name);
        if let Some(stem) = name.strip_suffix(TRUST) {
            let answer = take_trust(shell, &path);
            settle(&path, &folder.join(format!("{stem}{ANSWER}")), &answer)?;
        } else if let Some(stem) = name.strip_suffix(COMMAND) {
            match take_command(shell, &path).await {
                Some(Reply::Receipt(frame)) => {
                    settle(&path, &folder.join(format!("{stem}{RECEIPT}")), &frame)?;
                }
                Some(Reply::Answer(answer)) => {
                    settle(&path, &folder.join(format!("{stem}{ANSWER}")), &answer)?;
                }
                None => {}
            }
        }
    }
    Ok(!questions.is_empty())
}

async fn take_command(shell: &Shell, path: &Path) -> Option<Reply> {
    let dropped = |code| Some(Reply::Answer(Answer::Dropped { code }));
    // One byte more than there may be: the engine refuses it as too large.
    let Some(bytes) = read_file(path, MAX_ENVELOPE_BYTES + 1) else {
        return dropped(Refusal::Malformed);
    };
    match shell.engine.submit(&bytes, Source::Spool).await {
        Submitted::Accepted(_) | Submitted::Running(_) => None,
        Submitted::Ended(frame) => Some(Reply::Receipt(Box::new(frame))),
        Submitted::Dropped(code) => {
            shell.board.touch();
            dropped(code)
        }
    }
}

fn take_trust(shell: &Shell, path: &Path) -> Answer {
    let refused = |message: String| Answer::TrustRefused { message };
    let Some(bytes) = read_file(path, MAX_TRUST_FILE_BYTES + 1) else {
        return refused("the file cannot be read".to_owned());
    };
    match trust::parse(&bytes) {
        Ok(envelope) => match shell.offer_trust(&envelope) {
            Ok(_) => Answer::TrustKept {
                serial: shell.trust_serial(),
            },
            Err(error) => refused(error.to_string()),
        },
        Err(code) => refused(format!("the file holds no trust document ({code})")),
    }
}

/// At most `max_bytes` of a regular file.
fn read_file(path: &Path, max_bytes: usize) -> Option<Vec<u8>> {
    let regular = fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let file = File::open(path).ok().filter(|_| regular)?;
    let mut bytes = Vec::new();
    file.take(max_bytes as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Writes the answer, then takes the question away.
fn settle<T: Serialize>(question: &Path, answer: &Path, body: &T) -> anyhow::Result<()> {
    files::write_private(answer, &serde_json::to_vec(body)?)?;
    fs::remove_file(question).with_context(|| {
        format!(
            "cannot take {:?} away",
            question.file_name().unwrap_or(OsStr::new(""))
        )
    })
}

fn forget_old(path: &Path, now: Micros) {
    let seconds = now.0 / Micros::SECOND;
    let old = fs::metadata(path).is_ok_and(|found| found.mtime() < seconds - ANSWER_HOURS * 3600);
    if old {
        // If it stays, the next look tries again.
        let _ = fs::remove_file(path);
    }
}
