//! Accounts that people make for themselves.

use serde::{Deserialize, Serialize};

use super::api_types;

api_types! {
    /// Asks for an account of one's own.
    #[serde(deny_unknown_fields)]
    SignUpRequest {
        /// The e-mail address that the link goes to.
        email: String,
        /// What to call the account.
        name: String,
    }

    /// Makes it.
    #[serde(deny_unknown_fields)]
    ConfirmSignUpRequest {
        /// What stands after `#` in the link.
        token: String,
        /// The password to sign in with: at least 8 characters.
        password: String,
    }
}
