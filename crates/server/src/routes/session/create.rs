//! `POST /api/v1/session`

use axum::response::IntoResponse;
use http::StatusCode;
use secrecy::SecretString;
use storm_protocol::api::{SignInRequest, Whoami};

use super::cookie;
use crate::{
    auth::{Anyone, password::MAX_EMAIL_BYTES, secret::PlainSecret},
    error::ApiError,
    store::{security::SecurityEvent, sessions::NewSession},
    web::Json,
};

/// Hours that a session lasts.
const SESSION_HOURS: i64 = 12;

/// Sign in.
///
/// Sets the cookie `storm_session`. A wrong address and a wrong password are answered alike.
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
    let admitted = anyone.sign_in_limits().admit(anyone.origin, &email);
    let pause = admitted.map_err(|retry_after_seconds| ApiError::RateLimited {
        retry_after_seconds,
        message: format!(
            "Too many tries to sign in from your network. Try again in {retry_after_seconds} seconds."
        ),
    })?;
    tokio::time::sleep(pause).await;
    let app = anyone.app();
    let now = app.clock.now();
    let origin = anyone.origin.map(|address| address.to_string());
    let user = app.store.user_by_email(&email).await?;
    let stored = user.as_ref().and_then(|user| user.password_hash.clone());
    let right = anyone.passwords().verify(password, stored).await?;
    let Some(user) = user.filter(|_| right) else {
        let event = SecurityEvent {
            kind: "sign_in_failed",
            subject: &email,
            origin: origin.as_deref(),
            detail: "",
        };
        app.store.note_security_event(event, now).await?;
        let message = "The e-mail address or the password is wrong.";
        return Err(ApiError::refused(
            StatusCode::UNAUTHORIZED,
            "bad_credentials",
            message,
        ));
    };
    let account = app.store.first_account(user.id).await?.ok_or_else(|| {
        ApiError::forbidden("You are not a member of any account. Ask an owner to add you.")
    })?;
    let secret = PlainSecret::session();
    app.store
        .begin_session(NewSession {
            secret: secret.stored(),
            user: user.id,
            account,
            origin: origin.as_deref(),
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
