//! Lets one program see another time: a library of a dozen lines, made with the machine's C
//! compiler, that stands before the system's own clock. Only the wall clock is moved.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::{tool, tools::succeed};

const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

int clock_gettime(clockid_t id, struct timespec *out) {
    int answer = syscall(SYS_clock_gettime, id, out);
    const char *shift = getenv("STORM_TEST_CLOCK_SHIFT_SECONDS");
    if (answer == 0 && id == CLOCK_REALTIME && shift != NULL) out->tv_sec += atol(shift);
    return answer;
}
"#;

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
