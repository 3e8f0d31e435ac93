//! Programs that the tests use: installed on Debian when root, else named.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};

use crate::checkout::{self, find_program, run};

/// Programs and the Debian packages that they are in.
const TOOLS: [(&str, &str); 10] = [
    ("rclone", "rclone"),
    ("aws", "awscli"),
    ("s3cmd", "s3cmd"),
    ("curl", "curl"),
    ("nginx", "nginx-light"),
    ("caddy", "caddy"),
    ("dbus-run-session", "dbus-daemon"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("chromium", "chromium"),
    ("pg_ctlcluster", "postgresql"),
];
/// Where Debian puts servers, which is not in everybody's path.
const SERVERS: &str = "/usr/sbin";

/// Makes sure that format and lints can be checked.
pub(crate) fn need_rust_components() -> anyhow::Result<()> {
    for (command, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        let mut probe = checkout::cargo();
        probe
            .args([command, "--version"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if probe.status().is_ok_and(|status| status.success()) {
            continue;
        }
        if find_program("rustup").is_none() {
            bail!("cargo {command} is missing. Install {component} as you installed Rust.");
        }
        run(checkout::command("rustup").args(["component", "add", component]))?;
    }
    Ok(())
}

/// Makes sure that the S3 clients, the proxies before Garage, a keyring, a browser and
/// PostgreSQL are there.
pub(crate) fn need_clients() -> anyhow::Result<()> {
    let missing: Vec<_> = TOOLS
        .iter()
        .filter(|(tool, _)| find_program(tool).is_none())
        .filter(|(tool, _)| !Path::new(SERVERS).join(tool).is_file())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let words = missing.join(" ");
    if !is_root() || !Path::new("/usr/bin/apt-get").is_file() {
        bail!("The tests need programs that are not here. On Debian: sudo apt-get install {words}");
    }
    let apt = |arguments: &[&str]| {
        let mut command = checkout::command("apt-get");
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // Debian starts a server that it installs, unless the machine is in single-user mode.
            .env("RUNLEVEL", "1");
        command
    };
    run(apt(&["update", "--quiet"]).stdout(Stdio::null()))?;
    run(
        apt(&["install", "--quiet", "--yes", "--no-install-recommends"])
            .args(&missing)
            .stdout(Stdio::null()),
    )
    .with_context(|| format!("Install by hand: {words}"))
}

pub(crate) fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
