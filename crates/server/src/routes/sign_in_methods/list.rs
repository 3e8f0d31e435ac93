//! `GET /api/v1/sign-in-methods`

use storm_protocol::api::SignInMethods;

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// What you can sign in with.
#[utoipa::path(
    get,
    path = "/api/v1/sign-in-methods",
    tag = "session",
    responses(
        (status = 200, body = SignInMethods),
        (status = 403, description = "`forbidden`: with an API token"),
    ),
)]
pub(crate) async fn list(
    caller: Caller<act::ListSignInMethods>,
) -> Result<Json<SignInMethods>, ApiError> {
    let methods = caller.store().sign_in_methods(caller.person.user).await?;
    Ok(Json(methods))
}
