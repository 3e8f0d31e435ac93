//! `[database]`: where accounts, operations and receipts are kept.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::Config;
use crate::{keys::read_secret, store::Place};

/// The database; a file in `data_dir` unless something else is said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// A PostgreSQL server, without a password: `postgres:///storm?host=/run/postgresql&user=storm`.
    pub url: Option<String>,
    /// A file (mode 0600) that holds such a URL, with a password in it perhaps.
    pub url_file: Option<PathBuf>,
}

impl Database {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        match (&self.url, &self.url_file) {
            (Some(_), Some(_)) => {
                bail!("[database] url and url_file say the same: give one of them")
            }
            (Some(url), None) => {
                let url = read(url).context("[database] url")?;
                if url.password().is_some() {
                    bail!(
                        "[database] url holds a password, and others may read the configuration: put the URL \
                         into a file of mode 0600 and name it in url_file"
                    );
                }
                Ok(())
            }
            (None, Some(_) | None) => Ok(()),
        }
    }
}

impl Config {
    /// Where the database is.
    pub fn place(&self) -> anyhow::Result<Place> {
        let url = match (&self.database.url, &self.database.url_file) {
            (Some(url), _) => SecretString::from(url.as_str()),
            (None, Some(file)) => {
                let text = read_secret(file).context("[database] url_file")?;
                let url = text.expose_secret().trim();
                read(url).with_context(|| format!("[database] url_file {}", file.display()))?;
                SecretString::from(url)
            }
            (None, None) => return Ok(Place::File(self.data_dir.join("storm.db"))),
        };
        Ok(Place::Server(url))
    }
}

/// Reads a server's URL; the error never shows it.
pub(crate) fn read(url: &str) -> anyhow::Result<url::Url> {
    match url::Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => Ok(url),
        Ok(_) | Err(_) => bail!("is no URL of a PostgreSQL server: postgres://USER@HOST/DATABASE"),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn parsed(lines: &str) -> anyhow::Result<Config> {
        Config::parse(&format!("data_dir = \"/d\"\n[database]\n{lines}"))
    }

    #[test]
    fn a_server_is_named_by_its_url() {
        let config = parsed("url = \"postgres:///storm?host=/run/postgresql&user=storm\"").unwrap();
        assert!(matches!(config.place().unwrap(), Place::Server(_)));
        for wrong in ["mysql://a@b/c", "storm", ""] {
            let words = format!("{:#}", parsed(&format!("url = \"{wrong}\"")).unwrap_err());
            assert!(words.contains("postgres://USER@HOST"), "{words}");
        }
    }

    #[test]
    fn a_password_does_not_stand_in_the_configuration() {
        let words = parsed("url = \"postgres://storm:hush@db/storm\"").unwrap_err();
        let words = format!("{words:#}");
        assert!(
            words.contains("url_file") && !words.contains("hush"),
            "{words}"
        );
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("url");
        fs::write(&file, "postgres://storm:hush@db/storm\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let config = parsed(&format!("url_file = {file:?}")).unwrap();
        let Place::Server(url) = config.place().unwrap() else {
            panic!("a file")
        };
        assert_eq!(url.expose_secret(), "postgres://storm:hush@db/storm");
        fs::write(&file, "hush").unwrap();
        let words = format!("{:#}", config.place().unwrap_err());
        assert!(!words.contains("hush"), "{words}");
    }
}
