//! `POST /api/v1/invitations`

use http::StatusCode;
use storm_protocol::api::{CreateInvitationRequest, Invitation};

use super::prepare;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::{check_email, mail_room},
    web::Json,
};

const DAY_SECONDS: i64 = 24 * 3600;
/// E-mails that an account sends in a day.
const MAX_A_DAY: i64 = 100;

/// Ask somebody into the account, by e-mail.
///
/// Good for 7 days and one answer. A new one to the same address takes the old one's place. The answer
/// does not tell whether anybody is known under the address.
#[utoipa::path(
    post,
    path = "/api/v1/invitations",
    tag = "people",
    request_body = CreateInvitationRequest,
    responses(
        (status = 201, body = Invitation),
        (status = 403, description = "`forbidden`: to a role above your own"),
        (status = 409, description = "`too_many_invitations`"),
        (status = 503, description = "`busy`: too many e-mails wait; see Retry-After"),
    ),
)]
pub(crate) async fn create(
    caller: Caller<act::CreateInvitation>,
    Json(request): Json<CreateInvitationRequest>,
) -> Result<(StatusCode, Json<Invitation>), ApiError> {
    let email = check_email(&request.email)?;
    let person = &caller.person;
    if request.role > person.highest() {
        return Err(ApiError::forbidden(
            "That is a higher role than yours. Nobody was asked. Ask an owner of the account.",
        ));
    }
    mail_room::check(caller.app()).await?;
    let now = caller.now();
    let made = prepare(&caller, email, request.role, &person.account_name);
    let (invitation, secret, mail) = (made.invitation, made.secret, made.mail);
    let bound = (MAX_A_DAY, now.plus_seconds(-DAY_SECONDS));
    let kept = caller
        .store()
        .create_invitation(person.account, &invitation, secret, &mail, bound);
    if !kept.await? {
        let words = format!(
            "The account has sent {MAX_A_DAY} e-mails within a day. Nobody was asked. Go on tomorrow."
        );
        return Err(ApiError::refused(
            StatusCode::CONFLICT,
            "too_many_invitations",
            words,
        ));
    }
    caller.app().bus.mail.notify_one();
    Ok((StatusCode::CREATED, Json(invitation)))
}
