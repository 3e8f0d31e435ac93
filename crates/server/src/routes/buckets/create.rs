//! `POST /api/v1/buckets`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{CreateBucketRequest, OperationAnswer},
    command::{BucketCreate, Command},
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        command::{IdempotencyKey, Wish, ask},
        region_to_make_in,
    },
    web::Json,
};

/// Days after which a new bucket drops an unfinished upload.
const ABORT_UPLOADS_AFTER_DAYS: u16 = 7;

/// Make a bucket.
///
/// With `key`, also its first key with every right on it; the secret comes back in `sealed`, sealed to
/// `seal_to`.
#[utoipa::path(
    post,
    path = "/api/v1/buckets",
    tag = "buckets",
    request_body = CreateBucketRequest,
    responses(
        (status = 201, body = OperationAnswer, description = "Made"),
        CommandErrors,
    ),
)]
pub(crate) async fn create(
    caller: Caller<act::CreateBucket>,
    key: IdempotencyKey,
    Json(request): Json<CreateBucketRequest>,
) -> Result<Response, ApiError> {
    if request.key.is_some() && request.seal_to.is_none() {
        let why = "a first key was asked for, so its secret needs a public key to be sealed to; send one, \
                   or leave out `key`";
        return Err(ApiError::field("seal_to", why));
    }
    let region = region_to_make_in(&caller, &key, request.region).await?;
    let seal_to = request.seal_to.filter(|_| request.key.is_some());
    let command = Command::BucketCreate(BucketCreate {
        bucket: request.name,
        quota_bytes: request.quota_bytes,
        quota_objects: request.quota_objects,
        abort_uploads_after_days: Some(ABORT_UPLOADS_AFTER_DAYS),
        key: request.key,
    });
    ask(
        &caller,
        key,
        Wish {
            region,
            command,
            seal_to,
        },
        StatusCode::CREATED,
    )
    .await
}
