//! `POST /api/v1/buckets/{bucket}/measure`

use axum::response::Response;
use storm_protocol::{
    api::{MeasurePrefixRequest, OperationAnswer},
    command::{BucketMeasurePrefix, Command, MAX_MEASURED_OBJECTS},
    ident::{BucketId, ObjectPrefix},
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::{
        bucket_region,
        command::{IdempotencyKey, Wish, begin},
    },
    web::{Json, Path},
};

/// Objects that a measurement counts at most, unless it is told otherwise.
const DEFAULT_OBJECTS: u64 = 1_000_000;

/// Count the objects under a prefix and their bytes.
///
/// A job: the answer comes at once, the operation tells how far it is, and its outcome the counts.
#[utoipa::path(
    post,
    path = "/api/v1/buckets/{bucket}/measure",
    tag = "buckets",
    params(("bucket" = BucketId, Path)),
    request_body = MeasurePrefixRequest,
    responses(
        (status = 202, body = OperationAnswer, description = "Begun; follow the operation, or cancel it"),
        CommandErrors,
    ),
)]
pub(crate) async fn measure(
    caller: Caller<act::MeasurePrefix>,
    key: IdempotencyKey,
    Path(id): Path<BucketId>,
    Json(request): Json<MeasurePrefixRequest>,
) -> Result<Response, ApiError> {
    let region = bucket_region(&caller, &key, id).await?;
    let max_objects = request.max_objects.unwrap_or(DEFAULT_OBJECTS);
    if !(1..=MAX_MEASURED_OBJECTS).contains(&max_objects) {
        let why = format!("expected 1 to {MAX_MEASURED_OBJECTS}");
        return Err(ApiError::field("max_objects", why));
    }
    let command = Command::BucketMeasurePrefix(BucketMeasurePrefix {
        bucket: id,
        prefix: request.prefix.map_or_else(everything, Ok)?,
        max_objects,
    });
    let wish = Wish {
        region,
        command,
        seal_to: None,
    };
    begin(&caller, key, wish).await
}

fn everything() -> Result<ObjectPrefix, ApiError> {
    let empty = "".parse();
    empty.map_err(|_| ApiError::Internal("the empty prefix is none".to_owned()))
}
