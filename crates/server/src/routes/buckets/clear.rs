//! `POST /api/v1/buckets/{bucket}/clear`

use axum::response::Response;
use storm_protocol::{
    api::OperationAnswer,
    command::{BucketClear, Command},
    ident::BucketId,
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        bucket_region,
        command::{IdempotencyKey, Wish, begin},
    },
    web::Path,
};

/// Delete all objects of a bucket.
///
/// Those that were written before the agent takes the command; its unfinished uploads of before, too.
/// A job: the answer comes at once, and the operation tells how far it is.
#[utoipa::path(
    post,
    path = "/api/v1/buckets/{bucket}/clear",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    responses(
        (status = 202, body = OperationAnswer, description = "Begun; follow the operation, or cancel it"),
        CommandErrors,
    ),
)]
pub(crate) async fn clear(
    caller: Caller<act::ClearBucket>,
    key: IdempotencyKey,
    Path(id): Path<BucketId>,
) -> Result<Response, ApiError> {
    let region = bucket_region(&caller, &key, id).await?;
    let wish = Wish {
        region,
        command: Command::BucketClear(BucketClear { bucket: id }),
        seal_to: None,
    };
    begin(&caller, key, wish).await
}
