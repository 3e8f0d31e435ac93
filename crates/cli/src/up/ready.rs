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
    url: String,
    s3_endpoint: String,
    cli_config: PathBuf,
    data: PathBuf,
    logs: PathBuf,
    admin: Option<(String, SecretString)>,
    default_config: DefaultConfig,
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

/// What the user's own configuration of `storm` is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum DefaultConfig {
    /// There was none: it leads here now.
    Written(PathBuf),
    /// It leads here.
    Here,
    /// It leads elsewhere, or cannot be written.
    Elsewhere,
}

impl Ready {
    /// Gathers it; `admin` at the first start only.
    pub(super) fn new(data: &Data, ports: Ports, config: &Config, admin: Option<&Admin>) -> Self {
        Self {
            url: ports.web_url(),
            s3_endpoint: ports.s3_endpoint(),
            cli_config: data.cli_config(),
            data: data.root().to_owned(),
            logs: data.logs(),
            admin: admin.map(|admin| (admin.email.clone(), admin.password.clone())),
            default_config: settle_default_config(config),
        }
    }

    /// Writes the file for programs.
    pub(super) fn write(&self, path: &Path, pids: Pids) -> anyhow::Result<()> {
        let admin = self.admin.as_ref();
        let file = ReadyFile {
            dashboard_url: &self.url,
            api_url: &self.url,
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
        row("Dashboard", &self.url)?;
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
        let cli = match &self.default_config {
            DefaultConfig::Written(path) => {
                format!("{}   (written: there was none)", path.display())
            }
            DefaultConfig::Here | DefaultConfig::Elsewhere => self.cli_config.display().to_string(),
        };
        row("CLI config", &cli)?;
        line("\nNext, in another terminal:\n")?;
        if self.default_config == DefaultConfig::Elsewhere {
            line(&format!(
                "  export STORM_CONFIG={}",
                shell_word(&self.cli_config)
            ))?;
        }
        line(&format!(
            "  {} bucket create photos --quota 10GB",
            this_command()
        ))?;
        line("\nCtrl-C stops everything and keeps it.")
    }
}

fn row(name: &str, value: &str) -> anyhow::Result<()> {
    line(&format!("  {name:<11} {value}"))
}

/// Writes the user's own configuration if there is none, and keeps the address in ours up to date.
fn settle_default_config(config: &Config) -> DefaultConfig {
    let Ok(path) = config::default_path() else {
        return DefaultConfig::Elsewhere;
    };
    if path.symlink_metadata().is_err() {
        return match config.save(&path) {
            Ok(()) => DefaultConfig::Written(path),
            Err(error) => {
                note(&format!(
                    "No configuration of your own was written: {error:#}"
                ));
                DefaultConfig::Elsewhere
            }
        };
    }
    let same = |theirs: &Config| theirs.token.expose_secret() == config.token.expose_secret();
    match Config::load(&path) {
        Ok(theirs) if same(&theirs) && theirs.api_url == config.api_url => DefaultConfig::Here,
        Ok(theirs) if same(&theirs) && config.save(&path).is_ok() => DefaultConfig::Here,
        Ok(_) | Err(_) => DefaultConfig::Elsewhere,
    }
}

/// How to call this program from a shell.
fn this_command() -> String {
    let Ok(here) = env::current_exe() else {
        return "storm".to_owned();
    };
    let path = env::var_os("PATH").unwrap_or_default();
    let first = env::split_paths(&path)
        .map(|directory| directory.join("storm"))
        .find(|path| path.is_file());
    let found = first.and_then(|path| path.canonicalize().ok());
    if found == here.canonicalize().ok() {
        "storm".to_owned()
    } else {
        shell_word(&here)
    }
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
