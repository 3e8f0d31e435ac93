//! One supervised process: how it is started, tied to our life, and ended.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};
use tokio::{process, time::Instant};

use super::data::OWNER_ONLY;
use crate::output;

/// A log is put aside when it is longer than this, so that both together stay below twice this.
const MAX_LOG_BYTES: u64 = 10_000_000;
/// How much of the end of a log is read for a process's last words.
const LAST_WORDS_BYTES: u64 = 8 * 1024;

/// What `storm up` runs, in the order in which it is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Garage.
    Garage,
    /// `storm-buckets serve`.
    Server,
    /// `storm-pulse run`.
    Agent,
}

impl Part {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Garage, Self::Server, Self::Agent];

    /// What a person calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Garage => "Garage",
            Self::Server => "The control plane",
            Self::Agent => "The agent",
        }
    }

    /// The file below `logs` that takes what it prints.
    pub(super) const fn log_name(self) -> &'static str {
        match self {
            Self::Garage => "garage.log",
            Self::Server => "server.log",
            Self::Agent => "agent.log",
        }
    }

    /// How long it may take to end after SIGTERM. Garage waits 10 s for open connections.
    pub(super) const fn stop_timeout(self) -> Duration {
        match self {
            Self::Garage => Duration::from_secs(20),
            Self::Server | Self::Agent => Duration::from_secs(10),
        }
    }
}

/// How to start a part.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    /// Its program.
    pub(super) program: PathBuf,
    /// Its arguments.
    pub(super) arguments: Vec<OsString>,
    /// What is added to its environment.
    pub(super) environment: Vec<(&'static str, OsString)>,
}

/// A running part.
pub(super) struct Child {
    process: process::Child,
    /// Its process id.
    pub(super) id: i32,
    /// Since when it runs.
    pub(super) since: Instant,
    log: PathBuf,
    log_start: u64,
}

impl Child {
    /// Starts `recipe` in a process group of its own, so that Ctrl-C reaches us alone, and so that
    /// it ends when we are killed; what it prints is added to `log`.
    pub(super) fn spawn(recipe: &Recipe, log: &Path) -> anyhow::Result<Self> {
        bound_log(log)?;
        let output = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(OWNER_ONLY)
            .open(log)
            .with_context(|| format!("{} cannot be written", log.display()))?;
        let log_start = output.metadata()?.len();
        let mut command = process::Command::new("/proc/self/exe");
        command
            .args(["up", "--tied-to"])
            .arg(std::process::id().to_string())
            .arg("--");
        command.arg(&recipe.program).args(&recipe.arguments);
        command.envs(recipe.environment.iter().map(|(name, value)| (name, value)));
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let cannot = || format!("{} cannot be started", recipe.program.display());
        let process = command.spawn().with_context(cannot)?;
        let id = process
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .with_context(cannot)?;
        Ok(Self {
            process,
            id,
            since: Instant::now(),
            log: log.to_owned(),
            log_start,
        })
    }

    /// Waits for its end. May be dropped and called again.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.process.try_wait()
    }

    /// Asks it to end.
    pub(super) fn terminate(&self) {
        // An error means that it is gone, which is what we want.
        if let Some(id) = self
            .process
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw)
        {
            let _ = kill_process(id, Signal::TERM);
        }
    }

    /// Ends it.
    pub(super) fn kill(&mut self) {
        let _ = self.process.start_kill();
    }

    /// The line of its log that most likely says why it ended.
    pub(super) fn last_words(&self) -> Option<String> {
        let mut file = File::open(&self.log).ok()?;
        let length = file.metadata().ok()?.len();
        let from = self
            .log_start
            .min(length)
            .max(length.saturating_sub(LAST_WORDS_BYTES));
        file.seek(SeekFrom::Start(from)).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let telling = |line: &&&str| {
            line.starts_with("storm-") || line.starts_with("Error") || line.contains(" ERROR ")
        };
        let line = lines.iter().rev().find(telling).or(lines.last())?;
        Some(output::clean(line))
    }
}

/// Puts a long log aside. What has the file open goes on writing at its new beginning.
pub(super) fn bound_log(log: &Path) -> anyhow::Result<()> {
    let Ok(metadata) = log.metadata() else {
        return Ok(());
    };
    if metadata.len() > MAX_LOG_BYTES {
        let aside = log.with_extension("log.1");
        fs::copy(log, &aside).with_context(|| format!("{} cannot be written", aside.display()))?;
        fs::OpenOptions::new().write(true).open(log)?.set_len(0)?;
    }
    Ok(())
}

/// Becomes `program`, asking the system for SIGTERM when `parent` ends. The wish outlives `exec`,
/// and to make it here needs no code between fork and exec.
pub(super) fn become_tied(parent: i32, program: &[OsString]) -> anyhow::Result<()> {
    set_parent_process_death_signal(Some(Signal::TERM))?;
    // It may have ended before the wish was made.
    ensure!(Pid::as_raw(getppid()) == parent, "`storm up` has ended.");
    let [program, arguments @ ..] = program else {
        bail!("No program is named.");
    };
    let error = std::process::Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("{} cannot be started", OsStr::display(program)))
}
