//! `GET /api/v1/accounts/{account}`

use storm_protocol::{api::Account, ident::AccountId};

use super::any_account;
use crate::{
    auth::{Caller, act},
    error::ApiError,
    web::{Json, Path},
};

/// An account: what it may have and what it has.
///
/// For operators.
#[utoipa::path(
    get,
    path = "/api/v1/accounts/{account}",
    tag = "accounts",
    params(("account" = AccountId, Path)),
    responses(
        (status = 200, body = Account),
        (status = 404, description = "`no_such_account`"),
    ),
)]
pub(crate) async fn get(
    caller: Caller<act::ListAccounts>,
    Path(id): Path<AccountId>,
) -> Result<Json<Account>, ApiError> {
    any_account(&caller, id).await.map(Json)
}
