//! How a session begins, whichever way its person has proved who they are.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use storm_protocol::{
    api::{SecondFactor, SecondFactorAsked, Whoami},
    ident::{PasskeyId, UserId},
};

use super::{cookie, passkey::bad_passkey};
use crate::{
    auth::{Anyone, secret::PlainSecret},
    error::ApiError,
    store::sessions::NewSession,
    web::Json,
};

/// Characters that are kept of what a client calls itself.
const MAX_USER_AGENT_CHARS: usize = 200;

/// Seconds that a sign-in waits for its second factor.
const CHALLENGE_SECONDS: i64 = 300;

/// What answers a sign-in: the session's cookie, and who it is.
pub(crate) type Begun = ([(HeaderName, HeaderValue); 1], Json<Whoami>);

/// How somebody proved who they are.
pub(crate) struct How<'a> {
    /// By what, as sessions name it.
    pub(crate) method: &'a str,
    /// With which passkey, if with one.
    pub(crate) passkey: Option<PasskeyId>,
    /// Seconds for which that counts, where it is less than a session's usual length.
    pub(crate) longest_seconds: Option<i64>,
}

impl<'a> From<&'a str> for How<'a> {
    /// As usual, by `method`, without a passkey.
    fn from(method: &'a str) -> Self {
        Self {
            method,
            passkey: None,
            longest_seconds: None,
        }
    }
}

/// Goes on with the sign-in of `user`, who has just proved who they are by `method`: asks whoever has a second
/// factor for it, and begins the session of whoever has none.
pub(crate) async fn go_on(
    anyone: &Anyone,
    headers: &HeaderMap,
    user: UserId,
    method: &str,
) -> Result<Response, ApiError> {
    let app = anyone.app();
    let methods = app.store.second_factors(user).await?;
    if methods.is_empty() {
        return Ok(begin(anyone, headers, user, method.into())
            .await?
            .into_response());
    }
    let now = app.clock.now();
    let secret = PlainSecret::session();
    let times = (now, now.plus_seconds(CHALLENGE_SECONDS));
    app.store
        .begin_challenge(secret.stored(), user, method, times)
        .await?;
    let second_factor = SecondFactor {
        challenge: secret.expose().to_owned(),
        methods,
    };
    Ok(Json(SecondFactorAsked { second_factor }).into_response())
}

/// Begins a session of `user`, who has just proved who they are, in their first account.
pub(crate) async fn begin(
    anyone: &Anyone,
    headers: &HeaderMap,
    user: UserId,
    how: How<'_>,
) -> Result<Begun, ApiError> {
    let app = anyone.app();
    let now = app.clock.now();
    let account = app.store.first_account(user).await?.ok_or_else(|| {
        ApiError::forbidden("You are not a member of any account. Ask an owner to add you.")
    })?;
    let origin = anyone.origin.map(|address| address.to_string());
    let user_agent = user_agent(headers);
    let limits = &app.config.sessions;
    let longest_seconds = i64::from(limits.longest_days.get()) * 86_400;
    let longest_seconds = how
        .longest_seconds
        .map_or(longest_seconds, |seconds| seconds.min(longest_seconds));
    let secret = PlainSecret::session();
    let begun = app
        .store
        .begin_session(NewSession {
            secret: secret.stored(),
            user,
            account,
            origin: origin.as_deref(),
            user_agent: user_agent.as_deref(),
            created_at: now,
            method: how.method,
            passkey: how.passkey,
            idle: Duration::from_secs(u64::from(limits.idle_hours.get()) * 3600),
            ends_at: now.plus_seconds(longest_seconds),
        })
        .await?;
    if !begun {
        return Err(bad_passkey());
    }
    let person = app.store.person_of_session(secret.stored(), now).await?;
    let person =
        person.ok_or_else(|| ApiError::Internal("a new session is not there".to_owned()))?;
    let cookie = cookie(secret.expose(), longest_seconds, anyone.is_https())?;
    Ok((cookie, Json(Whoami::from(person))))
}

/// What the client calls itself, cut short, without anything that is no character.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(MAX_USER_AGENT_CHARS).collect())
}
