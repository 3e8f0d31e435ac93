//! Runs programs full of tests and counts what they say.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Write},
    ops::AddAssign,
    process::{Command, Stdio},
};

use anyhow::Context as _;

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Passed.
    pub(crate) passed: u64,
    /// Failed.
    pub(crate) failed: u64,
}

impl Count {
    /// One failure.
    pub(crate) const FAILURE: Self = Self {
        passed: 0,
        failed: 1,
    };
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// What a program full of tests came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// How many passed and failed.
    pub(crate) count: Count,
    /// Why those failed that did, in a few lines each.
    pub(crate) reasons: String,
}

impl Report {
    /// One failure of something that is no test.
    pub(crate) const FAILURE: Self = Self {
        count: Count::FAILURE,
        reasons: String::new(),
    };
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.reasons += &other.reasons;
    }
}

/// Lines of a failure's reason that are worth reading again at the end.
const REASON_LINES: u32 = 8;

/// Runs `command`, showing on `screen` what it prints, and counts.
pub(crate) fn run(command: &mut Command, screen: &mut impl Write) -> anyhow::Result<Report> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{name} cannot be started"))?;
    let output = child.stdout.take().context("a test program says nothing")?;
    let mut report = Report::default();
    let mut wanted = 0;
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        // Nobody reading along is no reason to stop.
        let _ = writeln!(screen, "{line}");
        if let Some(found) = parse(&line).or_else(|| parse_tap(&line)) {
            report.count += found;
        }
        wanted = match reason_lines(&line) {
            0 => u32::saturating_sub(wanted, 1),
            lines => lines,
        };
        if wanted > 0 && !line.trim().is_empty() {
            let _ = writeln!(report.reasons, "{line}");
        }
    }
    let status = child.wait()?;
    if !status.success() && report.count.failed == 0 {
        eprintln!("{name} ended with {status} before it had counted its tests.");
        report.count += Count::FAILURE;
    }
    Ok(report)
}

/// How many lines from this one on tell what failed and why.
fn reason_lines(line: &str) -> u32 {
    let is_name = line.starts_with("---- ") && line.ends_with(" stdout ----");
    let is_reason = line.starts_with("Error: ") || line.contains(" panicked at ");
    match (is_name || line.starts_with("not ok "), is_reason) {
        (true, _) => 1,
        (false, true) => REASON_LINES,
        (false, false) => 0,
    }
}

/// Reads `test result: ok. 12 passed; 0 failed; 0 ignored; …`.
fn parse(line: &str) -> Option<Count> {
    let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut parts = numbers.split("; ");
    let mut number = |word| parts.next()?.strip_suffix(word)?.trim().parse().ok();
    Some(Count {
        passed: number("passed")?,
        failed: number("failed")?,
    })
}

/// Reads `ok 3 - what it says` and `not ok 4 - …`, as the Test Anything Protocol has them.
fn parse_tap(line: &str) -> Option<Count> {
    let (failed, rest) = match line.strip_prefix("not ") {
        Some(rest) => (1, rest),
        None => (0, line),
    };
    let (number, _) = rest.strip_prefix("ok ")?.split_once(" - ")?;
    number.parse::<u64>().ok()?;
    Some(Count {
        passed: 1 - failed,
        failed,
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Count, parse, parse_tap, reason_lines, run};

    const LINE: &str = "test result: FAILED. 11 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";

    #[test]
    fn a_result_is_read() {
        assert_eq!(
            parse(LINE),
            Some(Count {
                passed: 11,
                failed: 2
            })
        );
        assert_eq!(parse("test parse ... ok"), None);
    }

    #[test]
    fn a_line_of_the_page_s_tests_is_read() {
        let passed = Count {
            passed: 1,
            failed: 0,
        };
        assert_eq!(parse_tap("ok 3 - it opens # time=1ms"), Some(passed));
        assert_eq!(parse_tap("not ok 4 - it opens"), Some(Count::FAILURE));
        assert_eq!(parse_tap("ok then - nothing"), None);
        assert_eq!(parse_tap("1..94"), None);
    }

    #[test]
    fn a_program_that_dies_uncounted_is_a_failure() {
        let report =
            |script: &str| run(Command::new("sh").args(["-c", script]), &mut Vec::new()).unwrap();
        let count = |script: &str| report(script).count;
        assert_eq!(count("exit 101"), Count::FAILURE);
        assert_eq!(count("kill -9 $$"), Count::FAILURE);
        assert_eq!(
            count(&format!("echo '{LINE}'; exit 101")),
            Count {
                passed: 11,
                failed: 2
            }
        );
    }

    #[test]
    fn the_reason_of_a_failure_is_kept() {
        assert_eq!(reason_lines("---- a::b stdout ----"), 1);
        let script = "echo noise; echo '---- a::b stdout ----'; echo noise; echo 'Error: no'; \
                      echo because; exit 101";
        let report = run(Command::new("sh").args(["-c", script]), &mut Vec::new()).unwrap();
        assert_eq!(
            report.reasons,
            "---- a::b stdout ----\nError: no\nbecause\n"
        );
    }
}
