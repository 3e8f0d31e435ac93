//! A step of a command: said by name before, with its time after.

use std::time::Instant;

/// Runs `work` as the step `name`.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    eprintln!("==> {name}");
    let begun = Instant::now();
    let done = work();
    let how = if done.is_ok() { "done" } else { "failed" };
    eprintln!(
        "    {name}: {how} in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    done
}
