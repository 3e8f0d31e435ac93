//! `GET /api/v1/regions`

use storm_protocol::api::RegionPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{Paging, cut, page_size, place},
    store::views::rows_of,
    web::{Json, Search},
};

/// The regions, by name.
#[utoipa::path(
    get,
    path = "/api/v1/regions",
    tag = "regions",
    params(Paging),
    responses((status = 200, body = RegionPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadRegions>,
    Search(paging): Search<Paging>,
) -> Result<Json<RegionPage>, ApiError> {
    let size = page_size(paging.limit)?;
    let [after] = place(paging.cursor.as_deref())?.unwrap_or_default();
    let found = caller.store().regions_after(&after, rows_of(size + 1));
    let (items, next_cursor) = cut(found.await?, size, |last| vec![last.name.to_string()]);
    Ok(Json(RegionPage { items, next_cursor }))
}
