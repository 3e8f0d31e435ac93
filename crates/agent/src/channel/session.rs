//! One connection that the hub has welcomed: commands in, receipts out, heartbeats, trust, renewal.

use std::{collections::HashMap, time::Duration};

use serde::Deserialize;
use serde_json::value::RawValue;
use storm_protocol::{
    encoding::Base64,
    envelope::Envelope,
    frame::{
        Certificate, ExecutorState, HEARTBEAT_SECONDS, Heartbeat, KnownState, MAX_FRAME_BYTES,
        MAX_FRAME_ITEMS, OperationState, PROGRESS_SECONDS, ProgressFrame, ReceiptFrame, RenewFrame,
        ToAgent, ToHub, Trouble, TrustKept, Welcome,
    },
    ident::{Micros, OperationId},
};
use tokio::{
    sync::broadcast::error::RecvError,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{ChannelError, Incoming, Link, Transient};
use crate::{
    engine::{EngineEvent, Source, Submitted},
    fault,
    identity::TlsKey,
    inventory::{ChannelPorts, LinkState},
    run::Shell,
    tls::ClientCertificate,
};

/// Seconds between looks at the clock: heartbeat, silence, renewal.
const TICK_SECONDS: u64 = 10;
/// Ticks between heartbeats.
const HEARTBEAT_TICKS: u64 = HEARTBEAT_SECONDS / TICK_SECONDS;
/// Seconds of silence after which an executor's connection counts as broken. It pings at each tick,
/// so that its silence never comes from there being nothing to say.
const EXECUTOR_SILENCE_LIMIT_SECONDS: u64 = 35;
/// The same for other agents.
const SILENCE_LIMIT_SECONDS: u64 = 2 * HEARTBEAT_SECONDS + 15;
/// Receipts sent before the other side is listened to again.
const RECEIPTS_AT_ONCE: usize = 64;
/// Commands that are being checked and written down at the same time; while there are so many, no
/// more are read. Each takes a few seconds at most.
const MAX_SUBMITTING: usize = 64;
/// Seconds until a certificate that was asked for is asked for again.
const RENEW_AGAIN_SECONDS: u64 = 3600;

/// A running connection.
pub(super) struct Session<'a> {
    number: u64,
    shell: &'a Shell,
    key: &'a TlsKey,
    link: Link,
    /// The last receipt that this connection has carried, or that the hub had before.
    sent: u64,
    heard: Instant,
    heartbeat: Option<(Micros, Instant)>,
    renewal_asked: Option<Instant>,
    /// What the hub was told to be in the way of changes.
    trouble: Option<String>,
    executor: bool,
    /// How far the hub was told that jobs are.
    progress: HashMap<OperationId, ProgressFrame>,
    /// Commands on their way into the journal. What is dropped with the connection was not taken.
    submitting: JoinSet<Submitted>,
}

/// A frame whose body is still as it came: an envelope is judged by the bytes that were received.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFrame<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl<'a> Session<'a> {
    pub(super) fn new(number: u64, shell: &'a Shell, key: &'a TlsKey, link: Link) -> Self {
        Self {
            number,
            shell,
            key,
            link,
            sent: 0,
            heard: Instant::now(),
            heartbeat: None,
            renewal_asked: None,
            trouble: None,
            executor: false,
            progress: HashMap::new(),
            submitting: JoinSet::new(),
        }
    }

    /// Runs until the connection ends or `stop`.
    pub(super) async fn run(
        mut self,
        welcome: Welcome,
        ports: &mut ChannelPorts,
        stop: &CancellationToken,
    ) -> Result<(), ChannelError> {
        // Subscribed before anything is sent, so that no receipt falls between.
        let mut events = self.shell.engine.events();
        self.welcome(welcome, ports).await?;
        let mut traffic = self.shell.traffic.frames();
        let mut ticks = interval(Duration::from_secs(TICK_SECONDS));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tick = 0;
        let mut progress_ticks = interval(Duration::from_secs(PROGRESS_SECONDS));
        progress_ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut receipts_wait = true;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.link.close().await;
                    return Ok(());
                }
                // Before receipts: that a command was taken is told before what came of it.
                Some(submitted) = self.submitting.join_next() => {
                    receipts_wait = true;
                    if let Ok(submitted) = submitted {
                        self.submitted(submitted).await?;
                    }
                }
                incoming = self.link.receive(), if self.submitting.len() < MAX_SUBMITTING => {
                    self.heard = Instant::now();
                    self.shell.engine.heard_from_hub();
                    if let Incoming::Frame(bytes) = incoming? {
                        receipts_wait |= self.take(&bytes, ports).await?;
                    }
                    if self.executor && self.shell.engine.is_silent() {
                        return Err(Transient::Silent(EXECUTOR_SILENCE_LIMIT_SECONDS).into());
                    }
                }
                event = events.recv() => match event {
                    // Receipts are read from the journal in their order: none is lost when events are.
                    Ok(EngineEvent::Ended) | Err(RecvError::Lagged(_)) => receipts_wait = true,
                    Ok(EngineEvent::Accepted | EngineEvent::Touched(_)) => {}
                    Err(RecvError::Closed) => {
                        return Err(Transient::Local("the engine has stopped".to_owned()).into());
                    }
                },
                () = std::future::ready(()), if receipts_wait => {
                    receipts_wait = self.send_receipts().await?;
                }
                Some((session, frame)) = ports.frames.recv() => {
                    if session == self.number {
                        self.link.send(&frame).await?;
                    }
                }
                Ok(()) = traffic.changed() => {
                    let frame = traffic.borrow_and_update().clone();
                    if let Some(frame) = frame {
                        self.link.send(&ToHub::Traffic(frame)).await?;
                    }
                }
                _ = ticks.tick() => {
                    self.tick(tick).await?;
                    tick += 1;
                }
                _ = progress_ticks.tick(), if self.shell.engine.has_jobs() => {
                    self.tell_progress().await?;
                }
            }
        }
    }

    async fn welcome(
        &mut self,
        welcome: Welcome,
        ports: &mut ChannelPorts,
    ) -> Result<(), Transient> {
        self.sent = welcome.receipts_kept;
        self.shell.engine.welcomed();
        if welcome.receipts_kept > 0 {
            self.shell.engine.receipts_kept(welcome.receipts_kept);
        }
        self.shell.board.connected(welcome.receipts_kept);
        if let Some(trust) = &welcome.trust {
            self.take_trust(trust).await?;
        }
        self.executor(&welcome.executor);
        ports.link(Some(LinkState {
            session: self.number,
            generation: welcome.generation,
            executor: welcome.executor.executor,
        }));
        Ok(())
    }

    /// Takes a frame; tells whether receipts may be waiting now.
    async fn take(&mut self, bytes: &[u8], ports: &mut ChannelPorts) -> Result<bool, ChannelError> {
        if bytes.len() <= MAX_FRAME_BYTES
            && let Ok(raw) = serde_json::from_slice::<RawFrame<'_>>(bytes)
            && raw.kind == "command"
        {
            for _ in 0..fault::times() {
                self.submit(raw.body.get().as_bytes());
            }
            return Ok(false);
        }
        let frame = match ToAgent::parse(bytes) {
            Ok(frame) => frame,
            Err(refusal) => {
                // A newer hub may say what this agent does not know; that is no reason to part.
                tracing::warn!(
                    code = refusal.code(),
                    "a frame from the hub is not understood"
                );
                self.shell.board.frame_refused(refusal.code());
                return Ok(false);
            }
        };
        match frame {
            ToAgent::Command(envelope) => {
                let bytes = serde_json::to_vec(&envelope).unwrap_or_default();
                self.submit(&bytes);
            }
            ToAgent::HeartbeatSeen(seen) => self.heartbeat_seen(seen),
            ToAgent::Query(operations) => self.answer(&operations).await?,
            ToAgent::ReceiptsKept(kept) => {
                self.shell.engine.receipts_kept(kept.sequence);
                self.shell.board.receipts_kept(kept.sequence);
            }
            ToAgent::ReceiptsWanted(wanted) => {
                self.sent = wanted.from.saturating_sub(1);
                return Ok(true);
            }
            ToAgent::InventoryKept(kept) => ports.kept(self.number, kept.generation),
            ToAgent::Trust(envelope) => self.take_trust(&envelope).await?,
            ToAgent::Renewed(certificate) => self.renewed(&certificate),
            ToAgent::Executor(state) => {
                self.executor(&state);
                ports.executor(state.executor);
            }
            ToAgent::Moved => ports.moved(),
            ToAgent::TrafficKept(kept) => self.shell.traffic.kept(kept.sequence),
            ToAgent::Closing(closing) => {
                return Err(ChannelError::closing(closing.code, closing.message));
            }
            ToAgent::Enrolled(_) | ToAgent::Welcome(_) => {
                return Err(Transient::Unexpected("a frame for a running agent").into());
            }
        }
        Ok(false)
    }

    /// Gives a command to the engine, which puts it in line at once; the rest has time.
    fn submit(&mut self, envelope: &[u8]) {
        let submitting = self.shell.engine.submit(envelope, Source::Channel);
        self.submitting.spawn(submitting);
    }

    async fn submitted(&mut self, submitted: Submitted) -> Result<(), Transient> {
        match submitted {
            Submitted::Accepted(operation) | Submitted::Running(operation) => {
                let state = OperationState {
                    operation,
                    state: KnownState::Running,
                };
                self.link.send(&ToHub::Accepted(state)).await
            }
            // A new receipt goes its way with the others; an old one is asked for again.
            Submitted::Ended(receipt) if receipt.sequence <= self.sent => {
                self.link.send(&ToHub::Receipt(receipt)).await
            }
            Submitted::Ended(_) => Ok(()),
            // A forger learns nothing; the engine has counted it.
            Submitted::Dropped(_) => {
                self.shell.board.touch();
                self.tell_trouble().await
            }
        }
    }

    /// Sends the next receipts in their order; tells whether there may be more.
    async fn send_receipts(&mut self) -> Result<bool, Transient> {
        let from = self.sent + 1;
        let receipts: Vec<ReceiptFrame> = self
            .shell
            .engine
            .receipts_from(from, RECEIPTS_AT_ONCE)
            .map_err(|error| Transient::Local(error.to_string()))?;
        let more = receipts.len() == RECEIPTS_AT_ONCE;
        for receipt in receipts {
            let sequence = receipt.sequence;
            let frame = ToHub::Receipt(receipt);
            for _ in 0..fault::times() {
                self.link.send(&frame).await?;
            }
            self.sent = sequence;
        }
        Ok(more)
    }

    /// Tells how far jobs are of which something new can be said; a hub that was just connected to
    /// knows nothing of them.
    async fn tell_progress(&mut self) -> Result<(), Transient> {
        let progress = self.shell.engine.progress();
        self.progress
            .retain(|operation, _| progress.iter().any(|frame| frame.operation == *operation));
        for frame in progress {
            if self.progress.get(&frame.operation) != Some(&frame) {
                self.progress.insert(frame.operation, frame.clone());
                self.link.send(&ToHub::Progress(frame)).await?;
            }
        }
        Ok(())
    }

    async fn answer(&mut self, operations: &[OperationId]) -> Result<(), Transient> {
        let engine = &self.shell.engine;
        for part in operations.chunks(MAX_FRAME_ITEMS) {
            let state = |operation: &OperationId| OperationState {
                operation: *operation,
                state: engine.state_of(*operation),
            };
            let states = part.iter().map(state).collect();
            self.link.send(&ToHub::States(states)).await?;
        }
        Ok(())
    }

    async fn take_trust(&mut self, envelope: &Envelope) -> Result<(), Transient> {
        match self.shell.offer_trust(envelope) {
            Ok(_) => {
                let serial = self.shell.trust_serial();
                self.link
                    .send(&ToHub::TrustKept(TrustKept { serial }))
                    .await
            }
            Err(error) => {
                tracing::error!(%error, "a trust document from the hub is not taken");
                self.shell.board.frame_refused("trust_refused");
                Ok(())
            }
        }
    }

    fn executor(&mut self, state: &ExecutorState) {
        self.executor = state.executor;
        self.shell.engine.set_executor(state.executor, state.epoch);
        self.shell.board.executor(state.executor);
    }

    async fn tick(&mut self, tick: u64) -> Result<(), Transient> {
        let limit = if self.executor {
            EXECUTOR_SILENCE_LIMIT_SECONDS
        } else {
            SILENCE_LIMIT_SECONDS
        };
        if self.heard.elapsed() > Duration::from_secs(limit) {
            return Err(Transient::Silent(limit));
        }
        if tick.is_multiple_of(HEARTBEAT_TICKS) {
            let clock = self.shell.clock.now();
            self.heartbeat = Some((clock, Instant::now()));
            self.link
                .send(&ToHub::Heartbeat(Heartbeat { clock }))
                .await?;
        } else if self.executor {
            self.link.ping().await?;
        }
        self.tell_trouble().await?;
        self.renew().await
    }

    /// Whoever waits for a change has to hear why nothing is taken: no receipt can say it.
    async fn tell_trouble(&mut self) -> Result<(), Transient> {
        let message = self.shell.engine.trouble();
        if message == self.trouble {
            return Ok(());
        }
        self.trouble.clone_from(&message);
        self.link.send(&ToHub::Trouble(Trouble { message })).await
    }

    fn heartbeat_seen(&mut self, seen: Heartbeat) {
        if let Some((sent, at)) = self.heartbeat.take() {
            let now = self.shell.clock.now();
            self.shell.board.clock(sent, at.elapsed(), seen.clock, now);
        }
    }

    async fn renew(&mut self) -> Result<(), Transient> {
        let again = Duration::from_secs(RENEW_AGAIN_SECONDS);
        if self
            .renewal_asked
            .is_some_and(|asked| asked.elapsed() < again)
        {
            return Ok(());
        }
        let Ok(certificate) = ClientCertificate::load(&self.shell.state) else {
            return Ok(());
        };
        // Also when nothing is due: the file need not be read at each tick.
        self.renewal_asked = Some(Instant::now());
        if self.shell.clock.now() < certificate.renew_at() {
            return Ok(());
        }
        let request = self.key.certificate_request().map_err(super::local)?;
        let request = Base64(request);
        self.link.send(&ToHub::Renew(RenewFrame { request })).await
    }

    fn renewed(&self, sent: &Certificate) {
        let agent = self.shell.enrolment.agent;
        let taken = ClientCertificate::take(sent, self.key, agent).and_then(|certificate| {
            certificate.keep(&self.shell.state)?;
            Ok(certificate)
        });
        match taken {
            Ok(certificate) => {
                tracing::info!("a new certificate is kept for the next connection");
                self.shell.board.certificate(certificate.not_after());
            }
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "a new certificate is not taken"
                );
                self.shell.board.frame_refused("certificate_refused");
            }
        }
    }
}
