//! `storm-buckets serve` by itself, with a configuration file as an operator writes one.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context as _, Result, ensure};
use storm_protocol::ident::Digest;

use super::{
    apart::{Apart, ROLES},
    api::Api,
    clock_shift::Clock,
    databases::{Database, Kind},
    ports::free_port,
    process::Process,
    program, tool,
    tools::{said, succeed},
    wait,
};

/// The operator's e-mail address in every test.
pub const EMAIL: &str = "operator@example.org";
/// The operator's password in every test.
pub const PASSWORD: &str = "correct horse battery staple";

/// A control plane in one directory.
pub struct Server {
    /// One, or one for each role; web is the last.
    processes: Vec<Process>,
    apart: Option<Apart>,
    /// Where it is PostgreSQL's.
    database: Option<Database>,
    user: Option<u32>,
    programs: Option<PathBuf>,
    log: &'static str,
    clock: Option<Clock>,
    /// Its directory.
    pub directory: PathBuf,
    /// Its configuration file.
    pub config: PathBuf,
    /// Where the dashboard and API are.
    pub web_url: String,
    /// Where machines ask how it is.
    pub status_url: String,
    /// Where agents connect to.
    pub hub_url: String,
}

impl Server {
    /// Writes a configuration into `directory`; starts nothing.
    pub fn prepare(directory: &Path) -> Result<Self> {
        Self::prepare_on(Kind::wanted()?, directory)
    }

    /// The same, whatever the environment says.
    pub fn prepare_on(kind: Kind, directory: &Path) -> Result<Self> {
        let mut server = Self::prepare_without_database(directory)?;
        let database = match kind {
            Kind::Sqlite => return Ok(server),
            Kind::Postgres => Database::new_now()?,
            Kind::Roles => {
                let apart = Apart::prepare()?;
                let database = apart.database.clone();
                server.apart = Some(apart);
                database
            }
        };
        let url = database.owner_url();
        server.database = Some(database);
        let text = fs::read_to_string(&server.config)?;
        fs::write(
            &server.config,
            format!("{text}[database]\nurl = \"{url}\"\n"),
        )?;
        Ok(server)
    }

    fn prepare_without_database(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let (web, hub, status) = (free_port()?, free_port()?, free_port()?);
        let server = Self {
            processes: vec![],
            apart: None,
            database: None,
            user: None,
            programs: None,
            // Everything: what it must not say, it must not say here either.
            log: "debug",
            clock: None,
            config: directory.join("config.toml"),
            directory: directory.to_owned(),
            web_url: format!("http://127.0.0.1:{web}"),
            status_url: format!("http://127.0.0.1:{status}"),
            hub_url: format!("https://127.0.0.1:{hub}"),
        };
        let text = format!(
            "data_dir = \"{data}\"\n\
             [web]\nlisten = \"127.0.0.1:{web}\"\npublic_url = \"{web_url}\"\n\
             [hub]\nlisten = \"127.0.0.1:{hub}\"\npublic_url = \"{hub_url}\"\n\
             [status]\nlisten = \"127.0.0.1:{status}\"\n\
             [limits]\nrequests_per_second = 1000\nchanges_per_second = 1000\n\
             [log]\nformat = \"text\"\n",
            data = server.data().display(),
            web_url = server.web_url,
            hub_url = server.hub_url,
        );
        fs::write(&server.config, text)?;
        Ok(server)
    }

    /// From its next start on it sees a time that is `seconds` off.
    pub fn shift_clock(&mut self, library: &Path, seconds: i64) {
        self.clock = Some(Clock::new(library, seconds, &self.directory));
    }

    /// Logs what this filter says from its next start on.
    pub fn log_only(&mut self, filter: &'static str) {
        self.log = filter;
    }

    /// Its wall clock jumps while it runs, so many seconds from the true time. Its clock must have been
    /// shifted, be it by nothing.
    pub fn jump_clock(&self, seconds: i64) -> Result<()> {
        let clock = self.clock.as_ref();
        clock.context("it has the system's clock")?.jump_to(seconds)
    }

    /// Takes the program from this directory from now on.
    pub fn use_programs(&mut self, directory: &Path) {
        self.programs = Some(directory.to_owned());
    }

    fn program(&self) -> Result<PathBuf> {
        match &self.programs {
            Some(directory) => Ok(directory.join("storm-buckets")),
            None => program("storm-buckets"),
        }
    }

    /// Lets everybody ask as often as they like, from its next start on.
    pub fn lift_limits(&self) -> Result<()> {
        let text = fs::read_to_string(&self.config)?;
        let (before, after) = text
            .split_once("[limits]\nrequests_per_second = 1000\n")
            .context("the limits stand elsewhere")?;
        let lifted = format!(
            "{before}[limits]\nrequests_per_second = 1000000\naccount_requests_per_second = 1000000\n\
             token_requests_per_second = 1000000\n{after}"
        );
        Ok(fs::write(&self.config, lifted)?)
    }

    /// Writes its log as JSON, from its next start on.
    pub fn log_json(&self) -> Result<()> {
        let text = fs::read_to_string(&self.config)?;
        let json = text.replace("format = \"text\"", "format = \"json\"");
        ensure!(json != text, "the log's format stands elsewhere");
        Ok(fs::write(&self.config, json)?)
    }

    /// Run as this user from now on (root alone can).
    pub fn run_as(&mut self, user: u32) {
        self.user = Some(user);
    }

    /// Where its keys and database are.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// A `storm-buckets` command line.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        self.command_of(&self.config, arguments)
    }

    fn command_of(&self, config: &Path, arguments: &[&str]) -> Result<Command> {
        let mut command = as_user(self.user, &self.program()?);
        command.args(arguments).arg("--config").arg(config);
        command
            .env("STORM_ADMIN_EMAIL", EMAIL)
            .env("STORM_ADMIN_PASSWORD", PASSWORD);
        command.env("STORM_LOG", self.log).env("NO_COLOR", "1");
        if let Some(clock) = &self.clock {
            clock.set(&mut command);
        }
        Ok(command)
    }

    /// Runs a `storm-buckets` command to its end.
    pub fn run(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.command(arguments)?.output()?)
    }

    /// Starts it and waits until it is ready.
    pub async fn start(&mut self) -> Result<()> {
        self.spawn()?;
        let ready = format!("{}/readyz", self.web_url);
        let processes = &mut self.processes;
        wait::until("the control plane", async || {
            for process in &mut *processes {
                ensure!(process.ended()?.is_none(), "it ended: {}", process.output());
            }
            Ok(reqwest::get(&ready)
                .await?
                .status()
                .is_success()
                .then_some(()))
        })
        .await
    }

    /// Starts it, whatever becomes of it.
    pub fn spawn(&mut self) -> Result<()> {
        let log = self.directory.join("server.log");
        self.processes.clear();
        let Some(apart) = self.apart.clone() else {
            let mut command = self.command(&["serve"])?;
            self.processes
                .push(Process::spawn("storm-buckets", &mut command, &log)?);
            return Ok(());
        };
        if !self.data().join("trust.json").exists() {
            apart.set_up(|arguments| self.command(arguments))?;
        }
        for role in ROLES {
            let config = apart.configuration(role, &self.config, &self.data())?;
            let mut command = self.command_of(&config, &["serve", "--role", role])?;
            self.processes
                .push(Process::spawn(role, &mut command, &log)?);
        }
        Ok(())
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> Result<bool> {
        for process in &mut self.processes {
            if process.ended()?.is_some() {
                return Ok(false);
            }
        }
        Ok(!self.processes.is_empty())
    }

    /// Whether it answers that it is ready.
    pub async fn is_ready(&self) -> bool {
        let answer = reqwest::get(format!("{}/readyz", self.web_url)).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// The process id, while it runs; of web, where the roles are apart.
    pub fn id(&self) -> Result<u32> {
        let process = self.processes.last().context("it does not run")?;
        Ok(process.id())
    }

    /// The ids of all its processes.
    pub fn ids(&self) -> Vec<u32> {
        self.processes.iter().map(Process::id).collect()
    }

    /// Writes what a database of PostgreSQL holds into `data_dir`, where that of SQLite is anyway.
    pub fn dump_database(&self) -> Result<()> {
        let Some(database) = &self.database else {
            return Ok(());
        };
        let file = self.data().join("database.sql");
        let mut dump = Command::new(tool("pg_dump")?);
        dump.arg("--dbname").arg(database.owner_url());
        succeed(dump.arg("--file").arg(&file))?;
        Ok(())
    }

    /// Loses its data directory, and its database wherever that is.
    pub fn lose_data(&self, to: &Path) -> Result<()> {
        fs::rename(self.data(), to)?;
        self.database.as_ref().map_or(Ok(()), Database::lose_now)
    }

    /// Restores a backup in place of what was lost; gives what was said.
    pub fn restore(&self, backup: &str, passphrase_file: &str) -> Result<String> {
        let restored = self.run(&["restore", backup, "--passphrase-file", passphrase_file])?;
        ensure!(restored.status.success(), "{}", said(&restored));
        self.grant()?;
        Ok(said(&restored))
    }

    /// Loses its database and keeps its data directory otherwise, and with it the keys.
    pub fn lose_database(&self) -> Result<()> {
        let Some(database) = &self.database else {
            for end in ["", "-wal", "-shm"] {
                match fs::remove_file(self.data().join(format!("storm.db{end}"))) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(error.into());
                    }
                    Ok(()) | Err(_) => {}
                }
            }
            return Ok(());
        };
        database.lose_now()?;
        self.grant()
    }

    /// Lets the roles that are apart into a database that is new.
    fn grant(&self) -> Result<()> {
        let apart = self.apart.as_ref();
        apart.map_or(Ok(()), |apart| {
            apart.set_up(|arguments| self.command(arguments))
        })
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        while let Some(mut process) = self.processes.pop() {
            process.kill()?;
        }
        Ok(())
    }

    /// SIGTERM; it has to end well.
    pub async fn stop(&mut self) -> Result<()> {
        while let Some(mut process) = self.processes.pop() {
            let status = process.terminate().await?;
            ensure!(status.success(), "the control plane ended with {status}");
        }
        Ok(())
    }

    /// Everything it has written to its log.
    pub fn log(&self) -> Result<Vec<u8>> {
        Ok(fs::read(self.directory.join("server.log"))?)
    }

    /// Signs in as the operator.
    pub async fn api(&self) -> Result<Api> {
        Api::sign_in(&self.web_url, EMAIL, PASSWORD).await
    }

    /// The root key's digest, as the machine that made it says.
    pub async fn root_key(&self) -> Result<Digest> {
        Ok(self.api().await?.about().await?.root_key)
    }
}

/// A command that runs as another user when asked to.
pub fn as_user(user: Option<u32>, program: &Path) -> Command {
    match user {
        Some(user) => {
            let mut command = Command::new("setpriv");
            let user = user.to_string();
            command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "--"]);
            command.arg(program);
            command
        }
        None => Command::new(program),
    }
}
