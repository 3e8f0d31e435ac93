//! `GET /api/v1/buckets/{bucket}/grants`

use serde::Deserialize;
use storm_protocol::{api::GrantPage, ident::BucketId};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{cut, own_bucket, page_size, place},
    web::{Json, Path, Search},
};

/// Which grants.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items on a page; 100 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// The rights of your keys on a bucket, by key.
#[utoipa::path(
    get,
    path = "/api/v1/buckets/{bucket}/grants",
    tag = "grants",
    params(("bucket" = BucketId, Path), Filter),
    responses(
        (status = 200, body = GrantPage),
        (status = 404, description = "`no_such_bucket`"),
    ),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadBuckets>,
    Path(id): Path<BucketId>,
    Search(filter): Search<Filter>,
) -> Result<Json<GrantPage>, ApiError> {
    let size = page_size(filter.limit)?;
    let after = place(filter.cursor.as_deref())?.map_or(String::new(), |[key]| key);
    own_bucket(&caller, id).await?;
    let found = caller
        .store()
        .grants(caller.person.account, id, &after, size + 1)
        .await?;
    let (items, next_cursor) = cut(found, size, |last| vec![last.key.to_string()]);
    Ok(Json(GrantPage { items, next_cursor }))
}
