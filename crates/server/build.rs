//! Has the server built again when the dashboard was.

use std::{fs, path::Path};

fn main() {
    let built = Path::new("../../web/dist");
    // There, though empty, before the dashboard is built: a path that is absent would have everything built
    // each time, and one that appears later would not be noticed.
    let there = fs::create_dir_all(built).is_ok();
    let watched = if there {
        built
    } else {
        Path::new("../../web/index.html")
    };
    println!("cargo::rerun-if-changed={}", watched.display());
}
