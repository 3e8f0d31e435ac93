//! `POST /api/v1/keys/temporary`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{CreateTemporaryKeyRequest, OperationAnswer},
    command::{Command, KeyCreateTemporary, MAX_TEMPORARY_SECONDS},
    ident::KeyLabel,
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        bucket_region,
        command::{IdempotencyKey, Wish, ask},
    },
    web::Json,
};

/// How long a temporary key lives when the request does not say.
const DEFAULT_SECONDS: u32 = 3600;
/// Temporary keys that may live on one bucket: Garage never forgets a key.
const MAX_PER_BUCKET: u64 = 50;

/// Make a key for one bucket that ends by itself within 12 hours.
#[utoipa::path(
    post,
    path = "/api/v1/keys/temporary",
    tag = "keys",
    request_body = CreateTemporaryKeyRequest,
    responses(
        (status = 201, body = OperationAnswer, description = "Made"),
        CommandErrors,
    ),
)]
pub(crate) async fn create_temporary(
    caller: Caller<act::CreateTemporaryKey>,
    key: IdempotencyKey,
    Json(request): Json<CreateTemporaryKeyRequest>,
) -> Result<Response, ApiError> {
    let valid_seconds = request.valid_seconds.unwrap_or(DEFAULT_SECONDS);
    if !(1..=MAX_TEMPORARY_SECONDS).contains(&valid_seconds) {
        let why = format!("expected 1 to {MAX_TEMPORARY_SECONDS} (12 hours)");
        return Err(ApiError::field("valid_seconds", why));
    }
    let region = bucket_region(&caller, &key, request.bucket).await?;
    let living = caller
        .store()
        .living_temporary_keys(&region, request.bucket, caller.now())
        .await?;
    // One that was asked before under the same key is answered as it was.
    if living >= MAX_PER_BUCKET && !key.is_known(&caller).await? {
        let words = format!(
            "{MAX_PER_BUCKET} temporary keys live on this bucket. Nothing was changed. Wait for some to \
             end, or delete them."
        );
        return Err(ApiError::refused(
            StatusCode::CONFLICT,
            "limit_reached",
            words,
        ));
    }
    let command = Command::KeyCreateTemporary(KeyCreateTemporary {
        label: label()?,
        bucket: request.bucket,
        write: request.write,
        valid_seconds,
    });
    let wish = Wish {
        region,
        command,
        seal_to: Some(request.seal_to),
    };
    ask(&caller, key, wish, StatusCode::CREATED).await
}

fn label() -> Result<KeyLabel, ApiError> {
    "temporary"
        .parse()
        .map_err(|error| ApiError::Internal(format!("{error}")))
}
