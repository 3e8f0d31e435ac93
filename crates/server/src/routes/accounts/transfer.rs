//! `POST /api/v1/account/transfer`

use http::StatusCode;
use storm_protocol::api::TransferAccountRequest;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::members::outcome,
    store::people::Changed,
    web::Json,
};

/// Make somebody else an owner in your place.
///
/// They are in the account already. You are an admin afterwards.
#[utoipa::path(
    post,
    path = "/api/v1/account/transfer",
    tag = "accounts",
    request_body = TransferAccountRequest,
    responses(
        (status = 204, description = "Done"),
        (status = 404, description = "`no_such_member`"),
    ),
)]
pub(crate) async fn transfer(
    caller: Caller<act::TransferAccount>,
    Json(request): Json<TransferAccountRequest>,
) -> Result<StatusCode, ApiError> {
    let person = &caller.person;
    let changed = caller
        .store()
        .transfer_account(person.account, person.user, request.user);
    match changed.await? {
        // An operator who is no owner has nothing to give away.
        Changed::TooHigh => Err(ApiError::forbidden(
            "You are not an owner of the account. Nothing was changed.",
        )),
        other => outcome(other, request.user).map(|()| StatusCode::NO_CONTENT),
    }
}
