//! `POST /api/v1/session/passkey/begin`

use storm_protocol::api::PasskeyAsked;

use super::ask;
use crate::{auth::Anyone, error::ApiError, store::passkey_challenges::Purpose, web::Json};

/// Begin to sign in with a passkey.
///
/// Give `public_key` to the browser's `navigator.credentials.get`, and what that answers, within five minutes,
/// to `POST /api/v1/session/passkey`.
#[utoipa::path(
    post,
    path = "/api/v1/session/passkey/begin",
    tag = "session",
    security(()),
    responses(
        (status = 200, body = PasskeyAsked),
        (status = 409, description = "`no_passkeys_here`: the server's address is no name"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn begin(anyone: Anyone) -> Result<Json<PasskeyAsked>, ApiError> {
    ask(&anyone, Purpose::SignIn).await
}
