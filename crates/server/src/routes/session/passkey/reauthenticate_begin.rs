//! `POST /api/v1/session/reauthenticate/passkey/begin`

use storm_protocol::api::PasskeyAsked;

use super::ask;
use crate::{
    auth::{Anyone, Caller, act},
    error::ApiError,
    store::passkey_challenges::Purpose,
    web::Json,
};

/// Begin to prove again who you are, with a passkey.
#[utoipa::path(
    post,
    path = "/api/v1/session/reauthenticate/passkey/begin",
    tag = "session",
    responses(
        (status = 200, body = PasskeyAsked),
        (status = 403, description = "`forbidden`: with an API token"),
        (status = 409, description = "`no_passkeys_here`: the server's address is no name"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn reauthenticate_begin(
    caller: Caller<act::Reauthenticate>,
    anyone: Anyone,
) -> Result<Json<PasskeyAsked>, ApiError> {
    ask(&anyone, Purpose::Reauthenticate(caller.person.user)).await
}
