//! `POST /api/v1/regions/{region}/executor`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::{MoveExecutorRequest, OperationAnswer, Region},
    command::{Command, ExecutorRelease},
    ident::{AgentId, RegionName},
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::command::{IdempotencyKey, Wish, answer, go_on, new_operation},
    store::{
        operations::Requested,
        succession::{Move, Moving},
    },
    web::{Json, Path},
};

/// Move the executor's role of a region to another of its agents.
///
/// For operators. A signed command to the present executor: it takes no more changes, ends those that
/// it has (`jobs_running` if they take too long; it stays the executor then) and gives the role up. Its
/// receipt moves it. An executor that is away cannot give it up: revoke it, and another agent takes the
/// role two minutes after its last sign of life.
#[utoipa::path(
    post,
    path = "/api/v1/regions/{region}/executor",
    tag = "regions",
    params(("region" = RegionName, Path)),
    request_body = MoveExecutorRequest,
    responses(
        (status = 200, body = OperationAnswer, description = "Moved"),
        (status = 409, description = "`no_agent`, `already_executor`, `executor_away`, `agent_away`, \
                                      `already_moving` or `jobs_running`"),
        CommandErrors,
    ),
)]
pub(crate) async fn move_executor(
    caller: Caller<act::MoveExecutor>,
    key: IdempotencyKey,
    Path(name): Path<RegionName>,
    Json(request): Json<MoveExecutorRequest>,
) -> Result<Response, ApiError> {
    let region = caller.store().region(&name).await?;
    let region = region.ok_or_else(|| ApiError::no_region(&name))?;
    let from = region.executor.ok_or_else(|| vacant(&name))?;
    if !key.is_known(&caller).await? {
        check_executor(&region, from, request.agent)?;
        check_taker(&caller, &name, request.agent).await?;
    }
    let changes = caller.app().bus.listen();
    let wish = Wish {
        region: name,
        command: Command::ExecutorRelease(ExecutorRelease {}),
        seal_to: None,
    };
    let role = Move {
        from,
        epoch: region.epoch,
        to: request.agent,
    };
    let new = new_operation(&caller, key, wish).await?;
    let requested = match caller.store().request_release(new, role).await? {
        Moving::Asked(requested) => *requested,
        Moving::Underway => return Err(underway(&region.name)),
    };
    if let Requested::New(operation) = &requested {
        let (user, to) = (caller.person.user, request.agent);
        tracing::warn!(operation = %operation.id, region = %region.name, %from, %to, %user, "the executor's role is to move");
    }
    let operation = go_on(&caller, requested, changes).await?;
    answer(&caller, operation, StatusCode::OK).await
}

fn check_executor(region: &Region, from: AgentId, to: AgentId) -> Result<(), ApiError> {
    let name = &region.name;
    if from == to {
        let message =
            format!("Agent {to} is the executor of region {name} already. Nothing was changed.");
        return Err(conflict("already_executor", message));
    }
    if !region.connected {
        let message = format!(
            "Agent {from}, the executor of region {name}, is away and cannot give up its role. Nothing was \
             changed. Bring it back; or, if it is gone for good, revoke it with `storm agent revoke \
             {from}`: another agent takes the role two minutes after its last sign of life."
        );
        return Err(conflict("executor_away", message));
    }
    Ok(())
}

/// The agent that is to take the role has to be one of the region that is there.
async fn check_taker(
    caller: &Caller<act::MoveExecutor>,
    region: &RegionName,
    id: AgentId,
) -> Result<(), ApiError> {
    let found = caller.store().standing_agent(id).await?;
    let agent = found.filter(|agent| agent.region == *region);
    let agent = agent.ok_or_else(|| ApiError::not_found("agent", id, "/api/v1/agents"))?;
    if agent.connected && agent.quarantined.is_none() {
        return Ok(());
    }
    let message = format!(
        "Agent {id} is away or kept out, so the role would rest with nobody at work. Nothing was changed. \
         Bring it back first; GET /api/v1/agents tells who is there."
    );
    Err(conflict("agent_away", message))
}

fn vacant(region: &RegionName) -> ApiError {
    let message = format!(
        "Region {region} has no executor at this moment whose role could move. Nothing was changed. Its next \
         one is an agent of the region that is enrolled, two minutes after the last sign of life of the \
         one before."
    );
    conflict("no_agent", message)
}

fn underway(region: &RegionName) -> ApiError {
    let message = format!(
        "The role of region {region} is on its way to an agent already. Nothing was changed. Wait for the \
         end of that `executor.release`, or cancel it; GET /api/v1/operations lists it."
    );
    conflict("already_moving", message)
}

fn conflict(code: &'static str, message: String) -> ApiError {
    ApiError::refused(StatusCode::CONFLICT, code, message)
}
