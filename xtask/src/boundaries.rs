//! What must not be linked where: the agent has no HTTP server and no client of a database server,
//! the protocol does no I/O.

use anyhow::{Context as _, bail, ensure};

use crate::checkout;

/// A package of ours, and what it must not link.
const BOUNDARIES: [(&str, &[&str]); 3] = [
    ("storm-pulse", &["axum", "sqlx", "reqwest"]),
    ("storm-protocol", &["tokio", "hyper", "rustls"]),
    ("storm-cli", &["axum", "sqlx"]),
];

/// Fails when a package links what it must not.
pub(crate) fn check() -> anyhow::Result<()> {
    for (package, banned) in BOUNDARIES {
        let linked = linked(package)?;
        if let Some(found) = banned
            .iter()
            .find(|name| linked.iter().any(|linked| linked == *name))
        {
            bail!(
                "{package} links {found}, which it must not: see `cargo tree -p {package} -i {found}`."
            );
        }
    }
    Ok(())
}

fn linked(package: &str) -> anyhow::Result<Vec<String>> {
    let output = checkout::cargo()
        .args([
            "tree",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .output()
        .context("cargo cannot be started")?;
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(
        output.status.success(),
        "cargo tree failed: {}",
        words.trim()
    );
    let text = String::from_utf8(output.stdout)?;
    let names: Vec<String> = text
        .lines()
        .filter_map(|line| Some(line.split_whitespace().next()?.to_owned()))
        .collect();
    ensure!(
        names.first().is_some_and(|first| first == package),
        "cargo tree does not begin with {package}."
    );
    Ok(names)
}
