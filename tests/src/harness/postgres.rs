//! A PostgreSQL server of a test's own that can be stopped as a crash would and started again.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;

use super::{ports::free_port, process::Process, tools::succeed};

/// Where Debian keeps the servers, by version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The user that Debian makes for them: they refuse to run as root.
const USER: &str = "postgres";
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// A server.
pub struct Postgres {
    process: Option<Process>,
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
}

impl Postgres {
    /// Whether there is one to start.
    pub fn is_here() -> bool {
        programs().is_ok()
    }

    /// Makes a cluster and starts its server.
    pub fn start() -> Result<Self> {
        let programs = programs()?;
        let made =
            succeed(as_server(Path::new("mktemp")).args(["-d", "-t", "storm-postgres-XXXXXX"]))?;
        let folder = PathBuf::from(made.trim_end());
        succeed(
            as_server(&programs.join("initdb"))
                .arg("--pgdata")
                .arg(folder.join("data"))
                .args(["--username", USER, "--auth", "trust", "--no-sync"])
                .args(["--locale", "C", "--encoding", "UTF8"]),
        )?;
        let mut server = Self {
            process: None,
            programs,
            folder,
            port: free_port()?,
        };
        server.run()?;
        server.wait()?;
        Ok(server)
    }

    /// Its database `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts it again, if it does not run; does not wait until it answers.
    pub fn run(&mut self) -> Result<()> {
        if self.process.is_some() {
            return Ok(());
        }
        let mut command = as_server(&self.programs.join("postgres"));
        command
            .arg("-D")
            .arg(self.folder.join("data"))
            .arg("-k")
            .arg(&self.folder)
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"]);
        let log = self.folder.join("log");
        self.process = Some(Process::spawn("postgres", &mut command, &log)?);
        Ok(())
    }

    /// Stops it at once, as a crash would: it recovers from its log at the next start. (SIGKILL would leave
    /// its children with the memory that a next start wants.)
    pub async fn crash(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::QUIT)?;
            process.wait().await?;
        }
        Ok(())
    }

    /// Waits until it answers.
    pub fn wait(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let mut probe = Command::new(self.programs.join("pg_isready"));
            probe.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if probe.status()?.success() {
                return Ok(());
            }
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            ensure!(
                begun.elapsed() < PATIENCE,
                "PostgreSQL does not start: {log}"
            );
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Its children end with it; nothing in it is wanted any more.
        if let Some(process) = &self.process {
            let _ = process.signal(Signal::QUIT);
        }
        std::thread::sleep(POLL);
        self.process = None;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder of the newest version that is here.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse::<u32>().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .max();
    newest
        .map(|(_, folder)| folder)
        .context("PostgreSQL is not here")
}

/// A command as the user that a server may run as.
fn as_server(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"])
        .arg(program)
        // The test's own directory may be nobody else's to enter.
        .current_dir("/");
    command
}
