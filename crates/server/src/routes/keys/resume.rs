//! `POST /api/v1/keys/{key}/resume`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::OperationAnswer,
    command::{Command, KeyResume},
    ident::AccessKeyId,
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        command::{IdempotencyKey, Wish, ask},
        own_key,
    },
    web::Path,
};

/// Let a suspended key work again, until the end that it had.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{key}/resume",
    tag = "keys",
    params(("key" = AccessKeyId, Path)),
    responses(
        (status = 200, body = OperationAnswer, description = "Resumed"),
        CommandErrors,
    ),
)]
pub(crate) async fn resume(
    caller: Caller<act::ResumeKey>,
    idempotency: IdempotencyKey,
    Path(key): Path<AccessKeyId>,
) -> Result<Response, ApiError> {
    let found = own_key(&caller, &key).await?;
    let region = found.region;
    let command = Command::KeyResume(KeyResume {
        key,
        expires_at: found.expires_at,
    });
    let wish = Wish {
        region,
        command,
        seal_to: None,
    };
    ask(&caller, idempotency, wish, StatusCode::OK).await
}
