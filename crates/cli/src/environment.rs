//! `storm` without a login, for jobs: an API token from `STORM_TOKEN`, in place of the configuration's, or with
//! `STORM_URL` and `STORM_ROOT_KEY` where there is none. The token is never printed.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::Result;
use secrecy::SecretString;
use storm_protocol::ident::Digest;

use crate::{
    config::{self, Config},
    errors::usage,
};

const TOKEN: &str = "STORM_TOKEN";
const URL: &str = "STORM_URL";
const ROOT_KEY: &str = "STORM_ROOT_KEY";
/// Where a server that the environment names has what outlives a command, beside the configuration.
const DIRECTORY: &str = "environment";

/// The token of the environment, if it has one.
///
/// # Errors
/// When it is empty or no text: another credential must not be taken in its place.
pub(crate) fn token() -> Result<Option<SecretString>> {
    given(std::env::var_os(TOKEN))
}

/// Where what outlives a command is kept: apart, for a server that the environment names.
pub(crate) fn directory(beside: PathBuf) -> PathBuf {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match is_set(TOKEN) && is_set(URL) {
        true => beside.join(DIRECTORY),
        false => beside,
    }
}

/// The configuration to use with the token of the environment.
///
/// # Errors
/// When neither the environment nor the configuration says which server it is for.
pub(crate) fn config(path: &Path) -> Result<Config> {
    let named = (text(URL)?, text(ROOT_KEY)?);
    if let (None, None) = named {
        let Some(config) = Config::load_if_there(path)? else {
            return Err(usage(format!(
                "{TOKEN} is set and there is no {}: set {URL} and {ROOT_KEY}, too (`storm-buckets trust show` prints \
                 the digest on the server), or run: storm login",
                path.display()
            )));
        };
        // The account is the other token's.
        let account = None;
        return Ok(Config { account, ..config });
    }
    let (Some(url), Some(root_key)) = named else {
        return Err(usage(format!(
            "{URL} and {ROOT_KEY} go together: set both, or neither."
        )));
    };
    let api_url =
        config::parse_url(&url).map_err(|expected| usage(format!("{URL}: {expected}.")))?;
    config::check_url(&api_url)?;
    let root_key = root_key
        .parse::<Digest>()
        .map_err(|error| usage(format!("{ROOT_KEY}: {error}.")))?;
    Ok(Config {
        api_url,
        token: None,
        token_in_keyring: false,
        token_id: None,
        root_key,
        account: None,
        region: None,
    })
}

fn given(value: Option<OsString>) -> Result<Option<SecretString>> {
    let Some(value) = value else { return Ok(None) };
    let token = value
        .to_str()
        .map(str::trim)
        .filter(|token| !token.is_empty());
    let wrong = || {
        usage(format!(
            "{TOKEN} is set, but holds no API token: the secret did not get here. Set it, or unset it to use the \
             configuration."
        ))
    };
    token
        .map(|token| Some(SecretString::from(token)))
        .ok_or_else(wrong)
}

fn text(name: &str) -> Result<Option<String>> {
    let Some(value) = std::env::var_os(name) else {
        return Ok(None);
    };
    let value = value
        .into_string()
        .map_err(|_| usage(format!("{name} is no text.")))?;
    Ok(Some(value).filter(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::given;

    #[test]
    fn a_token_that_did_not_get_here_is_an_error_and_not_another_credential() {
        assert!(given(None).unwrap().is_none());
        let token = given(Some(" sbt_x\n".into())).unwrap().unwrap();
        assert_eq!(token.expose_secret(), "sbt_x");
        for wrong in ["", "  ", "\n"] {
            let error = given(Some(wrong.into())).err().unwrap().to_string();
            assert!(error.contains("STORM_TOKEN"), "{error}");
        }
    }
}
