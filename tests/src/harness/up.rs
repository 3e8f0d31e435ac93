//! `storm up`: everything on this machine, as a newcomer starts it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use rustix::process::Signal;
use serde::Deserialize;

use super::{
    cli::Cli,
    garage_program,
    process::{Process, children, is_running, signal_id},
    program, wait,
};

/// What `--ready-file` holds once everything answers.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    /// The dashboard.
    pub dashboard_url: String,
    /// The API.
    pub api_url: String,
    /// Where S3 is spoken.
    pub s3_endpoint: String,
    /// The S3 region name.
    pub s3_region: String,
    /// The CLI configuration that it wrote.
    pub cli_config: PathBuf,
    /// The operator's e-mail address; at the first start only.
    pub admin_email: Option<String>,
    /// The operator's password; at the first start only.
    pub admin_password: Option<String>,
    /// The three processes.
    pub pids: Pids,
}

/// The processes that `storm up` started.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Pids {
    /// Garage.
    pub garage: u32,
    /// The control plane.
    pub server: u32,
    /// The agent.
    pub agent: u32,
}

/// A running `storm up`.
pub struct Up {
    process: Process,
    /// What it said when it was ready.
    pub ready: Ready,
}

impl Up {
    /// Starts it on `data` and waits until everything answers.
    pub async fn start(data: &Path) -> Result<Self> {
        let file = data.with_extension("ready.json");
        let _ = fs::remove_file(&file);
        let mut command = Command::new(program("storm")?);
        command
            .arg("up")
            .arg("--data")
            .arg(data)
            .arg("--ready-file")
            .arg(&file);
        command.env("STORM_GARAGE", garage_program()?);
        // The machine's own configuration is nobody's business.
        let home = data.parent().unwrap_or(data);
        command
            .env("HOME", home)
            .env("NO_COLOR", "1")
            .env_remove("STORM_CONFIG");
        for variable in [
            "XDG_CONFIG_HOME",
            "XDG_STATE_HOME",
            "XDG_DATA_HOME",
            "STORM_ADMIN_EMAIL",
            "STORM_ADMIN_PASSWORD",
        ] {
            command.env_remove(variable);
        }
        let mut process = Process::spawn("storm up", &mut command, &data.with_extension("log"))?;
        let ready = wait::until("storm up", async || {
            ensure!(process.ended()?.is_none(), "it ended: {}", process.output());
            let text = fs::read_to_string(&file)?;
            Ok(Some(serde_json::from_str(&text)?))
        })
        .await;
        match ready {
            Ok(ready) => Ok(Self { process, ready }),
            Err(error) => {
                end_family(&mut process);
                Err(error)
            }
        }
    }

    /// The command line with the configuration that `storm up` wrote.
    pub fn cli(&self) -> Cli {
        let home = self.ready.cli_config.parent().unwrap_or(Path::new("/"));
        Cli::new(&self.ready.cli_config, home)
    }

    /// Everything it printed.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Kills the agent, and holds the supervisor so that it starts no other.
    pub fn take_agent_away(&self) -> Result<()> {
        self.process.signal(Signal::STOP)?;
        signal_id(self.ready.pids.agent, Signal::KILL)
    }

    /// Lets the supervisor go on, which starts the agent again.
    pub fn bring_agent_back(&self) -> Result<()> {
        self.process.signal(Signal::CONT)
    }

    /// Ctrl-C: it has to end well and leave nothing running.
    pub async fn stop(mut self) -> Result<()> {
        self.process.signal(Signal::INT)?;
        let status = self.process.wait().await?;
        ensure!(
            status.success(),
            "storm up ended with {status}: {}",
            self.process.output()
        );
        let Pids {
            garage,
            server,
            agent,
        } = self.ready.pids;
        for id in [garage, server, agent] {
            ensure!(!is_running(id), "process {id} outlived storm up");
        }
        Ok(())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        end_family(&mut self.process);
    }
}

/// Ends the supervisor first, so that it starts nothing again, then what it had started.
fn end_family(process: &mut Process) {
    if matches!(process.ended(), Ok(Some(_))) {
        return;
    }
    let family = children(process.id());
    let _ = process.kill();
    for id in family {
        let _ = signal_id(id, Signal::KILL);
    }
}
