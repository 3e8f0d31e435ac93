//! What cargo builds. One build for lints and tests, so that nothing is compiled twice.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::{
    checkout::{self, run},
    step::step,
};

/// Everything, with the places where a test makes the agent die.
const EVERYTHING: [&str; 4] = [
    "--workspace",
    "--all-targets",
    "--features",
    "storm-pulse/fault-points",
];
/// The compiler with Clippy's lints, and how `cargo clippy` hands it arguments.
const CLIPPY: &str = "clippy-driver";
const CLIPPY_SEPARATOR: &str = "__CLIPPY_HACKERY__";
const LINT_ARGUMENTS: [&str; 2] = ["--deny", "warnings"];
/// The package with the end-to-end stories.
const STORIES_PACKAGE: &str = "e2e";

/// What a build of everything made.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// The folder of the programs.
    pub(crate) programs: PathBuf,
    /// The tests.
    pub(crate) tests: Vec<Test>,
}

/// A program full of tests.
#[derive(Debug)]
pub(crate) struct Test {
    /// The package and target, for people.
    pub(crate) name: String,
    /// The program.
    pub(crate) program: PathBuf,
    /// The folder of its package, in which it runs.
    pub(crate) folder: PathBuf,
    /// Whether it tells end-to-end stories.
    pub(crate) is_story: bool,
}

/// Checks the format.
pub(crate) fn check_format() -> anyhow::Result<()> {
    run(checkout::cargo().args(["fmt", "--all", "--check"]))
}

/// Builds everything for tests, and checks the lints on the way; a warning is an error.
///
/// Clippy's driver is rustc with more lints: standing in for it, it compiles what is ours once
/// instead of twice, and what is not ours (most of the time) once instead of checking it before.
pub(crate) fn build() -> anyhow::Result<Built> {
    step("Lints and build", || {
        let mut command = checkout::cargo();
        command
            .arg("build")
            .args(EVERYTHING)
            .arg("--message-format=json-render-diagnostics")
            .env("RUSTC_WORKSPACE_WRAPPER", CLIPPY)
            .env("CLIPPY_CONF_DIR", checkout::root())
            .env("CLIPPY_ARGS", LINT_ARGUMENTS.join(CLIPPY_SEPARATOR));
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .context("cargo cannot be started")?;
        let messages = child.stdout.take().context("cargo says nothing")?;
        let mut built = Built::default();
        for line in BufReader::new(messages).lines() {
            built.take(&serde_json::from_str(&line?)?);
        }
        if !child.wait()?.success() {
            bail!("The build failed.");
        }
        built.tests.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(built)
    })
}

/// Builds the programs as they are shipped; gives their folder.
pub(crate) fn build_release() -> anyhow::Result<PathBuf> {
    let packages = [
        "-p",
        "storm-cli",
        "-p",
        "storm-buckets",
        "-p",
        "storm-pulse",
    ];
    run(checkout::cargo()
        .args(["build", "--release", "--bins"])
        .args(packages))?;
    Ok(target_folder()?.join("release"))
}

impl Built {
    /// Takes one of cargo's messages: <https://doc.rust-lang.org/cargo/reference/external-tools.html>.
    fn take(&mut self, message: &Value) {
        let Some(program) = message["executable"].as_str().map(PathBuf::from) else {
            return;
        };
        let target = &message["target"];
        let kind = target["kind"][0].as_str().unwrap_or_default();
        if message["profile"]["test"] == true {
            let manifest = Path::new(message["manifest_path"].as_str().unwrap_or_default());
            let folder = manifest.parent().unwrap_or(checkout::root()).to_owned();
            let package = package_name(message["package_id"].as_str().unwrap_or_default());
            self.tests.push(Test {
                name: format!("{package} {}", target["name"].as_str().unwrap_or_default()),
                program,
                folder,
                is_story: package == STORIES_PACKAGE && kind == "test",
            });
        } else if kind == "bin" {
            self.programs = program.parent().unwrap_or(&program).to_owned();
        }
    }
}

/// The package's name in its id: `path+file:///…/crates/cli#storm-cli@0.1.0`, or without the name
/// when it is the folder's.
fn package_name(id: &str) -> &str {
    let (source, fragment) = id.rsplit_once('#').unwrap_or((id, ""));
    match fragment.split_once('@') {
        Some((name, _)) => name,
        None => source.rsplit('/').next().unwrap_or(source),
    }
}

fn target_folder() -> anyhow::Result<PathBuf> {
    let output = checkout::cargo()
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be started")?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    let folder = metadata["target_directory"]
        .as_str()
        .context("cargo metadata names no target folder")?;
    Ok(folder.into())
}
