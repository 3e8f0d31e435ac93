//! `POST /api/v1/buckets/{bucket}/release`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::OperationAnswer,
    command::{BucketRelease, Command},
    ident::BucketId,
};

use super::anyones_bucket;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::command::{IdempotencyKey, Wish, ask},
    web::Path,
};

/// Take a bucket from its account: every key loses its rights on it, its objects stay.
///
/// For operators. It is a stray then, to be adopted again or left alone. Also 409 `no_account`.
#[utoipa::path(
    post,
    path = "/api/v1/buckets/{bucket}/release",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    responses(
        (status = 200, body = OperationAnswer, description = "Taken"),
        CommandErrors,
    ),
)]
pub(crate) async fn release(
    caller: Caller<act::ReleaseBucket>,
    key: IdempotencyKey,
    Path(id): Path<BucketId>,
) -> Result<Response, ApiError> {
    let (owner, bucket) = anyones_bucket(&caller, id).await?;
    // One that was asked before under the same key is answered as it was.
    if owner.is_none() && !key.is_known(&caller).await? {
        let message = format!(
            "Bucket {id} belongs to no account. Nothing was changed. `storm stray list` shows what does not."
        );
        return Err(ApiError::refused(
            StatusCode::CONFLICT,
            "no_account",
            message,
        ));
    }
    let command = Command::BucketRelease(BucketRelease { bucket: id });
    let wish = Wish {
        region: bucket.region,
        command,
        seal_to: None,
    };
    ask(&caller, key, wish, StatusCode::OK).await
}
