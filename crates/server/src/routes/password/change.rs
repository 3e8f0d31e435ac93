//! `PUT /api/v1/password`

use http::StatusCode;
use secrecy::SecretString;
use storm_protocol::api::ChangePasswordRequest;

use crate::{
    auth::{Anyone, Caller, act},
    error::ApiError,
    routes::session::check_password,
    web::Json,
};

/// Set another password of yours.
///
/// With the one that counts now, also for an API token. Your other sessions end; API tokens stay.
#[utoipa::path(
    put,
    path = "/api/v1/password",
    tag = "session",
    request_body = ChangePasswordRequest,
    responses(
        (status = 204, description = "Done"),
        (status = 400, description = "`bad_request`: too short, too long, or too easy to guess"),
        (status = 401, description = "`bad_credentials`"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn change(
    caller: Caller<act::ChangePassword>,
    anyone: Anyone,
    Json(request): Json<ChangePasswordRequest>,
) -> Result<StatusCode, ApiError> {
    let (current, new) = (
        SecretString::from(request.current),
        SecretString::from(request.new),
    );
    let user = check_password(&anyone, &caller.person.email, current).await?;
    let hash = anyone
        .passwords()
        .hash(new, caller.person.email.clone())
        .await?;
    let set = caller
        .store()
        .set_password(user.id, &hash, caller.session());
    set.await?;
    Ok(StatusCode::NO_CONTENT)
}
