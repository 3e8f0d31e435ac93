//! `storm-pulse` by itself: enrolled, run, killed at a fault point, run again.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{
    clock_shift::Clock,
    garage::{Node, S3_REGION},
    garage_program,
    process::Process,
    program,
    server::as_user,
};

/// An agent in one directory.
pub struct Agent {
    process: Option<Process>,
    user: Option<u32>,
    programs: Option<PathBuf>,
    clock: Option<Clock>,
    /// Its directory.
    pub directory: PathBuf,
    /// Its configuration file.
    pub config: PathBuf,
}

/// What to tell an agent at its start.
#[derive(Debug, Clone, Default)]
pub struct Start<'a> {
    /// The fault point at which it dies: `STORM_FAULT`.
    pub fault: Option<&'a str>,
    /// Microseconds after which `during` points die: `STORM_FAULT_DELAY_US`.
    pub delay_micros: Option<u32>,
    /// What to log: `STORM_LOG`.
    pub log: Option<&'a str>,
    /// Whether commands come and receipts go twice: `STORM_FAULT_TWICE`.
    pub twice: bool,
}

impl Agent {
    /// Writes a configuration for `node` into `directory`; starts nothing.
    pub fn prepare(directory: &Path, node: &Node, disabled: &[&str]) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let agent = Self {
            process: None,
            user: None,
            programs: None,
            clock: None,
            config: directory.join("config.toml"),
            directory: directory.to_owned(),
        };
        let disabled: Vec<_> = disabled.iter().map(|name| format!("\"{name}\"")).collect();
        let text = format!(
            "state_dir = \"{state}\"\n\
             [garage]\nadmin = \"unix:{socket}\"\nconfig = \"{config}\"\nbinary = \"{binary}\"\n\
             s3 = \"http://127.0.0.1:{s3_port}\"\ns3_region = \"{S3_REGION}\"\n\
             [commands]\ndisabled = [{disabled}]\n",
            state = agent.state().display(),
            socket = node.admin_socket.display(),
            config = node.config.display(),
            binary = garage_program()?.display(),
            s3_port = node.s3_port,
            disabled = disabled.join(", "),
        );
        fs::write(&agent.config, text)?;
        fs::create_dir_all(agent.state())?;
        fs::set_permissions(agent.state(), Permissions::from_mode(0o700))?;
        Ok(agent)
    }

    /// Adds a section to its configuration, which it reads at its next start.
    pub fn configure(&self, section: &str) -> Result<()> {
        let text = fs::read_to_string(&self.config)?;
        fs::write(&self.config, format!("{text}{section}\n"))?;
        Ok(())
    }

    /// Lets it connect to any of these hubs, from its next start on.
    pub fn name_hubs(&self, urls: &[&str]) -> Result<()> {
        let text = fs::read_to_string(&self.config)?;
        Ok(fs::write(
            &self.config,
            format!("hub_urls = {urls:?}\n{text}"),
        )?)
    }

    /// Takes the program from this directory from now on.
    pub fn use_programs(&mut self, directory: &Path) {
        self.programs = Some(directory.to_owned());
    }

    fn program(&self) -> Result<PathBuf> {
        match &self.programs {
            Some(directory) => Ok(directory.join("storm-pulse")),
            None => program("storm-pulse"),
        }
    }

    /// Run as this user from now on (root alone can).
    pub fn run_as(&mut self, user: u32) {
        self.user = Some(user);
    }

    /// From its next start on it sees a time that is `seconds` off.
    pub fn shift_clock(&mut self, library: &Path, seconds: i64) {
        self.clock = Some(Clock::new(library, seconds, &self.directory));
    }

    /// Its timers, and nobody else's, are that far ahead from now on. Its clock must have been shifted,
    /// be it by nothing.
    pub fn skip_to(&self, ahead: Duration) -> Result<()> {
        let clock = self.clock.as_ref();
        clock
            .context("the agent has the system's clock")?
            .skip_to(ahead)
    }

    /// Its wall clock jumps while it runs, so many seconds from the true time. Its clock must have been
    /// shifted, be it by nothing.
    pub fn jump_clock(&self, seconds: i64) -> Result<()> {
        let clock = self.clock.as_ref();
        clock.context("it has the system's clock")?.jump_to(seconds)
    }

    /// Where its keys and journal are.
    pub fn state(&self) -> PathBuf {
        self.directory.join("state")
    }

    /// A `storm-pulse` command line.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = as_user(self.user, &self.program()?);
        command.arg("--config").arg(&self.config).args(arguments);
        command.env("NO_COLOR", "1").env_remove("STORM_FAULT");
        Ok(command)
    }

    /// Runs a `storm-pulse` command to its end.
    pub fn run(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.command(arguments)?.output()?)
    }

    /// Runs a `storm-pulse` command that has to succeed; gives its output.
    pub fn expect(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(arguments)?;
        ensure!(
            output.status.success(),
            "storm-pulse {arguments:?} ended with {}: {}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Makes the agent's own Garage token on the node, then enrols.
    pub fn enrol(&self, url: &str, token: &str) -> Result<()> {
        self.expect(&["token", "create"])?;
        self.expect(&["enroll", url, token])?;
        Ok(())
    }

    /// Starts it in the background.
    pub fn start(&mut self, start: &Start<'_>) -> Result<()> {
        let mut command = self.command(&["run"])?;
        command.env("STORM_LOG", start.log.unwrap_or("info"));
        if let Some(fault) = start.fault {
            command.env("STORM_FAULT", fault);
        }
        if let Some(delay) = start.delay_micros {
            command.env("STORM_FAULT_DELAY_US", delay.to_string());
        }
        if start.twice {
            command.env("STORM_FAULT_TWICE", "1");
        }
        if let Some(clock) = &self.clock {
            clock.set(&mut command);
        }
        let log = self.directory.join("agent.log");
        self.process = Some(Process::spawn("storm-pulse", &mut command, &log)?);
        Ok(())
    }

    /// The process id, while it runs.
    pub fn id(&self) -> Result<u32> {
        self.process
            .as_ref()
            .map(Process::id)
            .context("the agent does not run")
    }

    /// The status with which it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.process
            .as_mut()
            .context("the agent was not started")?
            .ended()
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> Result<bool> {
        match &mut self.process {
            Some(process) => Ok(process.ended()?.is_none()),
            None => Ok(false),
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        self.process
            .take()
            .map_or(Ok(()), |mut process| process.kill())
    }

    /// SIGTERM; it has to end well.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        let status = process.terminate().await?;
        ensure!(status.success(), "the agent ended with {status}");
        Ok(())
    }

    /// What it wrote to its log.
    pub fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.directory.join("agent.log"))?)
    }

    /// What `storm-pulse status --json` says.
    pub fn status(&self) -> Result<Value> {
        Ok(serde_json::from_str(&self.expect(&["status", "--json"])?)?)
    }
}
