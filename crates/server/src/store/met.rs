//! Which of the store's reads and changes the tests have met. `cargo xtask test` fails where one of them was
//! not met on both databases.

use std::{
    collections::BTreeSet, env, fs::OpenOptions, io::Write as _, panic::Location, sync::Mutex,
};

/// The environment variable that names the file that they go into, `FILE:LINE` each.
const VARIABLE: &str = "STORM_TEST_MET";

static MET: Mutex<BTreeSet<(&str, u32)>> = Mutex::new(BTreeSet::new());

/// Writes a place down when it is met first.
pub(super) fn note(place: &'static Location<'static>) {
    let Some(file) = env::var_os(VARIABLE) else {
        return;
    };
    let (name, line) = (place.file(), place.line());
    if MET.lock().unwrap().insert((name, line)) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .unwrap();
        writeln!(file, "{name}:{line}").unwrap();
    }
}
