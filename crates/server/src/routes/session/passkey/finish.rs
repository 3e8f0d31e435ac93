//! `POST /api/v1/session/passkey`

use axum::response::IntoResponse;
use http::HeaderMap;
use storm_protocol::api::{PasskeyRequest, Whoami};

use super::prove;
use crate::{
    auth::Anyone,
    error::ApiError,
    routes::session::begin::{How, begin},
    store::passkey_challenges::Purpose,
    web::Json,
};

/// Sign in with a passkey.
///
/// Sets the session's cookie. No second factor is asked for: the passkey asked who you are.
#[utoipa::path(
    post,
    path = "/api/v1/session/passkey",
    tag = "session",
    security(()),
    request_body = PasskeyRequest,
    responses(
        (status = 200, body = Whoami, headers(("Set-Cookie" = String, description = "The session"))),
        (status = 401, description = "`bad_passkey`; `no_such_challenge`: begin again"),
        (status = 409, description = "`no_passkeys_here`: the server's address is no name"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn finish(
    anyone: Anyone,
    headers: HeaderMap,
    Json(request): Json<PasskeyRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let known = prove(&anyone, (Purpose::SignIn, None), request).await?;
    let how = How {
        method: "passkey",
        passkey: Some(known.id),
        longest_seconds: None,
    };
    begin(&anyone, &headers, known.user, how).await
}
