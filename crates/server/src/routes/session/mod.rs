//! Sessions of the dashboard.

pub(crate) mod begin;
pub(crate) mod code;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod passkey;
pub(crate) mod reauthenticate;
pub(crate) mod second_factor;

use http::{HeaderName, HeaderValue, StatusCode, header};
use secrecy::SecretString;

use crate::{
    auth::{Anyone, cookie_name},
    error::ApiError,
    store::{security::SecurityEvent, users::User},
};

/// Whoever has this address, if the password is theirs. Counts as a try to sign in; takes as long, and
/// is answered alike, whether or not anybody has the address. `email`: in lower case.
pub(super) async fn check_password(
    anyone: &Anyone,
    email: &str,
    password: SecretString,
) -> Result<User, ApiError> {
    admit_try(anyone, email).await?;
    let app = anyone.app();
    let user = app.store.user_by_email(email).await?;
    let stored = user.as_ref().and_then(|user| user.password_hash.clone());
    let right = anyone.passwords().verify(password, stored).await?;
    if let Some(user) = user.filter(|_| right) {
        return Ok(user);
    }
    note_failure(anyone, email, "").await?;
    Err(ApiError::refused(
        StatusCode::UNAUTHORIZED,
        "bad_credentials",
        "The e-mail address or the password is wrong.",
    ))
}

/// Counts a try to sign in as `email`, and slows it down where there are many.
async fn admit_try(anyone: &Anyone, email: &str) -> Result<(), ApiError> {
    let admitted = anyone.sign_in_limits().admit(anyone.origin, email);
    let pause = admitted.map_err(|retry_after_seconds| ApiError::RateLimited {
        retry_after_seconds,
        message: format!(
            "Too many tries to sign in from your network. Try again in {retry_after_seconds} seconds."
        ),
    })?;
    tokio::time::sleep(pause).await;
    Ok(())
}

/// Notes a try that failed.
async fn note_failure(anyone: &Anyone, email: &str, detail: &str) -> Result<(), ApiError> {
    let app = anyone.app();
    let origin = anyone.origin.map(|address| address.to_string());
    let event = SecurityEvent {
        kind: "sign_in_failed",
        subject: email,
        origin: origin.as_deref(),
        detail,
    };
    let noted = app.store.note_security_event(event, app.clock.now());
    Ok(noted.await?)
}

/// The header that sets the session cookie to `value` for `seconds`; 0 takes it away.
fn cookie(
    value: &str,
    seconds: i64,
    secure: bool,
) -> Result<[(HeaderName, HeaderValue); 1], ApiError> {
    let name = cookie_name(secure);
    let secure = if secure { "; Secure" } else { "" };
    let text =
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    let mut value =
        HeaderValue::try_from(text).map_err(|error| ApiError::Internal(error.to_string()))?;
    value.set_sensitive(true);
    Ok([(header::SET_COOKIE, value)])
}
