//! The caller's passkeys.

pub(crate) mod begin;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod rename;

use http::StatusCode;
use storm_protocol::ident::PasskeyId;

use crate::{error::ApiError, store::passkeys::Room};

/// Seconds that an authenticator has for its answer.
pub(super) const CHALLENGE_SECONDS: i64 = 300;
/// The longest name of a passkey, in characters.
const MAX_NAME_CHARS: usize = 64;

/// Whether a passkey may be called so.
fn check_name(name: &str) -> Result<(), ApiError> {
    let length = name.chars().count();
    let plain = name.trim() == name && !name.chars().any(char::is_control);
    if (1..=MAX_NAME_CHARS).contains(&length) && plain {
        return Ok(());
    }
    let why = format!(
        "expected 1 to {MAX_NAME_CHARS} characters, no space at either end, no control characters"
    );
    Err(ApiError::field("name", why))
}

/// Why there is no room for another passkey.
fn check_room(room: Room) -> Result<(), ApiError> {
    let (code, message) = match room {
        Room::Free => return Ok(()),
        Room::Full => (
            "too_many_passkeys",
            "You have 20 passkeys, and more are not kept. Delete one first.",
        ),
        Room::Elsewhere => (
            "signed_in_elsewhere",
            "You sign in at your company's own provider, which alone says who you are here.",
        ),
        Room::Taken => (
            "passkey_taken",
            "This passkey is known here already. Nothing was changed.",
        ),
    };
    Err(ApiError::refused(StatusCode::CONFLICT, code, message))
}

fn no_passkey(id: PasskeyId) -> ApiError {
    ApiError::not_found("passkey", id, "/api/v1/passkeys")
}
