//! `storm` with a configuration file of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{program, tools::said};

/// The command line with one configuration.
#[derive(Clone)]
pub struct Cli {
    config: PathBuf,
    home: PathBuf,
}

impl Cli {
    /// Uses `config`; everything else it writes goes below `home`.
    pub fn new(config: &Path, home: &Path) -> Self {
        Self {
            config: config.to_owned(),
            home: home.to_owned(),
        }
    }

    /// A `storm` command line.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(program("storm")?);
        command
            .args(arguments)
            .env("STORM_CONFIG", &self.config)
            .env("HOME", &self.home)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_DATA_HOME")
            // No keyring and no browser of whoever runs the tests.
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            // No token of whoever runs the tests either.
            .env_remove("STORM_TOKEN")
            .env_remove("STORM_URL")
            .env_remove("STORM_ROOT_KEY")
            .env("NO_COLOR", "1");
        Ok(command)
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.command(arguments)?.output()?)
    }

    /// Runs a command that has to succeed; gives its standard output.
    pub fn text(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(arguments)?;
        ensure!(
            output.status.success(),
            "storm {arguments:?} ended with {}: {}",
            output.status,
            said(&output)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs a command with `--json` that has to succeed; gives what it printed.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.text(&[arguments, &["--json"]].concat())?;
        serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))
    }
}
