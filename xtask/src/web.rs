//! The web page, when there is one: built with npm, only when its sources are newer, and tested.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context as _, bail};

use crate::{
    checkout::{self, find_program, run},
    libtest::{self, Report},
    step::step,
};

/// Folders below `web` that hold no sources.
const NO_SOURCES: [&str; 2] = ["node_modules", "dist"];

/// Builds the page unless it is up to date or there is none.
pub(crate) fn build() -> anyhow::Result<()> {
    let folder = checkout::root().join("web");
    if !folder.join("package.json").is_file() {
        return Ok(());
    }
    let built = modified(&folder.join("dist/index.html"));
    if built.is_some_and(|built| newest_source(&folder).is_some_and(|source| source < built)) {
        return Ok(());
    }
    if find_program("npm").is_none() {
        bail!("The web page needs Node 20.19 or later with npm to be built, and npm is not here.");
    }
    install_packages(&folder)?;
    step("Web page", || {
        run(checkout::command("npm")
            .args(["run", "build"])
            .current_dir(&folder))
        .context("The web page could not be built")
    })
}

/// Folders of the tests with packages of Node.
const TEST_FOLDERS: [&str; 2] = ["tests/browser", "tests/oidc"];

/// Makes sure that the tests' packages of Node are there.
pub(crate) fn need_test_packages() -> anyhow::Result<()> {
    if find_program("npm").is_none() {
        bail!("The tests need Node 20.19 or later with npm, and npm is not here.");
    }
    for folder in TEST_FOLDERS {
        install_packages(&checkout::root().join(folder))?;
    }
    Ok(())
}

/// Installs what a folder's lock names, unless it is there.
fn install_packages(folder: &Path) -> anyhow::Result<()> {
    let lock = modified(&folder.join("package-lock.json"));
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= lock {
        return Ok(());
    }
    step("Node packages", || {
        run(checkout::command("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(folder))
    })
}

/// Checks the page's format, lints and types, then runs its tests and counts them.
pub(crate) fn test() -> anyhow::Result<Report> {
    let folder = checkout::root().join("web");
    if !folder.join("package.json").is_file() {
        return Ok(Report::default());
    }
    let mut npm = checkout::command("npm");
    run(npm.args(["run", "check"]).current_dir(&folder))?;
    let mut npm = checkout::command("npm");
    let npm = npm.args(["test", "--", "--reporter=tap-flat"]);
    libtest::run(npm.current_dir(&folder), &mut std::io::stdout())
}

fn newest_source(folder: &Path) -> Option<SystemTime> {
    let mut newest = None;
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                let name = entry.file_name();
                if !NO_SOURCES.iter().any(|none| name == *none) {
                    folders.push(path);
                }
            } else {
                newest = newest.max(modified(&path));
            }
        }
    }
    newest
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}
