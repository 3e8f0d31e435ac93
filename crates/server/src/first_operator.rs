//! The first person of an installation, who runs it.

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret as _, SecretString};
use storm_protocol::ident::{AccountId, UserId};

use crate::{
    auth::password,
    clock::{Clock, random},
    output::{line, line_once},
    store::{Store, setup},
};

/// Letters of a generated password: five bits each, none that looks like another.
const PASSWORD_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters in a generated password.
const PASSWORD_LENGTH: usize = 20;
/// The e-mail address when the environment names none.
const DEFAULT_EMAIL: &str = "admin@localhost";

/// Who the environment says it is to be.
#[derive(Debug)]
pub(crate) struct FirstOperator {
    email: String,
    /// A new one is made when absent.
    password: Option<SecretString>,
}

impl FirstOperator {
    /// Reads and checks STORM_ADMIN_EMAIL and STORM_ADMIN_PASSWORD.
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        let given = |name: &str| match std::env::var(name) {
            Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => bail!("{name} is not text in UTF-8"),
        };
        Self::parse(given("STORM_ADMIN_EMAIL")?, given("STORM_ADMIN_PASSWORD")?)
    }

    fn parse(email: Option<String>, password: Option<String>) -> anyhow::Result<Self> {
        let email = email.unwrap_or_else(|| DEFAULT_EMAIL.to_owned());
        let email = email.trim().to_lowercase();
        let is_address = email
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
        if !is_address || email.len() > password::MAX_EMAIL_BYTES {
            bail!(
                "STORM_ADMIN_EMAIL \"{email}\" is not an e-mail address: give one, or leave it unset for \
                 {DEFAULT_EMAIL}"
            );
        }
        let password = password.map(SecretString::from);
        if let Some(password) = &password {
            password::check(password, &email).context(
                "STORM_ADMIN_PASSWORD is not usable: change it, or leave it unset for a generated one",
            )?;
        }
        Ok(Self { email, password })
    }

    /// Makes the operator if there is nobody yet. A password is shown before it is stored: there is no
    /// operator whose password nobody was told.
    pub(crate) async fn make(self, store: &Store, clock: &dyn Clock) -> anyhow::Result<()> {
        let generated = self.password.is_none();
        let password = self.password.unwrap_or_else(generate_password);
        let password_hash = password::hash(&password, &self.email)?;
        let now = clock.now();
        let first = setup::FirstOperator {
            user: UserId::new(now, random()),
            account: AccountId::new(now, random()),
            email: &self.email,
            password_hash: &password_hash,
        };
        line(format_args!("operator: {}", self.email))?;
        if generated {
            line_once(format_args!(
                "password: {} (shown this once)",
                password.expose_secret()
            ))?;
        }
        Ok(store.create_first_operator(&first, now, || {}).await?)
    }
}

/// A password that nobody guesses, in groups that a person can copy.
pub(crate) fn generate_password() -> SecretString {
    let mut password = String::with_capacity(PASSWORD_LENGTH + 3);
    for (index, byte) in random::<PASSWORD_LENGTH>().iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            password.push('-');
        }
        password.push(char::from(PASSWORD_LETTERS[usize::from(byte % 32)]));
    }
    SecretString::from(password)
}

#[cfg(test)]
mod tests {
    use super::FirstOperator;

    fn parse(email: &str, password: &str) -> anyhow::Result<FirstOperator> {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        FirstOperator::parse(given(email), given(password))
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = format!("ann@{}", "x".repeat(300));
        for (email, password, name) in [
            ("ann", "", "STORM_ADMIN_EMAIL"),
            ("@example.org", "", "STORM_ADMIN_EMAIL"),
            (long.as_str(), "", "STORM_ADMIN_EMAIL"),
            ("ann@example.org", "short", "STORM_ADMIN_PASSWORD"),
            ("ann@example.org", "stormbuckets", "STORM_ADMIN_PASSWORD"),
        ] {
            let error = format!("{:#}", parse(email, password).unwrap_err());
            assert!(error.contains(name), "{error}");
            assert!(password.is_empty() || !error.contains(password), "{error}");
        }
        let first = parse(" Ann@Example.org ", "long enough for me").unwrap();
        assert_eq!(first.email, "ann@example.org");
        assert_eq!(parse("", "").unwrap().email, "admin@localhost");
    }
}
