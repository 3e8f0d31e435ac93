//! `POST /api/v1/keys/{key}/revoke-leaked`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{OperationAnswer, RevokeLeakedRequest},
    command::{Command, KeyRevokeLeaked},
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

/// Replace a key that others may have.
///
/// The old one is deleted at once; the new one has its rights and its end.
#[utoipa::path(
    post,
    path = "/api/v1/keys/{key}/revoke-leaked",
    tag = "keys",
    params(("key" = AccessKeyId, Path)),
    request_body = RevokeLeakedRequest,
    responses(
        (status = 201, body = OperationAnswer, description = "The new key was made"),
        CommandErrors,
    ),
)]
pub(crate) async fn revoke_leaked(
    caller: Caller<act::RevokeLeakedKey>,
    idempotency: IdempotencyKey,
    Path(key): Path<AccessKeyId>,
    Json(request): Json<RevokeLeakedRequest>,
) -> Result<Response, ApiError> {
    let region = key_region(&caller, &idempotency, &key).await?;
    let command = Command::KeyRevokeLeaked(KeyRevokeLeaked {
        key,
        label: request.label,
    });
    let wish = Wish {
        region,
        command,
        seal_to: Some(request.seal_to),
    };
    ask(&caller, idempotency, wish, StatusCode::CREATED).await
}
