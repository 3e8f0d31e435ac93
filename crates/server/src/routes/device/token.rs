//! `POST /api/v1/device-authorizations/token`

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use storm_protocol::api::{DeviceTokenRequest, DeviceWaiting, TokenCreated};

use crate::{
    auth::{
        Anyone,
        secret::{PlainSecret, StoredSecret},
    },
    error::ApiError,
    routes::tokens::create::{MAX_TOKENS, too_many},
    store::device::Fetched,
    web::Json,
};

/// Fetch the token of a program that was let in.
///
/// It is made by this request and shown this once. Until somebody has answered, 202 says when to ask again.
#[utoipa::path(
    post,
    path = "/api/v1/device-authorizations/token",
    tag = "device",
    security(()),
    request_body = DeviceTokenRequest,
    responses(
        (status = 201, body = TokenCreated),
        (status = 202, body = DeviceWaiting, description = "`authorization_pending` or `slow_down`"),
        (status = 400, description = "`expired_token`: the code has ended, was used or is none"),
        (status = 403, description = "`access_denied`"),
        (status = 409, description = "`too_many_tokens`"),
    ),
)]
pub(crate) async fn token(
    anyone: Anyone,
    Json(request): Json<DeviceTokenRequest>,
) -> Result<Response, ApiError> {
    let code = StoredSecret::of_link(&request.device_code).ok_or_else(expired)?;
    let app = anyone.app();
    let secret = PlainSecret::token();
    let fetched = app
        .store
        .fetch_device(code, secret.stored(), MAX_TOKENS, app.clock.now());
    match fetched.await? {
        Fetched::Token(token) => {
            let secret = secret.expose().to_owned();
            let created = TokenCreated { token, secret };
            Ok((StatusCode::CREATED, Json(created)).into_response())
        }
        Fetched::Pending(interval, too_soon) => {
            let code = match too_soon {
                true => "slow_down",
                false => "authorization_pending",
            };
            let code = code.to_owned();
            let waiting = DeviceWaiting { code, interval };
            Ok((StatusCode::ACCEPTED, Json(waiting)).into_response())
        }
        Fetched::Denied => Err(ApiError::refused(
            StatusCode::FORBIDDEN,
            "access_denied",
            "It was denied. Nothing was made.",
        )),
        Fetched::TooMany => Err(too_many()),
        Fetched::Ended => Err(expired()),
    }
}

fn expired() -> ApiError {
    ApiError::refused(
        StatusCode::BAD_REQUEST,
        "expired_token",
        "The code has ended, was used, or is none. Nothing was made. Begin again.",
    )
}
