//! `PUT /api/v1/buckets/{bucket}/grants/{key}`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{OperationAnswer, SetGrantRequest},
    command::{Command, KeySetGrant},
    ident::{AccessKeyId, BucketId},
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        bucket_region,
        command::{IdempotencyKey, Wish, ask},
        key_region,
    },
    web::{Json, Path},
};

/// Set a key's rights on a bucket to exactly these.
#[utoipa::path(
    put,
    path = "/api/v1/buckets/{bucket}/grants/{key}",
    tag = "grants",
    params(("bucket" = BucketId, Path), ("key" = AccessKeyId, Path)),
    request_body = SetGrantRequest,
    responses(
        (status = 200, body = OperationAnswer, description = "Set"),
        CommandErrors,
    ),
)]
pub(crate) async fn set(
    caller: Caller<act::SetGrant>,
    idempotency: IdempotencyKey,
    Path((bucket, key)): Path<(BucketId, AccessKeyId)>,
    Json(request): Json<SetGrantRequest>,
) -> Result<Response, ApiError> {
    let region = bucket_region(&caller, &idempotency, bucket).await?;
    let keys_region = key_region(&caller, &idempotency, &key).await?;
    if keys_region != region {
        let message = format!(
            "Key {key} is in region {keys_region} and the bucket is in region {region}, where it opens \
             nothing. Nothing was changed. Name a key of the bucket's region."
        );
        return Err(ApiError::refused(
            StatusCode::NOT_FOUND,
            "no_such_key",
            message,
        ));
    }
    let SetGrantRequest { read, write, owner } = request;
    let command = Command::KeySetGrant(KeySetGrant {
        key,
        bucket,
        read,
        write,
        owner,
    });
    ask(
        &caller,
        idempotency,
        Wish {
            region,
            command,
            seal_to: None,
        },
        StatusCode::OK,
    )
    .await
}
