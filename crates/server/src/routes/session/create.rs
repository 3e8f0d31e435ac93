//! `POST /api/v1/session`

use axum::response::IntoResponse;
use http::HeaderMap;
use secrecy::SecretString;
use storm_protocol::api::{SignInAnswer, SignInRequest};

use super::{begin::go_on, check_password};
use crate::{
    auth::{Anyone, password::MAX_EMAIL_BYTES},
    error::ApiError,
    web::Json,
};

/// Sign in.
///
/// Sets the cookie `__Host-storm_session`; `storm_session` over plain HTTP. A wrong address and a wrong password are answered alike.
/// Whoever has a second factor is asked for it: see `POST /api/v1/session/second-factor`.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    tag = "session",
    security(()),
    request_body = SignInRequest,
    responses(
        (status = 200, body = SignInAnswer, headers(("Set-Cookie" = String, description = "The session, unless a second factor is wanted"))),
        (status = 401, description = "`bad_credentials`"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn create(
    anyone: Anyone,
    headers: HeaderMap,
    Json(request): Json<SignInRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let email = request.email.trim().to_lowercase();
    let password = SecretString::from(request.password);
    if email.is_empty() || email.len() > MAX_EMAIL_BYTES {
        return Err(ApiError::field(
            "email",
            format!("expected 1 to {MAX_EMAIL_BYTES} bytes"),
        ));
    }
    let user = check_password(&anyone, &email, password).await?;
    go_on(&anyone, &headers, user.id, "password").await
}
