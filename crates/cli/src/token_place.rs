//! Where this machine keeps its API token: in the desktop's keyring where there is one, else in the
//! configuration. No keyring, a broken one or one that does not answer costs a moment and no more.

use std::{
    path::{Path, absolute},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::Result;
use keyring::{Entry, Error};
use secrecy::{ExposeSecret as _, SecretString};

use crate::errors::{Exit, fault};

/// What our entries in a keyring are filed under.
const SERVICE: &str = "storm-buckets";
/// Until a keyring says that it is there.
const REACH: Duration = Duration::from_secs(3);
/// Until a keyring has answered: one that is locked asks its owner first.
const ANSWER: Duration = Duration::from_secs(30);

/// Keeps the token of the configuration at `path` in the keyring; whether it is there now.
pub(crate) fn keep(path: &Path, token: &SecretString) -> bool {
    if !has_desktop() {
        return false;
    }
    let (name, token) = (name(path), token.clone());
    let kept = ask(move || {
        let entry = Entry::new(SERVICE, &name)?;
        entry.set_password(token.expose_secret())?;
        // What it gives back is what counts.
        Ok(entry.get_password()? == token.expose_secret())
    });
    matches!(kept, Some(Ok(true)))
}

/// The token of the configuration at `path`, from the keyring.
pub(crate) fn read(path: &Path) -> Result<SecretString> {
    let name = name(path);
    let found = ask(move || Entry::new(SERVICE, &name)?.get_password());
    let why = match found {
        Some(Ok(token)) => return Ok(SecretString::from(token)),
        Some(Err(Error::NoEntry)) => "holds it no more",
        Some(Err(_)) => "does not give it",
        None => "does not answer",
    };
    let text = format!(
        "The token was kept in the keyring, which {why}. Unlock it, or sign in again with: storm login \
         --no-keyring"
    );
    Err(fault(Exit::Denied, "no_keyring", text))
}

/// Takes the token of the configuration at `path` out of the keyring. One that is not there is gone.
pub(crate) fn forget(path: &Path) -> Result<()> {
    let name = name(path);
    match ask(move || Entry::new(SERVICE, &name)?.delete_credential()) {
        Some(Ok(()) | Err(Error::NoEntry)) => Ok(()),
        Some(Err(_)) | None => {
            let text = "The keyring does not let go of the token. It is deleted on the server and opens nothing; \
                        unlock the keyring and sign out again.";
            Err(fault(Exit::Failed, "no_keyring", text))
        }
    }
}

/// The entry's name: a configuration has one token.
fn name(path: &Path) -> String {
    let whole = absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.display().to_string()
}

/// Whether somebody sits before this machine who could unlock a keyring. What runs without a desktop, over
/// SSH or from a timer, would not get at a token there.
fn has_desktop() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// What the keyring answers; `None` when there is none, or it takes too long. It may never answer, so it is
/// asked on a thread that is left behind.
fn ask<T: Send + 'static>(
    question: impl FnOnce() -> keyring::Result<T> + Send + 'static,
) -> Option<keyring::Result<T>> {
    let is_there = within(REACH, || Entry::store_status().is_ok());
    is_there.filter(|is_there| *is_there)?;
    within(ANSWER, question)
}

fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (answer, answered) = mpsc::channel();
    let started = thread::Builder::new().spawn(move || {
        // Whoever asked may have stopped waiting.
        let _ = answer.send(work());
    });
    started.ok()?;
    answered.recv_timeout(limit).ok()
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::within;

    #[test]
    fn what_does_not_answer_is_left_behind() {
        assert_eq!(within(Duration::from_secs(60), || 1), Some(1));
        let never = || thread::sleep(Duration::from_secs(3600));
        assert_eq!(within(Duration::from_millis(1), never), None);
    }
}
