//! Passwords: argon2id, checked by few threads at a time, with equal work for an address that does
//! not exist.

use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

/// The shortest password that may be set, in bytes.
pub(crate) const MIN_PASSWORD_BYTES: usize = 8;
/// The longest e-mail address, in bytes (RFC 5321).
pub(crate) const MAX_EMAIL_BYTES: usize = 254;
/// The longest password, in bytes.
pub(crate) const MAX_PASSWORD_BYTES: usize = 1024;
/// Checks that run at the same time; each takes 19 MiB and a core.
const CHECKS_AT_ONCE: usize = 2;
/// Checks that run or wait, some seconds' worth; more are turned away.
const CHECKS_WAITING: usize = 256;

/// Has the parameters of [`hash`] and belongs to no password: checking against it costs the same.
const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password was not taken or not checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    /// Too short or too long.
    #[error("a password has {MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES} bytes")]
    Length,
    /// The hash function failed.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
    /// Too many checks are waiting.
    #[error("too many sign-ins at the same time")]
    Busy,
}

/// Whether a password may be set.
pub(crate) fn check(password: &SecretString) -> Result<(), PasswordError> {
    let length = password.expose_secret().len();
    let sound = (MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES).contains(&length);
    sound.then_some(()).ok_or(PasswordError::Length)
}

/// Hashes a password that is being set: argon2id, a PHC string. Takes tens of milliseconds.
///
/// Errors: [`PasswordError::Length`], [`PasswordError::Hash`].
pub(crate) fn hash(password: &SecretString) -> Result<String, PasswordError> {
    check(password)?;
    let bytes = password.expose_secret().as_bytes();
    let hashed: Result<PasswordHash, _> = Argon2::default().hash_password(bytes);
    hashed
        .map(|hash| hash.to_string())
        .map_err(|error| PasswordError::Hash(error.to_string()))
}

/// Checks passwords, [`CHECKS_AT_ONCE`] at a time.
#[derive(Clone)]
pub(crate) struct Passwords {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(CHECKS_AT_ONCE)),
            waiting: Arc::new(Semaphore::new(CHECKS_WAITING)),
        }
    }
}

impl Passwords {
    /// Whether `password` is the one of `stored`; `None` costs the same and is never right.
    ///
    /// Errors: [`PasswordError::Busy`], [`PasswordError::Hash`].
    pub(crate) async fn verify(
        &self,
        password: SecretString,
        stored: Option<String>,
    ) -> Result<bool, PasswordError> {
        let busy = |_| PasswordError::Busy;
        let _place = self.waiting.try_acquire().map_err(busy)?;
        let turn = Arc::clone(&self.running).acquire_owned().await;
        let turn = turn.map_err(|_| PasswordError::Busy)?;
        let check = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a request that goes away does not free the core it uses.
            let _turn = turn;
            let known = stored.is_some();
            let stored = stored.as_deref().unwrap_or(NOBODYS_HASH);
            verify_now(&password, stored).map(|right| known && right)
        });
        check
            .await
            .map_err(|error| PasswordError::Hash(error.to_string()))?
    }
}

fn verify_now(password: &SecretString, stored: &str) -> Result<bool, PasswordError> {
    let bytes = password.expose_secret().as_bytes();
    let stored =
        PasswordHash::new(stored).map_err(|error| PasswordError::Hash(error.to_string()))?;
    match Argon2::default().verify_password(bytes, &stored) {
        Ok(()) => Ok(bytes.len() <= MAX_PASSWORD_BYTES),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(PasswordError::Hash(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::{NOBODYS_HASH, PasswordError, Passwords, hash};

    #[tokio::test]
    async fn right_wrong_and_nobodys() {
        let stored = hash(&"correct horse".into()).unwrap();
        let passwords = Passwords::default();
        let verify = |password: &str, stored: Option<String>| {
            passwords.verify(password.to_owned().into(), stored)
        };
        assert!(verify("correct horse", Some(stored.clone())).await.unwrap());
        assert!(!verify("correct horsf", Some(stored.clone())).await.unwrap());
        assert!(!verify("correct horse", None).await.unwrap());
        assert!(matches!(hash(&"short".into()), Err(PasswordError::Length)));
    }

    #[test]
    fn nobodys_hash_costs_what_a_real_one_does() {
        let stored = hash(&"correct horse".into()).unwrap();
        let parameters = |text: &str| text.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(parameters(&stored), parameters(NOBODYS_HASH));
        let lengths = |text: &str| text.split('$').map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(&stored), lengths(NOBODYS_HASH));
    }
}
