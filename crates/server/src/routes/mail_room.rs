//! Whether there is room for another e-mail. Asked before anybody is looked up: the answer is the same for
//! each address.

use crate::{app::App, error::ApiError};

/// Seconds after which one who found no room may come again.
const RETRY_SECONDS: u64 = 60;

/// An error where as many e-mails wait as may.
pub(super) async fn check(app: &App) -> Result<(), ApiError> {
    if !app.store.are_mails_full().await? {
        return Ok(());
    }
    Err(ApiError::Busy {
        retry_after_seconds: RETRY_SECONDS,
        message: "So many e-mails wait here to be sent that no more are taken. Nothing was done. Try again in \
                  some minutes."
            .to_owned(),
    })
}
