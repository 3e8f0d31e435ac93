//! `PUT /api/v1/buckets/{bucket}/quota`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{OperationAnswer, SetQuotaRequest},
    command::{BucketSetQuota, Command},
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

/// Set both limits of a bucket; an absent one is lifted.
#[utoipa::path(
    put,
    path = "/api/v1/buckets/{bucket}/quota",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    request_body = SetQuotaRequest,
    responses(
        (status = 200, body = OperationAnswer, description = "Set"),
        CommandErrors,
    ),
)]
pub(crate) async fn set_quota(
    caller: Caller<act::SetBucketQuota>,
    key: IdempotencyKey,
    Path(id): Path<BucketId>,
    Json(request): Json<SetQuotaRequest>,
) -> Result<Response, ApiError> {
    let region = bucket_region(&caller, &key, id).await?;
    let SetQuotaRequest {
        quota_bytes,
        quota_objects,
    } = request;
    let command = Command::BucketSetQuota(BucketSetQuota {
        bucket: id,
        quota_bytes,
        quota_objects,
    });
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
