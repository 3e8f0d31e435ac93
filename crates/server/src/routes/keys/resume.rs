//! `POST /api/v1/keys/{key}/resume`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{Operation, OperationAnswer},
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
    // The same request again is the same command, whatever the key's end is by now.
    let before = idempotency.asked_before(&caller).await?;
    let resumed = before.and_then(|asked| Some((resumption_of(&asked, &key)?, asked.region)));
    let (command, region) = match resumed {
        Some(same) => same,
        None => {
            let found = own_key(&caller, &key).await?;
            let expires_at = found.expires_at;
            (KeyResume { key, expires_at }, found.region)
        }
    };
    let wish = Wish {
        region,
        command: Command::KeyResume(command),
        seal_to: None,
    };
    ask(&caller, idempotency, wish, StatusCode::OK).await
}

/// What an operation asked for, if it was to resume this key.
fn resumption_of(asked: &Operation, key: &AccessKeyId) -> Option<KeyResume> {
    if asked.command != "key.resume" {
        return None;
    }
    let command: KeyResume = serde_json::from_value(asked.parameters.clone()).ok()?;
    (command.key == *key).then_some(command)
}
