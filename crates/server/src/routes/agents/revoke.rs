//! `POST /api/v1/agents/{agent}/revoke`

use storm_protocol::{api::Agent, ident::AgentId};

use super::{read, tell};
use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::{Json, Path},
};

/// Remove an agent for good.
///
/// For operators. Its certificate is refused from now on and its connection closed; a server comes
/// back as a new agent. Was it its region's executor, another agent takes the role two minutes after
/// its last sign of life; what it had taken stays `unknown` until it
/// is declared lost. Once more changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{agent}/revoke",
    tag = "agents",
    params(("agent" = AgentId, Path)),
    responses(
        (status = 200, body = Agent, description = "Revoked"),
        (status = 404, description = "`no_such_agent`"),
    ),
)]
pub(crate) async fn revoke(
    caller: Caller<act::RevokeAgent>,
    Path(id): Path<AgentId>,
) -> Result<Json<Agent>, ApiError> {
    let by = caller.person.user;
    let revoked = caller.store().revoke_agent(id, by, caller.now()).await?;
    let agent = read(&caller, id).await?;
    if revoked {
        tracing::warn!(agent = %id, user = %by, "an agent was revoked");
        tell(&caller, id);
    }
    Ok(Json(agent))
}
