//! How the process ends: each kind of failure has its exit code, documented in `--help`.

/// The exit codes, as `--help` shows them.
pub(crate) const EXIT_CODES_HELP: &str = "\
Exit codes:
  0  done
  1  failed; the message says what to do
  2  wrong usage, configuration or file permissions
  3  refused: by the control plane, or the command by this agent
  4  this agent is not enrolled
  5  the audit file does not stand up to verification";

/// A kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    /// It did not work.
    Failed = 1,
    /// The caller or the configuration is at fault.
    Usage = 2,
    /// Someone who may said no.
    Refused = 3,
    /// There is no identity yet.
    NotEnrolled = 4,
    /// The audit file was tampered with.
    AuditBroken = 5,
}

/// Why the process ends, and with which code.
#[derive(Debug)]
pub(crate) struct Stop {
    /// The exit code.
    pub code: Code,
    /// One sentence for a person.
    pub error: anyhow::Error,
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self {
            code: Code::Failed,
            error,
        }
    }
}

/// Gives an error its exit code.
pub(crate) trait OrStop<T> {
    /// Ends with `code` on failure.
    fn or_stop(self, code: Code) -> Result<T, Stop>;
}

impl<T, E: Into<anyhow::Error>> OrStop<T> for Result<T, E> {
    fn or_stop(self, code: Code) -> Result<T, Stop> {
        self.map_err(|error| Stop {
            code,
            error: error.into(),
        })
    }
}

/// Ends with `code` and `sentence`.
pub(crate) fn stop<T>(code: Code, sentence: impl std::fmt::Display) -> Result<T, Stop> {
    Err(Stop {
        code,
        error: anyhow::anyhow!("{sentence}"),
    })
}
