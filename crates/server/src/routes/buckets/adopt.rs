//! `POST /api/v1/buckets/{bucket}/adopt`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{AccountState, AdoptRequest, OperationAnswer},
    command::{BucketAdopt, Command},
    ident::{AccountId, BucketId},
};

use super::anyones_bucket;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::command::{IdempotencyKey, Wish, ask},
    web::{Json, Path},
};

/// Give a bucket that nobody has to an account.
///
/// For operators. `GET /api/v1/strays` lists such buckets. Also 404 `no_such_account`, 409 `has_account`,
/// `account_closing`, `account_closed`.
#[utoipa::path(
    post,
    path = "/api/v1/buckets/{bucket}/adopt",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    request_body = AdoptRequest,
    responses(
        (status = 200, body = OperationAnswer, description = "Given"),
        CommandErrors,
    ),
)]
pub(crate) async fn adopt(
    caller: Caller<act::AdoptBucket>,
    key: IdempotencyKey,
    Path(id): Path<BucketId>,
    Json(request): Json<AdoptRequest>,
) -> Result<Response, ApiError> {
    let (owner, bucket) = anyones_bucket(&caller, id).await?;
    let AdoptRequest {
        account,
        name,
        quota_bytes,
        quota_objects,
    } = request;
    if !caller.store().has_account(account).await? {
        let message =
            format!("There is no account {account}. Nothing was changed. Look its id up again.");
        return Err(ApiError::refused(
            StatusCode::NOT_FOUND,
            "no_such_account",
            message,
        ));
    }
    let state = caller.store().account_state(account).await?;
    if matches!(state, AccountState::Closing | AccountState::Closed) {
        let message = format!(
            "Account {account} is {}, and the bucket would be cleared with it. Nothing was changed.",
            state.as_str()
        );
        let code = format!("account_{}", state.as_str());
        return Err(ApiError::refused(StatusCode::CONFLICT, code, message));
    }
    // One that a sweep has just given to the same account may still be named and limited.
    if let Some(owner) = owner.filter(|owner| *owner != account) {
        return Err(has_account(id, owner));
    }
    let command = Command::BucketAdopt(BucketAdopt {
        bucket: id,
        account,
        name,
        quota_bytes,
        quota_objects,
    });
    let wish = Wish {
        region: bucket.region,
        command,
        seal_to: None,
    };
    ask(&caller, key, wish, StatusCode::OK).await
}

fn has_account(bucket: BucketId, owner: AccountId) -> ApiError {
    let message = format!(
        "Bucket {bucket} belongs to account {owner}. Nothing was changed. Release it first: `storm bucket \
         release {bucket}` takes every key's rights on it away."
    );
    ApiError::refused(StatusCode::CONFLICT, "has_account", message)
}
