//! `GET /api/v1/security-events`

use storm_protocol::api::SecurityEventPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{Paging, cut, page_size, place},
    web::{Json, Search},
};

/// What an operator should see, newest first: failed sign-ins, agents that were turned away, roles that moved.
///
/// For operators. Kept for 90 days, 100,000 at most.
#[utoipa::path(
    get,
    path = "/api/v1/security-events",
    tag = "audit",
    params(Paging),
    responses((status = 200, body = SecurityEventPage)),
)]
pub(crate) async fn security_events(
    caller: Caller<act::ReadSecurityEvents>,
    Search(paging): Search<Paging>,
) -> Result<Json<SecurityEventPage>, ApiError> {
    let size = page_size(paging.limit)?;
    let before = place(paging.cursor.as_deref())?
        .map(|[id]| id.parse())
        .transpose();
    let before = before.map_err(|error| ApiError::field("cursor", error))?;
    let found = caller.store().security_events(before, size + 1).await?;
    let (items, next_cursor) = cut(found, size, |last| vec![last.id.to_string()]);
    Ok(Json(SecurityEventPage { items, next_cursor }))
}
