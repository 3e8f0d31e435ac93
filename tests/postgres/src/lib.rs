//! A PostgreSQL server of the tests' own: a private cluster in a temporary directory, on a free port of
//! this machine, which ends with the value that stands for it. A crate of its own because `xtask` starts one
//! for all tests and must not need what the tests link.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// The environment variable that names the server of a run of tests: a URL of its database `postgres`, as
/// whose user databases and roles can be made.
pub const VARIABLE: &str = "STORM_TEST_POSTGRES";
/// Where Debian keeps the servers, by version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The user that Debian makes for them: they refuse to run as root.
const USER: &str = "postgres";
/// Connections to a server that all tests share.
const CONNECTIONS: &str = "max_connections=500";
/// The longest that a start takes.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// A server.
pub struct Postgres {
    process: Option<Child>,
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    options: &'static [&'static str],
}

impl Postgres {
    /// Whether there is one to start.
    pub fn is_here() -> bool {
        programs().is_ok()
    }

    /// Makes a cluster whose data survive a crash, and starts its server.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// The same for tests that end with it: it waits for no disk.
    pub fn start_without_disk() -> Result<Self> {
        Self::start_with(&["fsync=off", CONNECTIONS])
    }

    fn start_with(options: &'static [&'static str]) -> Result<Self> {
        let programs = programs()?;
        let folder =
            output(as_server(Path::new("mktemp")).args(["-d", "-t", "storm-postgres-XXXXXX"]))?;
        let folder = PathBuf::from(folder.trim_end());
        output(
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
            port: TcpListener::bind("127.0.0.1:0")?.local_addr()?.port(),
            options,
        };
        server.run()?;
        server.wait()?;
        Ok(server)
    }

    /// Its database `postgres`, as its superuser.
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
        for option in self.options {
            command.args(["-c", option]);
        }
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))?;
        let started = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.process = Some(started.spawn().context("PostgreSQL cannot be started")?);
        Ok(())
    }

    /// Stops it at once, as a crash would: it recovers from its log at the next start.
    pub fn crash(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        // SIGKILL would leave its children with the memory that a next start wants.
        if let Some(id) = id(&process) {
            kill_process(id, Signal::QUIT)?;
        }
        process.wait()?;
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
            let ended = match &mut self.process {
                Some(process) => process.try_wait()?.is_some(),
                None => true,
            };
            ensure!(
                !ended && begun.elapsed() < PATIENCE,
                "PostgreSQL does not start: {}",
                fs::read_to_string(self.folder.join("log")).unwrap_or_default()
            );
            thread::sleep(POLL);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Nothing in it is wanted any more.
        let _ = self.crash();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn id(process: &Child) -> Option<Pid> {
    i32::try_from(process.id()).ok().and_then(Pid::from_raw)
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
    if let Some((_, folder)) = newest {
        return Ok(folder);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file());
    match found {
        Some(folder) => Ok(folder),
        None => bail!("PostgreSQL is not here. On Debian: sudo apt-get install postgresql"),
    }
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
        // The directory that this runs in may be nobody else's to enter.
        .current_dir("/");
    command
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
