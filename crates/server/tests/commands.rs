//! The real program: how it begins and ends.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs, io,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

struct Installation {
    dir: TempDir,
}

impl Installation {
    /// A configuration, and nothing else yet.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "data_dir = {:?}\n[web]\nlisten = \"127.0.0.1:0\"\n[hub]\nlisten = \"127.0.0.1:0\"\n",
            dir.path().join("data")
        );
        fs::write(dir.path().join("config.toml"), text).unwrap();
        Self { dir }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = storm_buckets(arguments);
        command
            .arg("--config")
            .arg(self.dir.path().join("config.toml"));
        command
    }
}

fn storm_buckets(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_storm-buckets"));
    command
        .args(arguments)
        .env_remove("STORM_ADMIN_EMAIL")
        .env_remove("STORM_ADMIN_PASSWORD");
    command
}

fn errors(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The writing end of a pipe that nobody reads.
fn nobody() -> Stdio {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_wrong_environment_leaves_nothing_behind() {
    let installation = Installation::new();
    for (name, value) in [
        ("STORM_ADMIN_EMAIL", "nobody"),
        ("STORM_ADMIN_PASSWORD", "short"),
        ("STORM_LOG", "sqlx=loud"),
    ] {
        let output = installation
            .command(&["serve"])
            .env(name, value)
            .output()
            .unwrap();
        let words = errors(&output);
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(
            words.contains(name) && words.lines().count() == 1,
            "{words}"
        );
        assert!(!installation.data().exists());
    }
}

#[test]
fn a_reader_that_goes_away_ends_a_command_quietly() {
    let installation = Installation::new();
    let check = installation.command(&["config", "check"]);
    for mut command in [check, storm_buckets(&["openapi"])] {
        let output = command
            .stdout(nobody())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(
            (output.status.code(), errors(&output)),
            (Some(0), String::new())
        );
    }
}

#[test]
fn without_anyone_to_tell_the_password_there_is_no_operator() {
    let installation = Installation::new();
    let mut serve = installation.command(&["serve"]);
    let output = serve.stdout(nobody()).output().unwrap();
    let words = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(
        words.contains("standard output cannot be written"),
        "{words}"
    );
    // And with nobody to tell that, it ends all the same.
    let status = serve.stderr(nobody()).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let reset = installation
        .command(&["user", "reset-password", "admin@localhost"])
        .output()
        .unwrap();
    assert!(errors(&reset).contains("no user"), "{}", errors(&reset));
}

#[test]
fn help_tells_the_exit_codes() {
    let help = storm_buckets(&["--help"]).output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(
        text.contains("Exit codes:") && text.contains("2  wrong usage"),
        "{text}"
    );
    let wrong = storm_buckets(&["serv"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_path_that_cannot_be_used_is_named() {
    let installation = Installation::new();
    fs::write(installation.data(), "a file").unwrap();
    let output = installation.command(&["serve"]).output().unwrap();
    let words = errors(&output);
    let data = installation.data();
    assert!(words.contains(data.to_str().unwrap()), "{words}");
}
