//! `POST /api/v1/accounts/{account}/resume`

use storm_protocol::{api::Account, ident::AccountId};

use super::{any_account, moved};
use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::{Json, Path},
};

/// Let a suspended account go on: the keys that the suspension stopped work again.
///
/// For operators. A key that its people had suspended before stays so.
#[utoipa::path(
    post,
    path = "/api/v1/accounts/{account}/resume",
    tag = "accounts",
    params(("account" = AccountId, Path)),
    responses(
        (status = 200, body = Account),
        (status = 404, description = "`no_such_account`"),
        (status = 409, description = "`account_active`, `account_closing`, `account_closed`"),
    ),
)]
pub(crate) async fn resume(
    caller: Caller<act::ResumeAccount>,
    Path(id): Path<AccountId>,
) -> Result<Json<Account>, ApiError> {
    let resumed = caller.store().resume_account(id, caller.now()).await?;
    moved(&caller, id, resumed)?;
    any_account(&caller, id).await.map(Json)
}
