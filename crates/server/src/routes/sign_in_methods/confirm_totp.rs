//! `POST /api/v1/sign-in-methods/totp/confirm`

use http::StatusCode;
use storm_protocol::api::{ConfirmTotpRequest, RecoveryCodes};

use super::none_on;
use crate::{
    auth::{
        Anyone, Caller, act,
        second_factor::{Code, new_recovery_codes, step_of},
    },
    error::ApiError,
    mail,
    routes::session::code::{admit_code, bad_code},
    web::Json,
};

/// Confirm an authenticator app with a code of it.
///
/// From now on a sign-in takes one, or a recovery code of those that are shown this once. Your other
/// sessions end.
#[utoipa::path(
    post,
    path = "/api/v1/sign-in-methods/totp/confirm",
    tag = "session",
    request_body = ConfirmTotpRequest,
    responses(
        (status = 200, body = RecoveryCodes),
        (status = 401, description = "`bad_code`"),
        (status = 403, description = "`forbidden`: with an API token; `reauthenticate`"),
        (status = 404, description = "`no_second_factor`: none was begun"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn confirm_totp(
    caller: Caller<act::AddSignInMethod>,
    anyone: Anyone,
    Json(request): Json<ConfirmTotpRequest>,
) -> Result<(StatusCode, Json<RecoveryCodes>), ApiError> {
    let user = caller.person.user;
    let sealed = caller.store().totp(user, false).await?;
    let sealed = sealed.ok_or_else(none_on)?;
    admit_code(&anyone, user)?;
    let Some(Code::Totp(digits)) = Code::parse(&request.code) else {
        return Err(bad_code());
    };
    let secret = caller.open(&sealed)?;
    let step = step_of(&secret, digits, caller.now());
    let step = step.map_err(|error| ApiError::Internal(error.to_string()))?;
    let step = step.ok_or_else(bad_code)?;
    let (shown, stored): (Vec<_>, Vec<_>) = new_recovery_codes().into_iter().unzip();
    let mail = mail::second_factor_on(&caller.person.email);
    let confirmed = caller.store().confirm_totp(
        user,
        (&sealed, step),
        &stored,
        caller.session(),
        (&mail, caller.now()),
    );
    if !confirmed.await? {
        return Err(none_on());
    }
    caller.app().bus.mail.notify_one();
    Ok((
        StatusCode::OK,
        Json(RecoveryCodes {
            recovery_codes: shown,
        }),
    ))
}
