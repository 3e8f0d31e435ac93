//! A real reverse proxy in front of Garage, as operators run one: it terminates the customers'
//! connections and writes the access log that the agent counts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use rustix::process::Signal;

use super::{garage::Node, ports::free_port, process::Process, tool, wait};

/// Which proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// nginx, with the host before its combined format.
    Nginx,
    /// Caddy, with its JSON access log.
    Caddy,
}

impl Kind {
    /// The name of its log's format in the agent's configuration.
    pub fn format(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
        }
    }
}

/// A running proxy.
pub struct Proxy {
    process: Process,
    /// Where it speaks S3.
    pub endpoint: String,
    /// Its access log.
    pub log: PathBuf,
}

impl Proxy {
    /// Starts one in front of `node`, with its files in `directory`.
    pub async fn start(kind: Kind, directory: &Path, node: &Node) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let (port, log) = (free_port()?, directory.join("access.log"));
        let mut command = match kind {
            Kind::Nginx => nginx(directory, port, &log, node.s3_port)?,
            Kind::Caddy => caddy(directory, port, &log, node.s3_port)?,
        };
        let process = Process::spawn("proxy", &mut command, &directory.join("proxy.log"))?;
        let endpoint = format!("http://127.0.0.1:{port}");
        wait::until("the proxy", async || {
            // Garage refuses it, through the proxy.
            let status = reqwest::get(&endpoint).await?.status().as_u16();
            Ok((status == 403).then_some(()))
        })
        .await?;
        Ok(Self {
            process,
            endpoint,
            log,
        })
    }

    /// Moves nginx's log away and lets it begin a new one, as logrotate does.
    pub fn rotate(&self) -> Result<()> {
        fs::rename(&self.log, self.log.with_extension("log.1"))?;
        self.process.signal(Signal::USR1)
    }
}

fn nginx(directory: &Path, port: u16, log: &Path, s3_port: u16) -> Result<Command> {
    let place = directory.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("  {name}_temp_path {place}/{name};\n"))
        .concat();
    // Its worker writes the log and the bodies into the test's own directory.
    let user = if rustix::process::geteuid().is_root() {
        "user root;\n"
    } else {
        ""
    };
    let text = format!(
        "{user}daemon off;\nworker_processes 1;\npid {place}/nginx.pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\n{temporary}  client_max_body_size 0;\n  \
         log_format s3 '$host $remote_addr - $remote_user [$time_local] \"$request\" $status \
         $body_bytes_sent \"$http_referer\" \"$http_user_agent\"';\n  \
         access_log {log} s3;\n  server {{\n    listen 127.0.0.1:{port};\n    location / {{\n      \
         proxy_pass http://127.0.0.1:{s3_port};\n      proxy_set_header Host $http_host;\n      \
         proxy_request_buffering off;\n      proxy_buffering off;\n    }}\n  }}\n}}\n",
        log = log.display(),
    );
    let config = directory.join("nginx.conf");
    fs::write(&config, text)?;
    let mut command = Command::new(tool("nginx").or_else(|_| in_sbin("nginx"))?);
    command.arg("-p").arg(directory).arg("-c").arg(&config);
    Ok(command)
}

fn caddy(directory: &Path, port: u16, log: &Path, s3_port: u16) -> Result<Command> {
    let text = format!(
        "{{\n\tadmin off\n\tauto_https off\n}}\n:{port} {{\n\tbind 127.0.0.1\n\tlog {{\n\t\t\
         output file {log}\n\t\tformat json\n\t}}\n\treverse_proxy 127.0.0.1:{s3_port}\n}}\n",
        log = log.display(),
    );
    let config = directory.join("Caddyfile");
    fs::write(&config, text)?;
    let mut command = Command::new(tool("caddy")?);
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(&config);
    command
        .env("HOME", directory)
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_CONFIG_HOME");
    Ok(command)
}

/// Where Debian puts servers, which is not in everybody's path.
fn in_sbin(name: &str) -> Result<PathBuf> {
    let program = Path::new("/usr/sbin").join(name);
    anyhow::ensure!(
        program.is_file(),
        "{name} is not installed; `cargo xtask test` says how to get it"
    );
    Ok(program)
}
