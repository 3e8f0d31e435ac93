//! `POST /api/v1/session/reauthenticate/passkey`

use http::StatusCode;
use storm_protocol::api::PasskeyRequest;

use super::prove;
use crate::{
    auth::{Anyone, Caller, act},
    error::ApiError,
    store::passkey_challenges::Purpose,
    web::Json,
};

/// Prove again who you are, with a passkey of yours.
///
/// For ten minutes this session may then do what is dangerous.
#[utoipa::path(
    post,
    path = "/api/v1/session/reauthenticate/passkey",
    tag = "session",
    request_body = PasskeyRequest,
    responses(
        (status = 204, description = "Proved"),
        (status = 401, description = "`bad_passkey`; `no_such_challenge`: begin again"),
        (status = 403, description = "`forbidden`: with an API token"),
        (status = 409, description = "`no_passkeys_here`: the server's address is no name"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn reauthenticate(
    caller: Caller<act::Reauthenticate>,
    anyone: Anyone,
    Json(request): Json<PasskeyRequest>,
) -> Result<StatusCode, ApiError> {
    prove(
        &anyone,
        (
            Purpose::Reauthenticate(caller.person.user),
            Some(&caller.person.email),
        ),
        request,
    )
    .await?;
    if let Some(session) = caller.session() {
        caller.store().prove_session(session, caller.now()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
