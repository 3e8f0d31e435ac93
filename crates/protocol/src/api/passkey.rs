//! Passkeys. What a browser and its authenticator say to each other is of the WebAuthn standard, and stands
//! here as it is: `PublicKeyCredential.parseCreationOptionsFromJSON` and `toJSON` read and write it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api_types;
use crate::ident::{Micros, PasskeyId};

api_types! {
    /// A passkey of one's own.
    Passkey {
        /// Its id.
        id: PasskeyId,
        /// What its person calls it.
        name: String,
        /// Whether it is kept on several devices, or backed up, as it said when it was last used.
        synced: bool,
        /// When it was made.
        created_at: Micros,
        /// When it was last used.
        last_used_at: Option<Micros>,
    }

    /// What the browser is asked to do with a passkey.
    PasskeyAsked {
        /// Names this request, for five minutes; it is taken once.
        challenge: String,
        /// WebAuthn's options, for `navigator.credentials.create` or `.get`.
        public_key: Value,
    }

    /// Keeps a passkey that the browser made.
    #[serde(deny_unknown_fields)]
    CreatePasskeyRequest {
        /// Of the answer that asked for it.
        challenge: String,
        /// What to call it: 1 to 64 characters.
        name: String,
        /// What the browser answered.
        credential: Value,
    }

    /// Proves with a passkey who is there.
    #[serde(deny_unknown_fields)]
    PasskeyRequest {
        /// Of the answer that asked for it.
        challenge: String,
        /// What the browser answered.
        credential: Value,
    }

    /// Calls a passkey something else.
    #[serde(deny_unknown_fields)]
    RenamePasskeyRequest {
        /// What to call it: 1 to 64 characters.
        name: String,
    }
}
