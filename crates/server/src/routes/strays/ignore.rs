//! `POST /api/v1/strays/ignore`

use storm_protocol::api::{IgnoreStrayRequest, Stray};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    store::strays::StrayId,
    web::Json,
};

/// Say whether a stray is to be left alone.
///
/// For operators. Nothing changes in the storage.
#[utoipa::path(
    post,
    path = "/api/v1/strays/ignore",
    tag = "strays",
    request_body = IgnoreStrayRequest,
    responses(
        (status = 200, body = Stray, description = "Noted"),
        (status = 404, description = "`no_such_stray`"),
    ),
)]
pub(crate) async fn ignore(
    caller: Caller<act::IgnoreStray>,
    Json(request): Json<IgnoreStrayRequest>,
) -> Result<Json<Stray>, ApiError> {
    let id = match (request.bucket, request.key) {
        (Some(bucket), None) => StrayId::Bucket(bucket),
        (None, Some(key)) => StrayId::Key(key),
        (Some(_), Some(_)) | (None, None) => {
            return Err(ApiError::field("bucket, key", "expected one of the two"));
        }
    };
    let stray = caller.store().ignore_stray(&id, request.ignored).await?;
    let stray = stray.ok_or_else(|| ApiError::not_found("stray", &id, "/api/v1/strays"))?;
    tracing::info!(stray = %id, ignored = request.ignored, user = %caller.person.user, "a stray was judged");
    Ok(Json(stray))
}
