//! `DELETE /api/v1/keys/{key}`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::OperationAnswer,
    command::{Command, KeyDelete},
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

/// Delete a key at once; whoever holds it loses access.
#[utoipa::path(
    delete,
    path = "/api/v1/keys/{key}",
    tag = "keys",
    params(("key" = AccessKeyId, Path)),
    responses(
        (status = 200, body = OperationAnswer, description = "Deleted"),
        CommandErrors,
    ),
)]
pub(crate) async fn delete(
    caller: Caller<act::DeleteKey>,
    idempotency: IdempotencyKey,
    Path(key): Path<AccessKeyId>,
) -> Result<Response, ApiError> {
    let region = key_region(&caller, &idempotency, &key).await?;
    let command = Command::KeyDelete(KeyDelete { key });
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
