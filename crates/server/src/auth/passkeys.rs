//! Passkeys (WebAuthn): what authenticators are asked to sign, and whether they signed it. What is kept of
//! them, and that nothing is answered twice, is in `store/passkeys.rs`.
//!
//! A passkey has to ask its person who they are (a finger, a face, a PIN), so it is two factors in itself, and
//! has to be found without an address, so nobody learns whose there are.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use storm_protocol::ident::UserId;
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{
        Credential, DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
        RegisterPublicKeyCredential, Url, Uuid, WebauthnError,
    },
};
use webauthn_rs_proto::ResidentKeyRequirement;

use crate::error::ApiError;

/// What authenticators call this service.
const SERVICE: &str = "Storm Buckets";
/// The longest name that an authenticator may give a passkey, in bytes (WebAuthn).
const MAX_CREDENTIAL_BYTES: usize = 1023;
/// The most that is kept of a passkey, in bytes.
const MAX_PASSKEY_BYTES: usize = 8 * 1024;

/// Checks passkeys, where the server's address has them: they belong to a name, not to a number.
pub(crate) struct Passkeys(Option<Webauthn>);

impl Passkeys {
    /// Those of the address `public_url`: none, if it is not a name.
    pub(crate) fn at(public_url: &str) -> Self {
        let built = || {
            let url = Url::parse(public_url).ok()?;
            let name = url.domain()?.to_owned();
            let builder = WebauthnBuilder::new(&name, &url).ok()?;
            builder.rp_name(SERVICE).build().ok()
        };
        Self(built())
    }

    pub(super) fn here(&self) -> Result<&Webauthn, ApiError> {
        self.0.as_ref().ok_or_else(|| {
            let message = "Passkeys belong to a name, and this server's address is a number. Whoever runs it can \
                           give it a name: [web] public_url; on one machine alone http://localhost will do.";
            ApiError::refused(StatusCode::CONFLICT, "no_passkeys_here", message)
        })
    }
}

/// What an authenticator is asked, and what its answer has to fit.
pub(crate) struct Asked {
    /// For the browser.
    pub(crate) public_key: Value,
    /// For the database.
    pub(crate) state: String,
}

impl Asked {
    fn new(public_key: &impl Serialize, state: &impl Serialize) -> Result<Self, ApiError> {
        Ok(Self {
            public_key: serde_json::to_value(public_key).map_err(internal)?,
            state: serde_json::to_string(state).map_err(internal)?,
        })
    }
}

/// A new passkey.
pub(crate) struct Made {
    /// What its authenticator calls it.
    pub(crate) credential: String,
    /// What checks its signatures.
    pub(crate) passkey: String,
    /// Whether it is kept on several devices.
    pub(crate) synced: bool,
}

/// Why a signature is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It does not fit what was asked, or this passkey.
    Wrong,
    /// It does, but the passkey counted backwards: it may be a copy.
    Copied,
}

/// Asks for a new passkey of somebody who has those that their authenticators call `has`.
pub(crate) fn ask_for_new(
    webauthn: &Webauthn,
    (user, email): (UserId, &str),
    has: &[String],
) -> Result<Asked, ApiError> {
    let has = has.iter().map(|text| URL_SAFE_NO_PAD.decode(text));
    let has = has.collect::<Result<Vec<_>, _>>().map_err(internal)?;
    let id = Uuid::from_bytes(*user.as_bytes());
    let begun = webauthn.start_passkey_registration(id, email, email, Some(has));
    let (mut options, state) = begun.map_err(internal)?;
    // One that is not found without its person's address could sign in nobody here.
    if let Some(selection) = &mut options.public_key.authenticator_selection {
        selection.resident_key = Some(ResidentKeyRequirement::Required);
        selection.require_resident_key = true;
    }
    Asked::new(&options.public_key, &state)
}

/// The new passkey that was asked for with `state`. `None`: it is none, or too large.
pub(crate) fn made(
    webauthn: &Webauthn,
    answer: Value,
    state: &str,
) -> Result<Option<Made>, ApiError> {
    let state: PasskeyRegistration = serde_json::from_str(state).map_err(internal)?;
    let Ok(answer) = serde_json::from_value::<RegisterPublicKeyCredential>(answer) else {
        return Ok(None);
    };
    let Ok(passkey) = webauthn.finish_passkey_registration(&answer, &state) else {
        return Ok(None);
    };
    let kept = serde_json::to_string(&passkey).map_err(internal)?;
    if passkey.cred_id().len() > MAX_CREDENTIAL_BYTES || kept.len() > MAX_PASSKEY_BYTES {
        return Ok(None);
    }
    Ok(Some(Made {
        credential: URL_SAFE_NO_PAD.encode(passkey.cred_id()),
        passkey: kept,
        synced: Credential::from(passkey).backup_state,
    }))
}

/// Asks for a signature of any passkey.
pub(crate) fn ask_for_signature(webauthn: &Webauthn) -> Result<Asked, ApiError> {
    let begun = webauthn.start_discoverable_authentication();
    let (options, state) = begun.map_err(internal)?;
    Asked::new(&options.public_key, &state)
}

/// A signature, before anybody has checked it.
pub(crate) struct Signature(PublicKeyCredential);

impl Signature {
    /// Reads what a browser answered. `None`: it is no signature.
    pub(crate) fn parse(answer: Value) -> Option<Self> {
        serde_json::from_value(answer).ok().map(Self)
    }

    /// What the authenticator calls the passkey.
    pub(crate) fn credential(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.get_credential_id())
    }

    /// Whether the authenticator says that the passkey is of `user`.
    pub(crate) fn is_of(&self, user: UserId) -> bool {
        self.0.get_user_unique_id() == Some(user.as_bytes().as_slice())
    }

    /// Checks it; answers with the passkey as it is now, and whether it is kept on several devices.
    pub(crate) fn check(
        &self,
        webauthn: &Webauthn,
        state: &str,
        passkey: &str,
    ) -> Result<Result<(String, bool), Refused>, ApiError> {
        let state: DiscoverableAuthentication = serde_json::from_str(state).map_err(internal)?;
        let mut passkey: Passkey = serde_json::from_str(passkey).map_err(internal)?;
        let credential = Credential::from(passkey.clone());
        let used = webauthn.finish_discoverable_authentication_v2(&self.0, state, credential);
        let used = match used {
            Ok(used) if used.user_verified() => used,
            Err(WebauthnError::CredentialPossibleCompromise) => return Ok(Err(Refused::Copied)),
            Ok(_) | Err(_) => return Ok(Err(Refused::Wrong)),
        };
        passkey.update_credential(&used);
        let kept = serde_json::to_string(&passkey).map_err(internal)?;
        Ok(Ok((kept, used.backup_state())))
    }
}

fn internal(error: impl std::fmt::Display) -> ApiError {
    ApiError::Internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::Passkeys;

    #[test]
    fn passkeys_belong_to_a_name() {
        for url in ["https://buckets.example.org", "http://localhost:8080"] {
            assert!(Passkeys::at(url).here().is_ok(), "{url}");
        }
        for url in [
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "https://192.0.2.1",
        ] {
            assert!(Passkeys::at(url).here().is_err(), "{url}");
        }
    }
}
