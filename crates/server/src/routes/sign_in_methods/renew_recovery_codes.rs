//! `POST /api/v1/sign-in-methods/recovery-codes`

use storm_protocol::api::RecoveryCodes;

use super::none_on;
use crate::{
    auth::{Caller, act, second_factor::new_recovery_codes},
    error::ApiError,
    mail,
    web::Json,
};

/// Make new recovery codes; the old ones are void.
///
/// They are shown this once, and you are told so by e-mail.
#[utoipa::path(
    post,
    path = "/api/v1/sign-in-methods/recovery-codes",
    tag = "session",
    responses(
        (status = 200, body = RecoveryCodes),
        (status = 403, description = "`forbidden`: with an API token; `reauthenticate`"),
        (status = 404, description = "`no_second_factor`"),
    ),
)]
pub(crate) async fn renew_recovery_codes(
    caller: Caller<act::RenewRecoveryCodes>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let (shown, stored): (Vec<_>, Vec<_>) = new_recovery_codes().into_iter().unzip();
    let mail = mail::recovery_codes_renewed(&caller.person.email);
    let user = caller.person.user;
    let renewed = caller
        .store()
        .renew_recovery_codes(user, &stored, &mail, caller.now());
    if !renewed.await? {
        return Err(none_on());
    }
    caller.app().bus.mail.notify_one();
    Ok(Json(RecoveryCodes {
        recovery_codes: shown,
    }))
}
