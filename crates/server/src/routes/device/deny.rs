//! `POST /api/v1/device-authorizations/deny`

use http::StatusCode;
use storm_protocol::api::UserCodeRequest;

use super::{find, no_such_code};
use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// Turn a program away.
#[utoipa::path(
    post,
    path = "/api/v1/device-authorizations/deny",
    tag = "device",
    request_body = UserCodeRequest,
    responses(
        (status = 204, description = "It gets nothing"),
        (status = 404, description = "`no_such_code`"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn deny(
    caller: Caller<act::DenyDevice>,
    Json(request): Json<UserCodeRequest>,
) -> Result<StatusCode, ApiError> {
    let (code, _) = find(&caller, &request.user_code).await?;
    let denied = caller.store().deny_device(code.stored(), caller.now());
    if denied.await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_such_code())
    }
}
