//! `POST /api/v1/agents/{agent}/end-quarantine`

use http::StatusCode;
use storm_protocol::{api::Agent, ident::AgentId};

use super::{read, tell};
use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::{Json, Path},
};

/// Let an agent in again that was kept out.
///
/// For operators, who have looked at why. Its receipts go on from where it says that they end; those
/// from before stay as a chain of their own.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{agent}/end-quarantine",
    tag = "agents",
    params(("agent" = AgentId, Path)),
    responses(
        (status = 200, body = Agent, description = "Let in again"),
        (status = 404, description = "`no_such_agent`"),
        (status = 409, description = "`not_quarantined`"),
    ),
)]
pub(crate) async fn end_quarantine(
    caller: Caller<act::EndQuarantine>,
    Path(id): Path<AgentId>,
) -> Result<Json<Agent>, ApiError> {
    let by = caller.person.user;
    let ended = caller.store().end_quarantine(id, by, caller.now()).await?;
    let agent = read(&caller, id).await?;
    if !ended {
        let message = format!(
            "Agent {id} is not in quarantine, or it was revoked. Nothing was changed. GET /api/v1/agents \
             tells who is."
        );
        return Err(ApiError::refused(
            StatusCode::CONFLICT,
            "not_quarantined",
            message,
        ));
    }
    tracing::warn!(agent = %id, user = %by, "a quarantine was ended");
    tell(&caller, id);
    Ok(Json(agent))
}
