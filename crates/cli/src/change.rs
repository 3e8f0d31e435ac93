//! Changes: a request, the wait for its end, the proof of it.

use std::time::{Duration, Instant};

use anyhow::Result;
use storm_protocol::{
    api::{Operation, OperationAnswer, Region},
    ident::OperationId,
};

use crate::{
    asked::Asked,
    client::Call,
    clock,
    errors::{Exit, Thing, fault, operation_fault},
    output::{self, Waiting},
    session::Session,
    units,
    verify::{self, Proof},
};

/// How long a command waits for its end.
pub(crate) const WAIT_SECONDS: u32 = 120;
const FIRST_POLL_MILLIS: u64 = 100;
const MAX_POLL_MILLIS: u64 = 2000;
const IDEMPOTENCY_KEY_BYTES: usize = 16;

/// A change that is done and proven.
pub(crate) struct Done {
    /// The operation with what came of it.
    pub(crate) answer: OperationAnswer,
    /// The proof.
    pub(crate) proof: Proof,
}

/// Asks for a change that makes no secret, and waits until it is done and proven.
pub(crate) async fn make(session: &Session, asked: impl Into<Asked>) -> Result<Done> {
    let asked = &asked.into();
    let key = new_idempotency_key()?;
    let waiting = Waiting::new(&title(asked));
    let answer = request(session, asked, &key).await?;
    let answer = finish(session, answer, WAIT_SECONDS, &waiting).await?;
    prove(session, answer, asked).await
}

/// A key that makes repeating a request safe.
pub(crate) fn new_idempotency_key() -> Result<String> {
    Ok(hex::encode(clock::random::<IDEMPOTENCY_KEY_BYTES>()?))
}

/// What is being done, for people.
pub(crate) fn title(asked: &Asked) -> String {
    format!("{} · {}", asked.command(), asked.subject())
}

/// Sends the request. The answer may not be the end.
pub(crate) async fn request(
    session: &Session,
    asked: &Asked,
    idempotency_key: &str,
) -> Result<OperationAnswer> {
    let request = asked.request()?;
    let call = Call {
        method: request.method,
        path: &request.path,
        body: request.body.as_ref(),
        idempotency_key: Some(idempotency_key),
    };
    Ok(session.api.json(&call).await?)
}

/// Waits until the operation has ended; an error unless it is done.
pub(crate) async fn finish(
    session: &Session,
    mut answer: OperationAnswer,
    timeout_seconds: u32,
    waiting: &Waiting,
) -> Result<OperationAnswer> {
    let began = Instant::now();
    let mut poll = FIRST_POLL_MILLIS;
    let mut told = false;
    while !answer.operation.state.is_final() {
        if began.elapsed() >= Duration::from_secs(u64::from(timeout_seconds)) {
            return Err(unfinished(session, &answer.operation).await);
        }
        waiting.say(&state_line(&answer.operation));
        if !told && let Some(words) = absence(session, &answer.operation).await {
            waiting.pause(|| output::note(&words));
            told = true;
        }
        tokio::time::sleep(Duration::from_millis(poll)).await;
        poll = (poll * 2).min(MAX_POLL_MILLIS);
        answer = get(session, answer.operation.id).await?;
    }
    operation_fault(&answer.operation).map_or(Ok(answer), Err)
}

/// Reads an operation with what came of it.
pub(crate) async fn get(session: &Session, id: OperationId) -> Result<OperationAnswer> {
    let answer = session.api.get(&format!("/operations/{id}")).await;
    answer.map_err(Thing::Operation.named(&id))
}

/// Checks the receipt of an operation that is done.
pub(crate) async fn prove(
    session: &Session,
    answer: OperationAnswer,
    asked: &Asked,
) -> Result<Done> {
    let trust = session.trust().await?;
    let account = session.account().await?;
    let proof = verify::check(&trust, &answer, asked, account)?;
    Ok(Done { answer, proof })
}

/// What to know of an operation that waits for an agent that is away; `None` when none does.
async fn absence(session: &Session, operation: &Operation) -> Option<String> {
    let until = operation.gives_up_at?;
    let path = format!("/regions/{}", operation.region);
    let region: Region = session.api.get(&path).await.ok()?;
    let (name, id) = (&region.name, operation.id);
    (!region.connected).then(|| {
        format!(
            "Region {name}'s agent is away. The operation waits for it until {}; then it expires, and \
             nothing is done. Cancel it before with: storm op cancel {id}",
            units::instant(until)
        )
    })
}

/// How far an operation is, in a line.
pub(crate) fn state_line(operation: &Operation) -> String {
    format!(
        "{} · {} · waiting for region {}",
        operation.command,
        operation.state.as_str(),
        operation.region
    )
}

async fn unfinished(session: &Session, operation: &Operation) -> anyhow::Error {
    let path = format!("/regions/{}", operation.region);
    let region = session.api.get::<Region>(&path).await;
    let trouble = region.ok().and_then(|region| region.trouble);
    let trouble = trouble.map(|trouble| {
        let (region, trouble) = (&operation.region, output::clean(&trouble));
        format!("Region {region}'s agent takes no change at the moment: {trouble}.")
    });
    let why = match absence(session, operation).await {
        Some(away) => Some(away + "."),
        None => trouble,
    };
    let text = format!(
        "Not finished yet: the operation is {}.{} Nothing is lost. Go on waiting with: storm op wait {}",
        operation.state.as_str(),
        why.map_or_else(String::new, |why| format!(" {why}")),
        operation.id
    );
    fault(Exit::Unfinished, "unfinished", text)
}

impl Done {
    /// Says that it is done: JSON of the operation, or `words` and the receipt.
    pub(crate) fn say(&self, session: &Session, words: &str) -> Result<()> {
        session.show(&self.answer, || {
            output::line(words)?;
            output::note(&self.proven());
            Ok(())
        })
    }

    /// Where the proof stands.
    pub(crate) fn proven(&self) -> String {
        let receipt = &self.proof.receipt;
        format!(
            "Receipt {} of your account on agent {} verified.",
            receipt.account_sequence,
            output::short_end(&receipt.agent)
        )
    }
}
