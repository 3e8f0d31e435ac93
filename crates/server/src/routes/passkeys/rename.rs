//! `PUT /api/v1/passkeys/{passkey}/name`

use http::StatusCode;
use storm_protocol::{api::RenamePasskeyRequest, ident::PasskeyId};

use super::{check_name, no_passkey};
use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::{Json, Path},
};

/// Call a passkey something else.
#[utoipa::path(
    put,
    path = "/api/v1/passkeys/{passkey}/name",
    tag = "session",
    params(("passkey" = PasskeyId, Path)),
    request_body = RenamePasskeyRequest,
    responses(
        (status = 204, description = "Renamed"),
        (status = 403, description = "`forbidden`: with an API token"),
        (status = 404, description = "`no_such_passkey`"),
    ),
)]
pub(crate) async fn rename(
    caller: Caller<act::RenameSignInMethod>,
    Path(id): Path<PasskeyId>,
    Json(request): Json<RenamePasskeyRequest>,
) -> Result<StatusCode, ApiError> {
    check_name(&request.name)?;
    let user = caller.person.user;
    let renamed = caller.store().rename_passkey(user, id, &request.name);
    match renamed.await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(no_passkey(id)),
    }
}
