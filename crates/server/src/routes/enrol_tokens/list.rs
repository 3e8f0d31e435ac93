//! `GET /api/v1/agents/enrol-tokens`

use storm_protocol::api::EnrolTokenPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{Paging, cut, page_size, place},
    store::views::rows_of,
    web::{Json, Search},
};

/// The enrolment tokens, newest first, without their secrets.
///
/// For operators.
#[utoipa::path(
    get,
    path = "/api/v1/agents/enrol-tokens",
    tag = "agents",
    params(Paging),
    responses((status = 200, body = EnrolTokenPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadEnrolTokens>,
    Search(paging): Search<Paging>,
) -> Result<Json<EnrolTokenPage>, ApiError> {
    let size = page_size(paging.limit)?;
    // No id is greater: ids are hex digits.
    let [before] = place(paging.cursor.as_deref())?.unwrap_or_else(|| ["g".to_owned()]);
    let found = caller.store().enrol_tokens(&before, rows_of(size + 1));
    let (items, next_cursor) = cut(found.await?, size, |last| vec![last.id.to_string()]);
    Ok(Json(EnrolTokenPage { items, next_cursor }))
}
