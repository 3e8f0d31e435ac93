//! What is shipped is what the programs take and what the operations page says: the configurations,
//! the units, and the names in the examples.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{program, tools::succeed};

/// The only names that stand for an operator's own in examples.
const EXAMPLE_HOSTS: [&str; 3] = ["buckets.example.org", "s3.example.org", "web.example.org"];

fn read(path: &str) -> Result<String> {
    let path = root().join(path);
    fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn configurations_are_valid_as_shipped_and_with_every_option() -> Result<()> {
    let home = tempfile::tempdir()?;
    let check: [(&str, &str, &[&str]); 2] = [
        ("storm-buckets", "storm-buckets.toml", &["config", "check"]),
        // The agent reads its configuration to say which commands it refuses.
        ("storm-pulse", "storm-pulse.toml", &["commands"]),
    ];
    for (name, file, arguments) in check {
        let shipped = read(&format!("packaging/{file}"))?;
        let with_all = uncommented(&shipped);
        ensure!(with_all != shipped, "{file} has no commented options");
        let mut said = Vec::new();
        for text in [shipped, with_all] {
            let path = home.path().join(file);
            fs::write(&path, text)?;
            let mut command = Command::new(program(name)?);
            command.arg("--config").arg(&path).args(arguments);
            said.push(succeed(&mut command)?);
        }
        if name == "storm-pulse" {
            ensure!(said[0] != said[1], "[commands] disabled changes nothing");
        }
    }
    Ok(())
}

/// The configuration with each `#option = …` and `#[section]` in force; an option of the same name above
/// it in its section goes.
fn uncommented(text: &str) -> String {
    let name = |line: &str| Some(line.split_once(" = ")?.0.to_owned());
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let option = line
            .strip_prefix('#')
            .filter(|option| option.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()));
        if let Some(option) = option {
            let section = lines.iter().rposition(|line| line.starts_with('['));
            let same = (section.unwrap_or(0)..lines.len())
                .filter(|_| !option.starts_with('['))
                .find(|at| name(&lines[*at]).is_some() && name(&lines[*at]) == name(option));
            if let Some(at) = same {
                lines.remove(at);
            }
        }
        lines.push(option.unwrap_or(line).to_owned());
    }
    lines.join("\n") + "\n"
}

#[test]
fn units_start_what_the_operations_page_installs() -> Result<()> {
    let page = read("docs/operations.md")?;
    for name in ["storm-buckets", "storm-pulse"] {
        let unit = read(&format!("packaging/systemd/{name}.service"))?;
        let value = |key: &str| {
            let found = unit.lines().find_map(|line| line.strip_prefix(key));
            found.with_context(|| format!("{name}.service has no {key}"))
        };
        let line: Vec<_> = value("ExecStart=")?.split(' ').collect();
        let (program, arguments) = line.split_first().context("ExecStart is empty")?;
        let installed = format!("install -m 755 target/release/{name} {program}\n");
        ensure!(
            page.contains(&installed),
            "{installed:?} is not in the page"
        );
        let config = arguments.iter().find(|word| word.starts_with("/etc/"));
        let config = config.with_context(|| format!("{name}.service names no configuration"))?;
        let installed = format!("packaging/{name}.toml {config}\n");
        ensure!(
            page.contains(&installed),
            "{installed:?} is not in the page"
        );
        let user = format!("useradd --system --home-dir /var/lib/{name}");
        ensure!(value("User=")? == name && page.contains(&user), "{user:?}");
        // The very words are ones that the program knows.
        let mut help = Command::new(e2e::harness::program(name)?);
        succeed(help.args(arguments).arg("--help"))?;
        if let Ok(file) = value("EnvironmentFile=-") {
            let made = format!("install -m 600 /dev/null {file}\n");
            let removed = format!("rm {file}");
            ensure!(page.contains(&made) && page.contains(&removed), "{file}");
        }
    }
    Ok(())
}

#[test]
fn examples_name_one_control_plane_and_one_garage() -> Result<()> {
    let files = [
        "README.md",
        "SECURITY.md",
        "docs/operations.md",
        "docs/architecture.md",
        "docs/protocol.md",
        "packaging/storm-buckets.toml",
        "packaging/storm-pulse.toml",
    ];
    let mut hosts = BTreeSet::new();
    for file in files {
        let text = read(file)?;
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "-.@".contains(c)));
        let named = words.filter(|word| word.contains(".example") && !word.contains('@'));
        hosts.extend(named.map(str::to_owned));
    }
    let expected: BTreeSet<_> = EXAMPLE_HOSTS.map(str::to_owned).into();
    ensure!(hosts == expected, "{hosts:?}");
    let hub = "https://buckets.example.org:8443";
    let configured = format!("public_url = \"{hub}\"");
    ensure!(read("packaging/storm-buckets.toml")?.contains(&configured));
    ensure!(read("docs/operations.md")?.contains(&format!("enroll {hub} ste1.")));
    Ok(())
}
