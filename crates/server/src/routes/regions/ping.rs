//! `POST /api/v1/regions/{region}/ping`

use axum::response::Response;
use http::StatusCode;
use storm_protocol::{
    api::OperationAnswer,
    command::{AgentPing, Command},
    ident::RegionName,
};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    openapi::CommandErrors,
    routes::command::{IdempotencyKey, Wish, ask},
    web::Path,
};

/// Ask a region's agent for a sign of life.
#[utoipa::path(
    post,
    path = "/api/v1/regions/{region}/ping",
    tag = "regions",
    params(("region" = RegionName, Path)),
    responses(
        (status = 200, body = OperationAnswer),
        CommandErrors,
    ),
)]
pub(crate) async fn ping(
    caller: Caller<act::PingAgent>,
    key: IdempotencyKey,
    Path(region): Path<RegionName>,
) -> Result<Response, ApiError> {
    let command = Command::AgentPing(AgentPing {});
    ask(
        &caller,
        key,
        Wish {
            region,
            command,
            seal_to: None,
        },
        StatusCode::OK,
    )
    .await
}
