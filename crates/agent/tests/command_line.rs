//! The program as a person calls it, where no Garage and no hub is needed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::{self, OpenOptions},
    path::Path,
    process::{Command, Output, Stdio},
};

fn pulse(arguments: &[&str], stdout: Stdio) -> Output {
    Command::new(env!("CARGO_BIN_EXE_storm-pulse"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    for arguments in [&["commands"][..], &["commands", "--json"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = pulse(arguments, writer.into());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        assert_eq!(said(&output), "", "{arguments:?}");
    }
}

#[test]
fn an_output_that_takes_nothing_is_named() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = pulse(&["commands"], full.into());
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(
        said.contains("standard output") && !said.contains("panicked"),
        "{said}"
    );
}

#[test]
fn without_a_configuration_the_option_that_names_one_is_named() {
    let output = pulse(
        &["--config", "/nowhere/config.toml", "status"],
        Stdio::null(),
    );
    assert_eq!(output.status.code(), Some(2));
    let said = said(&output);
    assert!(
        said.contains("--config FILE") && said.contains("/nowhere/config.toml"),
        "{said}"
    );
}

#[test]
fn a_token_with_a_slip_is_told_its_form_and_not_repeated() {
    let place = tempfile::tempdir().unwrap();
    let config = config(place.path());
    let output = pulse(
        &["--config", &config, "enroll", "https://hub:1", "ste1.1234"],
        Stdio::null(),
    );
    assert_eq!(output.status.code(), Some(2));
    let said = said(&output);
    assert!(
        said.contains("64 hex digits") && !said.contains("1234"),
        "{said}"
    );
}

fn config(place: &Path) -> String {
    let path = place.join("config.toml");
    let state = place.join("state");
    let text = format!(
        "state_dir = '{}'\n[garage]\nadmin = 'unix:/nowhere/admin.sock'\n",
        state.display()
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
