//! Changes: a request, and the proof that it was carried out. The wait between stands in [`follow`].

use anyhow::Result;
use storm_protocol::{api::OperationAnswer, ident::OperationId};

use crate::{
    asked::Asked,
    client::Call,
    clock,
    errors::Thing,
    follow::{self, Patience},
    output::{self, Waiting},
    session::Session,
    verify::{self, Proof},
};

/// What is said when Ctrl-C comes before the server's answer.
const NOT_KNOWN: &str =
    "Whether the server has taken the request is not known. Look for it with: storm op list";
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
    make_patiently(session, &asked.into(), Patience::Usual).await
}

/// Asks for a change that makes no secret, and waits with this patience until it is done and proven.
pub(crate) async fn make_patiently(
    session: &Session,
    asked: &Asked,
    patience: Patience,
) -> Result<Done> {
    let key = new_idempotency_key()?;
    let waiting = Waiting::new(&title(asked));
    let answer = request(session, asked, &key).await?;
    let answer = follow::to_its_end(session, answer, patience, &waiting).await?;
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
    let sent = async { Ok(session.api.json(&call).await?) };
    follow::unless_stopped(NOT_KNOWN, sent).await
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
