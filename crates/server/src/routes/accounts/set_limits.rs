//! `PUT /api/v1/accounts/{account}/limits`

use storm_protocol::{
    api::{Account, AccountLimits},
    ident::AccountId,
};

use super::any_account;
use crate::{
    app::Change,
    auth::{Caller, act},
    error::ApiError,
    web::{Json, Path},
};

/// Set all that an account may have; an absent limit is lifted.
///
/// For operators. Nothing that is there is taken away: an account over a limit gets no more. A storage
/// limit counts unfinished uploads and is kept by the quotas of the account's buckets, which follow
/// within minutes.
#[utoipa::path(
    put,
    path = "/api/v1/accounts/{account}/limits",
    tag = "accounts",
    params(("account" = AccountId, Path)),
    request_body = AccountLimits,
    responses(
        (status = 200, body = Account),
        (status = 404, description = "`no_such_account`"),
    ),
)]
pub(crate) async fn set_limits(
    caller: Caller<act::SetAccountLimits>,
    Path(id): Path<AccountId>,
    Json(limits): Json<AccountLimits>,
) -> Result<Json<Account>, ApiError> {
    if caller.store().set_limits(id, &limits, caller.now()).await? {
        caller.app().bus.tell(Change::Limits(id));
    }
    any_account(&caller, id).await.map(Json)
}
