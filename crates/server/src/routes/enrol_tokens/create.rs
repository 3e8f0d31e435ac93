//! `POST /api/v1/agents/enrol-tokens`

use http::StatusCode;
use storm_protocol::{
    api::{CreateEnrolTokenRequest, EnrolTokenCreated, EnrolTokenInfo},
    ident::EnrolTokenId,
    trust::EnrolToken,
};

use crate::{
    auth::{Caller, act},
    clock::random,
    error::ApiError,
    routes::choose_region,
    web::Json,
};

/// Seconds that a token lasts when the request does not say: an hour.
const DEFAULT_SECONDS: u32 = 3600;
/// The most seconds: a week.
const MAX_SECONDS: u32 = 7 * 24 * 3600;

/// Make a token with which one agent can enrol.
///
/// For operators. Its text is shown this once.
#[utoipa::path(
    post,
    path = "/api/v1/agents/enrol-tokens",
    tag = "agents",
    request_body = CreateEnrolTokenRequest,
    responses(
        (status = 201, body = EnrolTokenCreated),
        (status = 404, description = "`no_such_region`"),
    ),
)]
pub(crate) async fn create(
    caller: Caller<act::CreateEnrolToken>,
    Json(request): Json<CreateEnrolTokenRequest>,
) -> Result<(StatusCode, Json<EnrolTokenCreated>), ApiError> {
    let seconds = request.expires_in_seconds.unwrap_or(DEFAULT_SECONDS);
    if !(1..=MAX_SECONDS).contains(&seconds) {
        let why = format!("expected 1 to {MAX_SECONDS} (a week)");
        return Err(ApiError::field("expires_in_seconds", why));
    }
    let region = choose_region(&caller, request.region).await?.name;
    let now = caller.now();
    let token = EnrolTokenInfo {
        id: EnrolTokenId::new(now, random()),
        region,
        created_at: now,
        expires_at: now.plus_seconds(i64::from(seconds)),
        agent: None,
    };
    let trust = caller.app().trust.borrow().clone();
    let secret = EnrolToken {
        secret: random(),
        root_key: trust.root_key.id(),
        ca_key: trust.ca_key,
    };
    caller
        .store()
        .create_enrol_token(&token, secret.hash(), caller.person.user)
        .await?;
    let url = caller.app().config.hub.public_url.clone();
    let secret = secret.expose();
    let command = format!("storm-pulse enroll {url} {secret}");
    Ok((
        StatusCode::CREATED,
        Json(EnrolTokenCreated {
            token,
            secret,
            url,
            command,
        }),
    ))
}
