//! What a `storm up` that was killed may have left running. Its parts end by themselves then; this
//! is for the one that did not, or has not yet.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::bail;
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::data::Data;
use crate::{files, output::note};

/// How long a left-over process may take to end after SIGTERM, and again after SIGKILL.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
/// How often it is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A process, named so that another one that got its number later is not taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Process {
    id: i32,
    /// Clock ticks from boot to its start.
    started: u64,
}

/// Writes down the processes that run.
pub(super) fn record(path: &Path, ids: impl Iterator<Item = i32>) -> anyhow::Result<()> {
    let processes: Vec<_> = ids
        .filter_map(|id| {
            Some(Process {
                id,
                started: state(id)?.started,
            })
        })
        .collect();
    files::write_private(path, &serde_json::to_vec(&processes)?)
}

/// Nothing runs any more.
pub(super) fn forget(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Ends what the last `storm up` on this data directory left running.
pub(super) async fn stop(data: &Data) -> anyhow::Result<()> {
    let path = data.pids();
    let bytes = files::read_if_there(&path)?.unwrap_or_default();
    // A damaged file names nobody.
    let processes: Vec<Process> = serde_json::from_slice(&bytes).unwrap_or_default();
    for process in processes
        .into_iter()
        .rev()
        .filter(|process| process.is_ours(data.root()))
    {
        note(&format!(
            "Ending process {}, which an earlier `storm up` left running.",
            process.id
        ));
        process.end().await?;
    }
    forget(&path);
    Ok(())
}

impl Process {
    fn runs(self) -> bool {
        state(self.id).is_some_and(|state| state.started == self.started && !state.dead)
    }

    /// Whether it runs with a configuration of this data directory.
    fn is_ours(self, root: &Path) -> bool {
        let line = fs::read(format!("/proc/{}/cmdline", self.id)).unwrap_or_default();
        let root = root.as_os_str().as_encoded_bytes();
        self.runs() && line.windows(root.len()).any(|part| part == root)
    }

    async fn end(self) -> anyhow::Result<()> {
        for signal in [Signal::TERM, Signal::KILL] {
            if let Some(id) = Pid::from_raw(self.id) {
                let _ = kill_process(id, signal);
            }
            let deadline = Instant::now() + STOP_TIMEOUT;
            while self.runs() && Instant::now() < deadline {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        }
        if self.runs() {
            bail!(
                "Process {}, which an earlier `storm up` left running, does not end. End it yourself.",
                self.id
            );
        }
        Ok(())
    }
}

struct State {
    started: u64,
    dead: bool,
}

/// Reads `/proc/ID/stat`: see proc_pid_stat(5).
fn state(id: i32) -> Option<State> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The second field is the program's name in brackets and may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let dead = matches!(fields.next()?, "Z" | "X");
    let started = fields.nth(18)?.parse().ok()?;
    Some(State { started, dead })
}

#[cfg(test)]
mod tests {
    use std::{path::Path, process::Command};

    use super::{Process, state};

    #[tokio::test]
    async fn only_the_very_process_is_ended() {
        let mut child = Command::new("sh")
            .args(["-c", "read _", "/some/data/dir/garage.toml"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let id = i32::try_from(child.id()).unwrap();
        // Until the fork has become `sh`, its command line is ours.
        let process = Process {
            id,
            started: state(id).unwrap().started,
        };
        while !process.is_ours(Path::new("/some/data/dir")) {
            tokio::task::yield_now().await;
        }
        assert!(!process.is_ours(Path::new("/another/dir")));
        assert!(
            !Process {
                started: process.started + 1,
                ..process
            }
            .is_ours(Path::new("/some/data/dir"))
        );
        process.end().await.unwrap();
        assert!(!process.runs());
        child.wait().unwrap();
    }
}
