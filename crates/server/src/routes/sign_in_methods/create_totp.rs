//! `POST /api/v1/sign-in-methods/totp`

use http::StatusCode;
use storm_protocol::api::TotpBegun;

use crate::{
    auth::{Caller, act, second_factor},
    error::ApiError,
    web::Json,
};

/// Begin to set up an authenticator app.
///
/// It counts once a code of it confirms it. Beginning again voids what was begun before.
#[utoipa::path(
    post,
    path = "/api/v1/sign-in-methods/totp",
    tag = "session",
    responses(
        (status = 200, body = TotpBegun),
        (status = 403, description = "`forbidden`: with an API token; `reauthenticate`"),
        (status = 409, description = "`already_on`: turn the other one off first"),
    ),
)]
pub(crate) async fn create_totp(
    caller: Caller<act::AddSignInMethod>,
) -> Result<Json<TotpBegun>, ApiError> {
    let user = caller.person.user;
    let secret = second_factor::new_totp_secret();
    let begun = second_factor::describe(&secret, &caller.person.email)
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let sealed = caller.seal(&secret)?;
    let kept = caller.store().begin_totp(user, &sealed, caller.now());
    if kept.await? {
        return Ok(Json(begun));
    }
    let message = "You have an authenticator app already, and it stays. Turn it off first, then set up the other.";
    Err(ApiError::refused(
        StatusCode::CONFLICT,
        "already_on",
        message,
    ))
}
