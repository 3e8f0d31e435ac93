//! `POST /api/v1/buckets/{bucket}/aliases`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{AddAliasRequest, OperationAnswer},
    command::{BucketAddAlias, Command},
    ident::BucketId,
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        bucket_region,
        command::{IdempotencyKey, Wish, ask},
    },
    web::{Json, Path},
};

/// Give a bucket one more name.
///
/// One that another bucket of the region has is refused: `name_taken`.
#[utoipa::path(
    post,
    path = "/api/v1/buckets/{bucket}/aliases",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    request_body = AddAliasRequest,
    responses(
        (status = 200, body = OperationAnswer, description = "Given"),
        CommandErrors,
    ),
)]
pub(crate) async fn add_alias(
    caller: Caller<act::AddBucketAlias>,
    key: IdempotencyKey,
    Path(id): Path<BucketId>,
    Json(request): Json<AddAliasRequest>,
) -> Result<Response, ApiError> {
    let region = bucket_region(&caller, &key, id).await?;
    let command = Command::BucketAddAlias(BucketAddAlias {
        bucket: id,
        name: request.name,
    });
    let wish = Wish {
        region,
        command,
        seal_to: None,
    };
    ask(&caller, key, wish, StatusCode::OK).await
}
