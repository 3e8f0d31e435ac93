//! `GET /api/v1/regions/{region}`

use storm_protocol::{api::Region, ident::RegionName};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::{Json, Path},
};

/// A region.
#[utoipa::path(
    get,
    path = "/api/v1/regions/{region}",
    tag = "regions",
    params(("region" = RegionName, Path)),
    responses((status = 200, body = Region), (status = 404, description = "`no_such_region`")),
)]
pub(crate) async fn get(
    caller: Caller<act::ReadRegions>,
    Path(name): Path<RegionName>,
) -> Result<Json<Region>, ApiError> {
    let region = caller.store().region(&name).await?;
    region.map(Json).ok_or_else(|| ApiError::no_region(&name))
}
