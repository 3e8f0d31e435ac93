//! Garage, unmodified: found on this machine, or built once from the registry into the user's cache.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};

use crate::{
    checkout::{self, run},
    step::step,
};

/// The version that is built.
const VERSION: &str = "2.5.0";
/// The versions that serve as well, when found on PATH.
const SERIES: &str = "2.5.";
/// How long a build takes on two cores.
const BUILD_MINUTES: u32 = 9;

/// Garage's program: the one that is named, else `STORM_GARAGE`, else on PATH, else in the cache
/// folder, where it is built if need be.
pub(crate) fn find_or_build(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let variable = env::var_os("STORM_GARAGE")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    for (path, by) in [(named, "--garage"), (variable, "STORM_GARAGE")] {
        if let Some(path) = path {
            ensure!(
                path.is_file(),
                "{} does not exist, but {by} names it as Garage's program.",
                path.display()
            );
            let found = version(&path);
            ensure!(
                serves(found.as_deref()),
                "{} is {}, but {by} names it and Garage {SERIES}x is needed. Name another, or leave \
                 {by} out and one is found or built.",
                path.display(),
                words(found)
            );
            return Ok(path.canonicalize()?);
        }
    }
    let on_path = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|directory| directory.join("garage"))
        .find(|path| path.is_file());
    if let Some(path) = on_path {
        let found = version(&path);
        if serves(found.as_deref()) {
            return Ok(path);
        }
        eprintln!(
            "{} is {}, not Garage {SERIES}x, and is left alone.",
            path.display(),
            words(found)
        );
    }
    let root = cache_folder()?.join(format!("garage-{VERSION}"));
    let program = root.join("bin/garage");
    if !program.is_file() {
        let name = format!(
            "Garage {VERSION}, built once into {} (about {BUILD_MINUTES} minutes)",
            root.display()
        );
        step(&name, || build(&root))?;
    }
    Ok(program)
}

/// Takes `--garage PATH` out of the arguments for `storm up`: `cargo xtask up --data DIR --garage PATH`
/// means the same as the other order.
pub(crate) fn take_named(
    before: Option<PathBuf>,
    arguments: Vec<String>,
) -> anyhow::Result<(Option<PathBuf>, Vec<String>)> {
    let mut named = Vec::from_iter(before);
    let mut others = Vec::new();
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        if argument == "--garage" {
            let path = rest.next().context("--garage needs a path after it.")?;
            named.push(path.into());
        } else if let Some(path) = argument.strip_prefix("--garage=") {
            named.push(path.into());
        } else {
            others.push(argument);
        }
    }
    let last = named.pop();
    if let (Some(one), Some(other)) = (named.first(), &last) {
        bail!(
            "--garage is given twice, as {} and {}. Give it once.",
            one.display(),
            other.display()
        );
    }
    Ok((last, others))
}

fn serves(version: Option<&str>) -> bool {
    version.is_some_and(|version| version.starts_with(SERIES))
}

/// What was found, for people.
fn words(version: Option<String>) -> String {
    version.map_or_else(
        || "no Garage (it does not say its version as Garage does)".to_owned(),
        |version| format!("Garage {version}"),
    )
}

/// Builds beside `root` and puts the result in its place when it is whole. What was compiled stays
/// when the build is stopped, so that the next one goes on there.
fn build(root: &Path) -> anyhow::Result<()> {
    let workshop = root.with_extension("0-building");
    fs::create_dir_all(&workshop)
        .with_context(|| format!("{} cannot be made", workshop.display()))?;
    let lock = File::create(workshop.join("lock"))?;
    lock.lock()
        .with_context(|| format!("{} cannot be locked", workshop.display()))?;
    if root.join("bin/garage").is_file() {
        // Another build has finished meanwhile.
        return Ok(());
    }
    let whole = workshop.join("root");
    let mut command = checkout::cargo();
    command
        .args([
            "install",
            "garage",
            "--version",
            VERSION,
            "--locked",
            "--force",
            "--root",
        ])
        .arg(&whole);
    command.arg("--target-dir").arg(workshop.join("target"));
    run(&mut command).context(
        "Garage could not be built. It needs a C compiler and the crates registry; or name a Garage \
         that you have with --garage PATH",
    )?;
    let made = version(&whole.join("bin/garage"));
    ensure!(
        made.as_deref() == Some(VERSION),
        "The Garage that was built says version {made:?}."
    );
    // A folder without the program is of no use to anyone.
    let _ = fs::remove_dir_all(root);
    fs::rename(&whole, root)
        .with_context(|| format!("{} cannot be put in place", root.display()))?;
    let _ = fs::remove_dir_all(&workshop);
    Ok(())
}

/// The version in `garage cargo:2.5.0 [features: …]` or `garage v2.5.0 [features: …]`.
fn version(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let word = text.strip_prefix("garage ")?.split_whitespace().next()?;
    Some(word.rsplit(':').next()?.trim_start_matches('v').to_owned())
}

fn cache_folder() -> anyhow::Result<PathBuf> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let cache =
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    let cache = cache
        .context("There is no home directory to keep Garage in. Name one with --garage PATH.")?;
    Ok(cache.join("storm-buckets"))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

    use super::{find_or_build, take_named};

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn garage_is_named_once_wherever_it_stands() {
        for text in [
            "--data d --garage g --web-port 1",
            "--garage=g --data d --web-port 1",
        ] {
            let (named, others) = take_named(None, words(text)).unwrap();
            assert_eq!(named, Some(PathBuf::from("g")), "{text}");
            assert_eq!(others, words("--data d --web-port 1"), "{text}");
        }
        let twice = [
            (Some("a".into()), "--garage b"),
            (None, "--garage a --garage=b"),
        ];
        for (before, text) in twice {
            let error = take_named(before, words(text)).unwrap_err().to_string();
            assert!(error.contains("twice, as a and b"), "{error}");
        }
        assert!(take_named(None, words("--garage")).is_err());
        assert_eq!(take_named(None, words("--data d")).unwrap().0, None);
    }

    #[test]
    fn another_version_is_refused_by_what_it_is() {
        let folder = std::env::temp_dir().join(format!("xtask-garage-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for (name, says, word) in [
            ("old", "garage v1.0.1 [features: x]", "Garage 1.0.1"),
            ("else", "something else", "no Garage"),
        ] {
            // A file of its own for each: one that was just written to may still count as open.
            let path = folder.join(name);
            fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            let error = find_or_build(Some(path)).unwrap_err().to_string();
            assert!(
                error.contains(word) && error.contains("--garage") && error.contains("2.5."),
                "{error}"
            );
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
