//! `DELETE /api/v1/buckets/{bucket}/aliases/{name}`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::OperationAnswer,
    command::{BucketRemoveAlias, Command},
    ident::{BucketId, BucketName},
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        bucket_region,
        command::{IdempotencyKey, Wish, ask},
    },
    web::Path,
};

/// Take one of its names from a bucket.
///
/// The last one stays: `last_alias`.
#[utoipa::path(
    delete,
    path = "/api/v1/buckets/{bucket}/aliases/{name}",
    tag = "buckets",
    params(("bucket" = BucketId, Path), ("name" = BucketName, Path)),
    responses(
        (status = 200, body = OperationAnswer, description = "Taken away"),
        CommandErrors,
    ),
)]
pub(crate) async fn remove_alias(
    caller: Caller<act::RemoveBucketAlias>,
    key: IdempotencyKey,
    Path((id, name)): Path<(BucketId, BucketName)>,
) -> Result<Response, ApiError> {
    let region = bucket_region(&caller, &key, id).await?;
    let command = Command::BucketRemoveAlias(BucketRemoveAlias { bucket: id, name });
    let wish = Wish {
        region,
        command,
        seal_to: None,
    };
    ask(&caller, key, wish, StatusCode::OK).await
}
