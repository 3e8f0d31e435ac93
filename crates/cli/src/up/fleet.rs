//! The three processes together: start, next event, restart with backoff, stop in order.

use std::{path::PathBuf, process::ExitStatus, time::Duration};

use anyhow::{Context as _, bail};
use futures_util::future::{FutureExt as _, select_all};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{
    StopSignals,
    child::{Child, Part, Recipe, bound_log},
    data::Data,
    leftovers,
    ready::Pids,
};
use crate::output::note;

/// The first wait before a part that ended is started again; doubles each time.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// The longest wait.
const MAX_BACKOFF: Duration = Duration::from_secs(30);
/// A part that ran this long starts at [`FIRST_BACKOFF`] again.
const STABLE_AFTER: Duration = Duration::from_secs(60);
/// How often a part that starts is asked whether it answers.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// The parts that run.
pub(super) struct Fleet {
    slots: [Slot; 3],
    pids: PathBuf,
}

struct Slot {
    part: Part,
    log: PathBuf,
    recipe: Option<Recipe>,
    child: Option<Child>,
    failures: u32,
    due: Option<Instant>,
}

/// What happened to a part.
pub(super) enum Event {
    /// It ended.
    Ended(Part, ExitStatus),
    /// It is time to start it again.
    Due(Part),
}

impl Fleet {
    /// Nothing runs yet.
    pub(super) fn new(data: &Data) -> Self {
        let slots = Part::ALL.map(|part| Slot {
            part,
            log: data.log(part),
            recipe: None,
            child: None,
            failures: 0,
            due: None,
        });
        Self {
            slots,
            pids: data.pids(),
        }
    }

    /// Starts `part`.
    pub(super) fn start(&mut self, part: Part, recipe: Recipe) -> anyhow::Result<()> {
        self.slot(part).recipe = Some(recipe);
        self.restart(part)
    }

    /// Starts `part` otherwise the next time.
    pub(super) fn change_recipe(&mut self, part: Part, recipe: Recipe) {
        self.slot(part).recipe = Some(recipe);
    }

    /// Starts `part` as the last time.
    pub(super) fn restart(&mut self, part: Part) -> anyhow::Result<()> {
        let slot = self.slot(part);
        slot.due = None;
        let recipe = slot
            .recipe
            .as_ref()
            .context("a part is started before it is started again")?;
        slot.child = Some(Child::spawn(recipe, &slot.log)?);
        leftovers::record(
            &self.pids,
            self.slots
                .iter()
                .filter_map(|slot| Some(slot.child.as_ref()?.id)),
        )
    }

    /// Waits until `part` answers, has ended, or has taken too long.
    pub(super) async fn until_answers(
        &mut self,
        part: Part,
        limit: Duration,
        mut answers: impl AsyncFnMut() -> bool,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            let slot = self.slot(part);
            let child = slot
                .child
                .as_mut()
                .context("a part is started before it is waited for")?;
            if let Some(status) = child.ended()? {
                bail!(
                    "{}",
                    obituary(part, status, child.last_words().as_deref(), &slot.log)
                );
            }
            if answers().await {
                return Ok(());
            }
            if Instant::now() > deadline {
                let last = slot
                    .child
                    .as_ref()
                    .and_then(Child::last_words)
                    .unwrap_or_default();
                bail!(
                    "{} did not answer within {} s. Its last line in {} is: {last}",
                    part.name(),
                    limit.as_secs(),
                    slot.log.display()
                );
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits for what happens next.
    pub(super) async fn next_event(&mut self) -> Event {
        let events = self.slots.iter_mut().map(|slot| slot.next_event().boxed());
        let (event, _, _) = select_all(events).await;
        event
    }

    /// Plans the restart of a part that ended with `why`, and says so.
    pub(super) fn plan_restart(&mut self, part: Part, why: &dyn std::fmt::Display) {
        let slot = self.slot(part);
        let ran = slot
            .child
            .take()
            .map_or(Duration::ZERO, |child| child.since.elapsed());
        slot.failures = if ran >= STABLE_AFTER {
            0
        } else {
            slot.failures
        };
        let wait = FIRST_BACKOFF
            .saturating_mul(1 << slot.failures.min(16))
            .min(MAX_BACKOFF);
        slot.failures += 1;
        slot.due = Some(Instant::now() + wait);
        note(&format!(
            "{why} Starting it again in {:.1} s.",
            wait.as_secs_f32()
        ));
    }

    /// How `part` ended, in words.
    pub(super) fn obituary(&mut self, part: Part, status: ExitStatus) -> String {
        let slot = self.slot(part);
        let last = slot.child.as_ref().and_then(Child::last_words);
        obituary(part, status, last.as_deref(), &slot.log)
    }

    /// The ids of the parts; `None` while one does not run.
    pub(super) fn pids(&self) -> Option<Pids> {
        let [garage, server, agent] = &self.slots;
        let id = |slot: &Slot| Some(slot.child.as_ref()?.id);
        Some(Pids {
            garage: id(garage)?,
            server: id(server)?,
            agent: id(agent)?,
        })
    }

    /// Puts long logs aside.
    pub(super) fn bound_logs(&self) {
        for slot in &self.slots {
            if let Err(error) = bound_log(&slot.log) {
                note(&format!("A log cannot be put aside: {error:#}."));
            }
        }
    }

    /// Ends the parts, last started first. A second signal ends them at once.
    pub(super) async fn stop(&mut self, again: &mut StopSignals) {
        let mut at_once = false;
        for slot in self.slots.iter_mut().rev() {
            let Some(child) = slot.child.as_mut() else {
                continue;
            };
            if !at_once {
                child.terminate();
                tokio::select! {
                    ended = timeout(slot.part.stop_timeout(), child.wait()) => if ended.is_err() {
                        note(&format!("{} did not stop in time and is killed.", slot.part.name()));
                    },
                    () = again.next() => at_once = true,
                }
            }
            child.kill();
            let _ = child.wait().await;
            slot.child = None;
        }
        leftovers::forget(&self.pids);
    }

    fn slot(&mut self, part: Part) -> &mut Slot {
        let [garage, server, agent] = &mut self.slots;
        match part {
            Part::Garage => garage,
            Part::Server => server,
            Part::Agent => agent,
        }
    }
}

impl Slot {
    async fn next_event(&mut self) -> Event {
        if let Some(due) = self.due {
            sleep_until(due).await;
            return Event::Due(self.part);
        }
        match &mut self.child {
            Some(child) => match child.wait().await {
                Ok(status) => Event::Ended(self.part, status),
                // The system cannot tell us: as good as ended, and nothing else can be done.
                Err(_) => Event::Ended(self.part, ExitStatus::default()),
            },
            None => std::future::pending().await,
        }
    }
}

fn obituary(part: Part, status: ExitStatus, last: Option<&str>, log: &std::path::Path) -> String {
    // Who was killed had no time to say why.
    match last.filter(|_| status.code().is_some()) {
        Some(last) => format!(
            "{} ended ({status}): {last} (more in {}).",
            part.name(),
            log.display()
        ),
        None => format!("{} ended ({status}).", part.name()),
    }
}
