//! `POST /api/v1/invitations/accept`

use http::StatusCode;
use secrecy::SecretString;
use storm_protocol::{
    api::{AcceptInvitationRequest, AccountState},
    ident::UserId,
};

use crate::{
    auth::{Anyone, secret::StoredSecret},
    clock::random,
    error::ApiError,
    routes::session::check_password,
    store::invitations::{Accepted, Answerer},
    web::Json,
};

/// Answer an invitation: you are in the account afterwards.
///
/// With the secret of its link. Who is known here under its address gives their password; everybody
/// else gives the one that they want to have.
#[utoipa::path(
    post,
    path = "/api/v1/invitations/accept",
    tag = "people",
    security(()),
    request_body = AcceptInvitationRequest,
    responses(
        (status = 204, description = "Done; sign in"),
        (status = 400, description = "`bad_request`: the password is too short, too long, or too easy to guess"),
        (status = 401, description = "`bad_credentials`"),
        (status = 403, description = "`account_suspended`, `account_closing`: the invitation is kept"),
        (status = 404, description = "`no_such_invitation`"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn accept(
    anyone: Anyone,
    Json(request): Json<AcceptInvitationRequest>,
) -> Result<StatusCode, ApiError> {
    let app = anyone.app();
    let now = app.clock.now();
    let secret = StoredSecret::of_link(&request.token).ok_or_else(not_good)?;
    let found = app.store.invitation_of(secret, now).await?;
    let (open, email) = found.ok_or_else(not_good)?;
    let password = SecretString::from(request.password);
    let known = app.store.user_by_email(&email).await?;
    let accepted = match known {
        Some(_) => {
            let user = check_password(&anyone, &email, password).await?;
            let answerer = Answerer::Known(user.id);
            app.store.accept_invitation(open, answerer, now).await?
        }
        None => {
            let hash = anyone.passwords().hash(password, email).await?;
            let answerer = Answerer::New(UserId::new(now, random()), &hash);
            app.store.accept_invitation(open, answerer, now).await?
        }
    };
    match accepted {
        Accepted::Yes => Ok(StatusCode::NO_CONTENT),
        Accepted::Gone => Err(not_good()),
        Accepted::Not(state) => Err(not_now(state)),
    }
}

fn not_now(state: AccountState) -> ApiError {
    let (code, message) = match state {
        AccountState::Active | AccountState::Suspended => (
            "account_suspended",
            "The account is suspended, so nobody comes in now. Nothing was changed, and the invitation is kept: use \
             its link again, within its 7 days, once the account goes on. Ask whoever sent it.",
        ),
        AccountState::Closing | AccountState::Closed => (
            "account_closing",
            "The account is being closed, so nobody comes in. Nothing was changed. Ask whoever sent the invitation.",
        ),
    };
    ApiError::refused(StatusCode::FORBIDDEN, code, message)
}

/// The same for a link that never was, was used, withdrawn, or is over.
pub(super) fn not_good() -> ApiError {
    let message = "The invitation is not good: it was answered or withdrawn, or its 7 days are over. Nothing was \
                   changed. Ask whoever sent it for another one.";
    ApiError::refused(StatusCode::NOT_FOUND, "no_such_invitation", message)
}
