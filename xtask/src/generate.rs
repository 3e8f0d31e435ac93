//! Generated files, which are committed: each is what one of our programs prints.

use std::fs;

use anyhow::{Context as _, bail, ensure};

use crate::{cargo::Built, checkout};

/// A file, and the program with its arguments that prints it.
const FILES: [(&str, &str, &[&str]); 3] = [
    ("docs/openapi.json", "storm-buckets", &["openapi"]),
    ("docs/access.md", "storm-buckets", &["access"]),
    (
        "docs/commands.md",
        "storm-pulse",
        &["commands", "--markdown"],
    ),
];

/// Writes the files, or with `check` fails when one is out of date.
pub(crate) fn run(built: &Built, check: bool) -> anyhow::Result<()> {
    let mut old = Vec::new();
    for (file, program, arguments) in FILES {
        let path = checkout::root().join(file);
        let text = print(built, program, arguments)?;
        if fs::read(&path).is_ok_and(|there| there == text) {
            continue;
        }
        old.push(file);
        if !check {
            let folder = path.parent().unwrap_or(&path);
            fs::create_dir_all(folder)
                .with_context(|| format!("{} cannot be made", folder.display()))?;
            fs::write(&path, text).with_context(|| format!("{file} cannot be written"))?;
            eprintln!("    wrote {file}");
        }
    }
    if check && !old.is_empty() {
        bail!(
            "Out of date: {}. Write anew with `cargo xtask gen` and commit.",
            old.join(", ")
        );
    }
    Ok(())
}

fn print(built: &Built, program: &str, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let program = built.programs.join(program);
    let output = checkout::command(&program)
        .args(arguments)
        .output()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    ensure!(
        output.status.success() && !output.stdout.is_empty(),
        "{} {} ended with {}: {}",
        program.display(),
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(output.stdout)
}
