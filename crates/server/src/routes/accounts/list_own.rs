//! `GET /api/v1/accounts/own`

use storm_protocol::api::OwnAccountPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// The accounts that you are in, by name.
#[utoipa::path(
    get,
    path = "/api/v1/accounts/own",
    tag = "accounts",
    responses((status = 200, body = OwnAccountPage)),
)]
pub(crate) async fn list_own(
    caller: Caller<act::ListOwnAccounts>,
) -> Result<Json<OwnAccountPage>, ApiError> {
    let items = caller.store().accounts_of(caller.person.user).await?;
    Ok(Json(OwnAccountPage {
        items,
        next_cursor: None,
    }))
}
