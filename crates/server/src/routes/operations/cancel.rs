//! `POST /api/v1/operations/{operation}/cancel`

use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use storm_protocol::{
    api::{Operation, OperationAnswer, OperationStatus},
    command::{Command, JobCancel, Row},
    ident::{OperationId, UserId},
};

use super::{no_operation, own};
use crate::{
    app::Change,
    auth::{Caller, act},
    error::ApiError,
    routes::command::{IdempotencyKey, Wish, ask},
    store::operations::Cancelled,
    web::{Json, Path},
};

/// Cancel an operation.
///
/// One that is not signed yet is cancelled at once, and answers itself; if an agent had taken it which
/// is lost, it ends as `agent_lost`: what was done of it is not known. A job that an agent has is
/// asked to stop by a command of its own, whose operation is the answer: the job then ends at its next
/// step as failed, under the code `cancelled`, and what it has done stays done.
#[utoipa::path(
    post,
    path = "/api/v1/operations/{operation}/cancel",
    tag = "operations",
    params(("operation" = OperationId, Path)),
    responses(
        (status = 200, body = OperationAnswer, description = "Cancelled, or the job stops"),
        (status = 202, body = OperationAnswer, description = "The agent has not answered yet"),
        (status = 403, description = "`forbidden`: the platform's own"),
        (status = 404, description = "`no_such_operation`"),
        (status = 409, description = "`too_late`"),
    ),
)]
pub(crate) async fn cancel(
    caller: Caller<act::CancelOperation>,
    key: IdempotencyKey,
    Path(id): Path<OperationId>,
) -> Result<Response, ApiError> {
    let operation = own(&caller, id).await?;
    // Else an account could keep its own storage limit from being set.
    if operation.actor.user == UserId::SYSTEM && !caller.person.operator {
        let words =
            "The platform asked for this by itself, and only whoever runs it may cancel it.";
        return Err(ApiError::forbidden(words));
    }
    let cancelled = caller.store().cancel_operation(id, caller.now()).await?;
    let operation = match cancelled {
        Some(Cancelled::Now(operation)) => {
            let change = Change::Operation(caller.person.account, id);
            caller.app().bus.tell(change);
            return Ok(answer(operation));
        }
        Some(Cancelled::TooLate(operation)) => operation,
        None => return Err(no_operation(id)),
    };
    if operation.state == OperationStatus::Cancelled {
        return Ok(answer(operation));
    }
    // The same request again is answered as it was, though the job may have ended by now.
    if is_stoppable(&operation) || key.is_known(&caller).await? {
        let wish = Wish {
            region: operation.region,
            command: Command::JobCancel(JobCancel { operation: id }),
            seal_to: None,
        };
        return ask(&caller, key, wish, StatusCode::OK).await;
    }
    let message = format!(
        "The operation is {} already and cannot be cancelled. It was left as it is.",
        operation.state.as_str()
    );
    Err(ApiError::refused(StatusCode::CONFLICT, "too_late", message))
}

/// Whether it is a job that an agent has, or may have.
fn is_stoppable(operation: &Operation) -> bool {
    let is_job = Row::find(&operation.command).is_some_and(|row| row.job);
    let at_agent = matches!(
        operation.state,
        OperationStatus::Signed | OperationStatus::Sent | OperationStatus::Accepted
    );
    is_job && at_agent
}

fn answer(operation: Operation) -> Response {
    let answer = OperationAnswer {
        operation,
        bucket: None,
        key: None,
        sealed: None,
    };
    Json(answer).into_response()
}
