//! Who is in the account.

pub(crate) mod list;
pub(crate) mod remove;
pub(crate) mod set_role;

use http::StatusCode;
use storm_protocol::ident::UserId;

use crate::{error::ApiError, store::people::Changed};

/// What a change of somebody's role came to.
pub(super) fn outcome(changed: Changed, user: UserId) -> Result<(), ApiError> {
    match changed {
        Changed::Yes => Ok(()),
        Changed::NoMember => Err(ApiError::not_found("member", user, "/api/v1/members")),
        Changed::TooHigh => Err(ApiError::forbidden(
            "They have a higher role than you, or would. Nothing was changed. Ask an owner of the account.",
        )),
        Changed::LastOwner => Err(ApiError::refused(
            StatusCode::CONFLICT,
            "last_owner",
            "They are the account's last owner. Nothing was changed. Make somebody else an owner first.",
        )),
    }
}
