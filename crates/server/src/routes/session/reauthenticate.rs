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

/// Prove again who you are: with the password, or a code of the second factor.
///
/// For ten minutes this session may then do what is dangerous.
#[utoipa::path(
    post,
    path = "/api/v1/session/reauthenticate",
    tag = "session",
    request_body = ReauthenticateRequest,
    responses(
        (status = 204, description = "Proved"),
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
    match (request.password, request.code) {
        (Some(password), None) => {
            check_password(&anyone, &person.email, SecretString::from(password)).await?;
        }
        (None, Some(code)) => {
            take_code(&anyone, (person.user, &person.email), &code, None).await?;
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(ApiError::field("password", "give either this or a code"));
        }
    }
    if let Some(session) = caller.session() {
        caller.store().prove_session(session, caller.now()).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
