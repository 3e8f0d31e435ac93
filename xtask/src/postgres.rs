//! A PostgreSQL server of the tests' own: a private cluster in a temporary directory, on a free port of
//! this machine, which ends with the value that stands for it.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use crate::{checkout, checkout::find_program, tools};

/// The environment variable that names the tests' server.
pub(crate) const VARIABLE: &str = "STORM_TEST_POSTGRES";
/// Where Debian keeps the servers, by version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The user that Debian makes for them: they refuse to run as root.
const USER: &str = "postgres";
/// The longest that a start takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct Postgres {
    server: Child,
    folder: PathBuf,
    port: u16,
}

impl Postgres {
    /// Makes a cluster and starts its server. What it holds survives nothing, so it waits for no disk.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let programs = programs()?;
        let folder =
            output(as_server(Path::new("mktemp")).args(["-d", "-t", "storm-postgres-XXXXXX"]))?;
        let folder = PathBuf::from(folder.trim_end());
        let data = folder.join("data");
        output(
            as_server(&programs.join("initdb"))
                .arg("--pgdata")
                .arg(&data)
                .args(["--username", USER, "--auth", "trust", "--no-sync"])
                .args(["--locale", "C", "--encoding", "UTF8"]),
        )?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = fs::File::create(folder.join("log"))?;
        let server = as_server(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&folder)
            .args(["-p", &port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .args(["-c", "max_connections=500"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("PostgreSQL cannot be started")?;
        let mut started = Self {
            server,
            folder,
            port,
        };
        started.wait(&programs)?;
        Ok(started)
    }

    /// Its database `postgres`, as whose owner databases can be made.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    fn wait(&mut self, programs: &Path) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let mut probe = Command::new(programs.join("pg_isready"));
            probe.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if probe.status()?.success() {
                return Ok(());
            }
            let ended = self.server.try_wait()?.is_some();
            ensure!(
                !ended && begun.elapsed() < PATIENCE,
                "PostgreSQL does not start: {}",
                fs::read_to_string(self.folder.join("log")).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Nothing in it is wanted any more.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder of the newest version that is here.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path(),
            ))
        })
        .map(|(version, path)| (version, path.join("bin")))
        .filter(|(_, path)| path.join("initdb").is_file())
        .max();
    if let Some((_, folder)) = newest {
        return Ok(folder);
    }
    match find_program("initdb").as_deref().and_then(Path::parent) {
        Some(folder) => Ok(folder.to_owned()),
        None => bail!("PostgreSQL is not here. On Debian: sudo apt-get install postgresql"),
    }
}

/// A command as the user that a server may run as.
fn as_server(program: &Path) -> Command {
    if !tools::is_root() {
        return checkout::command(program);
    }
    let mut command = checkout::command("setpriv");
    command
        .args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"])
        .arg(program)
        // The checkout may be nobody else's to enter.
        .current_dir("/");
    command
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
