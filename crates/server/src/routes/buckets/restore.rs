//! `POST /api/v1/buckets/{bucket}/restore`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{Operation, OperationAnswer},
    command::{BucketRestore, Command},
    ident::BucketId,
};

use super::sight;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        command::{IdempotencyKey, Wish, ask},
        reachable_bucket,
    },
    web::Path,
};

/// Set a bucket to what was asked for: its limits, its rules, and the rights of the keys that differ.
///
/// What nobody asked for here stays as it was found. `GET …/settings` shows both. Also 409 `other_rules`
/// and `foreign_keys`. Operators may for any account.
#[utoipa::path(
    post,
    path = "/api/v1/buckets/{bucket}/restore",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    responses(
        (status = 200, body = OperationAnswer, description = "Set"),
        CommandErrors,
    ),
)]
pub(crate) async fn restore(
    caller: Caller<act::RestoreBucket>,
    key: IdempotencyKey,
    Path(id): Path<BucketId>,
) -> Result<Response, ApiError> {
    // The same request again is the same command, though less may differ by now, or the bucket be gone.
    let before = key.asked_before(&caller).await?;
    let region = match (reachable_bucket(&caller, id).await, &before) {
        (Ok((_, bucket)), _) => bucket.region,
        (Err(_), Some(asked)) => asked.region.clone(),
        (Err(no), None) => return Err(no),
    };
    let command = match before.as_ref().and_then(|asked| restoration_of(asked, id)) {
        Some(command) => command,
        None => {
            let sight = sight(&caller);
            let restoration = caller.store().restoration(&region, id, sight).await?;
            if restoration.other_rules {
                return Err(other_rules());
            }
            if restoration.only_foreign {
                return Err(foreign_keys());
            }
            restoration.command
        }
    };
    let wish = Wish {
        region,
        command: Command::BucketRestore(command),
        seal_to: None,
    };
    ask(&caller, key, wish, StatusCode::OK).await
}

/// What an operation asked for, if it was to restore this bucket.
fn restoration_of(asked: &Operation, bucket: BucketId) -> Option<BucketRestore> {
    if asked.command != "bucket.restore" {
        return None;
    }
    let command: BucketRestore = serde_json::from_value(asked.parameters.clone()).ok()?;
    (command.bucket == bucket).then_some(command)
}

fn other_rules() -> ApiError {
    let message = "The bucket has CORS, lifecycle or website rules that cannot be said here, and this would \
                   delete them. Nothing was changed. Set the rules that you want one by one: CORS, \
                   lifecycle and website replace what is there.";
    ApiError::refused(StatusCode::CONFLICT, "other_rules", message)
}

fn foreign_keys() -> ApiError {
    let message = "All that differs are rights of keys that are not your account's. Nothing was changed. \
                   Accept them as they are, or ask an operator to restore the bucket.";
    ApiError::refused(StatusCode::CONFLICT, "foreign_keys", message)
}
