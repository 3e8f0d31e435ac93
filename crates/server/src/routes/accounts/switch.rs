//! `POST /api/v1/session/account`

use http::StatusCode;
use storm_protocol::api::{SwitchAccountRequest, Whoami};

use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::Json,
};

/// Go on in another account that you are in.
///
/// For sessions: an API token stays in its account.
#[utoipa::path(
    post,
    path = "/api/v1/session/account",
    tag = "session",
    request_body = SwitchAccountRequest,
    responses(
        (status = 200, body = Whoami),
        (status = 404, description = "`no_such_account`"),
        (status = 409, description = "`no_session`: with an API token"),
    ),
)]
pub(crate) async fn switch(
    caller: Caller<act::SwitchAccount>,
    Json(request): Json<SwitchAccountRequest>,
) -> Result<Json<Whoami>, ApiError> {
    let session = caller.session().ok_or_else(|| {
        let words =
            "An API token stays in its account. Nothing was changed. Sign in there and make one.";
        ApiError::refused(StatusCode::CONFLICT, "no_session", words)
    })?;
    let (store, user) = (caller.store(), caller.person.user);
    let absent = || ApiError::not_found("account", request.account, "/api/v1/accounts/own");
    if !store.switch_account(session, user, request.account).await? {
        return Err(absent());
    }
    let person = store.person_of_session(session, caller.now()).await?;
    person.map(|person| Json(person.into())).ok_or_else(absent)
}
