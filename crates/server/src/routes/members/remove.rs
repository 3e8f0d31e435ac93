//! `DELETE /api/v1/members/{user}`

use http::StatusCode;
use storm_protocol::ident::UserId;

use super::outcome;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Path,
};

/// Take somebody out of the account.
///
/// Their sessions and API tokens in it end at once. Keys that they made stay: they are the account's.
#[utoipa::path(
    delete,
    path = "/api/v1/members/{user}",
    tag = "people",
    params(("user" = UserId, Path)),
    responses(
        (status = 204, description = "Done"),
        (status = 403, description = "`forbidden`: above you"),
        (status = 404, description = "`no_such_member`"),
        (status = 409, description = "`last_owner`"),
    ),
)]
pub(crate) async fn remove(
    caller: Caller<act::RemoveMember>,
    Path(user): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    let person = &caller.person;
    let changed = caller
        .store()
        .remove_member(person.account, user, person.highest());
    outcome(changed.await?, user)?;
    Ok(StatusCode::NO_CONTENT)
}
