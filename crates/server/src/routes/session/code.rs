//! How a code of a second factor is taken, whatever it is for.

use http::StatusCode;
use storm_protocol::ident::UserId;

use super::{admit_try, note_failure};
use crate::{
    auth::{
        Anyone,
        second_factor::{Code, step_of},
        secret::StoredSecret,
    },
    error::ApiError,
    store::second_factors::Spent,
};

/// Takes a code of somebody, once, and ends the challenge that it answers, if any. Counts as a try to sign
/// in. Answers with what kind of code it was.
pub(super) async fn take_code(
    anyone: &Anyone,
    (user, email): (UserId, &str),
    text: &str,
    challenge: Option<StoredSecret>,
) -> Result<&'static str, ApiError> {
    admit_try(anyone, email).await?;
    let app = anyone.app();
    let now = app.clock.now();
    if let Some(secret) = challenge
        && !app.store.try_challenge(secret, now).await?
    {
        return Err(no_challenge());
    }
    let code = Code::parse(text);
    if let Some(code) = code
        && let Some(spent) = spent_by(anyone, user, code).await?
        && app.store.spend_code(user, spent, challenge, now).await?
    {
        return Ok(code.method());
    }
    note_failure(anyone, email, "second factor").await?;
    Err(bad_code())
}

/// What a code uses up if it is right.
async fn spent_by(anyone: &Anyone, user: UserId, code: Code) -> Result<Option<Spent>, ApiError> {
    let app = anyone.app();
    let digits = match code {
        Code::Totp(digits) => digits,
        Code::Recovery(code) => return Ok(Some(Spent::Recovery(code))),
    };
    admit_code(anyone, user)?;
    let Some(sealed) = app.store.totp(user, true).await? else {
        return Ok(None);
    };
    let secret = anyone.open(&sealed, user)?;
    let step = step_of(&secret, digits, app.clock.now());
    let step = step.map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(step.map(Spent::Step))
}

/// Counts a guess at somebody's six digits, from everywhere: whoever guesses has their password, and a
/// million is few. Recovery codes are not counted, so their owner gets in meanwhile.
pub(crate) fn admit_code(anyone: &Anyone, user: UserId) -> Result<(), ApiError> {
    let admitted = anyone.sign_in_limits().admit_code(user);
    admitted.map_err(|retry_after_seconds| ApiError::RateLimited {
        retry_after_seconds,
        message: format!(
            "Too many codes were tried. Try again in {retry_after_seconds} seconds, or take a recovery code."
        ),
    })
}

pub(crate) fn bad_code() -> ApiError {
    let message = "The code is wrong or was used before. Take the next one that your app shows, or a recovery code \
                   that you have not used.";
    ApiError::refused(StatusCode::UNAUTHORIZED, "bad_code", message)
}

pub(super) fn no_challenge() -> ApiError {
    let message = "This sign-in is over: it waited too long, had too many wrong codes, or was used. Sign in again \
                   from the start.";
    ApiError::refused(StatusCode::UNAUTHORIZED, "no_such_challenge", message)
}
