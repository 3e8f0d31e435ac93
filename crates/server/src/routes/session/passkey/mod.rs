//! Passkeys as the proof of who somebody is: for a new session, and in the one that there is.

pub(crate) mod begin;
pub(crate) mod finish;
pub(crate) mod reauthenticate;
pub(crate) mod reauthenticate_begin;

use http::StatusCode;
use storm_protocol::api::{PasskeyAsked, PasskeyRequest};

use super::{admit_try, code::no_challenge, note_failure};
use crate::{
    auth::{
        Anyone,
        passkeys::{Refused, Signature, ask_for_signature},
        secret::{PlainSecret, StoredSecret},
    },
    error::ApiError,
    mail,
    routes::passkeys::CHALLENGE_SECONDS,
    store::{passkey_challenges::Purpose, passkeys::Known},
    web::Json,
};

/// Asks for a signature. It is the same for everybody: it says nothing of who has a passkey.
async fn ask(anyone: &Anyone, purpose: Purpose) -> Result<Json<PasskeyAsked>, ApiError> {
    let webauthn = anyone.passkeys()?;
    let admitted = anyone.sign_in_limits().admit_network(anyone.origin);
    admitted.map_err(busy)?;
    let app = anyone.app();
    let asked = ask_for_signature(webauthn)?;
    let (secret, now) = (PlainSecret::session(), app.clock.now());
    let times = (now, now.plus_seconds(CHALLENGE_SECONDS));
    app.store
        .begin_passkey_challenge(secret.stored(), purpose, &asked.state, times)
        .await?;
    Ok(Json(PasskeyAsked {
        challenge: secret.expose().to_owned(),
        public_key: asked.public_key,
    }))
}

/// The passkey that signed what was asked for `purpose`; `email`: of whoever is signed in, if anybody. Counts
/// as a try to sign in.
async fn prove(
    anyone: &Anyone,
    (purpose, email): (Purpose, Option<&str>),
    request: PasskeyRequest,
) -> Result<Known, ApiError> {
    let webauthn = anyone.passkeys()?;
    let store = &anyone.app().store;
    let signature = Signature::parse(request.credential);
    let known = match &signature {
        Some(signature) => store.passkey_of(&signature.credential()).await?,
        None => None,
    };
    let found = known.as_ref().map(|known| known.email.as_str());
    let email = email.or(found).unwrap_or_default().to_owned();
    admit_try(anyone, &email).await?;
    let now = anyone.app().clock.now();
    let state = match StoredSecret::of_session(&request.challenge) {
        Some(secret) => store.take_passkey_challenge(secret, purpose, now).await?,
        None => None,
    };
    let state = state.ok_or_else(no_challenge)?;
    let is_theirs = |signature: &Signature, known: &Known| {
        purpose.user().is_none_or(|user| user == known.user) && signature.is_of(known.user)
    };
    let detail = match (signature, known) {
        (Some(signature), Some(known)) if is_theirs(&signature, &known) => {
            match signature.check(webauthn, &state, &known.passkey)? {
                Ok(used) if store.use_passkey(&known, &used, now).await? => return Ok(known),
                Ok(_) | Err(Refused::Wrong) => "passkey",
                Err(Refused::Copied) => {
                    warn(anyone, &known).await?;
                    "a passkey counted backwards"
                }
            }
        }
        _ => "passkey",
    };
    note_failure(anyone, &email, detail).await?;
    Err(bad_passkey())
}

/// Tells somebody that their passkey may have been copied.
async fn warn(anyone: &Anyone, known: &Known) -> Result<(), ApiError> {
    let app = anyone.app();
    let mail = mail::passkey_copied(&known.email, &known.name);
    app.store.tell_of_passkey(&mail, app.clock.now()).await?;
    app.bus.mail.notify_one();
    Ok(())
}

pub(super) fn bad_passkey() -> ApiError {
    let message = "This passkey does not sign in here: it was deleted, is somebody else's, or did not ask who you \
                   are. Take another one, or sign in another way.";
    ApiError::refused(StatusCode::UNAUTHORIZED, "bad_passkey", message)
}

fn busy(retry_after_seconds: u64) -> ApiError {
    ApiError::RateLimited {
        retry_after_seconds,
        message: format!(
            "Too many tries to sign in. Try again in {retry_after_seconds} seconds, or sign in another way."
        ),
    }
}
