//! `storm-pulse exec` and `storm-pulse trust add`: hand a file to the running agent, or be the agent
//! for that one file.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use storm_protocol::{
    command::MAX_ENVELOPE_BYTES,
    envelope::VerifyKey,
    error::Refusal,
    receipt::{Outcome, Receipt},
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use crate::{
    clock::SystemClock,
    config::Config,
    exit::{Code, OrStop as _, Stop, stop},
    files,
    identity::{Enrolment, Identity},
    inventory::ChannelPorts,
    print,
    run::Shell,
    spool::{self, Answer, Kind, Reply, Ticket},
    state::StateDir,
    status,
    trust::{self, MAX_TRUST_FILE_BYTES, Trust},
};

/// Seconds that the caller waits for an answer.
const WAIT_SECONDS: u64 = 600;
/// Milliseconds between two looks for the answer.
const LOOK_MILLISECONDS: u64 = 50;
/// Milliseconds between two looks whether an agent runs.
const AGENT_LOOK_MILLISECONDS: u64 = 500;

/// Runs the signed command in `file` and prints what came of it.
pub(crate) async fn exec(config: &Config, file: &Path, as_json: bool) -> Result<(), Stop> {
    let state = StateDir::open(&config.state_dir)?;
    let (_, identity, _) = Identity::load(&state)?;
    let bytes = files::read_public(file, MAX_ENVELOPE_BYTES).or_stop(Code::Usage)?;
    match ask(config, &state, Kind::Command, &bytes).await? {
        Reply::Receipt(frame) => {
            let key = VerifyKey::of(&identity.receipt_key);
            let (receipt, _) = Receipt::open(&frame.receipt, key)
                .context("the answer is not a receipt of this agent")?;
            let failed = outcome(&receipt);
            if as_json {
                let text = serde_json::to_string_pretty(&frame).map_err(anyhow::Error::from)?;
                print::line(&text)?;
            } else if failed.is_none() {
                print::text(&describe(&receipt, frame.sealed.is_some())?)?;
            }
            failed.map_or(Ok(()), |(code, sentence)| stop(code, sentence))
        }
        Reply::Answer(Answer::Dropped { code }) => stop(
            Code::Refused,
            format!(
                "{} ({code}; no receipt). {}",
                code.sentence(),
                way_out(code)
            ),
        ),
        Reply::Answer(Answer::TrustKept { .. } | Answer::TrustRefused { .. }) => stop(
            Code::Failed,
            "the agent answered something else than a receipt",
        ),
    }
}

/// What to do about an envelope that gets no receipt.
fn way_out(code: Refusal) -> &'static str {
    if code == Refusal::BadSignature {
        "Nothing was changed. If the key may sign: `storm-buckets trust add-offline-key KEY` at the \
         control plane, then `storm-pulse trust add FILE` here"
    } else if code == Refusal::Busy {
        "Nothing was changed. `storm-pulse status` says what is in the way; then run it again"
    } else {
        "Nothing was changed. Sign the command anew with `storm offline sign`"
    }
}

/// Takes the trust document in `file`.
pub(crate) async fn add_trust(config: &Config, file: &Path) -> Result<(), Stop> {
    let state = StateDir::open(&config.state_dir)?;
    let enrolment = Enrolment::load(&state)?;
    let envelope = trust::read_file(file).or_stop(Code::Usage)?;
    // Without a document no agent can run, so there is none to ask.
    if !Trust::is_held(&state) {
        state.must_be_ours()?;
        let _lock = state.lock()?;
        let trust = Trust::first(&state, enrolment.root_key, &envelope).or_stop(Code::Refused)?;
        return in_force(trust.document.serial);
    }
    let bytes = files::read_public(file, MAX_TRUST_FILE_BYTES).or_stop(Code::Usage)?;
    match ask(config, &state, Kind::Trust, &bytes).await? {
        Reply::Answer(Answer::TrustKept { serial }) => in_force(serial),
        Reply::Answer(Answer::TrustRefused { message }) => stop(Code::Refused, message),
        Reply::Answer(Answer::Dropped { .. }) | Reply::Receipt(_) => stop(
            Code::Failed,
            "the agent answered something else than was asked",
        ),
    }
}

fn in_force(serial: u64) -> Result<(), Stop> {
    print::line(&format!("Trust document {serial} is in force."))
}

async fn ask(config: &Config, state: &StateDir, kind: Kind, bytes: &[u8]) -> Result<Reply, Stop> {
    // Before the file is handed over: without an agent running it has to be us.
    if !is_locked(state)? {
        state.must_be_ours()?;
    }
    let ticket = spool::hand_over(state, kind, bytes, &SystemClock)?;
    let mut alone: Option<Alone> = None;
    let reply = wait(config, state, &ticket, &mut alone).await;
    if let Some(alone) = alone {
        alone.end().await;
    }
    reply
}

async fn wait(
    config: &Config,
    state: &StateDir,
    ticket: &Ticket,
    alone: &mut Option<Alone>,
) -> Result<Reply, Stop> {
    let begun = Instant::now();
    let mut looked: Option<Instant> = None;
    while begun.elapsed() < Duration::from_secs(WAIT_SECONDS) {
        if let Some(reply) = ticket.reply()? {
            return Ok(reply);
        }
        let again = Duration::from_millis(AGENT_LOOK_MILLISECONDS);
        if alone.is_none() && looked.is_none_or(|looked| looked.elapsed() >= again) {
            *alone = Alone::begin(config, state)
                .await
                .inspect_err(|_| ticket.take_back())?;
            looked = Some(Instant::now());
        }
        if let Some(alone) = alone {
            spool::look(&alone.shell).await?;
        }
        sleep(Duration::from_millis(LOOK_MILLISECONDS)).await;
    }
    stop(
        Code::Failed,
        format!(
            "no answer in {WAIT_SECONDS} seconds: the command may still run; run the same file \
             again to get its receipt"
        ),
    )
}

fn is_locked(state: &StateDir) -> anyhow::Result<bool> {
    let locked = state.is_locked();
    locked.with_context(|| format!("cannot look at the lock in {}", state.path().display()))
}

/// This process being the agent, because no other is.
struct Alone {
    shell: std::sync::Arc<Shell>,
    inventory: JoinHandle<()>,
    // Kept, so that the inventory sees no end of its connections.
    _ports: ChannelPorts,
}

impl Alone {
    async fn begin(config: &Config, state: &StateDir) -> Result<Option<Self>, Stop> {
        if is_locked(state)? {
            return Ok(None);
        }
        // Whatever another user made here would lock the agent out of its own state.
        state.must_be_ours()?;
        let Some(lock) = state.try_lock()? else {
            return Ok(None);
        };
        let opened = Shell::open(config, state.clone(), lock).await?;
        let (shell, _, ports, inventory) = opened.start();
        Ok(Some(Self {
            shell,
            inventory,
            _ports: ports,
        }))
    }

    async fn end(self) {
        self.inventory.abort();
        self.shell.engine.shutdown().await;
        status::write_alone(&self.shell);
    }
}

/// Why the command did not do its work, if so.
fn outcome(receipt: &Receipt) -> Option<(Code, String)> {
    match &receipt.outcome {
        Outcome::Done(_) => None,
        Outcome::Failed { code, message } => Some((
            Code::Failed,
            format!("{} failed ({code}): {message}", receipt.command),
        )),
        Outcome::Refused { code, message } => Some((
            Code::Refused,
            format!("{} was refused ({code}): {message}", receipt.command),
        )),
    }
}

fn describe(receipt: &Receipt, sealed: bool) -> anyhow::Result<String> {
    let Outcome::Done(result) = &receipt.outcome else {
        return Ok(String::new());
    };
    let mut value = serde_json::to_value(result)?;
    let value = value
        .get_mut("value")
        .map(serde_json::Value::take)
        .unwrap_or_default();
    let mut text = format!(
        "{} is done (operation {}, receipt {}).\n{}\n",
        receipt.command,
        receipt.operation,
        receipt.sequence,
        serde_json::to_string_pretty(&value)?,
    );
    if sealed {
        text.push_str(
            "The new key's secret is sealed for whoever signed the command. Run the same file again \
             with --json, and open that answer with `storm offline open`.\n",
        );
    }
    Ok(text)
}
