//! Lets one program see another time: a small library, made with the machine's C compiler, that
//! stands before the system's own clock. It moves the wall clock by a fixed time, and both it and the
//! clock that timers go by when told to while the program runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Result;

use super::{tool, tools::succeed};

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

static long told(const char *variable) {
    const char *name = getenv(variable);
    int file = name == NULL ? -1 : open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    char text[24] = {0};
    long seconds = read(file, text, sizeof text - 1) > 0 ? atol(text) : 0;
    close(file);
    return seconds;
}

int clock_gettime(clockid_t id, struct timespec *out) {
    int answer = syscall(SYS_clock_gettime, id, out);
    const char *shift = getenv("STORM_TEST_CLOCK_SHIFT_SECONDS");
    if (answer == 0 && id == CLOCK_REALTIME && shift != NULL) out->tv_sec += atol(shift);
    if (answer == 0 && id == CLOCK_REALTIME) out->tv_sec += told("STORM_TEST_CLOCK_JUMP_FILE");
    if (answer == 0 && id == CLOCK_MONOTONIC) out->tv_sec += told("STORM_TEST_CLOCK_SKIP_FILE");
    return answer;
}
"#;

/// A clock for one program.
#[derive(Debug, Clone)]
pub struct Clock {
    library: PathBuf,
    seconds: i64,
    skip: PathBuf,
    jump: PathBuf,
}

impl Clock {
    /// A wall clock that is `seconds` off. `directory` is the program's own.
    pub fn new(library: &Path, seconds: i64, directory: &Path) -> Self {
        Self {
            library: library.to_owned(),
            seconds,
            skip: directory.join("clock-skip"),
            jump: directory.join("clock-jump"),
        }
    }

    /// Starts `command` with it.
    pub fn set(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("STORM_TEST_CLOCK_SHIFT_SECONDS", self.seconds.to_string())
            .env("STORM_TEST_CLOCK_SKIP_FILE", &self.skip)
            .env("STORM_TEST_CLOCK_JUMP_FILE", &self.jump);
    }

    /// From now on the program's timers are whole seconds ahead of where they would be without any skip.
    pub fn skip_to(&self, ahead: Duration) -> Result<()> {
        tell(&self.skip, &ahead.as_secs().to_string())
    }

    /// From now on the program's wall clock is whole seconds from where it would be without any jump.
    pub fn jump_to(&self, seconds: i64) -> Result<()> {
        tell(&self.jump, &seconds.to_string())
    }
}

/// Writes a file so that nobody reads half of it.
fn tell(file: &Path, text: &str) -> Result<()> {
    let whole = file.with_extension("new");
    fs::write(&whole, text)?;
    Ok(fs::rename(whole, file)?)
}

/// Makes the library in `directory`.
pub fn build(directory: &Path) -> Result<PathBuf> {
    let source = directory.join("clock_shift.c");
    let library = directory.join("clock_shift.so");
    fs::write(&source, SOURCE)?;
    let mut compiler = Command::new(tool("cc")?);
    compiler
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(&source);
    succeed(&mut compiler)?;
    Ok(library)
}
