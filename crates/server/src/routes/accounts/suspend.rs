//! `POST /api/v1/accounts/{account}/suspend`

use storm_protocol::{
    api::{Account, SuspendAccountRequest},
    ident::AccountId,
};

use super::{any_account, moved};
use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::{Json, Path},
};

/// The longest reason, in characters.
const MAX_REASON_CHARS: usize = 500;

/// Suspend an account: its keys stop working, and its people change nothing until it is resumed.
///
/// For operators. They still look, sign in and out, and go on in other accounts; the reason is shown to
/// them. One that is suspended gets the new reason.
#[utoipa::path(
    post,
    path = "/api/v1/accounts/{account}/suspend",
    tag = "accounts",
    params(("account" = AccountId, Path)),
    request_body = SuspendAccountRequest,
    responses(
        (status = 200, body = Account),
        (status = 404, description = "`no_such_account`"),
        (status = 409, description = "`account_closing`, `account_closed`"),
    ),
)]
pub(crate) async fn suspend(
    caller: Caller<act::SuspendAccount>,
    Path(id): Path<AccountId>,
    Json(request): Json<SuspendAccountRequest>,
) -> Result<Json<Account>, ApiError> {
    let reason = check_reason(&request.reason)?;
    let suspended = caller
        .store()
        .suspend_account(id, reason, caller.now())
        .await?;
    moved(&caller, id, suspended)?;
    any_account(&caller, id).await.map(Json)
}

fn check_reason(text: &str) -> Result<&str, ApiError> {
    let text = text.trim();
    let plain = !text.chars().any(|c| c.is_control() && c != '\n');
    if plain && (1..=MAX_REASON_CHARS).contains(&text.chars().count()) {
        return Ok(text);
    }
    let why = format!("expected 1 to {MAX_REASON_CHARS} characters, no control characters");
    Err(ApiError::field("reason", why))
}
