//! Whether the server's tests have met every place where the store reads or changes something, on each of the
//! databases: what holds on one may fail on the other.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use crate::checkout;

/// The environment variable that names the file into which the tests write what they have met.
const VARIABLE: &str = "STORM_TEST_MET";
const STORE: &str = "crates/server/src/store";
/// Where a read or a change begins.
const BEGINNINGS: [&str; 3] = ["self.read()", "self.write(", "self.write_one("];
/// Files with what SQLite has not.
const ON_POSTGRES_ALONE: [&str; 1] = ["owner.rs"];

/// What the tests on one database have met.
pub(crate) struct Met {
    database: &'static str,
    file: PathBuf,
}

impl Met {
    /// Lets `command` write down what it meets.
    pub(crate) fn of(command: &mut Command, database: &'static str) -> anyhow::Result<Self> {
        let file = checkout::root().join(format!("target/met-on-{database}"));
        fs::create_dir_all(file.with_file_name(""))?;
        fs::write(&file, "")?;
        command.env(VARIABLE, &file);
        Ok(Self { database, file })
    }

    /// Fails when something was not met.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let met = fs::read_to_string(&self.file)?;
        let met = met.lines().collect();
        let mut there = BTreeSet::new();
        find(Path::new(STORE), &mut there)?;
        if self.database == "sqlite" {
            let other = |place: &String| ON_POSTGRES_ALONE.iter().any(|name| place.contains(name));
            there.retain(|place| !other(place));
        }
        match missing(&there, &met).as_slice() {
            [] => Ok(()),
            missing => bail!(
                "The server's tests on {} meet none of these places of the store; write a test that does: {}",
                self.database,
                missing.join(", ")
            ),
        }
    }
}

fn missing<'a>(there: &'a BTreeSet<String>, met: &BTreeSet<&str>) -> Vec<&'a str> {
    let not_met = there.iter().filter(|place| !met.contains(place.as_str()));
    not_met.map(String::as_str).collect()
}

/// All places below a folder, as `FILE:LINE`; tests are none.
fn find(folder: &Path, there: &mut BTreeSet<String>) -> anyhow::Result<()> {
    let path = checkout::root().join(folder);
    for entry in fs::read_dir(&path).with_context(|| path.display().to_string())? {
        let entry = entry?;
        let name = folder.join(entry.file_name());
        let text = name.display().to_string();
        match entry.file_type()?.is_dir() {
            true => find(&name, there)?,
            false if text.ends_with("tests.rs") || text.contains("/tests/") => {}
            false => there.extend(places(&text, &fs::read_to_string(entry.path())?)),
        }
    }
    Ok(())
}

fn places(name: &str, text: &str) -> Vec<String> {
    let begins = |line: &str| BEGINNINGS.iter().any(|beginning| line.contains(beginning));
    let lines = text.lines().zip(1..).filter(|(line, _)| begins(line));
    lines
        .map(|(_, number)| format!("{name}:{number}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{BTreeSet, find, missing, places};

    #[test]
    fn a_place_is_where_something_begins() {
        let text = "fn a() {\n    x(&mut *self.read().await?)\n    self.write_one(D)\n    self.write(D)\n}";
        let there = BTreeSet::from_iter(places("a.rs", text));
        assert_eq!(Vec::from_iter(&there), ["a.rs:2", "a.rs:3", "a.rs:4"]);
        let met = BTreeSet::from(["a.rs:2", "a.rs:4", "b.rs:3"]);
        assert_eq!(missing(&there, &met), ["a.rs:3"]);
    }

    #[test]
    fn the_store_has_places_and_its_tests_have_none() {
        let mut there = BTreeSet::new();
        find(super::STORE.as_ref(), &mut there).unwrap();
        assert!(there.len() > 200, "{}", there.len());
        assert!(
            there.iter().all(|place| !place.contains("tests")),
            "{there:?}"
        );
    }
}
