//! `PUT /api/v1/buckets/{bucket}/cors`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{OperationAnswer, SetCorsRequest},
    command::{BucketSetCors, Command},
    ident::BucketId,
    rules::check_cors,
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

/// Set which pages may use a bucket from a browser.
///
/// The rules given are all that it has then: at most 100, in 12 KiB of JSON.
#[utoipa::path(
    put,
    path = "/api/v1/buckets/{bucket}/cors",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    request_body = SetCorsRequest,
    responses(
        (status = 200, body = OperationAnswer, description = "Set"),
        CommandErrors,
    ),
)]
pub(crate) async fn set_cors(
    caller: Caller<act::SetBucketCors>,
    key: IdempotencyKey,
    Path(id): Path<BucketId>,
    Json(request): Json<SetCorsRequest>,
) -> Result<Response, ApiError> {
    let region = bucket_region(&caller, &key, id).await?;
    check_cors(&request.rules).map_err(|fault| ApiError::field(&fault.place, fault.why))?;
    let command = Command::BucketSetCors(BucketSetCors {
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
