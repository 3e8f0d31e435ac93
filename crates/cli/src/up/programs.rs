//! The programs that `storm up` starts: our own two, and a Garage that we know.

use std::{
    env,
    ffi::OsStr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};

/// Where Garage is kept below the user's cache directory.
const GARAGE_IN_CACHE: &str = "storm-buckets/garage-2.5.0/bin/garage";
/// The major version whose admin API we speak.
const GARAGE_MAJOR: u32 = 2;
/// The least minor version of it.
const GARAGE_MIN_MINOR: u32 = 3;

/// Where each program is.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    /// `storm-buckets`.
    pub(super) server: PathBuf,
    /// `storm-pulse`.
    pub(super) agent: PathBuf,
    /// `garage`.
    pub(super) garage: PathBuf,
    /// Garage's version, as it says.
    pub(super) garage_version: String,
}

impl Programs {
    /// Finds them all and asks Garage for its version.
    pub(super) fn find(garage: Option<&Path>) -> anyhow::Result<Self> {
        let server = own("storm-buckets")?;
        let agent = own("storm-pulse")?;
        let garage = find_garage(garage)?;
        let garage_version = check_version(&garage)?;
        Ok(Self {
            server,
            agent,
            garage,
            garage_version,
        })
    }
}

/// One of our own programs: beside this one, else on PATH.
fn own(name: &str) -> anyhow::Result<PathBuf> {
    let here = env::current_exe().context("This program's own path cannot be read")?;
    let beside = here.with_file_name(name);
    if is_program(&beside) {
        return Ok(beside);
    }
    on_path(name).with_context(|| {
        format!(
            "The program {name} is neither beside {} nor on PATH. Install storm, storm-buckets and \
             storm-pulse together, or build them with `cargo xtask build-release`.",
            here.display()
        )
    })
}

fn find_garage(asked: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = asked {
        return named(path, "--garage");
    }
    if let Some(path) = env::var_os("STORM_GARAGE").filter(|path| !path.is_empty()) {
        return named(Path::new(&path), "STORM_GARAGE");
    }
    if let Some(path) = on_path("garage") {
        return Ok(path);
    }
    let home = env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or(home);
    let cached = cache.map(|cache| cache.join(GARAGE_IN_CACHE));
    match cached.as_deref().filter(|path| is_program(path)) {
        Some(path) => Ok(path.to_owned()),
        None => bail!(
            "Garage was not found at STORM_GARAGE, on PATH or at {}. Name its program with --garage \
             PATH, or let `cargo xtask up` build it.",
            cached.unwrap_or_default().display()
        ),
    }
}

fn named(path: &Path, by: &str) -> anyhow::Result<PathBuf> {
    ensure!(
        is_program(path),
        "{} is no program, but {by} names it as Garage's. Correct that path.",
        path.display()
    );
    Ok(std::path::absolute(path)?)
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(OsStr::new(name)))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn check_version(garage: &Path) -> anyhow::Result<String> {
    let output = Command::new(garage)
        .arg("--version")
        .output()
        .with_context(|| format!("{} cannot be run", garage.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = parse_version(&text).with_context(|| {
        let first = text.lines().next().unwrap_or_default().trim();
        format!(
            "{} does not say its version as Garage does, but {first:?}. Name Garage's program with \
             --garage PATH.",
            garage.display()
        )
    })?;
    let (major, minor, patch) = version;
    let words = format!("{major}.{minor}.{patch}");
    ensure!(
        major != 1,
        "{} is Garage {words}, and Garage 1.x is not supported. Name a Garage 2.{GARAGE_MIN_MINOR} or a \
         later 2.x with --garage PATH.",
        garage.display()
    );
    ensure!(
        major == GARAGE_MAJOR && minor >= GARAGE_MIN_MINOR,
        "{} is Garage {words}, but 2.{GARAGE_MIN_MINOR} or a later 2.x is needed. Name one with --garage PATH.",
        garage.display()
    );
    Ok(words)
}

/// The version in `garage cargo:2.5.0 [features: …]` or `garage v2.5.0 [features: …]`.
fn parse_version(text: &str) -> Option<(u32, u32, u32)> {
    let mut words = text.lines().next()?.split_whitespace();
    if words.next()? != "garage" {
        return None;
    }
    let word = words.next()?;
    let word = word.rsplit(':').next()?.trim_start_matches('v');
    let number = word.split(['-', '+']).next()?;
    let mut parts = number.split('.').map(str::parse);
    let version = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next().map_or(Some(0), Result::ok)?,
    );
    Some(version)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::{check_version, find_garage, parse_version};

    #[test]
    fn versions_as_each_build_prints_them() {
        for (text, version) in [
            ("garage cargo:2.5.0 [features: k2v]", (2, 5, 0)),
            ("garage v2.3.1 [features: k2v]\ngarage-server", (2, 3, 1)),
            ("garage 1.0.1", (1, 0, 1)),
            (
                "garage git:v2.4.0-12-gabcdef0-modified [features: k2v]",
                (2, 4, 0),
            ),
        ] {
            assert_eq!(parse_version(text), Some(version), "{text}");
        }
        assert_eq!(parse_version("something else 2.5.0"), None);
        assert_eq!(parse_version(""), None);
    }

    #[test]
    fn old_versions_are_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        for (version, word) in [("v1.0.1", "1.x"), ("v2.2.0", "2.3"), ("v3.0.0", "2.3")] {
            // A file of its own for each: one that was just written to may still count as open.
            let path = directory.path().join(version);
            fs::write(
                &path,
                format!("#!/bin/sh\necho 'garage {version} [features: x]'\n"),
            )
            .unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            let words = check_version(&path).unwrap_err().to_string();
            assert!(
                words.contains(word) && words.contains("--garage"),
                "{words}"
            );
        }
    }

    #[test]
    fn a_named_garage_has_to_be_there() {
        let words = find_garage(Some("/nowhere/garage".as_ref()))
            .unwrap_err()
            .to_string();
        assert!(
            words.contains("/nowhere/garage") && words.contains("--garage"),
            "{words}"
        );
    }
}
