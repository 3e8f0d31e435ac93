//! `DELETE /api/v1/invitations/{invitation}`

use http::StatusCode;
use storm_protocol::ident::InvitationId;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Path,
};

/// Withdraw an invitation; its link stops working at once.
#[utoipa::path(
    delete,
    path = "/api/v1/invitations/{invitation}",
    tag = "people",
    params(("invitation" = InvitationId, Path)),
    responses(
        (status = 204, description = "Withdrawn"),
        (status = 404, description = "`no_such_invitation`"),
    ),
)]
pub(crate) async fn withdraw(
    caller: Caller<act::WithdrawInvitation>,
    Path(id): Path<InvitationId>,
) -> Result<StatusCode, ApiError> {
    let account = caller.person.account;
    if caller.store().withdraw_invitation(account, id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found("invitation", id, "/api/v1/invitations"))
}
