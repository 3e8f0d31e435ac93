//! `POST /api/v1/password/reset`

use http::StatusCode;
use secrecy::SecretString;
use storm_protocol::api::ResetPasswordRequest;

use crate::{
    auth::{Anyone, secret::StoredSecret},
    error::ApiError,
    web::Json,
};

/// Set a new password with the secret of a link from an e-mail, once.
///
/// All of your sessions end; API tokens stay.
#[utoipa::path(
    post,
    path = "/api/v1/password/reset",
    tag = "session",
    security(()),
    request_body = ResetPasswordRequest,
    responses(
        (status = 204, description = "Done; sign in"),
        (status = 400, description = "`bad_request`: too short, too long, or too easy to guess"),
        (status = 404, description = "`no_such_link`"),
    ),
)]
pub(crate) async fn reset(
    anyone: Anyone,
    Json(request): Json<ResetPasswordRequest>,
) -> Result<StatusCode, ApiError> {
    let app = anyone.app();
    let now = app.clock.now();
    let secret = StoredSecret::of_link(&request.token).ok_or_else(not_good)?;
    // Before the work of hashing, which is not for everybody to ask for.
    let email = app.store.reset_of(secret, now).await?;
    let email = email.ok_or_else(not_good)?;
    let password = SecretString::from(request.password);
    let hash = anyone.passwords().hash(password, email).await?;
    let done = app.store.reset_with(secret, &hash, now).await?;
    done.then_some(StatusCode::NO_CONTENT).ok_or_else(not_good)
}

fn not_good() -> ApiError {
    let message = "The link is not good: it was used, a newer one was sent, or its hour is over. Your password is \
                   as it was. Ask for another link.";
    ApiError::refused(StatusCode::NOT_FOUND, "no_such_link", message)
}
