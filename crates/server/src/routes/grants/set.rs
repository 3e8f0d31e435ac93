//! `PUT /api/v1/buckets/{bucket}/grants/{key}`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{OperationAnswer, SetGrantRequest},
    command::{Command, KeySetGrant},
    ident::{AccessKeyId, BucketId},
};

use crate::{
    auth::{Caller, Member},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        command::{IdempotencyKey, Wish, ask},
        own_bucket, own_key,
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
    caller: Caller<Member>,
    idempotency: IdempotencyKey,
    Path((bucket, key)): Path<(BucketId, AccessKeyId)>,
    Json(request): Json<SetGrantRequest>,
) -> Result<Response, ApiError> {
    let region = own_bucket(&caller, bucket).await?.region;
    if own_key(&caller, &key).await?.region != region {
        return Err(ApiError::not_found("key"));
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
