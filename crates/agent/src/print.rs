//! What the command line says on standard output. A reader that has gone away (`… | head -1`) is no
//! failure: the command's own exit code stands.

use std::io::{self, Write};

use crate::exit::{Code, Stop, stop};

/// Prints `text` as it is.
pub(crate) fn text(text: &str) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => stop(
            Code::Failed,
            format!("standard output cannot be written: {error}"),
        ),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints `text` and ends the line.
pub(crate) fn line(line: &str) -> Result<(), Stop> {
    text(&format!("{line}\n"))
}

/// Says on standard error why the process ends. If nobody can hear it, the exit code has to do.
pub(crate) fn why(stop: &Stop) {
    let _ = writeln!(io::stderr(), "storm-pulse: {:#}", stop.error);
}
