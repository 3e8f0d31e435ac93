//! Accounts that people make for themselves, where the configuration lets them.

pub(crate) mod confirm;
pub(crate) mod create;

use http::StatusCode;

use crate::{app::App, error::ApiError};

const DAY_SECONDS: i64 = 24 * 3600;

/// Refuses where sign-up is not open.
fn check_open(app: &App) -> Result<(), ApiError> {
    if app.config.sign_up.open {
        return Ok(());
    }
    let message =
        "Nobody signs up here by themselves. Ask whoever runs this platform for an account.";
    Err(ApiError::refused(
        StatusCode::FORBIDDEN,
        "sign_up_closed",
        message,
    ))
}
