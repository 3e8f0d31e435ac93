//! `POST /api/v1/buckets/{bucket}/cleanup-uploads`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{CleanupUploadsRequest, OperationAnswer},
    command::{BucketCleanupUploads, Command, MAX_UPLOAD_AGE_SECONDS},
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
    web::{Json, Path},
};

/// Remove a bucket's unfinished uploads.
///
/// Those that began longer ago than `older_than_seconds`; 0 removes all.
#[utoipa::path(
    post,
    path = "/api/v1/buckets/{bucket}/cleanup-uploads",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    request_body = CleanupUploadsRequest,
    responses(
        (status = 200, body = OperationAnswer, description = "Removed"),
        CommandErrors,
    ),
)]
pub(crate) async fn cleanup_uploads(
    caller: Caller<act::CleanupUploads>,
    key: IdempotencyKey,
    Path(id): Path<BucketId>,
    Json(request): Json<CleanupUploadsRequest>,
) -> Result<Response, ApiError> {
    let region = bucket_region(&caller, &key, id).await?;
    let older_than_seconds = request.older_than_seconds;
    if older_than_seconds > MAX_UPLOAD_AGE_SECONDS {
        let why = format!("expected {MAX_UPLOAD_AGE_SECONDS} (ten years) at most");
        return Err(ApiError::field("older_than_seconds", why));
    }
    let command = Command::BucketCleanupUploads(BucketCleanupUploads {
        bucket: id,
        older_than_seconds,
    });
    let wish = Wish {
        region,
        command,
        seal_to: None,
    };
    ask(&caller, key, wish, StatusCode::OK).await
}
