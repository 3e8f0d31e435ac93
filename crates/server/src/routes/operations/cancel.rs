//! `POST /api/v1/operations/{operation}/cancel`

use http::StatusCode;
use storm_protocol::{
    api::{Operation, OperationStatus},
    ident::OperationId,
};

use super::{no_operation, own};
use crate::{
    app::Change,
    auth::{Caller, Member},
    error::ApiError,
    store::operations::Cancelled,
    web::{Json, Path},
};

/// Cancel an operation that is not signed yet.
///
/// One that an agent had taken which is lost ends as `agent_lost`: what was done of it is not known.
#[utoipa::path(
    post,
    path = "/api/v1/operations/{operation}/cancel",
    tag = "operations",
    params(("operation" = OperationId, Path)),
    responses(
        (status = 200, body = Operation, description = "Cancelled; no agent is asked for it any more"),
        (status = 404, description = "`no_such_operation`"),
        (status = 409, description = "`too_late`"),
    ),
)]
pub(crate) async fn cancel(
    caller: Caller<Member>,
    Path(id): Path<OperationId>,
) -> Result<Json<Operation>, ApiError> {
    own(&caller, id).await?;
    match caller.store().cancel_operation(id, caller.now()).await? {
        Some(Cancelled::Now(operation)) => {
            caller
                .app()
                .bus
                .tell(Change::Operation(caller.person.account, id));
            Ok(Json(operation))
        }
        Some(Cancelled::TooLate(operation)) if operation.state == OperationStatus::Cancelled => {
            Ok(Json(operation))
        }
        Some(Cancelled::TooLate(operation)) => {
            let message = format!(
                "The operation is {} already and cannot be cancelled. It was left as it is.",
                operation.state.as_str()
            );
            Err(ApiError::refused(StatusCode::CONFLICT, "too_late", message))
        }
        None => Err(no_operation(id)),
    }
}
