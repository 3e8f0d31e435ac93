//! `DELETE /api/v1/session`

use axum::response::IntoResponse;
use http::StatusCode;

use super::cookie;
use crate::{auth::Anyone, error::ApiError};

/// Sign out.
///
/// Ends the session of the cookie. Without one there is nothing to end.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    tag = "session",
    security(()),
    responses((status = 204, description = "Signed out")),
)]
pub(crate) async fn delete(anyone: Anyone) -> Result<impl IntoResponse, ApiError> {
    if let Some(session) = anyone.session {
        anyone.app().store.end_session(session).await?;
    }
    Ok((StatusCode::NO_CONTENT, cookie("", 0, anyone.is_https())?))
}
