//! `POST /api/v1/account/cancel-close` and `POST /api/v1/accounts/{account}/cancel-close`

use storm_protocol::{api::Account, ident::AccountId};

use super::{any_account, moved};
use crate::{
    auth::{Caller, Need, act},
    error::ApiError,
    web::{Json, Path},
};

/// Cancel the closing of your account, while its buckets are kept.
///
/// Its keys are deleted and do not come back: make new ones.
#[utoipa::path(
    post,
    path = "/api/v1/account/cancel-close",
    tag = "accounts",
    responses(
        (status = 200, body = Account),
        (status = 403, description = "`forbidden`: an operator closes it"),
        (status = 409, description = "`account_active`, `too_late`"),
    ),
)]
pub(crate) async fn cancel_close(
    caller: Caller<act::CancelClose>,
) -> Result<Json<Account>, ApiError> {
    let account = caller.person.account;
    cancel(&caller, account, caller.person.operator).await
}

/// Cancel the closing of any account, while its buckets are kept.
///
/// For operators. Its keys do not come back. One that was suspended before is so again.
#[utoipa::path(
    post,
    path = "/api/v1/accounts/{account}/cancel-close",
    tag = "accounts",
    params(("account" = AccountId, Path)),
    responses(
        (status = 200, body = Account),
        (status = 404, description = "`no_such_account`"),
        (status = 409, description = "`account_active`, `account_suspended`, `account_closed`, `too_late`"),
    ),
)]
pub(crate) async fn cancel_close_any(
    caller: Caller<act::CancelAnyClose>,
    Path(id): Path<AccountId>,
) -> Result<Json<Account>, ApiError> {
    cancel(&caller, id, true).await
}

async fn cancel<N: Need>(
    caller: &Caller<N>,
    account: AccountId,
    by_operator: bool,
) -> Result<Json<Account>, ApiError> {
    let cancelled = caller
        .store()
        .cancel_close(account, by_operator, caller.now())
        .await?;
    moved(caller, account, cancelled)?;
    any_account(caller, account).await.map(Json)
}
