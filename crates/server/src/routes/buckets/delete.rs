//! `DELETE /api/v1/buckets/{bucket}`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::OperationAnswer,
    command::{BucketDelete, Command},
    ident::BucketId,
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

/// Delete an empty bucket.
///
/// One that holds objects is left as it is: `bucket_not_empty`.
#[utoipa::path(
    delete,
    path = "/api/v1/buckets/{bucket}",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    responses(
        (status = 200, body = OperationAnswer, description = "Deleted"),
        CommandErrors,
    ),
)]
pub(crate) async fn delete(
    caller: Caller<act::DeleteBucket>,
    key: IdempotencyKey,
    Path(id): Path<BucketId>,
) -> Result<Response, ApiError> {
    let region = bucket_region(&caller, &key, id).await?;
    let command = Command::BucketDelete(BucketDelete { bucket: id });
    ask(
        &caller,
        key,
        Wish {
            region,
            command,
            seal_to: None,
        },
        StatusCode::OK,
    )
    .await
}
