//! `POST /api/v1/account/close` and `POST /api/v1/accounts/{account}/close`

use storm_protocol::{api::Account, ident::AccountId};

use super::{any_account, moved};
use crate::{
    auth::{Caller, Need, act},
    error::ApiError,
    store::account_states::Closing,
    web::{Json, Path},
};

const DAY_SECONDS: i64 = 24 * 3600;

/// Close your account: its keys are deleted at once, its buckets cleared and deleted after some days.
///
/// `clears_at` says when; until then it can be cancelled. The owners are told by e-mail.
#[utoipa::path(
    post,
    path = "/api/v1/account/close",
    tag = "accounts",
    responses(
        (status = 200, body = Account),
        (status = 409, description = "`has_operator`: somebody who runs the platform is in it"),
    ),
)]
pub(crate) async fn close(caller: Caller<act::CloseAccount>) -> Result<Json<Account>, ApiError> {
    let account = caller.person.account;
    begin(&caller, account, caller.person.operator).await
}

/// Close any account.
///
/// For operators. Only they cancel that then.
#[utoipa::path(
    post,
    path = "/api/v1/accounts/{account}/close",
    tag = "accounts",
    params(("account" = AccountId, Path)),
    responses(
        (status = 200, body = Account),
        (status = 404, description = "`no_such_account`"),
        (status = 409, description = "`account_closing`, `account_closed`, `has_operator`"),
    ),
)]
pub(crate) async fn close_any(
    caller: Caller<act::CloseAnyAccount>,
    Path(id): Path<AccountId>,
) -> Result<Json<Account>, ApiError> {
    begin(&caller, id, true).await
}

async fn begin<N: Need>(
    caller: &Caller<N>,
    account: AccountId,
    by_operator: bool,
) -> Result<Json<Account>, ApiError> {
    let now = caller.now();
    let days = i64::from(caller.app().config.accounts.closing_days);
    let closing = Closing {
        by: &caller.person.email,
        by_operator,
        clears_at: now.plus_seconds(days * DAY_SECONDS),
        now,
    };
    let closed = caller.store().close_account(account, &closing).await?;
    moved(caller, account, closed)?;
    any_account(caller, account).await.map(Json)
}
