//! Whatever is wrong is said in one clear sentence that names the thing and the way out, with an
//! exit code that is not zero, and nothing is left half-made.

mod agent;
mod api;
mod cli;
mod jobs;
mod server;

use std::{path::Path, process::Command};

use anyhow::{Result, ensure};
use e2e::harness::{process::Process, word};

/// Runs a command that has to fail by itself and to say all of `words`; gives what it said.
async fn refused(directory: &Path, mut command: Command, words: &[&str]) -> Result<String> {
    let log = directory.join(format!("refused-{}.log", word()?));
    let mut process = Process::spawn("a command that is wrong", &mut command, &log)?;
    let status = process.wait().await?;
    let said = process.output();
    ensure!(!status.success(), "{command:?} succeeds: {said}");
    ensure!(
        status.code().is_some_and(|code| code != 101),
        "{command:?} ended with {status}: {said}"
    );
    for word in words {
        ensure!(
            said.contains(word),
            "{command:?} does not say {word:?}: {said}"
        );
    }
    ensure!(
        !said.contains("panicked") && !said.contains("RUST_BACKTRACE"),
        "{said}"
    );
    Ok(said)
}

/// As [`refused`], and says it in one line.
async fn refused_in_a_line(directory: &Path, command: Command, words: &[&str]) -> Result<()> {
    let shown = format!("{command:?}");
    let said = refused(directory, command, words).await?;
    let lines: Vec<_> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    ensure!(
        lines.len() == 1,
        "{shown} says {} lines: {said}",
        lines.len()
    );
    Ok(())
}
