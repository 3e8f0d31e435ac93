//! `GET /api/v1/sessions`

use storm_protocol::api::SessionPage;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// Your sessions in every account, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/sessions",
    tag = "session",
    responses((status = 200, body = SessionPage)),
)]
pub(crate) async fn list(caller: Caller<act::ListSessions>) -> Result<Json<SessionPage>, ApiError> {
    let found = caller
        .store()
        .sessions(caller.person.user, caller.session(), caller.now());
    Ok(Json(SessionPage {
        items: found.await?,
        next_cursor: None,
    }))
}
