//! Sessions, and the password that begins them.

use serde::{Deserialize, Serialize};

use super::{Whoami, api_types};
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
        password: Option<String>,
        /// A code of the second factor, where one is on.
        code: Option<String>,
    }

    /// What a sign-in still wants.
    SecondFactorAsked {
        /// The second factor.
        second_factor: SecondFactor,
    }

    /// A second factor that is asked for.
    SecondFactor {
        /// Names this sign-in, for five minutes.
        challenge: String,
        /// What is taken: `totp`, `recovery_code`; `passkey`: whoever has one can begin anew with it.
        methods: Vec<String>,
    }

    /// Finishes a sign-in.
    #[serde(deny_unknown_fields)]
    SecondFactorRequest {
        /// Of the answer to its first step.
        challenge: String,
        /// Six digits of the authenticator app, or a recovery code.
        code: String,
    }

    /// What somebody can sign in with.
    SignInMethods {
        /// Whether a password is set.
        password: bool,
        /// Since when an authenticator app is asked for.
        totp_since: Option<Micros>,
        /// Recovery codes that are left.
        recovery_codes: u32,
        /// How many passkeys there are.
        #[serde(default)]
        passkeys: u32,
    }

    /// An authenticator app to set up. Shown this once.
    TotpBegun {
        /// The secret, in base 32.
        secret: String,
        /// All that the app needs, as an `otpauth:` address.
        uri: String,
        /// A picture of that address, as SVG.
        qr_svg: String,
    }

    /// Confirms an authenticator app.
    #[serde(deny_unknown_fields)]
    ConfirmTotpRequest {
        /// Six digits that it shows.
        code: String,
    }

    /// Recovery codes, each for one sign-in without the authenticator app. Shown this once.
    RecoveryCodes {
        /// The codes.
        recovery_codes: Vec<String>,
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

/// What answers a sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum SignInAnswer {
    /// A second factor is wanted first; there is no session yet.
    SecondFactor(SecondFactorAsked),
    /// The session has begun.
    Begun(Whoami),
}
