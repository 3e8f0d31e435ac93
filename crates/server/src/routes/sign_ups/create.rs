//! `POST /api/v1/sign-ups`

use http::StatusCode;
use storm_protocol::api::SignUpRequest;

use super::{DAY_SECONDS, check_open};
use crate::{
    app::App,
    auth::{Anyone, secret::PlainSecret},
    error::ApiError,
    mail,
    routes::{accounts::check_name, check_email, mail_room},
    store::{self, sign_ups::NewSignUp},
    web::Json,
};

/// Hours that a link is good.
const VALID_HOURS: i64 = 24;
/// Seconds between two e-mails to one address.
const AGAIN_SECONDS: i64 = 300;
/// E-mails that go out in a day for each account that may be made in it.
const MAILS_AN_ACCOUNT: u32 = 10;

/// Ask for an account of your own: a link goes to your address, good for 24 hours.
///
/// Where sign-up is open (`GET /api/v1/about`). The answer is the same, and comes as soon, whether or not
/// anybody here has the address.
#[utoipa::path(
    post,
    path = "/api/v1/sign-ups",
    tag = "accounts",
    security(()),
    request_body = SignUpRequest,
    responses(
        (status = 204, description = "An e-mail goes to the address"),
        (status = 403, description = "`sign_up_closed`"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
        (status = 503, description = "`busy`: too many e-mails wait; see Retry-After"),
    ),
)]
pub(crate) async fn create(
    anyone: Anyone,
    Json(request): Json<SignUpRequest>,
) -> Result<StatusCode, ApiError> {
    check_open(anyone.app())?;
    let email = check_email(&request.email)?;
    let name = check_name(request.name)?;
    let admitted = anyone.sign_in_limits().admit(anyone.origin, &email);
    let pause = admitted.map_err(|retry_after_seconds| ApiError::RateLimited {
        retry_after_seconds,
        message: format!(
            "Too many tries from your network. Try again in {retry_after_seconds} seconds."
        ),
    })?;
    tokio::time::sleep(pause).await;
    mail_room::check(anyone.app()).await?;
    // Whatever is found is found after the answer.
    let app = anyone.app().clone();
    anyone.app().bus.behind.begin(async move {
        if let Err(error) = offer(&app, &email, &name).await {
            tracing::error!(%error, "a link for a sign-up was not made");
        }
    })?;
    Ok(StatusCode::NO_CONTENT)
}

async fn offer(app: &App, email: &str, name: &str) -> store::Result<()> {
    let now = app.clock.now();
    let secret = PlainSecret::link();
    let site = &app.config.web.public_url;
    let known = app.store.user_by_email(email).await?.is_some();
    // What somebody else has typed, the name, is not in it: the e-mail goes to whoever they say.
    let mail = match known {
        true => mail::known_already(email, site),
        false => mail::sign_up(
            email,
            &format!("{site}/sign-up#{}", secret.expose()),
            VALID_HOURS,
        ),
    };
    let most = app.config.sign_up.accounts_a_day.get();
    let new = NewSignUp {
        email,
        name,
        secret: secret.stored(),
        mail: &mail,
        now,
        expires_at: now.plus_seconds(VALID_HOURS * 3600),
        again_before: now.plus_seconds(-AGAIN_SECONDS),
        since: now.plus_seconds(-DAY_SECONDS),
        most: i64::from(most.saturating_mul(MAILS_AN_ACCOUNT)),
    };
    if app.store.offer_sign_up(&new).await? {
        app.bus.mail.notify_one();
    }
    Ok(())
}
