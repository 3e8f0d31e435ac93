//! What commands say on standard output and standard error.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write as _},
};

use anyhow::Context as _;

/// Writes a line to standard output. A reader that has gone away, such as `head`, is no error.
pub(crate) fn line(text: impl Display) -> anyhow::Result<()> {
    match write(text) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("standard output cannot be written"),
    }
}

/// Writes a line that nobody can read anywhere else: a reader that has gone away is an error.
pub(crate) fn line_once(text: impl Display) -> anyhow::Result<()> {
    write(text).context(
        "standard output cannot be written, and it is the only place where this is said: connect it and start again",
    )
}

/// Writes a line to standard error.
pub(crate) fn note(text: impl Display) {
    // There is nowhere left to say that standard error is gone.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn write(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}
