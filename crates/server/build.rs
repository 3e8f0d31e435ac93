//! Has the server built again when the dashboard was.

use std::path::Path;

fn main() {
    let built = Path::new("../../web/dist");
    // A path that is absent would have everything built each time.
    let watched = if built.is_dir() {
        built
    } else {
        Path::new("../../web/index.html")
    };
    println!("cargo::rerun-if-changed={}", watched.display());
}
