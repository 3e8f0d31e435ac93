//! Operations: intents, from request to receipt.

pub(crate) mod acknowledge;
pub(crate) mod cancel;
pub(crate) mod get;
pub(crate) mod list;

use storm_protocol::{api::Operation, ident::OperationId};

use crate::{
    auth::{Caller, Need},
    error::ApiError,
};

/// The operation, if it is the caller's account's.
async fn own<N: Need>(caller: &Caller<N>, id: OperationId) -> Result<Operation, ApiError> {
    let operation = caller.store().operation(id).await?;
    let own = operation.filter(|operation| operation.actor.account == caller.person.account);
    own.ok_or_else(|| no_operation(id))
}

fn no_operation(id: OperationId) -> ApiError {
    ApiError::not_found("operation", id, "/api/v1/operations")
}
