//! `DELETE /api/v1/tokens/{token}`

use http::StatusCode;
use storm_protocol::ident::TokenId;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Path,
};

/// Delete an API token of yours; it stops working at once.
#[utoipa::path(
    delete,
    path = "/api/v1/tokens/{token}",
    tag = "tokens",
    params(("token" = TokenId, Path)),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "`no_such_token`"),
    ),
)]
pub(crate) async fn delete(
    caller: Caller<act::DeleteToken>,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, ApiError> {
    let person = &caller.person;
    if caller
        .store()
        .delete_token(person.account, person.user, id)
        .await?
    {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("token", id, "/api/v1/tokens"))
    }
}
