//! `POST /api/v1/session`

use axum::response::IntoResponse;
use http::{HeaderMap, header};
use secrecy::SecretString;
use storm_protocol::api::{SignInRequest, Whoami};

use super::{check_password, cookie};
use crate::{
    auth::{Anyone, password::MAX_EMAIL_BYTES, secret::PlainSecret},
    error::ApiError,
    store::sessions::NewSession,
    web::Json,
};

/// Characters that are kept of what a client calls itself.
const MAX_USER_AGENT_CHARS: usize = 200;
/// Hours that a session lasts.
const SESSION_HOURS: i64 = 12;

/// Sign in.
///
/// Sets the cookie `__Host-storm_session`; `storm_session` over plain HTTP. A wrong address and a wrong password are answered alike.
#[utoipa::path(
    post,
    path = "/api/v1/session",
    tag = "session",
    security(()),
    request_body = SignInRequest,
    responses(
        (status = 200, body = Whoami, headers(("Set-Cookie" = String, description = "The session"))),
        (status = 401, description = "`bad_credentials`"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn create(
    anyone: Anyone,
    headers: HeaderMap,
    Json(request): Json<SignInRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let email = request.email.trim().to_lowercase();
    let password = SecretString::from(request.password);
    if email.is_empty() || email.len() > MAX_EMAIL_BYTES {
        return Err(ApiError::field(
            "email",
            format!("expected 1 to {MAX_EMAIL_BYTES} bytes"),
        ));
    }
    let user = check_password(&anyone, &email, password).await?;
    let app = anyone.app();
    let now = app.clock.now();
    let origin = anyone.origin.map(|address| address.to_string());
    let account = app.store.first_account(user.id).await?.ok_or_else(|| {
        ApiError::forbidden("You are not a member of any account. Ask an owner to add you.")
    })?;
    let user_agent = user_agent(&headers);
    let secret = PlainSecret::session();
    app.store
        .begin_session(NewSession {
            secret: secret.stored(),
            user: user.id,
            account,
            origin: origin.as_deref(),
            user_agent: user_agent.as_deref(),
            created_at: now,
            expires_at: now.plus_seconds(SESSION_HOURS * 3600),
        })
        .await?;
    let person = app.store.person_of_session(secret.stored(), now).await?;
    let person =
        person.ok_or_else(|| ApiError::Internal("a new session is not there".to_owned()))?;
    let cookie = cookie(secret.expose(), SESSION_HOURS * 3600, anyone.is_https())?;
    Ok((cookie, Json(Whoami::from(person))))
}

/// What the client calls itself, cut short, without anything that is no character.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(MAX_USER_AGENT_CHARS).collect())
}
