//! `POST /api/v1/sign-ups/confirm`

use http::StatusCode;
use secrecy::SecretString;
use storm_protocol::{
    api::ConfirmSignUpRequest,
    ident::{AccountId, UserId},
};

use super::{DAY_SECONDS, check_open};
use crate::{
    app::Change,
    auth::{Anyone, secret::StoredSecret},
    clock::random,
    error::ApiError,
    store::sign_ups::{Confirmed, NewOwner},
    web::Json,
};

/// Seconds to wait when a day has as many new accounts as it may have.
const FULL_RETRY_SECONDS: u64 = 3600;

/// Make your account with the secret of the link from the e-mail, once, and set your password.
#[utoipa::path(
    post,
    path = "/api/v1/sign-ups/confirm",
    tag = "accounts",
    security(()),
    request_body = ConfirmSignUpRequest,
    responses(
        (status = 204, description = "Done; sign in"),
        (status = 403, description = "`sign_up_closed`"),
        (status = 404, description = "`no_such_link`"),
        (status = 429, description = "`rate_limited`: enough accounts were made today; the link stays good"),
    ),
)]
pub(crate) async fn confirm(
    anyone: Anyone,
    Json(request): Json<ConfirmSignUpRequest>,
) -> Result<StatusCode, ApiError> {
    let app = anyone.app();
    check_open(app)?;
    let now = app.clock.now();
    let secret = StoredSecret::of_link(&request.token).ok_or_else(not_good)?;
    // Before the work of hashing, which is not for everybody to ask for.
    let email = app.store.sign_up_of(secret, now).await?;
    let email = email.ok_or_else(not_good)?;
    let password = SecretString::from(request.password);
    let hash = anyone.passwords().hash(password, email).await?;
    let owner = NewOwner {
        user: UserId::new(now, random()),
        account: AccountId::new(now, random()),
        password_hash: &hash,
        limits: &app.config.sign_up.limits(),
        most: i64::from(app.config.sign_up.accounts_a_day.get()),
        since: now.plus_seconds(-DAY_SECONDS),
        now,
    };
    match app.store.confirm_sign_up(secret, &owner).await? {
        Confirmed::Yes => {
            app.bus.tell(Change::Limits(owner.account));
            Ok(StatusCode::NO_CONTENT)
        }
        Confirmed::NotGood => Err(not_good()),
        Confirmed::Full => Err(ApiError::RateLimited {
            retry_after_seconds: FULL_RETRY_SECONDS,
            message:
                "As many accounts were made today as may be. Your link stays good; try again later."
                    .to_owned(),
        }),
    }
}

fn not_good() -> ApiError {
    let message = "The link is not good: it was used, a newer one was sent, or its 24 hours are over. No account was \
                   made. Sign up once more.";
    ApiError::refused(StatusCode::NOT_FOUND, "no_such_link", message)
}
