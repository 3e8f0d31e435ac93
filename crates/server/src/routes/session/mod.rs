//! Sessions of the dashboard.

pub(crate) mod create;
pub(crate) mod delete;

use http::{HeaderName, HeaderValue, header};

use crate::{auth::COOKIE, error::ApiError};

/// The header that sets the session cookie to `value` for `seconds`; 0 takes it away.
fn cookie(
    value: &str,
    seconds: i64,
    secure: bool,
) -> Result<[(HeaderName, HeaderValue); 1], ApiError> {
    let secure = if secure { "; Secure" } else { "" };
    let text =
        format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    let mut value =
        HeaderValue::try_from(text).map_err(|error| ApiError::Internal(error.to_string()))?;
    value.set_sensitive(true);
    Ok([(header::SET_COOKIE, value)])
}
