//! `GET /api/v1/operations/{operation}`

use storm_protocol::{api::OperationAnswer, ident::OperationId};

use super::own;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::command::with_results,
    web::{Json, Path},
};

/// An operation, and what came of it.
///
/// `sealed` is there for members until it is acknowledged, 24 hours at most.
#[utoipa::path(
    get,
    path = "/api/v1/operations/{operation}",
    tag = "operations",
    params(("operation" = OperationId, Path)),
    responses(
        (status = 200, body = OperationAnswer),
        (status = 404, description = "`no_such_operation`"),
    ),
)]
pub(crate) async fn get(
    caller: Caller<act::ReadOperation>,
    Path(id): Path<OperationId>,
) -> Result<Json<OperationAnswer>, ApiError> {
    let operation = own(&caller, id).await?;
    let operation = caller.app().bus.progress.with(operation);
    with_results(&caller, operation).await.map(Json)
}
