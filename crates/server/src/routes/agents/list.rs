//! `GET /api/v1/agents`

use storm_protocol::api::AgentPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// All agents, by region, on one page.
///
/// For operators.
#[utoipa::path(
    get,
    path = "/api/v1/agents",
    tag = "agents",
    responses((status = 200, body = AgentPage)),
)]
pub(crate) async fn list(caller: Caller<act::ReadAgents>) -> Result<Json<AgentPage>, ApiError> {
    let items = caller.store().agents().await?;
    Ok(Json(AgentPage {
        items,
        next_cursor: None,
    }))
}
