//! Passwords: argon2id, checked by few threads at a time, with equal work for an address that does
//! not exist.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread,
};

use argon2::{Algorithm, Argon2, Block, Params, Version, password_hash::phc::PasswordHash};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq as _;
use tokio::sync::oneshot;

use super::guessable;
use prometheus_client::metrics::gauge::Gauge;

use crate::clock::random;

/// The shortest password that may be set, in bytes.
pub(crate) const MIN_PASSWORD_BYTES: usize = 8;
/// The longest e-mail address, in bytes (RFC 5321).
pub(crate) const MAX_EMAIL_BYTES: usize = 254;
/// The longest password, in bytes.
pub(crate) const MAX_PASSWORD_BYTES: usize = 1024;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// Checks that run at the same time; each takes 19 MiB and a core.
const CHECKS_AT_ONCE: usize = 2;
/// Checks that wait, some seconds' worth; more are turned away.
const CHECKS_WAITING: usize = 256;

/// Has the parameters of [`hash`] and belongs to no password: checking against it costs the same.
const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password was not taken or not checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    /// Too short or too long.
    #[error("a password has {MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES} bytes")]
    Length,
    /// Among the first that somebody would try; why, and what to do.
    #[error("{0}")]
    Guessable(String),
    /// The hash function failed.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
    /// Too many checks are waiting.
    #[error("too many sign-ins at the same time")]
    Busy,
}

/// Whether whoever has the address `email` may set a password. Takes some milliseconds.
///
/// Errors: [`PasswordError::Length`], [`PasswordError::Guessable`].
pub(crate) fn check(password: &SecretString, email: &str) -> Result<(), PasswordError> {
    let length = password.expose_secret().len();
    if !(MIN_PASSWORD_BYTES..=MAX_PASSWORD_BYTES).contains(&length) {
        return Err(PasswordError::Length);
    }
    guessable::why(password, email).map_or(Ok(()), |why| Err(PasswordError::Guessable(why)))
}

/// Hashes a password that whoever has the address `email` sets, if it may be set: argon2id, a PHC string.
/// Takes tens of milliseconds.
///
/// Errors: [`PasswordError::Length`], [`PasswordError::Guessable`], [`PasswordError::Hash`].
pub(crate) fn hash(password: &SecretString, email: &str) -> Result<String, PasswordError> {
    hash_in(password, email, &mut Memory::default())
}

/// What argon2 works in, and how often it has: equal work is counted, since its time cannot be told apart
/// from chance.
#[derive(Default)]
struct Memory {
    blocks: Vec<Block>,
    runs: Arc<AtomicU64>,
}

impl Memory {
    /// The one place where argon2 runs. What it works in grows to what it takes.
    fn run(
        &mut self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: &[u8],
        found: &mut [u8],
    ) -> Result<(), argon2::Error> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.blocks
            .resize(argon2.params().block_count(), Block::default());
        argon2.hash_password_into_with_memory(password, salt, found, &mut self.blocks)
    }
}

/// Does the work on passwords on [`CHECKS_AT_ONCE`] threads of their own, each with memory that it keeps:
/// glibc before 2.38 hardly finds a use for such large aligned pieces again once they are freed.
#[derive(Clone)]
pub(crate) struct Passwords {
    works: SyncSender<Work>,
    /// What waits or runs.
    waiting: Gauge,
    #[cfg(test)]
    runs: Arc<AtomicU64>,
}

type Work = Box<dyn FnOnce(&mut Memory) + Send>;

impl Default for Passwords {
    /// Starts the threads; they end with the last clone.
    fn default() -> Self {
        let (works, waiting) = mpsc::sync_channel(CHECKS_WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        let runs = Arc::<AtomicU64>::default();
        for _ in 0..CHECKS_AT_ONCE {
            let waiting = Arc::clone(&waiting);
            let memory = Memory {
                runs: Arc::clone(&runs),
                ..Memory::default()
            };
            let started = thread::Builder::new()
                .name("passwords".to_owned())
                .spawn(move || work_on(&waiting, memory));
            if let Err(error) = started {
                tracing::error!(%error, "a thread that checks passwords cannot be started");
            }
        }
        Self {
            works,
            waiting: Gauge::default(),
            #[cfg(test)]
            runs,
        }
    }
}

impl Passwords {
    /// Those whose work is counted in `waiting`.
    pub(crate) fn counted_in(waiting: Gauge) -> Self {
        Self {
            waiting,
            ..Self::default()
        }
    }

    /// How often argon2 has run.
    #[cfg(test)]
    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// As [`hash`], in turn with what else there is to do.
    ///
    /// Errors: those of [`hash`], [`PasswordError::Busy`].
    pub(crate) async fn hash(
        &self,
        password: SecretString,
        email: String,
    ) -> Result<String, PasswordError> {
        self.work(move |memory| hash_in(&password, &email, memory))
            .await
    }

    /// Whether `password` is the one of `stored`; `None` costs the same and is never right.
    ///
    /// Errors: [`PasswordError::Busy`], [`PasswordError::Hash`].
    pub(crate) async fn verify(
        &self,
        password: SecretString,
        stored: Option<String>,
    ) -> Result<bool, PasswordError> {
        self.work(move |memory| {
            let known = stored.is_some();
            let stored = stored.as_deref().unwrap_or(NOBODYS_HASH);
            verify_in(&password, stored, memory).map(|right| known && right)
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let (answer, answered) = oneshot::channel();
        let waiting = self.waiting.clone();
        let work: Work = Box::new(move |memory| {
            // Whoever asked may have gone away meanwhile.
            if !answer.is_closed() {
                let _ = answer.send(work(memory));
            }
            waiting.dec();
        });
        self.waiting.inc();
        self.works.try_send(work).map_err(|error| {
            self.waiting.dec();
            match error {
                TrySendError::Full(_) => PasswordError::Busy,
                TrySendError::Disconnected(_) => stopped(),
            }
        })?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
}

fn stopped() -> PasswordError {
    PasswordError::Hash("the threads that check passwords have stopped".to_owned())
}

fn work_on(waiting: &Mutex<Receiver<Work>>, mut memory: Memory) {
    loop {
        // Held while waiting, too: then there is nothing for the other threads either.
        let next = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(work) = next else { return };
        work(&mut memory);
    }
}

/// As [`hash`], worked out in `memory`.
fn hash_in(
    password: &SecretString,
    email: &str,
    memory: &mut Memory,
) -> Result<String, PasswordError> {
    check(password, email)?;
    let argon2 = Argon2::default();
    let params = argon2.params();
    let (salt, mut found) = (random::<SALT_BYTES>(), [0; HASH_BYTES]);
    memory
        .run(
            &argon2,
            password.expose_secret().as_bytes(),
            &salt,
            &mut found,
        )
        .map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(format!(
        "$argon2id$v={}$m={},t={},p={}${}${}",
        u32::from(Version::default()),
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(found)
    ))
}

/// Whether `password` is the one of `stored`, worked out in `memory`.
fn verify_in(
    password: &SecretString,
    stored: &str,
    memory: &mut Memory,
) -> Result<bool, PasswordError> {
    let unreadable = |error: &dyn std::fmt::Display| PasswordError::Hash(error.to_string());
    let stored = PasswordHash::new(stored).map_err(|error| unreadable(&error))?;
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
        return Err(unreadable(&"the stored hash is incomplete"));
    };
    let algorithm = Algorithm::try_from(stored.algorithm.as_str());
    let algorithm = algorithm.map_err(|error| unreadable(&error))?;
    let version = Version::try_from(stored.version.unwrap_or(Version::default().into()));
    let version = version.map_err(|error| unreadable(&error))?;
    let params = Params::try_from(&stored).map_err(|error| unreadable(&error))?;

    let bytes = password.expose_secret().as_bytes();
    let mut found = vec![0; expected.len()];
    let argon2 = Argon2::new(algorithm, version, params);
    memory
        .run(&argon2, bytes, salt.as_ref(), &mut found)
        .map_err(|error| unreadable(&error))?;
    let right: bool = found.ct_eq(expected.as_bytes()).into();
    Ok(right && bytes.len() <= MAX_PASSWORD_BYTES)
}

#[cfg(test)]
mod tests {
    use super::{CHECKS_WAITING, NOBODYS_HASH, PasswordError, Passwords, hash};

    #[tokio::test]
    async fn right_wrong_and_nobodys() {
        let stored = hash(&"correct horse".into(), "").unwrap();
        let passwords = Passwords::default();
        let verify = |password: &str, stored: Option<String>| {
            passwords.verify(password.to_owned().into(), stored)
        };
        assert!(verify("correct horse", Some(stored.clone())).await.unwrap());
        assert!(!verify("correct horsf", Some(stored.clone())).await.unwrap());
        assert!(!verify("correct horse", None).await.unwrap());
        assert!(matches!(
            hash(&"short".into(), ""),
            Err(PasswordError::Length)
        ));
    }

    #[tokio::test]
    async fn what_does_not_fit_is_turned_away_and_the_rest_is_answered() {
        let stored = hash(&"correct horse".into(), "").unwrap();
        let passwords = Passwords::default();
        let tries = 2 * CHECKS_WAITING;
        // All are asked before the first answer is looked at.
        let asked: Vec<_> = (0..tries)
            .map(|_| {
                let (passwords, stored) = (passwords.clone(), Some(stored.clone()));
                Box::pin(async move { passwords.verify("wrong".into(), stored).await })
            })
            .collect();
        let answers = futures_util::future::join_all(asked.into_iter()).await;
        let busy =
            |answer: &&Result<bool, PasswordError>| matches!(answer, Err(PasswordError::Busy));
        let turned_away = answers.iter().filter(busy).count();
        assert!(
            turned_away > 0 && turned_away <= CHECKS_WAITING,
            "{turned_away}"
        );
        let wrong = answers
            .iter()
            .filter(|answer| matches!(answer, Ok(false)))
            .count();
        assert_eq!(wrong + turned_away, tries);
    }

    #[test]
    fn nobodys_hash_costs_what_a_real_one_does() {
        let stored = hash(&"correct horse".into(), "").unwrap();
        let parameters = |text: &str| text.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(parameters(&stored), parameters(NOBODYS_HASH));
        let lengths = |text: &str| text.split('$').map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(&stored), lengths(NOBODYS_HASH));
    }
}
