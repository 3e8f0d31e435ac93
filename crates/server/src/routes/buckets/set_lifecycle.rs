//! `PUT /api/v1/buckets/{bucket}/lifecycle`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{OperationAnswer, SetLifecycleRequest},
    command::{BucketSetLifecycle, Command},
    ident::BucketId,
    rules::check_lifecycle,
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        bucket_region,
        command::{IdempotencyKey, Wish, ask},
    },
    web::{Json, Path},
};

/// Set what a bucket deletes by itself, once a day.
///
/// The rules given are all that it has then: at most 100, in 12 KiB of JSON.
#[utoipa::path(
    put,
    path = "/api/v1/buckets/{bucket}/lifecycle",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    request_body = SetLifecycleRequest,
    responses(
        (status = 200, body = OperationAnswer, description = "Set"),
        CommandErrors,
    ),
)]
pub(crate) async fn set_lifecycle(
    caller: Caller<act::SetBucketLifecycle>,
    key: IdempotencyKey,
    Path(id): Path<BucketId>,
    Json(request): Json<SetLifecycleRequest>,
) -> Result<Response, ApiError> {
    let region = bucket_region(&caller, &key, id).await?;
    check_lifecycle(&request.rules).map_err(|fault| ApiError::field(&fault.place, fault.why))?;
    let command = Command::BucketSetLifecycle(BucketSetLifecycle {
        bucket: id,
        rules: request.rules,
    });
    let wish = Wish {
        region,
        command,
        seal_to: None,
    };
    ask(&caller, key, wish, StatusCode::OK).await
}
