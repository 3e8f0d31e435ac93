//! `GET /api/v1/agents/enrol-tokens`

use storm_protocol::api::EnrolTokenPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// All enrolment tokens, newest first, without their secrets.
///
/// For operators.
#[utoipa::path(
    get,
    path = "/api/v1/agents/enrol-tokens",
    tag = "agents",
    responses((status = 200, body = EnrolTokenPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadEnrolTokens>,
) -> Result<Json<EnrolTokenPage>, ApiError> {
    let items = caller.store().enrol_tokens().await?;
    Ok(Json(EnrolTokenPage {
        items,
        next_cursor: None,
    }))
}
