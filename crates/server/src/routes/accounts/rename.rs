//! `PUT /api/v1/account/name`

use http::StatusCode;
use storm_protocol::api::RenameAccountRequest;

use super::check_name;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// Call the account something else.
#[utoipa::path(
    put,
    path = "/api/v1/account/name",
    tag = "accounts",
    request_body = RenameAccountRequest,
    responses((status = 204, description = "Done")),
)]
pub(crate) async fn rename(
    caller: Caller<act::RenameAccount>,
    Json(request): Json<RenameAccountRequest>,
) -> Result<StatusCode, ApiError> {
    let name = check_name(request.name)?;
    let store = caller.store();
    store.rename_account(caller.person.account, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
