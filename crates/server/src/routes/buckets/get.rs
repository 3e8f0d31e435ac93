//! `GET /api/v1/buckets/{bucket}`

use storm_protocol::{api::Bucket, ident::BucketId};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::own_bucket,
    web::{Json, Path},
};

/// A bucket.
#[utoipa::path(
    get,
    path = "/api/v1/buckets/{bucket}",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    responses((status = 200, body = Bucket), (status = 404, description = "`no_such_bucket`")),
)]
pub(crate) async fn get(
    caller: Caller<act::ReadBuckets>,
    Path(id): Path<BucketId>,
) -> Result<Json<Bucket>, ApiError> {
    own_bucket(&caller, id).await.map(Json)
}
