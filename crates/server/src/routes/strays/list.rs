//! `GET /api/v1/strays`

use serde::Deserialize;
use storm_protocol::{api::StrayPage, ident::RegionName};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{cut, page_size, place},
    store::strays::place_of,
    web::{Json, Search},
};

/// Which strays.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those in this region.
    region: Option<RegionName>,
    /// Only those that are to be left alone, or only the others; both when absent.
    ignored: Option<bool>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on a page; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Buckets and keys that belong to no account: buckets first, each by id.
///
/// For operators.
#[utoipa::path(
    get,
    path = "/api/v1/strays",
    tag = "strays",
    params(Filter),
    responses((status = 200, body = StrayPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadStrays>,
    Search(filter): Search<Filter>,
) -> Result<Json<StrayPage>, ApiError> {
    let size = page_size(filter.limit)?;
    let after = place(filter.cursor.as_deref())?.unwrap_or_default();
    let found = caller
        .store()
        .strays(filter.region.as_ref(), filter.ignored, &after, size + 1)
        .await?;
    let (items, next_cursor) = cut(found, size, place_of);
    Ok(Json(StrayPage { items, next_cursor }))
}
