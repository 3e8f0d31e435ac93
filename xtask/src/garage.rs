//! Garage, unmodified: found on this machine, or built once from the registry into the user's cache.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

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
            return Ok(path.canonicalize()?);
        }
    }
    let on_path = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|directory| directory.join("garage"))
        .find(|path| path.is_file());
    if let Some(path) = on_path {
        match version(&path).filter(|version| version.starts_with(SERIES)) {
            Some(_) => return Ok(path),
            None => eprintln!(
                "{} is not Garage {SERIES}x and is left alone.",
                path.display()
            ),
        }
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
