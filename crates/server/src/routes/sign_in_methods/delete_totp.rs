//! `DELETE /api/v1/sign-in-methods/totp`

use http::StatusCode;

use super::none_on;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    mail,
};

/// Turn your authenticator app off; its recovery codes are void.
///
/// You are told so by e-mail.
#[utoipa::path(
    delete,
    path = "/api/v1/sign-in-methods/totp",
    tag = "session",
    responses(
        (status = 204, description = "Off"),
        (status = 403, description = "`forbidden`: with an API token; `reauthenticate`"),
        (status = 404, description = "`no_second_factor`"),
    ),
)]
pub(crate) async fn delete_totp(
    caller: Caller<act::RemoveSignInMethod>,
) -> Result<StatusCode, ApiError> {
    let mail = mail::second_factor_off(&caller.person.email);
    let removed = caller
        .store()
        .remove_totp(caller.person.user, &mail, caller.now());
    if !removed.await? {
        return Err(none_on());
    }
    caller.app().bus.mail.notify_one();
    Ok(StatusCode::NO_CONTENT)
}
