//! `POST /api/v1/keys/{key}/suspend`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::OperationAnswer,
    command::{Command, KeySuspend},
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
    web::Path,
};

/// Stop a key from working until it is resumed. Its rights stay.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{key}/suspend",
    tag = "keys",
    params(("key" = AccessKeyId, Path)),
    responses(
        (status = 200, body = OperationAnswer, description = "Suspended"),
        CommandErrors,
    ),
)]
pub(crate) async fn suspend(
    caller: Caller<act::SuspendKey>,
    idempotency: IdempotencyKey,
    Path(key): Path<AccessKeyId>,
) -> Result<Response, ApiError> {
    let region = key_region(&caller, &idempotency, &key).await?;
    let command = Command::KeySuspend(KeySuspend { key });
    let wish = Wish {
        region,
        command,
        seal_to: None,
    };
    ask(&caller, idempotency, wish, StatusCode::OK).await
}
