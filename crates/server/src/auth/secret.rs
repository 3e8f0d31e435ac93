//! The secrets that we hand out: session cookies and API tokens. Plain and stored are two types;
//! the plain one is shown once, the stored one is a SHA-256.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use storm_protocol::{api::TOKEN_PREFIX, ident::Digest};

use crate::clock::random;

/// Bytes of randomness in a secret.
const SECRET_BYTES: usize = 32;
/// Characters of its text form.
const SECRET_CHARS: usize = 43;

/// A new secret, as its holder gets it.
pub(crate) struct PlainSecret(SecretString);

/// What the database keeps of a secret: enough to know it again, too little to use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredSecret(pub(crate) Digest);

impl PlainSecret {
    /// A session's secret.
    pub(crate) fn session() -> Self {
        Self(SecretString::from(random_text()))
    }

    /// An API token: `sbt_` and 43 characters.
    pub(crate) fn token() -> Self {
        Self(SecretString::from(format!(
            "{TOKEN_PREFIX}{}",
            random_text()
        )))
    }

    /// The text, for the answer that hands it out.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is stored of it.
    pub(crate) fn stored(&self) -> StoredSecret {
        StoredSecret(Digest::of(self.expose().as_bytes()))
    }
}

impl StoredSecret {
    /// Of a session cookie's value; `None` when it has not the form of one.
    pub(crate) fn of_session(text: &str) -> Option<Self> {
        has_form(text).then(|| Self(Digest::of(text.as_bytes())))
    }

    /// Of an API token; `None` when it has not the form of one.
    pub(crate) fn of_token(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(TOKEN_PREFIX)?;
        has_form(rest).then(|| Self(Digest::of(text.as_bytes())))
    }
}

fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>())
}

fn has_form(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == SECRET_CHARS && text.bytes().all(is_base64url)
}

#[cfg(test)]
mod tests {
    use super::{PlainSecret, StoredSecret};

    #[test]
    fn forms() {
        let token = PlainSecret::token();
        assert_eq!(token.expose().len(), 47);
        assert_eq!(StoredSecret::of_token(token.expose()), Some(token.stored()));
        assert_eq!(StoredSecret::of_session(token.expose()), None);
        let session = PlainSecret::session();
        assert_eq!(
            StoredSecret::of_session(session.expose()),
            Some(session.stored())
        );
        assert_eq!(StoredSecret::of_token(session.expose()), None);
        assert_ne!(session.expose(), PlainSecret::session().expose());
    }
}
