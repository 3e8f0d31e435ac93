//! `POST /api/v1/agents/{agent}/lost`

use http::StatusCode;
use storm_protocol::{api::AgentLost, ident::AgentId};

use super::{read, tell};
use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::command::GIVE_UP_SECONDS,
    store::lost::Lost,
    web::{Json, Path},
};

/// Say that a revoked agent will never tell what it did.
///
/// For operators. What it had taken and not answered is asked of the region's next executor, under the
/// same ids: it looks what is there and finishes it. It waits for that for ten minutes, like any other
/// change. What the lost agent alone could do, such as giving up its role, ends as `agent_lost`.
/// Receipts that it kept to itself are gone. Once more changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{agent}/lost",
    tag = "agents",
    params(("agent" = AgentId, Path)),
    responses(
        (status = 200, body = AgentLost, description = "Its operations are not unknown any more"),
        (status = 404, description = "`no_such_agent`"),
        (status = 409, description = "`not_revoked`"),
    ),
)]
pub(crate) async fn lost(
    caller: Caller<act::DeclareAgentLost>,
    Path(id): Path<AgentId>,
) -> Result<Json<AgentLost>, ApiError> {
    let (by, now) = (caller.person.user, caller.now());
    let give_up_at = now.plus_seconds(GIVE_UP_SECONDS);
    let lost = caller.store().agent_lost(id, by, now, give_up_at).await?;
    let agent = read(&caller, id).await?;
    match lost {
        Lost::Now {
            asked_again,
            ended,
            changes,
        } => {
            tracing::warn!(agent = %id, user = %by, asked_again, ended, "an agent was declared lost");
            for change in changes {
                caller.app().bus.tell(change);
            }
            tell(&caller, id);
            Ok(Json(AgentLost {
                agent,
                asked_again,
                ended,
            }))
        }
        Lost::NotRevoked => {
            let message = format!(
                "Agent {id} may still come back and tell what it did: it is not revoked. Nothing was \
                 changed. If it is gone for good, revoke it first with `storm agent revoke {id}`."
            );
            Err(ApiError::refused(
                StatusCode::CONFLICT,
                "not_revoked",
                message,
            ))
        }
        Lost::NoSuchAgent => Err(ApiError::not_found("agent", id, "/api/v1/agents")),
    }
}
