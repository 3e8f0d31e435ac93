//! One child process: its output in a file, killed by its id when the value goes.

use std::{
    fs::{self, File},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::wait;

static SHOW_LOGS: AtomicBool = AtomicBool::new(true);

/// Do not print what the programs wrote when they end; for programs that are not tests.
pub fn hide_logs() {
    SHOW_LOGS.store(false, Ordering::Relaxed);
}

/// A running (or ended) program.
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; standard output and error are appended to `log`.
    pub fn spawn(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{name} does not start: {command:?}"))?;
        Ok(Self {
            child,
            name: name.to_owned(),
            log: log.to_owned(),
        })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it wrote so far (and what earlier runs wrote to the same file).
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The status with which it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        signal_id(self.id(), signal)
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            self.child.kill()?;
        }
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and waits until it has ended.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        self.signal(Signal::TERM)?;
        self.wait().await
    }

    /// Waits until it ends by itself.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        let what = format!("{} to end", self.name);
        let child = &mut self.child;
        wait::until(&what, async || Ok(child.try_wait()?)).await
    }

    /// Whether it ended by SIGKILL.
    pub fn was_killed(status: ExitStatus) -> bool {
        status.signal() == Some(Signal::KILL.as_raw())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has ended already is what is wanted.
        let _ = self.kill();
        // The test runner keeps this to itself unless the test fails.
        if SHOW_LOGS.load(Ordering::Relaxed) {
            eprintln!("--- {} ---\n{}", self.name, tail(&self.output()));
        }
    }
}

/// Sends a signal to a process by its id.
pub fn signal_id(id: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    kill_process(pid.context("not a process id")?, signal)?;
    Ok(())
}

/// Whether a process of that id runs (a zombie does not).
pub fn is_running(id: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/stat"));
    status.is_ok_and(|stat| !after_name(&stat).starts_with('Z'))
}

/// The ids of the direct children of a process.
pub fn children(id: u32) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return vec![];
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|child| {
            let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            let parent = after_name(&stat).split(' ').nth(1);
            parent.and_then(|parent| parent.parse().ok()) == Some(id)
        })
        .collect()
}

/// The fields of a stat line after the program's name, which may hold anything.
fn after_name(stat: &str) -> &str {
    stat.rsplit_once(") ").map_or("", |(_, rest)| rest)
}

const TAIL_BYTES: usize = 6000;

fn tail(text: &str) -> &str {
    let start = text.len().saturating_sub(TAIL_BYTES);
    let start = (start..text.len()).find(|at| text.is_char_boundary(*at));
    &text[start.unwrap_or(0)..]
}
