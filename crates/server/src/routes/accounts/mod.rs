//! Accounts: what they may have and what they have.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod leave;
pub(crate) mod list;
pub(crate) mod list_own;
pub(crate) mod own;
pub(crate) mod rename;
pub(crate) mod set_limits;
pub(crate) mod switch;
pub(crate) mod transfer;

use storm_protocol::{api::Account, ident::AccountId};

use crate::{
    auth::{Caller, Need},
    error::ApiError,
};

/// The longest name of an account, in characters.
const MAX_NAME_CHARS: usize = 64;

/// A name that an account may have.
fn check_name(name: String) -> Result<String, ApiError> {
    let plain = name.trim() == name && !name.chars().any(char::is_control);
    if plain && (1..=MAX_NAME_CHARS).contains(&name.chars().count()) {
        return Ok(name);
    }
    let why = format!(
        "expected 1 to {MAX_NAME_CHARS} characters, no space at either end, no control characters"
    );
    Err(ApiError::field("name", why))
}

/// An account, whosever it is.
async fn any_account<N: Need>(caller: &Caller<N>, id: AccountId) -> Result<Account, ApiError> {
    let account = caller.store().account(id, caller.now()).await?;
    account.ok_or_else(|| ApiError::not_found("account", id, "/api/v1/accounts"))
}
