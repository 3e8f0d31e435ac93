//! `PUT /api/v1/buckets/{bucket}/website`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{OperationAnswer, SetWebsiteRequest},
    command::{BucketSetWebsite, Command},
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

/// Show a bucket as a website, or stop that.
#[utoipa::path(
    put,
    path = "/api/v1/buckets/{bucket}/website",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    request_body = SetWebsiteRequest,
    responses(
        (status = 200, body = OperationAnswer, description = "Set"),
        CommandErrors,
    ),
)]
pub(crate) async fn set_website(
    caller: Caller<act::SetBucketWebsite>,
    key: IdempotencyKey,
    Path(id): Path<BucketId>,
    Json(request): Json<SetWebsiteRequest>,
) -> Result<Response, ApiError> {
    let region = bucket_region(&caller, &key, id).await?;
    let command = Command::BucketSetWebsite(BucketSetWebsite {
        bucket: id,
        website: request.website,
    });
    let wish = Wish {
        region,
        command,
        seal_to: None,
    };
    ask(&caller, key, wish, StatusCode::OK).await
}
