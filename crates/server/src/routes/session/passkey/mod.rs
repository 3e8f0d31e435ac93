//! Passkeys as the proof of who somebody is: for a new session, and in the one that there is.

pub(crate) mod begin;
pub(crate) mod finish;
pub(crate) mod reauthenticate;
pub(crate) mod reauthenticate_begin;

use http::StatusCode;
use storm_protocol::{
    api::{PasskeyAsked, PasskeyRequest},
    ident::UserId,
};

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
    store::passkeys::{Known, Purpose},
    web::Json,
};

/// Seconds to wait where too many sign-ins are under way.
const BUSY_SECONDS: u64 = 60;

/// Asks for a signature. It is the same for everybody: it says nothing of who has a passkey.
async fn ask(anyone: &Anyone, purpose: Purpose) -> Result<Json<PasskeyAsked>, ApiError> {
    let webauthn = anyone.passkeys()?;
    let admitted = anyone.sign_in_limits().admit_network(anyone.origin);
    admitted.map_err(busy)?;
    let app = anyone.app();
    let asked = ask_for_signature(webauthn)?;
    let (secret, now) = (PlainSecret::session(), app.clock.now());
    let times = (now, now.plus_seconds(CHALLENGE_SECONDS));
    let begun = app
        .store
        .begin_passkey_challenge(secret.stored(), purpose, &asked.state, times);
    if !begun.await? {
        return Err(busy(BUSY_SECONDS));
    }
    Ok(Json(PasskeyAsked {
        challenge: secret.expose().to_owned(),
        public_key: asked.public_key,
    }))
}

/// Whose passkey signed what was asked for `purpose`. Counts as a try to sign in.
async fn prove(
    anyone: &Anyone,
    purpose: Purpose,
    request: PasskeyRequest,
) -> Result<UserId, ApiError> {
    let webauthn = anyone.passkeys()?;
    let app = anyone.app();
    let signature = Signature::parse(request.credential);
    let known = match &signature {
        Some(signature) => app.store.passkey_of(&signature.credential()).await?,
        None => None,
    };
    let email = known.as_ref().map_or("", |known| known.email.as_str());
    admit_try(anyone, email).await?;
    let now = app.clock.now();
    let state = match StoredSecret::of_session(&request.challenge) {
        Some(secret) => {
            app.store
                .take_passkey_challenge(secret, purpose, now)
                .await?
        }
        None => None,
    };
    let state = state.ok_or_else(no_challenge)?;
    let fits = |known: &Known| {
        let is_asked = purpose.user().is_none_or(|user| user == known.user);
        is_asked
            && signature
                .as_ref()
                .is_some_and(|signature| signature.is_of(known.user))
    };
    let (Some(signature), Some(known)) = (&signature, known.as_ref().filter(|known| fits(known)))
    else {
        note_failure(anyone, email, "passkey").await?;
        return Err(bad_passkey());
    };
    match signature.check(webauthn, &state, &known.passkey)? {
        Ok((passkey, synced)) => {
            if app
                .store
                .use_passkey(known, (&passkey, synced), now)
                .await?
            {
                return Ok(known.user);
            }
            note_failure(anyone, email, "passkey").await?;
        }
        Err(Refused::Wrong) => note_failure(anyone, email, "passkey").await?,
        Err(Refused::Copied) => {
            note_failure(anyone, email, "a passkey counted backwards").await?;
            let mail = mail::passkey_copied(&known.email, &known.name);
            app.store.tell_of_passkey(&mail, now).await?;
            app.bus.mail.notify_one();
        }
    }
    Err(bad_passkey())
}

fn bad_passkey() -> ApiError {
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
