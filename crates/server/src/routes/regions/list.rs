//! `GET /api/v1/regions`

use storm_protocol::api::RegionPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// All regions, by name, on one page.
#[utoipa::path(
    get,
    path = "/api/v1/regions",
    tag = "regions",
    responses((status = 200, body = RegionPage)),
)]
pub(crate) async fn list(caller: Caller<act::ReadRegions>) -> Result<Json<RegionPage>, ApiError> {
    let items = caller.store().regions().await?;
    Ok(Json(RegionPage {
        items,
        next_cursor: None,
    }))
}
