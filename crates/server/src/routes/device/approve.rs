//! `POST /api/v1/device-authorizations/approve`

use http::StatusCode;
use storm_protocol::api::UserCodeRequest;

use super::{find, no_such_code};
use crate::{
    auth::{Caller, act},
    error::ApiError,
    routes::tokens::create::check_scopes,
    store::device::Approval,
    web::Json,
};

const DAY_SECONDS: i64 = 86_400;

/// Let a program in.
///
/// It gets an API token of yours in this account, named after itself and its machine. With an API token: for
/// nothing that this one may not itself, and no longer.
#[utoipa::path(
    post,
    path = "/api/v1/device-authorizations/approve",
    tag = "device",
    request_body = UserCodeRequest,
    responses(
        (status = 204, description = "The program may fetch its token"),
        (status = 403, description = "`reauthenticate`: prove first who you are"),
        (status = 404, description = "`no_such_code`"),
        (status = 429, description = "`rate_limited`: too many tries; see Retry-After"),
    ),
)]
pub(crate) async fn approve(
    caller: Caller<act::ApproveDevice>,
    Json(request): Json<UserCodeRequest>,
) -> Result<StatusCode, ApiError> {
    let (code, waiting) = find(&caller, &request.user_code).await?;
    let held = caller.person.token.as_ref();
    let scopes = check_scopes(waiting.scopes, held)?;
    let now = caller.now();
    let end = now.plus_seconds(i64::from(waiting.token_days) * DAY_SECONDS);
    let held_end = held.and_then(|token| token.expires_at);
    let approval = Approval {
        user: caller.person.user,
        account: caller.person.account,
        scopes: &scopes,
        token_ends_at: held_end.map_or(end, |held| held.min(end)),
        at: now,
    };
    let approved = caller.store().approve_device(code.stored(), &approval);
    if approved.await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_such_code())
    }
}
