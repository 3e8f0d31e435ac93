//! Letting a program in that cannot show a sign-in page itself, after RFC 8628: it shows a code, and
//! somebody who is signed in approves it elsewhere.

use serde::{Deserialize, Serialize};

use super::api_types;
use crate::ident::{Micros, Scope};

/// Letters of the code that a person compares.
pub const USER_CODE_LETTERS: usize = 8;
/// The letters that it is made of: no vowels, so that it says nothing, and none that look like another.
pub const USER_CODE_ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// The most characters of a program's name.
pub const MAX_CLIENT_CHARS: usize = 20;
/// The most characters of a host's name; with the program's it makes a token's name.
pub const MAX_HOST_CHARS: usize = 40;

api_types! {
    /// Asks to be let in.
    #[serde(deny_unknown_fields)]
    BeginDeviceRequest {
        /// What the program is called: 1 to 20 letters, digits and `._-`.
        client: String,
        /// The name of the machine that it runs on: 1 to 40 of them.
        host: String,
        /// What its token may, of what the person may; everything (`*`) when absent. At most 50.
        scopes: Option<Vec<Scope>>,
        /// Days that its token lasts, 1 to 365; 90 when absent.
        token_days: Option<u32>,
    }

    /// The two codes: one for the program alone, one for people.
    DeviceCodes {
        /// What the program asks for its token with. Nobody else may see it.
        device_code: String,
        /// What a person compares: eight letters, as in `WDJB-MJHT`.
        user_code: String,
        /// The page to approve it on.
        verification_uri: String,
        /// The same page with the code in it.
        verification_uri_complete: String,
        /// Seconds until both codes end.
        expires_in: u64,
        /// Seconds between two questions for the token.
        interval: u64,
    }

    /// Asks for the token.
    #[serde(deny_unknown_fields)]
    DeviceTokenRequest {
        /// The program's code.
        device_code: String,
    }

    /// There is no token yet.
    DeviceWaiting {
        /// `authorization_pending`: nobody has answered; `slow_down`: that, and it was asked too soon.
        code: String,
        /// Seconds until to ask again, from now on.
        interval: u64,
    }

    /// Names who asks to be let in.
    #[serde(deny_unknown_fields)]
    UserCodeRequest {
        /// The code that the program shows; case, spaces and hyphens do not matter.
        user_code: String,
    }

    /// Who asks to be let in, before anybody has answered.
    DeviceAuthorization {
        /// The program's name, in its own words.
        client: String,
        /// Its machine's name, in its own words.
        host: String,
        /// The code, as the program shows it.
        user_code: String,
        /// What its token may.
        scopes: Vec<Scope>,
        /// The same in words, one a scope.
        may: Vec<String>,
        /// Days that its token lasts.
        token_days: u32,
        /// The address that it asks from.
        origin: Option<String>,
        /// Whether you come from the same network.
        same_network: bool,
        /// When it asked.
        created_at: Micros,
        /// When its codes end.
        expires_at: Micros,
    }
}
