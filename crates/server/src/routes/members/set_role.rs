//! `PUT /api/v1/members/{user}/role`

use http::StatusCode;
use storm_protocol::{api::SetRoleRequest, ident::UserId};

use super::outcome;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::{Json, Path},
};

/// Give somebody in the account another role.
///
/// Nobody who stands above you, and nothing above your own. An account has an owner at all times.
#[utoipa::path(
    put,
    path = "/api/v1/members/{user}/role",
    tag = "people",
    params(("user" = UserId, Path)),
    request_body = SetRoleRequest,
    responses(
        (status = 204, description = "Done"),
        (status = 403, description = "`forbidden`: above you"),
        (status = 404, description = "`no_such_member`"),
        (status = 409, description = "`last_owner`"),
    ),
)]
pub(crate) async fn set_role(
    caller: Caller<act::SetMemberRole>,
    Path(user): Path<UserId>,
    Json(request): Json<SetRoleRequest>,
) -> Result<StatusCode, ApiError> {
    let person = &caller.person;
    let changed = caller
        .store()
        .set_role(person.account, user, request.role, person.highest());
    outcome(changed.await?, user)?;
    Ok(StatusCode::NO_CONTENT)
}
