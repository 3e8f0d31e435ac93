//! Codes of a second factor: those of an authenticator app (TOTP, RFC 6238) and recovery codes. What is
//! kept of them, and that none is taken twice, is in `store/second_factors.rs`.

use qrcode::{QrCode, render::svg};
use secrecy::{ExposeSecret as _, SecretSlice};
use storm_protocol::{
    api::TotpBegun,
    ident::{Digest, Micros},
};
use totp_rs::{Builder, Totp};

use super::secret::StoredSecret;
use crate::clock::random;

/// Bytes of an authenticator app's secret (RFC 4226).
const TOTP_SECRET_BYTES: usize = 20;
/// Digits of a code.
const TOTP_DIGITS: usize = 6;
/// What authenticator apps call this service.
const ISSUER: &str = "Storm Buckets";
/// Recovery codes that somebody has at once.
pub(crate) const RECOVERY_CODES: usize = 10;
/// Letters of a recovery code: five bits each.
const RECOVERY_LETTERS: usize = 16;
/// None looks like another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A code as somebody typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// Of an authenticator app.
    Totp([u8; TOTP_DIGITS]),
    /// A recovery code, of which no more is kept.
    Recovery(StoredSecret),
}

impl Code {
    /// Reads a code; spaces and dashes do not count. `None`: it has not the form of one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text: String = text
            .chars()
            .filter(|letter| !letter.is_whitespace() && *letter != '-')
            .collect();
        let bytes = text.to_ascii_lowercase().into_bytes();
        if bytes.iter().all(u8::is_ascii_digit)
            && let Ok(digits) = <[u8; TOTP_DIGITS]>::try_from(bytes.as_slice())
        {
            return Some(Self::Totp(digits));
        }
        let sound =
            bytes.len() == RECOVERY_LETTERS && bytes.iter().all(|byte| LETTERS.contains(byte));
        sound.then(|| Self::Recovery(StoredSecret(Digest::of(&bytes))))
    }

    /// What kind it is, as sessions and answers name it.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::Totp(_) => "totp",
            Self::Recovery(_) => "recovery_code",
        }
    }
}

/// A new secret for an authenticator app.
pub(crate) fn new_totp_secret() -> SecretSlice<u8> {
    random::<TOTP_SECRET_BYTES>().to_vec().into()
}

/// What an authenticator app is told: the secret, as text, as address and as a picture of the address.
pub(crate) fn describe(secret: &SecretSlice<u8>, email: &str) -> anyhow::Result<TotpBegun> {
    // The address has a colon between the two names.
    let account = email.replace(':', " ");
    let totp = totp(secret, &account)?;
    let uri = totp.to_url()?;
    let code = QrCode::new(&uri)?;
    let qr_svg = code.render::<svg::Color<'_>>().build();
    let secret = totp_rs::Secret::from(secret.expose_secret().to_vec()).to_base32();
    Ok(TotpBegun {
        secret,
        uri,
        qr_svg,
    })
}

/// The step of time whose code this is, if it is one of now's, or of the one before or after.
pub(crate) fn step_of(
    secret: &SecretSlice<u8>,
    digits: [u8; TOTP_DIGITS],
    now: Micros,
) -> anyhow::Result<Option<i64>> {
    let seconds = u64::try_from(now.0 / Micros::SECOND)?;
    let digits = std::str::from_utf8(&digits)?;
    let step = totp(secret, "")?.check(digits, seconds);
    Ok(step.map(i64::try_from).transpose()?)
}

fn totp(secret: &SecretSlice<u8>, account: &str) -> anyhow::Result<Totp> {
    Ok(Builder::new()
        .with_secret(secret.expose_secret().to_vec())
        .with_skew(1)
        .with_account_name(account)
        .with_issuer(Some(ISSUER))
        .build()?)
}

/// New recovery codes, as their owner gets them, and what is kept of each.
pub(crate) fn new_recovery_codes() -> Vec<(String, StoredSecret)> {
    let code = || {
        let letters = random::<RECOVERY_LETTERS>().map(|byte| LETTERS[usize::from(byte % 32)]);
        let groups: Vec<_> = letters.chunks(4).map(String::from_utf8_lossy).collect();
        (groups.join("-"), StoredSecret(Digest::of(&letters)))
    };
    (0..RECOVERY_CODES).map(|_| code()).collect()
}

#[cfg(test)]
mod tests {
    use storm_protocol::ident::Micros;

    use super::{Code, describe, new_recovery_codes, new_totp_secret, step_of};

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B: the last six of its eight digits.
        let secret = b"12345678901234567890".to_vec().into();
        let at = |seconds: i64| Micros(seconds * Micros::SECOND);
        for (seconds, digits) in [
            (59, *b"287082"),
            (1_111_111_109, *b"081804"),
            (20_000_000_000, *b"353130"),
        ] {
            let step = |now| step_of(&secret, digits, at(now)).unwrap();
            assert_eq!(step(seconds), Some(seconds / 30));
            assert_eq!(step(seconds - 30), Some(seconds / 30));
            assert_eq!(step(seconds + 30), Some(seconds / 30));
            assert_eq!(step(seconds + 90), None);
        }
    }

    #[test]
    fn an_app_is_told_what_it_needs() {
        let told = describe(&new_totp_secret(), "ann+1@example.org").unwrap();
        assert!(told.uri.starts_with("otpauth://totp/Storm%20Buckets:"));
        assert!(told.uri.contains(&format!("secret={}", told.secret)));
        assert!(told.qr_svg.contains("<svg"));
        assert_ne!(
            told.secret,
            describe(&new_totp_secret(), "a@b").unwrap().secret
        );
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        assert_eq!(Code::parse(" 123 456"), Some(Code::Totp(*b"123456")));
        for (text, stored) in new_recovery_codes() {
            for typed in [
                text.clone(),
                text.to_uppercase(),
                text.replace('-', ""),
                format!(" {text}\n"),
            ] {
                assert_eq!(Code::parse(&typed), Some(Code::Recovery(stored)));
            }
        }
        for text in [
            "",
            "12345",
            "1234567",
            "12345a",
            "１２３４５６",
            "abcd-efgh",
        ] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
    }
}
