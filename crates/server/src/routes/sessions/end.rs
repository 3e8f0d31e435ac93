//! `DELETE /api/v1/sessions/{session}`

use http::StatusCode;
use storm_protocol::ident::SessionId;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Path,
};

/// End one of your sessions, at once.
#[utoipa::path(
    delete,
    path = "/api/v1/sessions/{session}",
    tag = "session",
    params(("session" = SessionId, Path)),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "`no_such_session`"),
    ),
)]
pub(crate) async fn end(
    caller: Caller<act::EndSessions>,
    Path(id): Path<SessionId>,
) -> Result<StatusCode, ApiError> {
    if caller
        .store()
        .end_session_of(caller.person.user, id)
        .await?
    {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(ApiError::not_found("session", id, "/api/v1/sessions"))
}
