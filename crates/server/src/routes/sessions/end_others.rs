//! `POST /api/v1/sessions/end-others`

use http::StatusCode;

use crate::{
    auth::{Caller, act},
    error::ApiError,
};

/// End all of your sessions but the one that asks. API tokens stay.
#[utoipa::path(
    post,
    path = "/api/v1/sessions/end-others",
    tag = "session",
    responses((status = 204, description = "Ended")),
)]
pub(crate) async fn end_others(caller: Caller<act::EndSessions>) -> Result<StatusCode, ApiError> {
    let (user, current) = (caller.person.user, caller.session());
    caller.store().end_other_sessions(user, current).await?;
    Ok(StatusCode::NO_CONTENT)
}
