//! Accounts: what they may have and what they have.

pub(crate) mod cancel_close;
pub(crate) mod close;
pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod leave;
pub(crate) mod list;
pub(crate) mod list_own;
pub(crate) mod own;
pub(crate) mod rename;
pub(crate) mod resume;
pub(crate) mod set_limits;
pub(crate) mod suspend;
pub(crate) mod switch;
pub(crate) mod transfer;

use http::StatusCode;
use storm_protocol::{api::Account, ident::AccountId};

use crate::{
    auth::{Caller, Need},
    error::ApiError,
    store::account_states::Moved,
};

/// The longest name of an account, in characters.
const MAX_NAME_CHARS: usize = 64;

/// A name that an account may have.
pub(super) fn check_name(name: String) -> Result<String, ApiError> {
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

/// Says what became of a change of an account's state, and wakes who goes on with it.
fn moved<N: Need>(caller: &Caller<N>, id: AccountId, moved: Moved) -> Result<(), ApiError> {
    let conflict = |code: String, message: &str| {
        let message = format!("{message} Nothing was changed.");
        Err(ApiError::refused(StatusCode::CONFLICT, code, message))
    };
    match moved {
        Moved::Yes => {
            caller.app().bus.accounts.notify_one();
            caller.app().bus.mail.notify_one();
            Ok(())
        }
        Moved::NoAccount => Err(ApiError::not_found("account", id, "/api/v1/accounts")),
        Moved::Not(state) => {
            let state = state.as_str();
            conflict(
                format!("account_{state}"),
                &format!("The account is {state}."),
            )
        }
        Moved::HasOperator => conflict(
            "has_operator".to_owned(),
            "Somebody who runs the platform is in the account and would lose their way in. They leave it first.",
        ),
        Moved::TooLate => conflict(
            "too_late".to_owned(),
            "The account's buckets are being cleared, and that cannot be cancelled any more.",
        ),
        Moved::ByOperator => Err(ApiError::forbidden(
            "An operator of the platform closes the account. Nothing was changed. Ask them.",
        )),
    }
}
