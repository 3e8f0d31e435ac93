//! `POST /api/v1/operations/{operation}/acknowledge`

use http::StatusCode;
use storm_protocol::{api::OperationStatus, ident::OperationId};

use super::own;
use crate::{
    app::Change,
    auth::{Caller, act},
    error::ApiError,
    routes::command::with_results,
    web::Path,
};

/// Say that you hold the secret of a new key.
///
/// The sealed form is dropped: nobody can fetch it again.
#[utoipa::path(
    post,
    path = "/api/v1/operations/{operation}/acknowledge",
    tag = "operations",
    params(("operation" = OperationId, Path)),
    responses(
        (status = 204, description = "Dropped"),
        (status = 404, description = "`no_such_operation`"),
        (status = 409, description = "`not_done`"),
    ),
)]
pub(crate) async fn acknowledge(
    caller: Caller<act::AcknowledgeSecret>,
    Path(id): Path<OperationId>,
) -> Result<StatusCode, ApiError> {
    let operation = own(&caller, id).await?;
    if operation.state != OperationStatus::Done {
        let message = format!(
            "The operation is {}, not done: it has no secret that you could hold.",
            operation.state.as_str()
        );
        return Err(ApiError::refused(StatusCode::CONFLICT, "not_done", message));
    }
    caller.store().acknowledge_secret(id, caller.now()).await?;
    if let Some(key) = with_results(&caller, operation).await?.key {
        caller
            .app()
            .bus
            .tell(Change::Key(Some(caller.person.account), key.id));
    }
    Ok(StatusCode::NO_CONTENT)
}
