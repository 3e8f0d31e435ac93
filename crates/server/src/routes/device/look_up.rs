//! `POST /api/v1/device-authorizations/look-up`

use std::net::IpAddr;

use storm_protocol::{
    api::{DeviceAuthorization, UserCodeRequest},
    ident::Scope,
};

use super::{address, find};
use crate::{
    auth::{Caller, access, act, limits::network},
    error::ApiError,
    web::Json,
};

/// See which program asks to be let in.
#[utoipa::path(
    post,
    path = "/api/v1/device-authorizations/look-up",
    tag = "device",
    request_body = UserCodeRequest,
    responses(
        (status = 200, body = DeviceAuthorization),
        (status = 404, description = "`no_such_code`"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn look_up(
    caller: Caller<act::ReadDevice>,
    Json(request): Json<UserCodeRequest>,
) -> Result<Json<DeviceAuthorization>, ApiError> {
    let (code, waiting) = find(&caller, &request.user_code).await?;
    let scopes = waiting.scopes.unwrap_or_else(|| vec![Scope::everything()]);
    let from: Option<IpAddr> = waiting.origin.as_deref().and_then(|text| text.parse().ok());
    Ok(Json(DeviceAuthorization {
        client: waiting.client,
        host: waiting.host,
        user_code: code.to_string(),
        may: scopes.iter().map(access::words).collect(),
        scopes,
        token_days: waiting.token_days,
        same_network: from.is_some() && from.map(network) == address(&caller).map(network),
        origin: waiting.origin,
        created_at: waiting.created_at,
        expires_at: waiting.expires_at,
    }))
}
