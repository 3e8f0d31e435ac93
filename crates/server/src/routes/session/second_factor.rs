//! `POST /api/v1/session/second-factor`

use axum::response::IntoResponse;
use http::HeaderMap;
use storm_protocol::api::{SecondFactorRequest, Whoami};

use super::{
    admit_try,
    begin::begin,
    code::{no_challenge, take_code},
};
use crate::{
    auth::{Anyone, secret::StoredSecret},
    error::ApiError,
    web::Json,
};

/// Finish a sign-in with a second factor.
///
/// With the challenge that answered its first step, within five minutes and five tries, and a code of the
/// authenticator app or a recovery code. Each is taken once.
#[utoipa::path(
    post,
    path = "/api/v1/session/second-factor",
    tag = "session",
    security(()),
    request_body = SecondFactorRequest,
    responses(
        (status = 200, body = Whoami, headers(("Set-Cookie" = String, description = "The session"))),
        (status = 401, description = "`bad_code`; `no_such_challenge`: sign in again from the start"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn second_factor(
    anyone: Anyone,
    headers: HeaderMap,
    Json(request): Json<SecondFactorRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let app = anyone.app();
    let secret = StoredSecret::of_session(&request.challenge);
    let found = match secret {
        Some(secret) => app.store.challenge(secret, app.clock.now()).await?,
        None => None,
    };
    let Some(challenge) = found else {
        admit_try(&anyone, "").await?;
        return Err(no_challenge());
    };
    let who = (challenge.user, challenge.email.as_str());
    let second = take_code(&anyone, who, &request.code, secret).await?;
    let method = format!("{}+{second}", challenge.method);
    begin(&anyone, &headers, challenge.user, method.as_str().into()).await
}
