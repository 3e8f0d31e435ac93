//! Runs programs full of tests and counts what they say.

use std::{
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

/// Runs `command`, showing on `screen` what it prints, and counts.
pub(crate) fn run(command: &mut Command, screen: &mut impl Write) -> anyhow::Result<Count> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{name} cannot be started"))?;
    let output = child.stdout.take().context("a test program says nothing")?;
    let mut count = Count::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        // Nobody reading along is no reason to stop.
        let _ = writeln!(screen, "{line}");
        if let Some(found) = parse(&line).or_else(|| parse_tap(&line)) {
            count += found;
        }
    }
    let status = child.wait()?;
    if !status.success() && count.failed == 0 {
        eprintln!("{name} ended with {status} before it had counted its tests.");
        count += Count::FAILURE;
    }
    Ok(count)
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

    use super::{Count, parse, parse_tap, run};

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
        let count =
            |script: &str| run(Command::new("sh").args(["-c", script]), &mut Vec::new()).unwrap();
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
}
