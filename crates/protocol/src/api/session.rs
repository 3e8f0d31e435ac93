//! Sessions, and the password that begins them.

use serde::{Deserialize, Serialize};

use super::api_types;
use crate::ident::{Micros, SessionId};

api_types! {
    /// A session of one's own.
    Session {
        /// Its id.
        id: SessionId,
        /// The address that it was begun from.
        origin: Option<String>,
        /// What the browser or program called itself then.
        user_agent: Option<String>,
        /// How it was begun: `password`, or another way to sign in.
        method: String,
        /// When it was begun.
        created_at: Micros,
        /// When it was last used; up to a minute old.
        seen_at: Option<Micros>,
        /// When it ends, unless it is used before.
        expires_at: Micros,
        /// Whether it is the one that asks.
        current: bool,
    }

    /// Proves again who is there, before something dangerous.
    #[serde(deny_unknown_fields)]
    ReauthenticateRequest {
        /// The password.
        password: String,
    }

    /// Sets another password.
    #[serde(deny_unknown_fields)]
    ChangePasswordRequest {
        /// The one that counts now.
        current: String,
        /// The one that is to count: 8 to 1,024 bytes.
        new: String,
    }

    /// Asks for a link that sets a new password.
    #[serde(deny_unknown_fields)]
    ForgottenPasswordRequest {
        /// The e-mail address.
        email: String,
    }

    /// Sets a new password with the secret of such a link.
    #[serde(deny_unknown_fields)]
    ResetPasswordRequest {
        /// The secret of the link, behind its `#`.
        token: String,
        /// The new password: 8 to 1,024 bytes.
        password: String,
    }
}
