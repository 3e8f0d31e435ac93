//! `POST /api/v1/session/reauthenticate`

use http::StatusCode;
use secrecy::SecretString;
use storm_protocol::api::ReauthenticateRequest;

use super::{check_password, code::take_code};
use crate::{
    auth::{Anyone, Caller, act},
    error::ApiError,
    web::Json,
};

/// Prove again who you are: with the password, and with a code of the second factor where one is on.
///
/// For ten minutes this session may then do what is dangerous. `GET /api/v1/sign-in-methods` says whether a
/// second factor is on. Whoever comes by a company's provider proves it there.
#[utoipa::path(
    post,
    path = "/api/v1/session/reauthenticate",
    tag = "session",
    request_body = ReauthenticateRequest,
    responses(
        (status = 204, description = "Proved"),
        (status = 400, description = "`bad_request`: a second factor is on and password or code is missing; or none is and there is a code"),
        (status = 401, description = "`bad_credentials`; `bad_code`"),
        (status = 403, description = "`forbidden`: with an API token"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn reauthenticate(
    caller: Caller<act::Reauthenticate>,
    anyone: Anyone,
    Json(request): Json<ReauthenticateRequest>,
) -> Result<StatusCode, ApiError> {
    let person = &caller.person;
    let Some(password) = request.password else {
        return Err(ApiError::field("password", "it is missing"));
    };
    let second_factors = caller.store().second_factors(person.user).await?;
    // Half of what a sign-in asks for proves less than the sign-in did.
    match (second_factors.is_empty(), &request.code) {
        (true, None) | (false, Some(_)) => {}
        (true, Some(_)) => return Err(ApiError::field("code", "you have no second factor")),
        (false, None) => {
            let what = "your second factor is on: give a code of your authenticator app, or a recovery code";
            return Err(ApiError::field("code", what));
        }
    }
    check_password(&anyone, &person.email, SecretString::from(password)).await?;
    if let Some(code) = request.code {
        take_code(&anyone, (person.user, &person.email), &code, None).await?;
    }
    if let Some(session) = caller.session() {
        caller.store().prove_session(session, caller.now()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
