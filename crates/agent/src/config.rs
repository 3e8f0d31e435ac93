//! The configuration file. Each member is documented in packaging/storm-pulse.toml.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;
use storm_protocol::command::Row;

use crate::{
    exit::{Code, OrStop as _, Stop, stop},
    files,
    garage::Endpoint,
};

/// Where the configuration lies unless `--config` says otherwise.
pub(crate) const DEFAULT_PATH: &str = "/etc/storm-pulse/config.toml";
/// The largest configuration file, in bytes.
const MAX_CONFIG_BYTES: usize = 64 * 1024;
const METRICS_PATH: &str = "/metrics";

/// The agent's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Keys, journal, receipts, spool: 0700.
    pub state_dir: PathBuf,
    /// The Garage of this node.
    pub garage: Garage,
    /// What the agent may be asked to do.
    #[serde(default)]
    pub commands: Commands,
}

/// How to reach Garage.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Garage {
    /// The admin API: `unix:/path` or `http://host:port`.
    pub admin: String,
    /// Where the admin token lies; `garage-token` in the state directory by default.
    pub token_file: Option<PathBuf>,
    /// Garage's own configuration, read by `garage` alone, to make the token.
    #[serde(default = "default_garage_config")]
    pub config: PathBuf,
    /// The program, to make the token.
    #[serde(default = "default_garage_binary")]
    pub binary: PathBuf,
    /// Where metrics are, when not at `/metrics` of the admin API.
    pub metrics_url: Option<String>,
}

/// Restrictions of the whitelist.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Commands {
    /// Commands that this agent refuses.
    #[serde(default)]
    pub disabled: Vec<String>,
}

impl Config {
    /// Reads and checks the configuration.
    pub(crate) fn load(path: &Path) -> Result<Self, Stop> {
        let read = files::read_public(path, MAX_CONFIG_BYTES);
        let named =
            read.context("there is no configuration to be read; name yours with --config FILE");
        let bytes = named.or_stop(Code::Usage)?;
        let Ok(text) = String::from_utf8(bytes) else {
            return stop(Code::Usage, format!("{} is not UTF-8 text", path.display()));
        };
        match Self::parse(&text) {
            Ok(config) => Ok(config),
            Err(message) => stop(Code::Usage, format!("{}: {message}", path.display())),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| {
                let before = text.get(..span.start).unwrap_or(text);
                before.matches('\n').count() + 1
            });
            let message = error.message().replace('\n', " ");
            match line {
                Some(line) => format!("line {line}: {message}"),
                None => message,
            }
        })?;
        config.check()?;
        Ok(config)
    }

    /// Where the Garage token lies.
    pub(crate) fn token_file(&self) -> PathBuf {
        let default = || self.state_dir.join("garage-token");
        self.garage.token_file.clone().unwrap_or_else(default)
    }

    /// Where the admin API listens.
    pub(crate) fn admin(&self) -> Result<Endpoint, String> {
        let named = |error| format!("garage.admin: {error}");
        self.garage.admin.parse().map_err(named)
    }

    /// Where metrics are read.
    pub(crate) fn metrics(&self) -> Result<Endpoint, String> {
        let Some(url) = &self.garage.metrics_url else {
            return self.admin();
        };
        let address = url.strip_suffix(METRICS_PATH).unwrap_or(url);
        match address.parse() {
            Ok(endpoint @ Endpoint::Tcp(_)) => Ok(endpoint),
            Ok(Endpoint::Unix(_)) | Err(_) => Err(format!(
                "garage.metrics_url is '{url}': expected http://127.0.0.1:3903/metrics"
            )),
        }
    }

    fn check(&self) -> Result<(), String> {
        if !self.state_dir.is_absolute() {
            return Err("state_dir must be an absolute path".to_owned());
        }
        self.admin()?;
        self.metrics()?;
        for name in &self.commands.disabled {
            // A name with a slip in it would leave the command switched on.
            if Row::find(name).is_none() {
                return Err(format!(
                    "commands.disabled names '{name}', which is no command: `storm-pulse commands` \
                     lists them"
                ));
            }
        }
        Ok(())
    }
}

fn default_garage_config() -> PathBuf {
    "/etc/garage.toml".into()
}

fn default_garage_binary() -> PathBuf {
    "garage".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> String {
        Config::parse(text).expect_err("it must be refused")
    }

    #[test]
    fn a_small_configuration_is_enough() {
        let config = Config::parse(
            "state_dir = '/var/lib/storm-pulse'\n[garage]\nadmin = 'unix:/run/garage/admin.sock'\n",
        )
        .expect("sound");
        let token = Path::new("/var/lib/storm-pulse/garage-token");
        assert_eq!(config.token_file(), token);
        assert_eq!(config.garage.binary, Path::new("garage"));
    }

    #[test]
    fn each_slip_is_named_with_its_line() {
        let text = "state_dir = '/s'\n[garage]\nadmin = 'unix:/a'\ntokenfile = '/t'\n";
        let message = error_of(text);
        assert!(message.starts_with("line 4: "), "{message}");
        assert!(message.contains("tokenfile"), "{message}");
        assert!(error_of("state_dir = '/s'\n").contains("garage"));
        assert!(error_of("state_dir = 's'\n[garage]\nadmin = 'unix:/a'").contains("absolute"));
    }

    #[test]
    fn addresses_are_checked() {
        for admin in ["/run/a.sock", "unix:a.sock", "https://a:1", "http://a", ""] {
            let text = format!("state_dir = '/s'\n[garage]\nadmin = '{admin}'");
            assert!(error_of(&text).contains("garage.admin"), "{admin}");
        }
        let text = "state_dir = '/s'\n[garage]\nadmin = 'unix:/a'\nmetrics_url = 'unix:/a'";
        assert!(error_of(text).contains("metrics_url"));
    }

    #[test]
    fn only_a_real_command_can_be_switched_off() {
        let with = |name: &str| {
            format!(
                "state_dir = '/s'\n[garage]\nadmin = 'unix:/a'\n[commands]\ndisabled = ['{name}']"
            )
        };
        assert!(Config::parse(&with("bucket.delete")).is_ok());
        assert!(error_of(&with("bucket.remove")).contains("'bucket.remove'"));
    }
}
