//! `cargo xtask bench`: runs the benchmarks with the release build, one after the other, and puts what each
//! printed, word for word, into its place in `docs/benchmarks.md`. What stands around it there is written by hand.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, ExitCode, Stdio},
    thread,
};

use anyhow::{Context as _, bail, ensure};
use test_postgres::Postgres;

use crate::{checkout, garage, tools};

/// What can be measured, in the order of docs/benchmarks.md.
const BENCHMARKS: [&str; 6] = ["spine", "inventory", "api", "lists", "fleet", "data"];
const FILE: &str = "docs/benchmarks.md";

/// Runs one, or all, and writes down what they print. With arguments of its own a run is only shown: the file
/// holds what the command alone gives.
pub(crate) fn run(name: Option<&str>, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let wanted = match name {
        None => BENCHMARKS.to_vec(),
        Some(name) if BENCHMARKS.contains(&name) => vec![name],
        Some(name) => bail!(
            "There is no benchmark {name:?}. There are: {}.",
            BENCHMARKS.join(", ")
        ),
    };
    tools::need_clients()?;
    let garage = garage::find_or_build(None)?;
    let programs = crate::build_release()?;
    let mut failed = vec![];
    for name in wanted {
        eprintln!("--- bench {name}");
        // Some compare both databases; the others do not look.
        let server = Postgres::start_without_disk()?;
        let mut command = checkout::cargo();
        command
            .args(["run", "--release", "--quiet", "--package", "e2e", "--bin"])
            .arg(format!("bench-{name}"))
            .arg("--")
            .args(arguments)
            .env("STORM_GARAGE", &garage)
            .env("STORM_BIN_DIR", &programs)
            .env(test_postgres::VARIABLE, server.url());
        let printed = format!("{}\n{}", machine()?, show(&mut command)?);
        match printed.strip_suffix(FAILED) {
            Some(_) => failed.push(name),
            None if arguments.is_empty() => keep(name, &printed)?,
            None => {}
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("These did not come to their end: {}.", failed.join(", "));
    Ok(ExitCode::FAILURE)
}

/// What [`show`] ends with when the program did not end well.
const FAILED: &str = "\u{0}";

/// Shows what a program prints while it prints it, and gives it.
fn show(command: &mut Command) -> anyhow::Result<String> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo cannot be started")?;
    let output = child.stdout.take().context("a benchmark says nothing")?;
    let mut printed = String::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        writeln!(printed, "{}", line.trim_end())?;
    }
    if !child.wait()?.success() {
        printed.push_str(FAILED);
    }
    Ok(printed)
}

/// When, the machine and how busy it was, in one line.
fn machine() -> anyhow::Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = field(&cpu, "model name").unwrap_or("a processor without a name");
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kibibytes = field(&memory, "MemTotal").and_then(|text| text.strip_suffix(" kB"));
    let gibibytes = kibibytes.unwrap_or("0").trim().parse::<f64>()? / 1048576.0;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let load = fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or("?");
    Ok(format!(
        "{:.0}; {} cores of {model}, {gibibytes:.0} GiB, Linux {}; load when it began: {load}",
        jiff::Timestamp::now(),
        thread::available_parallelism()?,
        kernel.trim()
    ))
}

/// The value of `name : value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

fn keep(name: &str, printed: &str) -> anyhow::Result<()> {
    let path = checkout::root().join(FILE);
    let text = fs::read_to_string(&path)?;
    fs::write(&path, replaced(&text, name, printed)?)?;
    eprintln!("{FILE} has it.");
    Ok(())
}

/// `text` with the block after `<!-- cargo xtask bench NAME -->` replaced.
fn replaced(text: &str, name: &str, printed: &str) -> anyhow::Result<String> {
    let mark = format!("<!-- cargo xtask bench {name} -->\n```\n");
    let (before, rest) = text
        .split_once(&mark)
        .with_context(|| format!("{FILE} has no place for {name}"))?;
    let after = match rest.strip_prefix("```") {
        Some(after) => after,
        None => rest.split_once("\n```").context("a block has no end")?.1,
    };
    ensure!(
        !printed.contains("```"),
        "a benchmark printed the end of a block"
    );
    Ok(format!("{before}{mark}{}\n```{after}", printed.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::{BENCHMARKS, field, replaced};

    #[test]
    fn a_block_is_replaced_and_nothing_else() {
        let text = "a\n<!-- cargo xtask bench api -->\n```\nold\n```\nb\n<!-- cargo xtask bench data -->\n```\n```\nc\n";
        let once = replaced(text, "api", "new\nlines\n").unwrap();
        assert_eq!(once, text.replace("old", "new\nlines"));
        let both = replaced(&once, "data", "x").unwrap();
        assert!(both.ends_with("```\nx\n```\nc\n") && both.contains("new\nlines\n```\nb\n"));
        assert_eq!(replaced(&both, "data", "x").unwrap(), both);
        assert!(replaced(text, "spine", "x").is_err());
        assert!(replaced(text, "api", "```").is_err());
    }

    #[test]
    fn every_benchmark_has_its_place() {
        let text = include_str!("../../docs/benchmarks.md");
        for name in BENCHMARKS {
            assert!(replaced(text, name, "x").is_ok(), "{name}");
        }
    }

    #[test]
    fn a_field_of_proc_is_read() {
        let text = "processor\t: 0\nmodel name\t: A 1\nMemTotal:   24 kB\n";
        assert_eq!(field(text, "model name"), Some("A 1"));
        assert_eq!(field(text, "MemTotal"), Some("24 kB"));
        assert_eq!(field(text, "flags"), None);
    }
}
