//! `GET /api/v1/buckets/{bucket}/grants`

use storm_protocol::{api::GrantPage, ident::BucketId};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{Paging, cut, own_bucket, page_size, place},
    web::{Json, Path, Search},
};

/// The rights of your keys on a bucket, by key.
#[utoipa::path(
    get,
    path = "/api/v1/buckets/{bucket}/grants",
    tag = "grants",
    params(("bucket" = BucketId, Path), Paging),
    responses(
        (status = 200, body = GrantPage),
        (status = 404, description = "`no_such_bucket`"),
    ),
)]
pub(crate) async fn list(
    caller: Caller<act::ReadBuckets>,
    Path(id): Path<BucketId>,
    Search(paging): Search<Paging>,
) -> Result<Json<GrantPage>, ApiError> {
    let size = page_size(paging.limit)?;
    let after = place(paging.cursor.as_deref())?.map_or(String::new(), |[key]| key);
    own_bucket(&caller, id).await?;
    let found = caller
        .store()
        .grants(caller.person.account, id, &after, size + 1)
        .await?;
    let (items, next_cursor) = cut(found, size, |last| vec![last.key.to_string()]);
    Ok(Json(GrantPage { items, next_cursor }))
}
