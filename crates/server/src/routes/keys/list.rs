//! `GET /api/v1/keys`

use serde::Deserialize;
use storm_protocol::{api::KeyPage, ident::RegionName};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{cut, page_size, place},
    web::{Json, Search},
};

/// Which keys.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those in this region.
    region: Option<RegionName>,
    /// Those that vanished within 90 days without having been asked to, instead of those that there
    /// are.
    #[serde(default)]
    vanished: bool,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on a page; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// Your keys with their rights, by id.
#[utoipa::path(
    get,
    path = "/api/v1/keys",
    tag = "keys",
    params(Filter),
    responses((status = 200, body = KeyPage)),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadKeys>,
    Search(filter): Search<Filter>,
) -> Result<Json<KeyPage>, ApiError> {
    let size = page_size(filter.limit)?;
    let after = place(filter.cursor.as_deref())?.map_or(String::new(), |[id]| id);
    let account = caller.person.account;
    let (store, region) = (caller.store(), filter.region.as_ref());
    let found = if filter.vanished {
        let now = caller.now();
        let vanished = store.keys_vanished(account, region, &after, size + 1, now);
        vanished.await?
    } else {
        store.keys(account, region, &after, size + 1).await?
    };
    let (items, next_cursor) = cut(found, size, |last| vec![last.id.to_string()]);
    Ok(Json(KeyPage { items, next_cursor }))
}
