//! What an agent's frames do: each kind in a method of its own. Receipts stand in `receipts.rs`.

use std::time::Duration;

use storm_protocol::{
    api::{Operation, OperationStatus, Progress},
    command::Row,
    frame::{
        Heartbeat, InventoryFrame, InventoryKept, KnownState, MAX_FRAME_ITEMS, MAX_TROUBLE_CHARS,
        OperationState, ProgressFrame, RenewFrame, ToAgent, ToHub, TrafficFrame, TrafficKept,
        Trouble, TrustKept,
    },
    ident::{AgentId, OperationId},
};
use tokio::time::Instant;

use super::{
    agent::{NOTE_ACCEPTED_MILLISECONDS, Session},
    certificates::ask,
    connection::{End, Socket},
};
use crate::{
    app::Change,
    progress::Word,
    status::Stage,
    store::{
        agents::Seen,
        certificates::{Answer, Asked},
        inventory::Sweep,
    },
};

impl Session<'_> {
    /// Takes one frame in.
    pub(super) async fn take(&mut self, socket: &mut Socket, frame: ToHub) -> Result<(), End> {
        match frame {
            ToHub::Heartbeat(theirs) => self.take_heartbeat(socket, &theirs).await,
            ToHub::Accepted(state) => self.take_accepted(state.operation).await,
            ToHub::Receipt(frame) => self.take_receipt(socket, &frame).await,
            ToHub::States(states) => {
                for state in states.iter().take(MAX_FRAME_ITEMS) {
                    self.take_state(state).await?;
                }
                Ok(())
            }
            ToHub::Inventory(frame) => self.take_inventory(socket, &frame).await,
            ToHub::Renew(RenewFrame { request }) => {
                let asked = Asked::Renew {
                    agent: self.agent.id,
                    request,
                };
                self.renew(socket, &asked).await
            }
            ToHub::TrustKept(TrustKept { serial }) => {
                self.hub
                    .app
                    .store
                    .agent_keeps_trust(self.agent.id, serial)
                    .await?;
                Ok(())
            }
            ToHub::Trouble(trouble) => self.take_trouble(&trouble).await,
            ToHub::Progress(frame) => self.take_progress(&frame).await,
            ToHub::Moved => self.take_hint().await,
            ToHub::Traffic(frame) => self.take_traffic(socket, &frame).await,
            ToHub::Enrol(_) | ToHub::Hello(_) => {
                Err(End::protocol("The agent is connected already."))
            }
        }
    }

    async fn take_heartbeat(&self, socket: &mut Socket, theirs: &Heartbeat) -> Result<(), End> {
        let now = self.hub.app.clock.now();
        let clock_offset_micros = theirs.clock.0.saturating_sub(now.0);
        self.hub.registry.saw(
            self.agent.id,
            Seen {
                at: now,
                clock_offset_micros,
            },
        );
        socket
            .send(&ToAgent::HeartbeatSeen(Heartbeat { clock: now }))
            .await
    }

    async fn take_trouble(&self, trouble: &Trouble) -> Result<(), End> {
        let (app, agent) = (&self.hub.app, self.agent.id);
        let words = trouble.message.as_ref();
        let words = words.map(|words| words.chars().take(MAX_TROUBLE_CHARS).collect::<String>());
        match &words {
            Some(words) => tracing::warn!(%agent, trouble = words, "the agent takes no change"),
            None => tracing::info!(%agent, "the agent takes changes again"),
        }
        app.store.agent_in_trouble(agent, words.as_deref()).await?;
        app.bus.tell(Change::Agent(agent));
        Ok(())
    }

    /// How far a job is: kept only of jobs that this agent has and that have not ended.
    async fn take_progress(&self, frame: &ProgressFrame) -> Result<(), End> {
        let (app, agent, id) = (&self.hub.app, self.agent.id, frame.operation);
        let progress = Progress {
            objects: frame.objects,
            bytes: frame.bytes,
            total_objects: frame.total_objects,
            total_bytes: frame.total_bytes,
            at: app.clock.now(),
        };
        let account = match app.bus.progress.hear(agent, id, &progress) {
            Word::Quiet => return Ok(()),
            Word::Tell(account) => account,
            Word::Unknown => {
                let operation = app.store.operation(id).await?;
                let Some(operation) = operation.filter(|operation| is_job_of(operation, agent))
                else {
                    return Ok(());
                };
                let account = operation.actor.account;
                app.bus.progress.admit(agent, account, id, progress);
                account
            }
        };
        app.bus.tell(Change::Operation(account, id));
        Ok(())
    }

    /// Most commands end before this is worth a commit of its own.
    async fn take_accepted(&mut self, operation: OperationId) -> Result<(), End> {
        self.note_taken(operation);
        if self.accepted.is_empty() {
            self.note_at = Instant::now() + Duration::from_millis(NOTE_ACCEPTED_MILLISECONDS);
        }
        self.accepted.push(operation);
        if self.accepted.len() < MAX_FRAME_ITEMS {
            return Ok(());
        }
        self.note_accepted().await
    }

    /// The agent has it: how long did that take?
    pub(super) fn note_taken(&mut self, operation: OperationId) {
        if let Some(sent) = self.sent.remove(&operation) {
            let figures = &self.hub.app.figures;
            figures.step_took(Stage::Accepted, sent.elapsed());
        }
    }

    /// Writes down what the agent has taken and not ended yet.
    pub(super) async fn note_accepted(&mut self) -> Result<(), End> {
        let app = &self.hub.app;
        let ids = std::mem::take(&mut self.accepted);
        for change in app.store.operations_accepted(&ids, self.agent.id).await? {
            app.bus.tell(change);
        }
        Ok(())
    }

    async fn take_state(&mut self, state: &OperationState) -> Result<(), End> {
        let (app, agent) = (&self.hub.app, self.agent.id);
        let asked = self.asked.remove(&state.operation);
        match (state.state, asked) {
            (KnownState::Running, _) => self.take_accepted(state.operation).await?,
            (KnownState::Unknown, Some(attempt)) => {
                let moved = app
                    .store
                    .operation_unknown(state.operation, agent, attempt)
                    .await?;
                if let Some(change) = moved {
                    tracing::debug!(operation = %state.operation, %agent, "the agent does not know it");
                    app.bus.tell(change);
                    app.bus.signer.notify_one();
                }
            }
            // Its receipt follows, or is asked for as the head shows.
            (KnownState::Ended, _) | (KnownState::Unknown, None) => {}
        }
        Ok(())
    }

    /// Passes the hint on to the region's executor. One from the executor itself, whose role has just
    /// come, is of no use.
    async fn take_hint(&self) -> Result<(), End> {
        let (hub, region) = (self.hub, &self.agent.region);
        let executor = hub.app.store.executor_of(region).await?;
        if !hub.registry.hint(region, executor) && !hub.alone {
            hub.app.store.hint_region(region).await?;
            hub.app.bus.hub.notify_one();
        }
        Ok(())
    }

    /// Any agent may stand beside a proxy, not the executor alone.
    async fn take_traffic(&self, socket: &mut Socket, frame: &TrafficFrame) -> Result<(), End> {
        if frame.sums.len() > MAX_FRAME_ITEMS {
            return Err(End::protocol("A list of requests is too long."));
        }
        let (app, agent) = (&self.hub.app, &self.agent);
        let now = app.clock.now();
        let kept = app.store.keep_traffic(agent.id, &agent.region, frame, now);
        let sequence = kept.await?;
        socket
            .send(&ToAgent::TrafficKept(TrafficKept { sequence }))
            .await
    }

    async fn take_inventory(
        &mut self,
        socket: &mut Socket,
        frame: &InventoryFrame,
    ) -> Result<(), End> {
        if !self.agent.executor {
            if self.led {
                // On its way while the role moved; the next executor tells all of it.
                return Ok(());
            }
            return Err(End::protocol(
                "Only the region's executor tells of the cluster.",
            ));
        }
        let lists = [
            frame.buckets.len(),
            frame.buckets_gone.len(),
            frame.keys.len(),
            frame.keys_gone.len(),
        ];
        if lists.into_iter().any(|length| length > MAX_FRAME_ITEMS) {
            return Err(End::protocol("A list of the inventory is too long."));
        }
        let app = &self.hub.app;
        let now = app.clock.now();
        let began_at = match self.sweep {
            Some((generation, began_at)) if generation == frame.generation => began_at,
            _ => now,
        };
        self.sweep = (!frame.last).then_some((frame.generation, began_at));
        let sweep = Sweep {
            agent: self.agent.id,
            region: &self.agent.region,
            began_at,
        };
        for change in app.store.keep_inventory(&sweep, frame, now).await? {
            app.bus.tell(change);
        }
        let changes: usize = lists.into_iter().sum();
        app.figures.sweep_part(changes);
        if !frame.last {
            return Ok(());
        }
        app.figures.sweep(began_at, app.clock.now());
        app.bus.reconcile.notify_one();
        let kept = InventoryKept {
            generation: frame.generation,
        };
        socket.send(&ToAgent::InventoryKept(kept)).await
    }

    async fn renew(&self, socket: &mut Socket, asked: &Asked) -> Result<(), End> {
        match ask(&self.hub.app, asked).await {
            Ok(Answer::Certificate(certificate)) => {
                socket.send(&ToAgent::Renewed(certificate)).await
            }
            Ok(Answer::Refused { code, message }) => Err(End::Close(code, message)),
            Ok(Answer::Enrolled { .. }) => {
                Err(End::protocol("The signer answered something else."))
            }
            Err(error) => {
                // The agent asks again; its present certificate is good for weeks.
                tracing::error!(agent = %self.agent.id, error = format!("{error:#}"), "not renewed");
                Ok(())
            }
        }
    }
}

/// Whether it is a job that this agent has taken and that has not ended.
fn is_job_of(operation: &Operation, agent: AgentId) -> bool {
    let open = matches!(
        operation.state,
        OperationStatus::Sent | OperationStatus::Accepted
    );
    open && operation.agent == Some(agent)
        && Row::find(&operation.command).is_some_and(|row| row.job)
}
