//! The secrets that we hand out: session cookies and API tokens. Plain and stored are two types;
//! the plain one is shown once, the stored one is a SHA-256.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use crc::{CRC_32_ISO_HDLC, Crc};
use secrecy::{ExposeSecret, SecretString};
use storm_protocol::{api::TOKEN_PREFIX, ident::Digest};

use crate::clock::random;

/// Bytes of randomness in a secret.
const SECRET_BYTES: usize = 32;
/// Characters of its text form.
const SECRET_CHARS: usize = 43;

/// Random characters of an API token: 238 bits.
const TOKEN_CHARS: usize = 40;
/// Characters of its checksum.
const CHECK_CHARS: usize = 6;
/// The digits of base 62.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The checksum that zip and Ethernet use.
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

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

    /// The secret of a link in an e-mail.
    pub(crate) fn link() -> Self {
        Self::session()
    }

    /// An API token: `sbt_`, 40 random characters and six that check them, so that who scans texts for
    /// secrets knows one from anything else.
    pub(crate) fn token() -> Self {
        let random: String = (0..TOKEN_CHARS).map(|_| random_char()).collect();
        let check = checksum(&random);
        Self(SecretString::from(format!("{TOKEN_PREFIX}{random}{check}")))
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

    /// Of a link in an e-mail; `None` when it has not the form of one.
    pub(crate) fn of_link(text: &str) -> Option<Self> {
        Self::of_session(text)
    }

    /// Of an API token; `None` when it has not the form of one.
    pub(crate) fn of_token(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(TOKEN_PREFIX)?;
        let sound = rest.len() == TOKEN_CHARS + CHECK_CHARS
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && checksum(&rest[..TOKEN_CHARS]) == rest[TOKEN_CHARS..];
        sound.then(|| Self(Digest::of(text.as_bytes())))
    }
}

/// A digit of base 62, each as likely as any other.
fn random_char() -> char {
    loop {
        let [byte] = random::<1>();
        // The largest multiple of 62 in a byte.
        if byte < 248 {
            return char::from(DIGITS[usize::from(byte % 62)]);
        }
    }
}

/// The CRC-32 of a text in six digits of base 62.
fn checksum(text: &str) -> String {
    let mut rest = CRC.checksum(text.as_bytes());
    let mut digits = [b'0'; CHECK_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
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
    use super::{PlainSecret, StoredSecret, checksum};

    #[test]
    fn forms() {
        let token = PlainSecret::token();
        assert_eq!(token.expose().len(), 50);
        assert_eq!(StoredSecret::of_token(token.expose()), Some(token.stored()));
        assert_eq!(StoredSecret::of_session(token.expose()), None);
        let session = PlainSecret::session();
        assert_eq!(
            StoredSecret::of_session(session.expose()),
            Some(session.stored())
        );
        assert_eq!(StoredSecret::of_token(session.expose()), None);
        // One character off is not one of ours.
        let other = if token.expose().ends_with('0') {
            "1"
        } else {
            "0"
        };
        let near = format!("{}{other}", &token.expose()[..49]);
        assert_eq!(StoredSecret::of_token(&near), None);
        assert_eq!(checksum("123456789"), "3jZRME");
        assert_ne!(session.expose(), PlainSecret::session().expose());
    }
}
