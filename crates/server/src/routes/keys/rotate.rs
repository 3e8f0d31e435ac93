//! `POST /api/v1/keys/{key}/rotate`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{OperationAnswer, RotateKeyRequest},
    command::{Command, KeyRotate, MAX_GRACE_SECONDS},
    ident::AccessKeyId,
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        command::{IdempotencyKey, Wish, ask},
        key_region,
    },
    web::{Json, Path},
};

/// Replace a key.
///
/// Makes a new key with the same rights; the old one keeps working for `grace_seconds`, 90 days at most.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{key}/rotate",
    tag = "keys",
    params(("key" = AccessKeyId, Path)),
    request_body = RotateKeyRequest,
    responses(
        (status = 201, body = OperationAnswer, description = "The new key was made"),
        CommandErrors,
    ),
)]
pub(crate) async fn rotate(
    caller: Caller<act::RotateKey>,
    idempotency: IdempotencyKey,
    Path(key): Path<AccessKeyId>,
    Json(request): Json<RotateKeyRequest>,
) -> Result<Response, ApiError> {
    let RotateKeyRequest {
        label,
        grace_seconds,
        seal_to,
    } = request;
    if grace_seconds > MAX_GRACE_SECONDS {
        let why = format!("expected {MAX_GRACE_SECONDS} (90 days) at most");
        return Err(ApiError::field("grace_seconds", why));
    }
    let region = key_region(&caller, &idempotency, &key).await?;
    let command = Command::KeyRotate(KeyRotate {
        key,
        label,
        grace_seconds,
    });
    let wish = Wish {
        region,
        command,
        seal_to: Some(seal_to),
    };
    ask(&caller, idempotency, wish, StatusCode::CREATED).await
}
