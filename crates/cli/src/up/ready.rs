//! What `storm up` says when everything answers: a file for programs, a summary for people, and the
//! user's configuration of `storm` when there is none.

use std::{
    env,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::{data::Data, first::Admin, garage::S3_REGION, ports::Ports};
use crate::{
    config::{self, Config},
    files,
    output::{line, note},
};

/// The process ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Pids {
    /// Garage.
    pub(super) garage: i32,
    /// `storm-buckets`.
    pub(super) server: i32,
    /// `storm-pulse`.
    pub(super) agent: i32,
}

/// Where everything is.
pub(super) struct Ready {
    dashboard_url: String,
    api_url: String,
    s3_endpoint: String,
    cli_config: PathBuf,
    data: PathBuf,
    logs: PathBuf,
    admin: Option<(String, SecretString)>,
    written: Option<PathBuf>,
}

#[derive(Serialize)]
struct ReadyFile<'a> {
    dashboard_url: &'a str,
    api_url: &'a str,
    s3_endpoint: &'a str,
    s3_region: &'a str,
    cli_config: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_password: Option<&'a str>,
    pids: Pids,
}

impl Ready {
    /// Gathers it; `admin` at the first start only.
    pub(super) fn new(data: &Data, ports: Ports, config: &Config, admin: Option<&Admin>) -> Self {
        Self {
            dashboard_url: ports.dashboard_url(),
            api_url: ports.web_url(),
            s3_endpoint: ports.s3_endpoint(),
            cli_config: data.cli_config(),
            data: data.root().to_owned(),
            logs: data.logs(),
            admin: admin.map(|admin| (admin.email.clone(), admin.password.clone())),
            written: settle_default_config(config),
        }
    }

    /// Writes the file for programs.
    pub(super) fn write(&self, path: &Path, pids: Pids) -> anyhow::Result<()> {
        let admin = self.admin.as_ref();
        let file = ReadyFile {
            dashboard_url: &self.dashboard_url,
            api_url: &self.api_url,
            s3_endpoint: &self.s3_endpoint,
            s3_region: S3_REGION,
            cli_config: &self.cli_config,
            admin_email: admin.map(|(email, _)| email.as_str()),
            admin_password: admin.map(|(_, password)| password.expose_secret()),
            pids,
        };
        files::write_private(path, &serde_json::to_vec_pretty(&file)?)
    }

    /// Shows the summary.
    pub(super) fn show(&self) -> anyhow::Result<()> {
        line("\nStorm Buckets is up.\n")?;
        row("Dashboard", &self.dashboard_url)?;
        if let Some((email, password)) = &self.admin {
            row("  e-mail", email)?;
            row(
                "  password",
                &format!("{}   (shown this once: keep it)", password.expose_secret()),
            )?;
        }
        row("S3", &format!("{}   region {S3_REGION}", self.s3_endpoint))?;
        row("Data", &self.data.display().to_string())?;
        row("Logs", &self.logs.display().to_string())?;
        row("CLI config", &self.cli_config.display().to_string())?;
        if let Some(path) = &self.written {
            row("", &format!("{}   (there was none)", path.display()))?;
        }
        line("\nNext, in another terminal:\n")?;
        line(&format!(
            "  export STORM_CONFIG={}",
            shell_word(&self.cli_config)
        ))?;
        if let Some(directory) = missing_on_path() {
            line(&format!("  export PATH={}:$PATH", shell_word(&directory)))?;
        }
        line(match self.admin {
            Some(_) => "  storm bucket create photos --quota 10GB",
            None => "  storm bucket list",
        })?;
        line("\nCtrl-C stops everything and keeps it.")
    }
}

fn row(name: &str, value: &str) -> anyhow::Result<()> {
    line(&format!("  {name:<11} {value}"))
}

/// Writes the user's own configuration if there is none, and gives its path then; keeps the address
/// in one that was written before up to date.
fn settle_default_config(config: &Config) -> Option<PathBuf> {
    let path = config::default_path().ok()?;
    if path.symlink_metadata().is_err() {
        return match config.save(&path) {
            Ok(()) => Some(path),
            Err(error) => {
                note(&format!(
                    "No configuration of your own was written: {error:#}"
                ));
                None
            }
        };
    }
    let theirs = Config::load(&path).ok()?;
    let is_ours = theirs.token_id.is_some() && theirs.token_id == config.token_id;
    if is_ours
        && theirs.api_url != config.api_url
        && let Err(error) = config.save(&path)
    {
        note(&format!("{} is out of date: {error:#}", path.display()));
    }
    None
}

/// The directory of this program, when a shell would not find it as `storm`.
fn missing_on_path() -> Option<PathBuf> {
    let here = env::current_exe().ok()?.canonicalize().ok()?;
    let path = env::var_os("PATH").unwrap_or_default();
    let first = env::split_paths(&path)
        .map(|directory| directory.join("storm"))
        .find(|path| path.is_file());
    if first.and_then(|path| path.canonicalize().ok()).as_ref() == Some(&here) {
        return None;
    }
    here.parent().map(Path::to_owned)
}

fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn paths_are_quoted_for_a_shell_when_needed() {
        assert_eq!(shell_word("/a/b-c.toml".as_ref()), "/a/b-c.toml");
        assert_eq!(shell_word("/it's here".as_ref()), r"'/it'\''s here'");
    }
}
