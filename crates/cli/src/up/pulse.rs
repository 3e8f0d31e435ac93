//! The agent: its configuration, its Garage token, its enrolment, how it is started.

use std::{ffi::OsStr, path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Serialize;
use tokio::{process::Command, time::timeout};

use super::{
    child::Recipe,
    data::Data,
    garage::{Garage, S3_REGION},
    programs::Programs,
};
use crate::files;

/// How long the agent may take to be connected.
pub(super) const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long one of its short commands may take: longer than it gives Garage itself.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(90);

/// The agent on this machine.
pub(super) struct Pulse {
    config: PathBuf,
    state: PathBuf,
    program: PathBuf,
}

#[derive(Serialize)]
struct Config<'a> {
    state_dir: &'a PathBuf,
    garage: GarageConfig<'a>,
}

#[derive(Serialize)]
struct GarageConfig<'a> {
    admin: String,
    config: &'a PathBuf,
    binary: &'a PathBuf,
    s3: &'a str,
    s3_region: &'a str,
}

impl Pulse {
    /// Writes its configuration.
    pub(super) fn prepare(
        data: &Data,
        garage: &Garage,
        programs: &Programs,
    ) -> anyhow::Result<Self> {
        let state = data.pulse().join("state");
        files::create_private_dir(&state)?;
        let config = Config {
            state_dir: &state,
            garage: GarageConfig {
                admin: format!("unix:{}", garage.admin_socket.display()),
                config: &garage.config,
                binary: &programs.garage,
                s3: &garage.s3,
                s3_region: S3_REGION,
            },
        };
        let path = data.pulse().join("config.toml");
        files::write_private(&path, toml::to_string(&config)?.as_bytes())?;
        Ok(Self {
            config: path,
            state,
            program: programs.agent.clone(),
        })
    }

    /// Makes the agent's Garage token on this node, unless it has one.
    pub(super) async fn make_token(&self) -> anyhow::Result<()> {
        if self.state.join("garage-token").exists() {
            return Ok(());
        }
        self.run(&["token".as_ref(), "create".as_ref()])
            .await
            .context("The agent got no Garage token")
    }

    /// Whether it has been enrolled.
    pub(super) fn is_enrolled(&self) -> bool {
        self.state.join("identity.json").exists()
    }

    /// Enrols it.
    pub(super) async fn enrol(&self, url: &str, token: &str) -> anyhow::Result<()> {
        let arguments = ["enroll".as_ref(), url.as_ref(), token.as_ref()];
        self.run(&arguments)
            .await
            .context("The agent was not enrolled")
    }

    /// How it is started.
    pub(super) fn recipe(&self) -> Recipe {
        let arguments = vec!["--config".into(), self.config.clone().into(), "run".into()];
        Recipe {
            program: self.program.clone(),
            arguments,
            environment: vec![("NO_COLOR", "1".into())],
        }
    }

    async fn run(&self, arguments: &[&OsStr]) -> anyhow::Result<()> {
        let mut command = Command::new(&self.program);
        command
            .arg("--config")
            .arg(&self.config)
            .args(arguments)
            .env("NO_COLOR", "1");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let cannot = || format!("{} cannot be started", self.program.display());
        let child = command.spawn().with_context(cannot)?;
        let group = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let group = Group(Some(group.with_context(cannot)?));
        let Ok(output) = timeout(COMMAND_TIMEOUT, child.wait_with_output()).await else {
            bail!(
                "{} did not end within {} s.",
                self.program.display(),
                COMMAND_TIMEOUT.as_secs()
            );
        };
        let output = output?;
        group.has_ended();
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            let last = words.lines().rfind(|line| !line.trim().is_empty());
            bail!(
                "{}",
                last.unwrap_or("storm-pulse failed and said nothing.")
                    .trim()
            );
        }
        Ok(())
    }
}

/// A short command with what it runs itself; killed when it is given up.
struct Group(Option<Pid>);

impl Group {
    fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
