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

/// The operation, if it is the caller's account's; with a token for certain buckets, what was asked
/// with that token.
async fn own<N: Need>(caller: &Caller<N>, id: OperationId) -> Result<Operation, ApiError> {
    let (store, person) = (caller.store(), &caller.person);
    let operation = store.operation(id).await?;
    let own = operation.filter(|operation| operation.actor.account == person.account);
    let operation = own.ok_or_else(|| no_operation(id))?;
    let limited = person
        .token
        .as_ref()
        .filter(|token| token.buckets.is_some());
    match limited {
        Some(token) if store.operation_token(id).await? != Some(token.id) => Err(no_operation(id)),
        Some(_) | None => Ok(operation),
    }
}

fn no_operation(id: OperationId) -> ApiError {
    ApiError::not_found("operation", id, "/api/v1/operations")
}
