//! `GET /api/v1/buckets/{bucket}/settings`

use storm_protocol::{api::BucketSettings, ident::BucketId};

use super::sight;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::reachable_bucket,
    web::{Json, Path},
};

/// What is set on a bucket: as asked for, as the storage has it, and where the two differ.
///
/// Operators see that of any account.
#[utoipa::path(
    get,
    path = "/api/v1/buckets/{bucket}/settings",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    responses(
        (status = 200, body = BucketSettings),
        (status = 404, description = "`no_such_bucket`"),
    ),
)]
pub(crate) async fn settings(
    caller: Caller<act::ReadBuckets>,
    Path(id): Path<BucketId>,
) -> Result<Json<BucketSettings>, ApiError> {
    let (account, bucket) = reachable_bucket(&caller, id).await?;
    let region = bucket.region;
    let settings = caller
        .store()
        .bucket_settings(&region, id, account, sight(&caller))
        .await?;
    Ok(Json(settings))
}
