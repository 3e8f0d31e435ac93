//! What the caller signs in with.

pub(crate) mod confirm_totp;
pub(crate) mod create_totp;
pub(crate) mod delete_totp;
pub(crate) mod list;
pub(crate) mod renew_recovery_codes;

use http::StatusCode;

use crate::error::ApiError;

fn none_on() -> ApiError {
    let message = "No authenticator app is set up here. Nothing was changed.";
    ApiError::refused(StatusCode::NOT_FOUND, "no_second_factor", message)
}
