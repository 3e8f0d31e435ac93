//! `POST /api/v1/regions/{region}/health`

use axum::response::{IntoResponse, Response};
use storm_protocol::{
    api::RegionHealth,
    command::{ClusterHealthCommand, Command, CommandResult},
    ident::RegionName,
    receipt::Outcome,
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::command::{IdempotencyKey, Wish, check_end, later, run},
    web::{Json, Path},
};

/// Ask a region for its health.
///
/// A signed command to its agent; 202 when the agent has not answered in time.
#[utoipa::path(
    post,
    path = "/api/v1/regions/{region}/health",
    tag = "regions",
    params(("region" = RegionName, Path)),
    responses(
        (status = 200, body = RegionHealth),
        (status = 202, body = RegionHealth, description = "No answer yet"),
        (status = 404, description = "`no_such_region`"),
        (status = 409, description = "`no_agent`"),
        (status = 502, description = "The agent could not find out; the code is the failure's"),
    ),
)]
pub(crate) async fn health(
    caller: Caller<act::ReadClusterHealth>,
    key: IdempotencyKey,
    Path(region): Path<RegionName>,
) -> Result<Response, ApiError> {
    let command = Command::ClusterHealthCommand(ClusterHealthCommand {});
    let operation = run(
        &caller,
        key,
        Wish {
            region,
            command,
            seal_to: None,
        },
    )
    .await?;
    check_end(&operation)?;
    match &operation.outcome {
        Some(Outcome::Done(CommandResult::ClusterHealthCommand(health))) => {
            let health = Some(health.clone());
            Ok(Json(RegionHealth { operation, health }).into_response())
        }
        _ => Ok(later(
            operation.id,
            RegionHealth {
                operation,
                health: None,
            },
        )),
    }
}
