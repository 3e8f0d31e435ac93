//! The agent's admin token: made on the node by Garage's own binary, for exactly the calls that the
//! whitelist needs, kept in a file that only the agent reads.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use storm_protocol::command::AdminCall;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::{files, folder::Owner};

/// The largest token file, in bytes.
const MAX_TOKEN_BYTES: usize = 4096;
/// Seconds that Garage's binary may take: it waits for ever for a Garage that ends meanwhile.
const CALL_TIMEOUT_SECONDS: u64 = 60;
/// Garage's name for the right to read `/metrics`.
const METRICS_SCOPE: &str = "Metrics";

/// Why there is no usable token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// No such file.
    #[error("there is no admin token at {0}: make one on this node with storm-pulse token create")]
    Missing(PathBuf),
    /// Nothing usable in it.
    #[error("{0} holds no admin token: make a new one with storm-pulse token create")]
    Empty(PathBuf),
    /// Reading or writing the file failed, or others may read it.
    #[error("{0:#}")]
    File(anyhow::Error),
    /// Garage's binary did not start.
    #[error("{binary} cannot be run: {cause}. Set garage.binary to Garage's program", binary = .binary.display())]
    Binary {
        /// The program.
        binary: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Garage did not make the token.
    #[error(
        "Garage did not make an admin token: {0}. Is it running with the configuration named in garage.config?"
    )]
    Refused(String),
}

/// Reads the token; a file that others may read is refused.
pub(crate) fn load_token(path: &Path) -> Result<SecretString, TokenError> {
    let bytes = files::read_private(path, MAX_TOKEN_BYTES).map_err(TokenError::File)?;
    let bytes = Zeroizing::new(bytes.ok_or_else(|| TokenError::Missing(path.to_owned()))?);
    let token = bytes.trim_ascii();
    match std::str::from_utf8(token) {
        Ok(text) if !token.is_empty() && token.iter().all(u8::is_ascii_graphic) => {
            Ok(SecretString::from(text))
        }
        _ => Err(TokenError::Empty(path.to_owned())),
    }
}

/// Makes tokens with Garage's binary, which on the node itself needs no token.
#[derive(Debug, Clone)]
pub(crate) struct TokenMaker {
    /// Garage's program.
    pub(crate) binary: PathBuf,
    /// Garage's configuration.
    pub(crate) config: PathBuf,
    /// Where the token goes.
    pub(crate) file: PathBuf,
    /// Whose that file is to be.
    pub(crate) owner: Owner,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    secret_token: String,
}

impl TokenMaker {
    /// Makes a token called `name` for the agent's calls alone and writes it to the file. A token
    /// that stood there before is deleted from Garage.
    pub(crate) async fn create(&self, name: &str) -> Result<SecretString, TokenError> {
        let before = load_token(&self.file).ok();
        let mut scope: Vec<_> = AdminCall::ALL.iter().map(|call| call.as_str()).collect();
        scope.push(METRICS_SCOPE);
        let body = json!({ "name": name, "neverExpires": true, "scope": scope });
        let answer = Zeroizing::new(self.run("CreateAdminToken", &body.to_string()).await?);
        let made: Made = serde_json::from_slice(&answer)
            .map_err(|_| TokenError::Refused("its answer holds no token".to_owned()))?;
        let token = SecretString::from(made.secret_token);
        let line = Zeroizing::new(format!("{}\n", token.expose_secret()));
        if let Err(error) = files::write_private_for(self.owner, &self.file, line.as_bytes()) {
            self.delete(token.expose_secret()).await;
            return Err(TokenError::File(error));
        }
        if let Some(before) = before {
            self.delete(before.expose_secret()).await;
        }
        Ok(token)
    }

    async fn delete(&self, token: &str) {
        // A token's id is its part before the dot.
        let Some((id, _)) = token.split_once('.') else {
            return;
        };
        let body = json!({ "id": id }).to_string();
        if let Err(error) = self.run("DeleteAdminToken", &body).await {
            tracing::warn!(%error, token = id, "an admin token that is no longer used stays valid");
        }
    }

    async fn run(&self, call: &str, body: &str) -> Result<Vec<u8>, TokenError> {
        let output = tokio::process::Command::new(&self.binary)
            .arg("-c")
            .arg(&self.config)
            .args(["json-api", call, body])
            .env("NO_COLOR", "1")
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output();
        let Ok(output) = timeout(Duration::from_secs(CALL_TIMEOUT_SECONDS), output).await else {
            let words = format!("it did not answer within {CALL_TIMEOUT_SECONDS} s");
            return Err(TokenError::Refused(words));
        };
        let output = output.map_err(|cause| TokenError::Binary {
            binary: self.binary.clone(),
            cause,
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let words = String::from_utf8_lossy(&output.stderr);
        let words = words.lines().map(str::trim).rfind(|line| !line.is_empty());
        Err(TokenError::Refused(
            words.unwrap_or("it gave no reason").to_owned(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use secrecy::ExposeSecret as _;

    use super::{TokenError, load_token};
    use crate::files::write_private;

    #[test]
    fn a_token_is_read_back_and_refused_when_others_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("garage-token");
        assert!(matches!(load_token(&path), Err(TokenError::Missing(_))));
        write_private(&path, b"id.secret\n").unwrap();
        assert_eq!(load_token(&path).unwrap().expose_secret(), "id.secret");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = load_token(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "\n").unwrap();
        assert!(matches!(load_token(&path), Err(TokenError::Empty(_))));
    }
}
