//! Accounts: what they may have and what they have.

pub(crate) mod get;
pub(crate) mod leave;
pub(crate) mod list;
pub(crate) mod list_own;
pub(crate) mod own;
pub(crate) mod set_limits;
pub(crate) mod switch;
pub(crate) mod transfer;

use storm_protocol::{api::Account, ident::AccountId};

use crate::{
    auth::{Caller, Need},
    error::ApiError,
};

/// An account, whosever it is.
async fn any_account<N: Need>(caller: &Caller<N>, id: AccountId) -> Result<Account, ApiError> {
    let account = caller.store().account(id, caller.now()).await?;
    account.ok_or_else(|| ApiError::not_found("account", id, "/api/v1/accounts"))
}
