//! The control plane of a stage: one process of all roles, or several processes of each, which are killed one
//! by one and brought back. Processes go by their number: signers first, then hubs, then webs.

use std::{ops::Range, path::PathBuf};

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use crate::harness::{
    relay::Relay,
    server::Server,
    split::{self, HAS, Part, Split, WAITS},
};

/// How many processes of each role there are, where the roles are apart: one of two signers waits, and the agent
/// knows both hubs.
pub const CAST: split::Cast = split::Cast {
    signers: 2,
    hubs: 2,
    webs: 2,
};
/// What a signer says that is none any more.
const LOST: &str = "the lock of the role is lost";

/// A control plane.
pub enum Control {
    /// One process.
    One(Box<Server>),
    /// Some of each role, on PostgreSQL.
    Apart(Box<Split>),
}

impl Control {
    /// How many processes there are.
    pub const fn count(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Apart(_) => CAST.signers + CAST.hubs + CAST.webs,
        }
    }

    /// What a process is called in the verdict.
    pub fn name(&self, number: usize) -> &'static str {
        match self {
            Self::One(_) => "control plane",
            Self::Apart(split) => split.parts().nth(number).map_or("nobody", |part| part.role),
        }
    }

    /// Whether a process runs, be it asleep.
    pub fn runs(&mut self, number: usize) -> Result<bool> {
        match self {
            Self::One(server) => server.runs(),
            Self::Apart(split) => part(split, number)?.runs(),
        }
    }

    /// Starts a process, whatever becomes of it.
    pub fn spawn(&mut self, number: usize) -> Result<()> {
        match self {
            Self::One(server) => server.spawn(),
            Self::Apart(split) => part(split, number)?.begin(),
        }
    }

    /// SIGKILL to a process.
    pub fn kill(&mut self, number: usize) -> Result<()> {
        match self {
            Self::One(server) => server.kill(),
            Self::Apart(split) => part(split, number)?.kill(),
        }
    }

    /// Stops a process, or lets it go on. One that does not run is left alone.
    pub fn sleep(&mut self, number: usize, asleep: bool) -> Result<()> {
        let signal = if asleep { Signal::STOP } else { Signal::CONT };
        match self {
            Self::Apart(split) => {
                let part = part(split, number)?;
                if part.runs()? {
                    part.signal(signal)?;
                }
                Ok(())
            }
            Self::One(_) => anyhow::bail!("it sleeps nowhere but apart"),
        }
    }

    /// The signer that is active, as it says itself; the first one while none does.
    pub fn active_signer(&mut self) -> Result<usize> {
        let Self::Apart(split) = self else {
            return Ok(0);
        };
        for (number, signer) in split.signers.iter_mut().enumerate() {
            let said = String::from_utf8_lossy(&signer.server.log()?).into_owned();
            let last = [HAS, WAITS, LOST].map(|words| said.rfind(words));
            if signer.runs()? && last[0].is_some() && last.iter().max() == Some(&last[0]) {
                return Ok(number);
            }
        }
        Ok(0)
    }

    /// The hub that the agent has come to last; the first one while it is at none. `relays` stand before them.
    pub fn holder(&self, relays: &[Relay]) -> usize {
        let newest = relays.iter().enumerate();
        let newest = newest.filter_map(|(hub, relay)| Some((relay.newest()?, hub)));
        let hub = newest.max().map_or(0, |(_, hub)| hub);
        self.hubs().start + hub
    }

    /// The numbers of the hubs.
    pub const fn hubs(&self) -> Range<usize> {
        match self {
            Self::One(_) => 0..1,
            Self::Apart(_) => CAST.signers..CAST.signers + CAST.hubs,
        }
    }

    /// The number of a web.
    pub const fn web(&self, which: u32) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Apart(_) => CAST.signers + CAST.hubs + which as usize % CAST.webs,
        }
    }

    /// Whether every process answers that it is ready.
    pub async fn is_ready(&mut self) -> Result<bool> {
        match self {
            Self::One(server) => Ok(server.is_ready().await),
            Self::Apart(split) => {
                for part in split.parts_mut() {
                    let url = format!("{}/readyz", part.server.status_url);
                    let answer = reqwest::get(url).await;
                    if !answer.is_ok_and(|answer| answer.status().is_success()) {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// The clock of all its processes jumps, so many seconds from the true time.
    pub fn jump_clock(&self, seconds: i64) -> Result<()> {
        match self {
            Self::One(server) => server.jump_clock(seconds),
            Self::Apart(split) => {
                let mut parts = split.parts();
                parts.try_for_each(|part| part.server.jump_clock(seconds))
            }
        }
    }

    /// Where a web answers.
    pub fn web_url(&self) -> Result<&str> {
        match self {
            Self::One(server) => Ok(&server.web_url),
            Self::Apart(split) => {
                let web = split.webs.first().context("a web")?;
                Ok(&web.server.web_url)
            }
        }
    }

    /// The folders that e-mails are written to.
    pub fn mails(&self) -> Vec<PathBuf> {
        match self {
            Self::One(server) => vec![server.data().join("mail")],
            Self::Apart(split) => {
                let signers = split.signers.iter();
                signers
                    .map(|signer| signer.server.data().join("mail"))
                    .collect()
            }
        }
    }

    /// What its processes have written, by name.
    pub fn logs(&self) -> Vec<(String, String)> {
        let read = |server: &Server| {
            let log = server.log().unwrap_or_default();
            String::from_utf8_lossy(&log).into_owned()
        };
        match self {
            Self::One(server) => vec![("control plane".to_owned(), read(server))],
            Self::Apart(split) => {
                let parts = split.parts().enumerate();
                parts
                    .map(|(number, part)| (format!("{} {number}", part.role), read(&part.server)))
                    .collect()
            }
        }
    }
}

fn part(split: &mut Split, number: usize) -> Result<&mut Part> {
    split.parts_mut().nth(number).context("no such process")
}
