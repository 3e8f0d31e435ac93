//! `POST /api/v1/account/leave`

use http::StatusCode;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::members::outcome,
};

/// Leave the account.
///
/// Your sessions and API tokens in it end at once. The last owner cannot leave.
#[utoipa::path(
    post,
    path = "/api/v1/account/leave",
    tag = "accounts",
    responses(
        (status = 204, description = "Done"),
        (status = 409, description = "`last_owner`"),
    ),
)]
pub(crate) async fn leave(caller: Caller<act::LeaveAccount>) -> Result<StatusCode, ApiError> {
    let person = &caller.person;
    let changed = caller
        .store()
        .remove_member(person.account, person.user, person.role);
    outcome(changed.await?, person.user)?;
    Ok(StatusCode::NO_CONTENT)
}
