//! `POST /api/v1/password/forgotten`

use http::StatusCode;
use storm_protocol::{api::ForgottenPasswordRequest, ident::UserId};

use crate::{
    app::App,
    auth::{Anyone, secret::PlainSecret},
    error::ApiError,
    mail,
    routes::{check_email, mail_room},
    store,
    web::Json,
};

/// Minutes that a link is good.
const VALID_MINUTES: i64 = 60;
/// Seconds between two e-mails to one person.
const AGAIN_SECONDS: i64 = 300;

/// Ask for a link that sets a new password, by e-mail.
///
/// The answer is the same, and comes as soon, whether or not anybody has the address.
#[utoipa::path(
    post,
    path = "/api/v1/password/forgotten",
    tag = "session",
    security(()),
    request_body = ForgottenPasswordRequest,
    responses(
        (status = 204, description = "If somebody has the address, an e-mail goes there"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
        (status = 503, description = "`busy`: too many e-mails wait; see Retry-After"),
    ),
)]
pub(crate) async fn forgotten(
    anyone: Anyone,
    Json(request): Json<ForgottenPasswordRequest>,
) -> Result<StatusCode, ApiError> {
    let email = check_email(&request.email)?;
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
        if let Err(error) = offer(&app, &email).await {
            tracing::error!(%error, "a link for a new password was not made");
        }
    })?;
    Ok(StatusCode::NO_CONTENT)
}

async fn offer(app: &App, email: &str) -> store::Result<()> {
    let Some(user) = app.store.user_by_email(email).await? else {
        return Ok(());
    };
    let user: UserId = user.id;
    let now = app.clock.now();
    let secret = PlainSecret::link();
    let link = format!("{}/password#{}", app.config.web.public_url, secret.expose());
    let mail = mail::password_reset(email, &link, VALID_MINUTES);
    let times = (
        now,
        now.plus_seconds(VALID_MINUTES * 60),
        now.plus_seconds(-AGAIN_SECONDS),
    );
    app.store
        .offer_reset(user, secret.stored(), &mail, times)
        .await?;
    app.bus.mail.notify_one();
    Ok(())
}
