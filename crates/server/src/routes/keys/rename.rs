//! `PUT /api/v1/keys/{key}/label`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{OperationAnswer, RenameKeyRequest},
    command::{Command, KeyRename},
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

/// Call a key something else.
#[utoipa::path(
    put,
    path = "/api/v1/keys/{key}/label",
    tag = "keys",
    params(("key" = AccessKeyId, Path)),
    request_body = RenameKeyRequest,
    responses(
        (status = 200, body = OperationAnswer, description = "Renamed"),
        CommandErrors,
    ),
)]
pub(crate) async fn rename(
    caller: Caller<act::RenameKey>,
    idempotency: IdempotencyKey,
    Path(key): Path<AccessKeyId>,
    Json(request): Json<RenameKeyRequest>,
) -> Result<Response, ApiError> {
    let region = key_region(&caller, &idempotency, &key).await?;
    let command = Command::KeyRename(KeyRename {
        key,
        label: request.label,
    });
    let wish = Wish {
        region,
        command,
        seal_to: None,
    };
    ask(&caller, idempotency, wish, StatusCode::OK).await
}
