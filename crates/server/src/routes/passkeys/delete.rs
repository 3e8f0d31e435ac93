//! `DELETE /api/v1/passkeys/{passkey}`

use http::StatusCode;
use storm_protocol::ident::PasskeyId;

use super::no_passkey;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    mail,
    store::passkeys::Deletion,
    web::Path,
};

/// Delete a passkey.
///
/// It no longer signs in, and your other sessions that were begun with it end. You are told so by e-mail.
#[utoipa::path(
    delete,
    path = "/api/v1/passkeys/{passkey}",
    tag = "session",
    params(("passkey" = PasskeyId, Path)),
    responses(
        (status = 204, description = "Deleted"),
        (status = 403, description = "`forbidden`: with an API token; `reauthenticate`"),
        (status = 404, description = "`no_such_passkey`"),
        (status = 409, description = "`last_sign_in_method`: set a password or add another passkey first"),
    ),
)]
pub(crate) async fn delete(
    caller: Caller<act::RemoveSignInMethod>,
    Path(id): Path<PasskeyId>,
) -> Result<StatusCode, ApiError> {
    let email = &caller.person.email;
    let mail = |name: &str| mail::passkey_removed(email, name);
    let deleted = caller.store().delete_passkey(
        caller.person.user,
        id,
        caller.session(),
        (mail, caller.now()),
    );
    match deleted.await? {
        Deletion::Done => {}
        Deletion::Absent => return Err(no_passkey(id)),
        Deletion::Last => {
            let message = "You have no password, so this passkey is the last way in. Nothing was changed. Set a \
                           password or add another passkey first.";
            return Err(ApiError::refused(
                StatusCode::CONFLICT,
                "last_sign_in_method",
                message,
            ));
        }
    }
    caller.app().bus.mail.notify_one();
    Ok(StatusCode::NO_CONTENT)
}
