//! One simulated agent: comes back as the real one does, beats, checks commands and answers them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use ed25519_dalek::SigningKey;
use rustls::ClientConfig;
use storm_protocol::{
    backoff::Backoff,
    command,
    envelope::{Envelope, PayloadType, VERSION},
    frame::{
        CommandRow, ExecutorState, HEARTBEAT_SECONDS, Heartbeat, Hello, InventoryFrame, KnownState,
        OperationState, PROTOCOL_VERSION, ToAgent, ToHub, Welcome,
    },
    ident::{AgentId, OperationId, RegionName},
    receipt::Head,
};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::{
    super::{now, random},
    Counts, Hub,
    connection::Wire,
    held,
    journal::{Journal, Taken},
};

/// Until a hub that does not answer `hello` counts as lost.
const WELCOME: Duration = Duration::from_secs(30);
/// For which a connection has to hold before the next failure counts as the first.
const STABLE: Duration = Duration::from_secs(10);
/// Seconds between looks at the clock.
const TICK_SECONDS: u64 = 10;
/// Ticks between heartbeats.
const HEARTBEAT_TICKS: u64 = HEARTBEAT_SECONDS / TICK_SECONDS;
/// Silence after which an executor's connection counts as broken, and another agent's.
const SILENCE: [Duration; 2] = [Duration::from_secs(35), Duration::from_secs(75)];

/// An agent that has enrolled.
pub(super) struct Member {
    pub(super) id: AgentId,
    pub(super) region: RegionName,
    pub(super) receipt_key: SigningKey,
    tls: Arc<ClientConfig>,
    pub(super) journal: Mutex<Journal>,
}

/// A connection that the hub has welcomed.
struct Session<'a> {
    member: &'a Member,
    hub: &'a Hub,
    wire: Wire,
    executor: bool,
}

impl Member {
    pub(super) fn new(
        id: AgentId,
        region: RegionName,
        receipt_key: SigningKey,
        tls: Arc<ClientConfig>,
    ) -> Self {
        Self {
            id,
            region,
            receipt_key,
            tls,
            journal: Mutex::default(),
        }
    }

    /// Keeps connected for ever.
    pub(super) async fn run(self: Arc<Self>, hub: Arc<Hub>) {
        let mut backoff = Backoff::default();
        loop {
            match Box::pin(self.connect(&hub)).await {
                Ok((wire, welcome)) => {
                    let since = Instant::now();
                    hub.welcomed();
                    let led = Box::pin(self.serve(&hub, wire, &welcome)).await;
                    hub.gone(&self.region, led);
                    if since.elapsed() >= STABLE {
                        backoff.reset();
                    }
                }
                Err(_) => Counts::add(&hub.counts.failed),
            }
            // Without randomness there would be no jitter, and nothing worth measuring.
            let Ok(bytes) = random() else { return };
            sleep(backoff.next(bytes)).await;
        }
    }

    async fn connect(&self, hub: &Hub) -> Result<(Wire, Welcome)> {
        let mut wire = Wire::dial(hub.address, Arc::clone(&self.tls)).await?;
        wire.send(&ToHub::Hello(Box::new(self.hello()?))).await?;
        let first = timeout(WELCOME, async {
            loop {
                if let Some(frame) = wire.next().await? {
                    return Ok::<_, anyhow::Error>(frame);
                }
            }
        });
        match first.await?? {
            ToAgent::Welcome(welcome) => Ok((wire, *welcome)),
            other => bail!("instead of a welcome: {other:?}"),
        }
    }

    fn hello(&self) -> Result<Hello> {
        let journal = held(&self.journal);
        let head = Head {
            version: VERSION,
            agent: self.id,
            sequence: journal.sequence(),
            digest: journal.head(),
            at: now(),
        };
        let row = |row: &command::Row| CommandRow {
            name: row.name.to_owned(),
            digest: row.digest(),
        };
        Ok(Hello {
            version: PROTOCOL_VERSION,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            clock: now(),
            commands: command::Command::TABLE.iter().map(row).collect(),
            disabled: vec![],
            head: Envelope::sign_json(PayloadType::Head, &head, &self.receipt_key)?,
            trust_serial: 1,
            epoch: journal.epoch,
            generation: journal.generation,
            garage_version: Some("v2.5.0".to_owned()),
        })
    }

    /// Serves until the connection ends; tells whether it was the executor's.
    async fn serve(&self, hub: &Hub, wire: Wire, welcome: &Welcome) -> bool {
        let mut session = Session {
            member: self,
            hub,
            wire,
            executor: false,
        };
        let ended = session.run(welcome).await;
        debug_assert!(ended.is_err(), "it runs until something fails");
        session.executor
    }
}

impl Session<'_> {
    async fn run(&mut self, welcome: &Welcome) -> Result<()> {
        held(&self.member.journal).kept(welcome.receipts_kept);
        self.lead(&welcome.executor);
        self.tell_inventory(welcome.generation).await?;
        self.send_receipts(welcome.receipts_kept + 1).await?;
        let mut ticks = interval(Duration::from_secs(TICK_SECONDS));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut tick, mut heard) = (0_u64, Instant::now());
        loop {
            tokio::select! {
                frame = self.wire.next() => {
                    heard = Instant::now();
                    if let Some(frame) = frame? {
                        self.take(frame).await?;
                    }
                }
                _ = ticks.tick() => {
                    let [executor, other] = SILENCE;
                    let limit = if self.executor { executor } else { other };
                    ensure!(heard.elapsed() <= limit, "the hub is silent");
                    self.tick(tick).await?;
                    tick += 1;
                }
            }
        }
    }

    async fn tick(&mut self, tick: u64) -> Result<()> {
        if tick.is_multiple_of(HEARTBEAT_TICKS) {
            let clock = now();
            self.wire.send(&ToHub::Heartbeat(Heartbeat { clock })).await
        } else if self.executor {
            self.wire.ping().await
        } else {
            Ok(())
        }
    }

    fn lead(&mut self, state: &ExecutorState) {
        held(&self.member.journal).lead(state.epoch);
        if self.executor != state.executor {
            self.executor = state.executor;
            self.hub.leads(&self.member.region, state.executor);
        }
    }

    /// An executor's first sweep, of a cluster without a bucket.
    async fn tell_inventory(&mut self, known: u64) -> Result<()> {
        if !self.executor || known > 0 {
            return Ok(());
        }
        let frame = InventoryFrame {
            generation: 1,
            whole: true,
            last: true,
            buckets: vec![],
            buckets_gone: vec![],
            keys: vec![],
            keys_gone: vec![],
        };
        self.wire.send(&ToHub::Inventory(frame)).await
    }

    async fn send_receipts(&mut self, from: u64) -> Result<()> {
        let receipts = held(&self.member.journal).receipts_from(from);
        for receipt in receipts {
            self.wire.send(&ToHub::Receipt(receipt)).await?;
        }
        Ok(())
    }

    async fn take(&mut self, frame: ToAgent) -> Result<()> {
        match frame {
            ToAgent::HeartbeatSeen(_) => Counts::add(&self.hub.counts.heartbeats),
            ToAgent::Command(envelope) => return self.run_command(&envelope).await,
            ToAgent::Query(ids) => return self.answer(&ids).await,
            ToAgent::ReceiptsKept(kept) => held(&self.member.journal).kept(kept.sequence),
            ToAgent::ReceiptsWanted(wanted) => return self.send_receipts(wanted.from).await,
            ToAgent::InventoryKept(kept) => held(&self.member.journal).generation = kept.generation,
            ToAgent::Executor(state) => self.lead(&state),
            ToAgent::Closing(closing) => bail!("the hub closes: {}", closing.message),
            ToAgent::Moved | ToAgent::Trust(_) | ToAgent::Renewed(_) | ToAgent::TrafficKept(_) => {}
            ToAgent::Welcome(_) | ToAgent::Enrolled(_) => bail!("the hub says it twice"),
        }
        Ok(())
    }

    async fn run_command(&mut self, envelope: &Envelope) -> Result<()> {
        let (member, keys) = (self.member, &self.hub.dispatch_keys);
        let taken = held(&member.journal).take(member, envelope, keys);
        match taken {
            Ok(Taken::Done(operation, receipt)) => {
                Counts::add(&self.hub.counts.commands);
                let state = running(operation);
                self.wire.send(&ToHub::Accepted(state)).await?;
                self.wire.send(&ToHub::Receipt(*receipt)).await
            }
            Ok(Taken::Known(receipt)) => self.wire.send(&ToHub::Receipt(*receipt)).await,
            Err(_) => {
                Counts::add(&self.hub.counts.refused);
                Ok(())
            }
        }
    }

    async fn answer(&mut self, ids: &[OperationId]) -> Result<()> {
        let states = {
            let journal = held(&self.member.journal);
            let state = |operation: &OperationId| OperationState {
                operation: *operation,
                state: if journal.knows(*operation) {
                    KnownState::Ended
                } else {
                    KnownState::Unknown
                },
            };
            ids.iter().map(state).collect()
        };
        self.wire.send(&ToHub::States(states)).await
    }
}

fn running(operation: OperationId) -> OperationState {
    OperationState {
        operation,
        state: KnownState::Running,
    }
}
