//! `GET /api/v1/agents`

use storm_protocol::api::AgentPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{Paging, cut, page_size, place},
    store::views::rows_of,
    web::{Json, Search},
};

/// The agents, by region.
///
/// For operators.
#[utoipa::path(
    get,
    path = "/api/v1/agents",
    tag = "agents",
    params(Paging),
    responses((status = 200, body = AgentPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadAgents>,
    Search(paging): Search<Paging>,
) -> Result<Json<AgentPage>, ApiError> {
    let size = page_size(paging.limit)?;
    let [region, id] = place(paging.cursor.as_deref())?.unwrap_or_default();
    let found = caller.store().agents((&region, &id), rows_of(size + 1));
    let (items, next_cursor) = cut(found.await?, size, |last| {
        vec![last.region.to_string(), last.id.to_string()]
    });
    Ok(Json(AgentPage { items, next_cursor }))
}
