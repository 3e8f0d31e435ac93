//! `DELETE /api/v1/password`

use http::StatusCode;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    mail,
};

/// Sign in with passkeys alone from now on.
///
/// Your password no longer counts, and your other sessions end. A link by e-mail still sets a new one, so that
/// whoever loses their devices gets in again. You are told so by e-mail.
#[utoipa::path(
    delete,
    path = "/api/v1/password",
    tag = "session",
    responses(
        (status = 204, description = "You have no password"),
        (status = 403, description = "`forbidden`: with an API token; `reauthenticate`"),
        (status = 409, description = "`last_sign_in_method`: add a passkey first"),
    ),
)]
pub(crate) async fn remove(
    caller: Caller<act::RemoveSignInMethod>,
) -> Result<StatusCode, ApiError> {
    let mail = mail::password_removed(&caller.person.email);
    let removed =
        caller
            .store()
            .remove_password(caller.person.user, caller.session(), (&mail, caller.now()));
    if !removed.await? {
        let message = "You have no passkey, so your password is the last way in. Nothing was changed. Add a passkey \
                       first.";
        return Err(ApiError::refused(
            StatusCode::CONFLICT,
            "last_sign_in_method",
            message,
        ));
    }
    caller.app().bus.mail.notify_one();
    Ok(StatusCode::NO_CONTENT)
}
