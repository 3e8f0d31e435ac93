//! `GET /api/v1/passkeys`

use storm_protocol::api::PasskeyPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// Your passkeys, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/passkeys",
    tag = "session",
    responses(
        (status = 200, body = PasskeyPage),
        (status = 403, description = "`forbidden`: with an API token"),
    ),
)]
pub(crate) async fn list(
    caller: Caller<act::ListSignInMethods>,
) -> Result<Json<PasskeyPage>, ApiError> {
    Ok(Json(PasskeyPage {
        items: caller.store().passkeys(caller.person.user).await?,
        next_cursor: None,
    }))
}
