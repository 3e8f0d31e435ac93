//! Makes a round's faults happen at their times, brings back what died, and keeps it up until the
//! clients have their answers.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::{fault::Fault, plan::Plan, stage::Parts, verdict::Verdict};
use crate::harness::{agent::Start, process::Process, relay::Relay};

/// Between two looks at what runs.
const LOOK: Duration = Duration::from_millis(10);
/// Before a program that ended by itself is started again, as a supervisor waits.
const RESTART: Duration = Duration::from_millis(250);
/// How long a heal may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// The faults of one round.
pub struct Faults<'a> {
    parts: &'a mut Parts,
    plan: &'a Plan,
    verdict: &'a mut Verdict,
    begun: Instant,
    /// How many of the plan's deaths the agent has met, or been spared.
    deaths: usize,
    agent: Watched,
    /// The processes of the control plane.
    control: Vec<Watched>,
    /// The processes that each of the plan's faults has chosen.
    chosen: Vec<Vec<usize>>,
}

/// A program that is started again when it has ended.
#[derive(Clone, Copy)]
struct Watched {
    /// How many faults keep it down.
    down: u32,
    /// Whether one has killed it.
    killed: bool,
    may_start: Instant,
}

impl<'a> Faults<'a> {
    /// Starts the agent with its first death before it.
    pub async fn arm(
        parts: &'a mut Parts,
        plan: &'a Plan,
        verdict: &'a mut Verdict,
    ) -> Result<Self> {
        let now = Instant::now();
        let runs = Watched {
            down: 0,
            killed: false,
            may_start: now,
        };
        let mut faults = Self {
            control: vec![runs; parts.stack.server.count()],
            chosen: vec![vec![]; plan.faults.len()],
            agent: runs,
            parts,
            plan,
            verdict,
            begun: now,
            deaths: 0,
        };
        faults.parts.stack.agent.kill()?;
        faults.parts.stack.disconnected().await?;
        faults.start_agent()?;
        // It may die before it is connected: at its sweep, or at its start.
        faults.begun = Instant::now();
        Ok(faults)
    }

    /// Plays the faults; then keeps all programs running until `answered`.
    pub async fn play(mut self, answered: &AtomicBool) -> Result<()> {
        let mut steps = Vec::new();
        for (number, timed) in self.plan.faults.iter().enumerate() {
            steps.push((timed.at_millis, number, true));
            steps.push((timed.at_millis + timed.for_millis, number, false));
        }
        steps.sort_unstable();
        for (at_millis, number, begins) in steps {
            let at = self.begun + Duration::from_millis(at_millis.into());
            while Instant::now() < at {
                self.look()?;
                tokio::time::sleep(LOOK).await;
            }
            let fault = self.plan.faults[number].fault;
            let done = if begins {
                Verdict::count(&mut self.verdict.faults, fault.name());
                self.begin(number, fault)
            } else {
                self.end(number, fault)
            };
            done.context(fault.name())?;
        }
        while !answered.load(Ordering::Relaxed) {
            self.look()?;
            tokio::time::sleep(LOOK).await;
        }
        self.heal().await
    }

    fn begin(&mut self, number: usize, fault: Fault) -> Result<()> {
        self.chosen[number] = self.parts.meant_by(fault)?;
        for process in &self.chosen[number] {
            if fault.is_sleep() {
                self.parts.stack.server.sleep(*process, true)?;
            } else {
                let watched = &mut self.control[*process];
                (watched.down, watched.killed) = (watched.down + 1, true);
                self.parts.stack.server.kill(*process)?;
            }
        }
        let parts = &mut *self.parts;
        match fault {
            Fault::AgentKill => {
                self.agent.down += 1;
                parts.stack.agent.kill()?;
            }
            Fault::ServerKill
            | Fault::SignerKill
            | Fault::HubKill
            | Fault::WebKill(_)
            | Fault::SignerSleep
            | Fault::HubSleep => {}
            Fault::GarageKill(node) => parts.node(node)?.kill()?,
            Fault::PostgresKill => match &mut parts.postgres {
                Some(postgres) => postgres.crash()?,
                None => bail!("there is no PostgreSQL"),
            },
            Fault::HubCut => parts.hubs.iter().for_each(Relay::cut),
            Fault::WebCut => parts.webs.iter().for_each(Relay::cut),
            Fault::HubHold => parts.hubs.iter().for_each(|hub| hub.hold(true)),
            Fault::WebHold => parts.webs.iter().for_each(|web| web.hold(true)),
            Fault::AgentDisk | Fault::ServerDisk => parts.disk(fault)?.fill(),
            Fault::AgentClock(seconds) => parts.stack.agent.jump_clock(seconds)?,
            Fault::ServerClock(seconds) => parts.stack.server.jump_clock(seconds)?,
        }
        Ok(())
    }

    fn end(&mut self, number: usize, fault: Fault) -> Result<()> {
        if fault.takes_a_role() && self.parts.meant_by(fault)? != self.chosen[number] {
            Verdict::count(&mut self.verdict.taken_over, fault.name());
        }
        for process in &self.chosen[number] {
            if fault.is_sleep() {
                self.parts.stack.server.sleep(*process, false)?;
            } else {
                self.control[*process].down -= 1;
            }
        }
        let parts = &mut *self.parts;
        match fault {
            Fault::AgentKill => self.agent.down -= 1,
            Fault::ServerKill
            | Fault::SignerKill
            | Fault::HubKill
            | Fault::WebKill(_)
            | Fault::SignerSleep
            | Fault::HubSleep => {}
            Fault::GarageKill(node) => parts.node(node)?.restart()?,
            Fault::PostgresKill => {
                if let Some(postgres) = &mut parts.postgres {
                    postgres.run()?;
                }
            }
            // Whatever connected meanwhile is cut once more.
            Fault::HubCut => parts.hubs.iter().for_each(Relay::cut),
            Fault::WebCut => parts.webs.iter().for_each(Relay::cut),
            Fault::HubHold => parts.hubs.iter().for_each(|hub| hub.hold(false)),
            Fault::WebHold => parts.webs.iter().for_each(|web| web.hold(false)),
            // Two of them may overlap; what is empty is empty.
            Fault::AgentDisk | Fault::ServerDisk => drop(parts.disk(fault)?.empty()),
            Fault::AgentClock(_) => parts.stack.agent.jump_clock(0)?,
            Fault::ServerClock(_) => parts.stack.server.jump_clock(0)?,
        }
        Ok(())
    }

    /// Sees what has died, and starts it again unless a fault keeps it down.
    fn look(&mut self) -> Result<()> {
        let now = Instant::now();
        if self.parts.stack.agent.runs()? {
            self.agent.may_start = now + RESTART;
        } else if self.agent.down == 0 {
            self.agent_ended(now)?;
        }
        let control = &mut self.parts.stack.server;
        for (process, watched) in self.control.iter_mut().enumerate() {
            if control.runs(process)? {
                watched.may_start = now + RESTART;
            } else if watched.down == 0 && now >= watched.may_start {
                if !std::mem::take(&mut watched.killed) {
                    Verdict::count(&mut self.verdict.gave_up, control.name(process));
                }
                control.spawn(process)?;
                watched.may_start = now + RESTART;
            }
        }
        Ok(())
    }

    fn agent_ended(&mut self, now: Instant) -> Result<()> {
        // No status: a fault had killed it.
        if let Ok(Some(status)) = self.parts.stack.agent.ended() {
            if Process::was_killed(status) {
                if let Some(death) = self.plan.deaths.get(self.deaths) {
                    let (point, _) = death.point.rsplit_once(':').unwrap_or_default();
                    Verdict::count(&mut self.verdict.deaths, point.to_owned());
                }
                self.deaths = self.deaths.saturating_add(1);
            } else if now < self.agent.may_start {
                return Ok(());
            } else {
                Verdict::count(&mut self.verdict.gave_up, "agent");
            }
        }
        self.agent.may_start = now + RESTART;
        self.start_agent()
    }

    fn start_agent(&mut self) -> Result<()> {
        let death = self.plan.deaths.get(self.deaths);
        let start = Start {
            fault: death.map(|death| death.point.as_str()),
            delay_micros: death.map(|death| death.delay_micros),
            log: None,
            twice: self.plan.frames_twice,
        };
        self.parts.stack.agent.start(&start)
    }

    /// Everything runs, and nothing waits to die.
    async fn heal(mut self) -> Result<()> {
        self.deaths = usize::MAX;
        let begun = Instant::now();
        loop {
            self.look()?;
            let ready = self.parts.stack.server.is_ready().await?;
            if ready && self.parts.stack.agent.runs()? {
                break;
            }
            if begun.elapsed() > PATIENCE {
                bail!("agent or control plane does not come back");
            }
            tokio::time::sleep(LOOK).await;
        }
        self.parts.stack.cluster.healthy().await?;
        self.parts.stack.restart_agent(&Start::default()).await
    }
}

impl Parts {
    /// The processes of the control plane that a fault is for. Who has a role is looked at when it begins.
    fn meant_by(&mut self, fault: Fault) -> Result<Vec<usize>> {
        let control = &mut self.stack.server;
        Ok(match fault {
            Fault::ServerKill => (0..control.count()).collect(),
            Fault::SignerKill | Fault::SignerSleep => vec![control.active_signer()?],
            Fault::HubKill | Fault::HubSleep => vec![control.holder(&self.hubs)],
            Fault::WebKill(which) => vec![control.web(which)],
            _ => vec![],
        })
    }

    fn node(&mut self, number: u32) -> Result<&mut crate::harness::garage::Node> {
        let node = self.stack.cluster.nodes.get_mut(number as usize);
        node.context("no such node")
    }

    fn disk(&self, fault: Fault) -> Result<&crate::harness::small_disk::SmallDisk> {
        let (agent, server) = self.disks.as_ref().context("no disk can be filled")?;
        Ok(if fault == Fault::AgentDisk {
            agent
        } else {
            server
        })
    }
}
