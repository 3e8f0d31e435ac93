//! The configuration of `storm`: which server, which token, which root key. A TOML file that only
//! its owner reads.

use std::path::{Path, PathBuf};

use anyhow::Result;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use storm_protocol::ident::{AccountId, Digest, RegionName, TokenId};
use url::Url;
use zeroize::Zeroizing;

use crate::{
    errors::{Exit, fault, usage},
    files, token_place,
};

/// What `storm login` keeps.
pub(crate) struct Config {
    /// Where the API is, without `/api/v1`.
    pub(crate) api_url: Url,
    /// The API token; none when the keyring holds it, or after `storm logout`, which keeps the rest.
    pub(crate) token: Option<SecretString>,
    /// Whether the keyring holds the token.
    pub(crate) token_in_keyring: bool,
    /// The token's id, when it was made here and not given.
    pub(crate) token_id: Option<TokenId>,
    /// The digest of the root key that everything is verified against.
    pub(crate) root_key: Digest,
    /// The account that the token belongs to; receipts have to name it.
    pub(crate) account: Option<AccountId>,
    /// The region to use when none is named.
    pub(crate) region: Option<RegionName>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    api_url: Url,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    token_in_keyring: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_id: Option<TokenId>,
    root_key: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<RegionName>,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// When there is none, when others can read it, or when it is not such a file.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        Self::load_if_there(path)?.ok_or_else(|| {
            let text = format!(
                "Not signed in: there is no {}. Run: storm login",
                path.display()
            );
            fault(Exit::Denied, "not_signed_in", text)
        })
    }

    /// Reads the file; `None` when there is none.
    pub(crate) fn load_if_there(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let bytes = files::read_private(path)?;
        let wrong = |why: &dyn std::fmt::Display| {
            let text = format!(
                "{} is not a configuration of storm: {why}. Mend it, or remove it and sign in again with: storm login",
                path.display()
            );
            fault(Exit::Failed, "bad_configuration", text)
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| wrong(&error))?;
        // The parser's own display quotes the line, which may hold the token.
        let file: ConfigFile =
            toml::from_str(text).map_err(|error| wrong(&error.message().replace('\n', " ")))?;
        check_url(&file.api_url)?;
        Ok(Some(Self {
            api_url: file.api_url,
            token: file.token.map(SecretString::from),
            token_in_keyring: file.token_in_keyring,
            token_id: file.token_id,
            root_key: file.root_key,
            account: file.account,
            region: file.region,
        }))
    }

    /// The token, from here or from the keyring; `path` is the file that this was read from.
    ///
    /// # Errors
    /// After `storm logout`, or when the keyring does not give it.
    pub(crate) fn token(&self, path: &Path) -> Result<SecretString> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        if self.token_in_keyring {
            return token_place::read(path);
        }
        let text = format!(
            "Not signed in: {} holds no token. Run: storm login",
            path.display()
        );
        Err(fault(Exit::Denied, "not_signed_in", text))
    }

    /// Writes the file, mode 0600, whole or not at all, and makes its directory.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        let file = ConfigFile {
            api_url: self.api_url.clone(),
            token: self
                .token
                .as_ref()
                .map(|token| token.expose_secret().to_owned()),
            token_in_keyring: self.token_in_keyring,
            token_id: self.token_id,
            root_key: self.root_key,
            account: self.account,
            region: self.region.clone(),
        };
        let text = Zeroizing::new(toml::to_string(&file)?);
        files::create_private_dir(&files::parent(path))?;
        files::write_private(path, text.as_bytes())
    }
}

/// The file to use when none is named: `storm/config.toml` in the user's configuration directory.
pub(crate) fn default_path() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    let base = base.ok_or_else(|| {
        usage(
            "There is no home directory to find the configuration in. Name it with --config FILE.",
        )
    })?;
    Ok(base.join("storm/config.toml"))
}

/// The server and the secret of a link from an e-mail.
pub(crate) fn link_parts(mut link: Url) -> Result<(Url, String)> {
    let Some(token) = link.fragment().map(str::to_owned) else {
        return Err(usage(
            "That link has nothing behind a #. Copy it whole from the e-mail, in quotes.",
        ));
    };
    link.set_fragment(None);
    link.set_path("");
    Ok((link, token))
}

/// Fails unless `url` is https, or plain http to this machine: a token must not travel in the clear.
pub(crate) fn check_url(url: &Url) -> Result<()> {
    match url.scheme() {
        "https" if url.has_host() => Ok(()),
        "http" if is_this_machine(url) => Ok(()),
        "http" => Err(usage(format!(
            "{url} is plain http to another machine: your token would travel in the clear. Use its https address."
        ))),
        _ => Err(usage(format!(
            "{url} is not an address of a server: expected https://HOST[:PORT]."
        ))),
    }
}

/// Reads an address on the command line.
pub(crate) fn parse_url(text: &str) -> Result<Url, String> {
    text.parse()
        .ok()
        .filter(Url::has_host)
        .ok_or_else(|| "expected an address of the form https://HOST[:PORT]".to_owned())
}

/// Whether `url` leads to this machine.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_comes_back_as_it_was_saved() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/config.toml");
        let config = Config {
            api_url: "http://127.0.0.1:8080".parse().unwrap(),
            token: Some(SecretString::from("sbt_x")),
            token_in_keyring: false,
            token_id: None,
            root_key: Digest::of(b"root"),
            account: None,
            region: Some("local".parse().unwrap()),
        };
        config.save(&path).unwrap();
        let read = Config::load(&path).unwrap();
        assert_eq!(read.api_url, config.api_url);
        assert_eq!(read.token(&path).unwrap().expose_secret(), "sbt_x");
        assert_eq!(read.root_key, config.root_key);
        assert_eq!(read.region, config.region);

        let signed_out = Config {
            token: None,
            ..config
        };
        signed_out.save(&path).unwrap();
        let read = Config::load(&path).unwrap();
        assert_eq!(read.root_key, signed_out.root_key);
        let error = read.token(&path).err().unwrap().to_string();
        assert!(error.contains("storm login"), "{error}");
    }

    #[test]
    fn an_unknown_member_is_named_and_the_token_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let text = format!(
            "api_url = \"http://localhost\"\ntoken = \"sbt_secret\"\nroot_key = \"{}\"\ncolour = 1\n",
            Digest::of(b"root")
        );
        files::write_private(&path, text.as_bytes()).unwrap();
        let error = format!("{:#}", Config::load(&path).err().unwrap());
        assert!(error.contains("colour"), "{error}");
        assert!(!error.contains("sbt_secret"), "{error}");
    }

    #[test]
    fn a_token_does_not_travel_in_the_clear() {
        let good = [
            "https://storm.example",
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost",
        ];
        for text in good {
            assert!(check_url(&text.parse().unwrap()).is_ok(), "{text}");
        }
        for text in [
            "http://storm.example",
            "http://192.168.1.1",
            "ftp://x",
            "data:x",
        ] {
            assert!(check_url(&text.parse().unwrap()).is_err(), "{text}");
        }
    }
}
