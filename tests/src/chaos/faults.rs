//! Makes a round's faults happen at their times, brings back what died, and keeps it up until the
//! clients have their answers.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::{
    plan::{Fault, Plan},
    stage::Parts,
    verdict::Verdict,
};
use crate::harness::{agent::Start, process::Process};

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
    /// Programs that a fault keeps down.
    agent_down: u32,
    server_down: u32,
    agent_may_start: Instant,
    server_may_start: Instant,
}

impl<'a> Faults<'a> {
    /// Starts the agent with its first death before it.
    pub async fn arm(
        parts: &'a mut Parts,
        plan: &'a Plan,
        verdict: &'a mut Verdict,
    ) -> Result<Self> {
        let now = Instant::now();
        let mut faults = Self {
            parts,
            plan,
            verdict,
            begun: now,
            deaths: 0,
            agent_down: 0,
            server_down: 0,
            agent_may_start: now,
            server_may_start: now,
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
        for timed in &self.plan.faults {
            steps.push((timed.at_millis, timed.fault, true));
            steps.push((timed.at_millis + timed.for_millis, timed.fault, false));
        }
        steps.sort_unstable();
        for (at_millis, fault, begins) in steps {
            let at = self.begun + Duration::from_millis(at_millis.into());
            while Instant::now() < at {
                self.look()?;
                tokio::time::sleep(LOOK).await;
            }
            let done = if begins {
                Verdict::count(&mut self.verdict.faults, fault.name());
                self.begin(fault).await
            } else {
                self.end(fault).await
            };
            done.context(fault.name())?;
        }
        while !answered.load(Ordering::Relaxed) {
            self.look()?;
            tokio::time::sleep(LOOK).await;
        }
        self.heal().await
    }

    async fn begin(&mut self, fault: Fault) -> Result<()> {
        let parts = &mut *self.parts;
        match fault {
            Fault::AgentKill => {
                self.agent_down += 1;
                parts.stack.agent.kill()
            }
            Fault::ServerKill => {
                self.server_down += 1;
                parts.stack.server.kill()
            }
            Fault::GarageKill(node) => parts.node(node)?.kill(),
            Fault::PostgresKill => match &mut parts.postgres {
                Some(postgres) => postgres.crash(),
                None => bail!("there is no PostgreSQL"),
            },
            Fault::HubCut => {
                parts.hub.cut();
                Ok(())
            }
            Fault::WebCut => {
                parts.web.cut();
                Ok(())
            }
            Fault::HubHold => {
                parts.hub.hold(true);
                Ok(())
            }
            Fault::WebHold => {
                parts.web.hold(true);
                Ok(())
            }
            Fault::AgentDisk | Fault::ServerDisk => {
                parts.disk(fault)?.fill();
                Ok(())
            }
            Fault::AgentClock(seconds) => parts.stack.agent.jump_clock(seconds),
            Fault::ServerClock(seconds) => parts.stack.server.jump_clock(seconds),
        }
    }

    async fn end(&mut self, fault: Fault) -> Result<()> {
        let parts = &mut *self.parts;
        match fault {
            Fault::AgentKill => self.agent_down -= 1,
            Fault::ServerKill => self.server_down -= 1,
            Fault::GarageKill(node) => parts.node(node)?.restart()?,
            Fault::PostgresKill => {
                if let Some(postgres) = &mut parts.postgres {
                    postgres.run()?;
                }
            }
            // Whatever connected meanwhile is cut once more.
            Fault::HubCut => parts.hub.cut(),
            Fault::WebCut => parts.web.cut(),
            Fault::HubHold => parts.hub.hold(false),
            Fault::WebHold => parts.web.hold(false),
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
            self.agent_may_start = now + RESTART;
        } else if self.agent_down == 0 {
            self.agent_ended(now)?;
        }
        if self.parts.stack.server.runs()? {
            self.server_may_start = now + RESTART;
        } else if self.server_down == 0 && now >= self.server_may_start {
            Verdict::count(&mut self.verdict.gave_up, "control plane");
            self.parts.stack.server.spawn()?;
            self.server_may_start = now + RESTART;
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
            } else if now < self.agent_may_start {
                return Ok(());
            } else {
                Verdict::count(&mut self.verdict.gave_up, "agent");
            }
        }
        self.agent_may_start = now + RESTART;
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
            let ready = self.parts.stack.server.is_ready().await;
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
