//! An enrolled agent's connection: its introduction, then frames both ways until it ends.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use storm_protocol::{
    command::{Command, MAX_ENVELOPE_BYTES},
    envelope::{Envelope, PayloadType, VERSION},
    frame::{
        ClosingCode, ExecutorState, Hello, MAX_FRAME_ITEMS, PROTOCOL_VERSION, ReceiptsWanted,
        ToAgent, Welcome,
    },
    ident::{Micros, OperationId},
    json,
    receipt::Head,
};
use tokio::{sync::Notify, time::Instant};

use super::{
    Hub,
    connection::{End, Socket},
    registry::{Joined, Order},
    tls::Peer,
};
use crate::{
    app::Change,
    status::Stage,
    store::{
        StoreError,
        admission::ChainEnd,
        agents::{Entered, Introduction, Registered},
        security::SecurityEvent,
    },
};

/// Seconds without a frame after which an agent counts as gone: three heartbeats and a little.
const SILENCE_SECONDS: u64 = 95;
/// Milliseconds after which it is written down that the agent has taken a command and works on it.
pub(super) const NOTE_ACCEPTED_MILLISECONDS: u64 = 250;
/// Commands that are sent in one go.
const COMMANDS_AT_ONCE: u32 = 32;
/// Seconds between questions about operations that should have been answered.
const ASK_AGAIN_SECONDS: u64 = 30;
/// Seconds after its signature from which an unanswered operation is asked about.
const UNANSWERED_SECONDS: i64 = 65;
/// Seconds after which a command that was taken is not sent any more: half of the time after which a hub
/// that sleeps is taken for dead.
pub(super) const SEND_WITHIN_SECONDS: u64 = 5;
/// Seconds between two hints to an executor at least.
const HINT_SECONDS: u64 = 5;

/// One enrolled agent on one connection.
pub(super) struct Session<'a> {
    pub(super) hub: &'a Hub,
    pub(super) agent: Registered,
    pub(super) from: SocketAddr,
    /// Asked about and not answered, with the attempt: not to be sent meanwhile.
    pub(super) asked: HashMap<OperationId, u32>,
    /// Sent and not heard of yet.
    pub(super) sent: HashMap<OperationId, Instant>,
    /// Whether it may have commands that it has not answered.
    owes: bool,
    /// The receipt from which on the agent was asked to send again.
    pub(super) wanted: Option<u64>,
    /// The generation that is coming in, and since when.
    pub(super) sweep: Option<(u64, Micros)>,
    /// Whether the agent was the executor at any time of this connection.
    pub(super) led: bool,
    /// An epoch that the agent has seen and the database has not, and after which receipt it should have.
    pub(super) later: Option<(u64, u64)>,
    /// When the certificate that the connection came with ends.
    until: Micros,
    /// Taken by the agent, which is not written down yet: most end before that is due.
    pub(super) accepted: Vec<OperationId>,
    /// When it is.
    pub(super) note_at: Instant,
}

/// Whether a certificate is newer than what this database knows: a restored one lacks the renewals since
/// its backup. One whose key was replaced ends before the one that replaced it.
fn is_newer(peer: Peer, agent: &Registered) -> bool {
    agent
        .certificate_expires_at
        .is_some_and(|known| peer.until > known)
}

impl<'a> Session<'a> {
    /// Decides whether the agent may come in.
    async fn admit(hub: &'a Hub, peer: Peer, hello: &Hello, from: SocketAddr) -> Result<Self, End> {
        let revoked = || closed(ClosingCode::Revoked);
        if hello.version != PROTOCOL_VERSION {
            return Err(End::protocol(format!(
                "This hub speaks version {PROTOCOL_VERSION} of the frames."
            )));
        }
        let lists = [hello.commands.len(), hello.disabled.len()];
        if lists.into_iter().any(|length| length > MAX_FRAME_ITEMS) {
            return Err(End::protocol("A list of the hello is too long."));
        }
        let agent = hub
            .app
            .store
            .registered_agent(peer.agent)
            .await?
            .ok_or_else(revoked)?;
        if agent.revoked {
            return Err(revoked());
        }
        let known = peer.tls_key == agent.tls_key || Some(peer.tls_key) == agent.renewed_tls_key;
        if !known && !is_newer(peer, &agent) {
            let event = SecurityEvent {
                kind: "agent_refused",
                subject: &agent.id.to_string(),
                origin: Some(&from.ip().to_string()),
                detail: "a certificate with a key that was replaced",
            };
            hub.app
                .store
                .note_security_event(event, hub.app.clock.now())
                .await?;
            return Err(revoked());
        }
        let end = open_head(&hello.head, &agent).map(|head| ChainEnd {
            sequence: head.sequence,
            head: head.digest,
        });
        if let Some(reason) = &agent.quarantined {
            // What an operator accepts is what the agent said last.
            if let Some(end) = end.filter(|end| agent.refused != Some(*end)) {
                hub.app.store.turned_away(agent.id, end).await?;
            }
            return Err(quarantined(reason));
        }
        let session = Self {
            hub,
            agent,
            from,
            asked: HashMap::new(),
            sent: HashMap::new(),
            owes: false,
            wanted: None,
            sweep: None,
            later: None,
            led: false,
            until: peer.until,
            accepted: vec![],
            note_at: Instant::now(),
        };
        match session.check_end(end) {
            Ok(()) => Ok(session),
            Err(reason) => Err(session.quarantine(&reason, end).await),
        }
    }

    /// The end of the agent's chain may be ahead of ours, never behind or another.
    fn check_end(&self, end: Option<ChainEnd>) -> Result<(), String> {
        let Some(end) = end else {
            return Err("the end of its chain is not signed by its receipt key".to_owned());
        };
        let ours = self.agent.receipts;
        if end.sequence < ours {
            let theirs = end.sequence;
            return Err(format!(
                "its chain ends at receipt {theirs}, the hub has {ours}"
            ));
        }
        if end.sequence == ours && end.head != self.agent.head {
            return Err(format!(
                "its receipt {ours} is another than the one the hub has"
            ));
        }
        Ok(())
    }

    /// Keeps the agent out until an operator decides. `end`: where its chain ends, if that is known.
    pub(super) async fn quarantine(&self, reason: &str, end: Option<ChainEnd>) -> End {
        let (app, id) = (&self.hub.app, self.agent.id);
        tracing::error!(agent = %id, reason, "quarantined");
        let origin = self.from.ip().to_string();
        if let Err(error) = app
            .store
            .quarantine_agent(id, reason, end, &origin, app.clock.now())
            .await
        {
            return error.into();
        }
        app.bus.tell(Change::Agent(id));
        quarantined(reason)
    }

    /// Lets the agent in and welcomes it.
    pub(super) async fn enter(
        hub: &'a Hub,
        socket: &mut Socket,
        peer: Peer,
        hello: &Hello,
        from: SocketAddr,
    ) -> Result<(Self, Joined), End> {
        let mut session = Self::admit(hub, peer, hello, from).await?;
        let (joined, entered) = session.join(peer, hello).await?;
        let id = session.agent.id;
        tracing::info!(agent = %id, region = %session.agent.region, version = hello.agent_version, "agent connected");
        hub.app.bus.tell(Change::Agent(id));
        if session.agent.executor {
            hub.app.bus.signer.notify_one();
        }
        if entered.commands {
            joined.line.commands.notify_one();
        }
        if let Err(end) = session.introduce(socket, hello).await {
            session.leave(joined.number).await;
            return Err(end);
        }
        Ok((session, joined))
    }

    /// Serves the agent to the connection's end.
    pub(super) async fn run(&mut self, socket: &mut Socket, joined: Joined) -> End {
        let number = joined.number;
        let end = self.exchange(socket, joined).await;
        Box::pin(self.leave(number)).await;
        tracing::info!(agent = %self.agent.id, "agent disconnected");
        end
    }

    async fn join(&mut self, peer: Peer, hello: &Hello) -> Result<(Joined, Entered), End> {
        let (app, id) = (&self.hub.app, self.agent.id);
        let now = app.clock.now();
        let said = Introduction {
            version: hello.agent_version.clone(),
            garage_version: hello.garage_version.clone(),
            not_offered: not_offered(hello),
            trust_serial: hello.trust_serial,
            clock_offset_micros: hello.clock.0.saturating_sub(now.0),
            tls_key: peer.tls_key,
        };
        let _passing = self.hub.registry.passing.lock().await;
        let joined = self.hub.registry.join(id);
        let entered = async {
            let entered = app
                .store
                .agent_connected(id, &self.hub.id, &said, now)
                .await?;
            if entered.unanswered {
                // What was sent before is asked about: the agent may have it.
                let most = MAX_FRAME_ITEMS as u32;
                let open = app.store.unanswered_operations(id, Micros(i64::MAX), most);
                self.asked.extend(open.await?);
            }
            Ok(entered)
        };
        match entered.await {
            Ok(entered) => {
                // What changed since it was let in; of what changes from here on the connection hears.
                self.set_role(entered.executor, entered.epoch);
                self.owes = entered.unanswered;
                if entered.elsewhere {
                    // The hub where it was lets go of its socket.
                    app.bus.hub.notify_one();
                }
                Ok((joined, entered))
            }
            Err(error) => {
                self.hub.registry.leave(id, joined.number);
                Err(StoreError::into(error))
            }
        }
    }

    async fn leave(&self, number: u64) {
        let _passing = self.hub.registry.passing.lock().await;
        if !self.hub.registry.leave(self.agent.id, number) {
            return;
        }
        let (app, id) = (&self.hub.app, self.agent.id);
        match app.store.agent_disconnected(id, &self.hub.id).await {
            Ok(true) => app.bus.tell(Change::Agent(id)),
            // It is at another hub, or this one was taken for dead.
            Ok(false) | Err(StoreError::Superseded(_)) => {}
            Err(error) => {
                tracing::error!(agent = %id, %error, "the agent's leave could not be stored");
            }
        }
    }

    async fn introduce(&mut self, socket: &mut Socket, hello: &Hello) -> Result<(), End> {
        let app = &self.hub.app;
        let ahead = open_head(&hello.head, &self.agent)
            .is_some_and(|head| head.sequence > self.agent.receipts);
        if hello.epoch > self.agent.epoch {
            // A role that was given up raises it too, and the receipt of that is still to come.
            let head = open_head(&hello.head, &self.agent).filter(|_| ahead);
            self.later = Some((head.map_or(0, |head| head.sequence), hello.epoch));
            self.pass_epoch(self.agent.receipts).await?;
        }
        let trust = app.trust.borrow().clone();
        let newer = trust.document.serial > hello.trust_serial;
        let welcome = Welcome {
            hub_version: env!("CARGO_PKG_VERSION").to_owned(),
            clock: app.clock.now(),
            executor: ExecutorState {
                executor: self.agent.executor,
                epoch: self.agent.epoch,
            },
            trust: newer.then(|| trust.envelope.clone()),
            receipts_kept: self.agent.receipts,
            generation: self.agent.generation,
        };
        socket.send(&ToAgent::Welcome(Box::new(welcome))).await?;
        if ahead {
            self.want(socket, self.agent.receipts + 1).await?;
        }
        if !self.asked.is_empty() {
            let ids = self.asked.keys().copied().collect();
            socket.send(&ToAgent::Query(ids)).await?;
        }
        Ok(())
    }

    /// Asks for receipts from `from` on, once.
    pub(super) async fn want(&mut self, socket: &mut Socket, from: u64) -> Result<(), End> {
        if self.wanted == Some(from) {
            return Ok(());
        }
        self.wanted = Some(from);
        socket
            .send(&ToAgent::ReceiptsWanted(ReceiptsWanted { from }))
            .await
    }

    /// Waits for whatever comes. Ten thousand of these wait at the same time, so what is done then has its
    /// room for as long as it lasts alone.
    async fn exchange(&mut self, socket: &mut Socket, joined: Joined) -> End {
        let line = joined.line;
        if self.hub.registry.was_hinted(&self.agent.region) {
            line.hints.notify_one();
        }
        let mut hint_at = Instant::now();
        let silence = Duration::from_secs(SILENCE_SECONDS);
        let mut heard = Instant::now();
        let mut ask_again = tokio::time::interval(Duration::from_secs(ASK_AGAIN_SECONDS));
        ask_again.reset();
        loop {
            if self.hub.app.clock.now() >= self.until {
                let words =
                    "The certificate of this connection has ended. Come back with the next one.";
                return End::Close(ClosingCode::Restarting, words.to_owned());
            }
            let done = tokio::select! {
                frame = socket.receive() => match frame {
                    Ok(frame) => {
                        heard = Instant::now();
                        Box::pin(self.take(socket, frame)).await
                    }
                    Err(end) => Err(end),
                },
                order = line.order() => match order {
                    Some(order) => Box::pin(self.obey(socket, order)).await,
                    None => Err(closed(ClosingCode::Replaced)),
                },
                () = line.commands.notified() => Box::pin(self.hand_out(socket, &line.commands)).await,
                () = hinted(&line.hints, hint_at), if self.agent.executor => {
                    hint_at = Instant::now() + Duration::from_secs(HINT_SECONDS);
                    Box::pin(socket.send(&ToAgent::Moved)).await
                }
                () = tokio::time::sleep_until(self.note_at), if !self.accepted.is_empty() => {
                    Box::pin(self.note_accepted()).await
                }
                _ = ask_again.tick() => Box::pin(self.ask_about_unanswered(socket)).await,
                () = tokio::time::sleep_until(heard + silence) => {
                    tracing::warn!(agent = %self.agent.id, "nothing heard for {SILENCE_SECONDS} s");
                    Err(End::Gone)
                }
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// Asks about what should have been answered by now.
    async fn ask_about_unanswered(&mut self, socket: &mut Socket) -> Result<(), End> {
        if !self.owes {
            return Ok(());
        }
        let app = &self.hub.app;
        let before = app.clock.now().plus_seconds(-UNANSWERED_SECONDS);
        let open = app
            .store
            .unanswered_operations(self.agent.id, before, MAX_FRAME_ITEMS as u32)
            .await?;
        if open.is_empty() {
            let most_recent = app
                .store
                .unanswered_operations(self.agent.id, Micros(i64::MAX), 1);
            self.owes = !most_recent.await?.is_empty();
            return Ok(());
        }
        let ids = open.iter().map(|(id, _)| *id).collect();
        self.asked.extend(open);
        socket.send(&ToAgent::Query(ids)).await
    }

    /// Sends what is signed for the agent.
    async fn hand_out(&mut self, socket: &mut Socket, commands: &Notify) -> Result<(), End> {
        self.owes = true;
        let app = &self.hub.app;
        let send_until = Instant::now() + Duration::from_secs(SEND_WITHIN_SECONDS);
        let claimed = app
            .store
            .claim_commands(
                self.agent.id,
                &self.hub.id,
                app.clock.now(),
                COMMANDS_AT_ONCE,
            )
            .await?;
        if claimed.len() == COMMANDS_AT_ONCE as usize {
            // The agent's own frames get their turn in between.
            commands.notify_one();
        }
        for command in claimed {
            if !self.hub.alone && Instant::now() > send_until {
                // Whoever slept does not know what others did meanwhile: the next hub asks the agent.
                return Err(closed(ClosingCode::Restarting));
            }
            socket.send(&ToAgent::Command(command.envelope)).await?;
            tracing::debug!(operation = %command.id, agent = %self.agent.id, "sent");
            app.figures
                .step(Stage::Sent, command.signed_at, app.clock.now());
            if self.sent.len() < MAX_FRAME_ITEMS {
                self.sent.insert(command.id, Instant::now());
            }
            app.bus.tell(Change::Operation(command.account, command.id));
        }
        Ok(())
    }

    fn set_role(&mut self, executor: bool, epoch: u64) {
        (self.agent.executor, self.agent.epoch) = (executor, epoch);
        self.led |= executor;
    }

    async fn obey(&mut self, socket: &mut Socket, order: Order) -> Result<(), End> {
        match order {
            // Known already, or overtaken by what was read later.
            Order::Executor(state)
                if state.epoch < self.agent.epoch
                    || (state.executor, state.epoch) == (self.agent.executor, self.agent.epoch) =>
            {
                Ok(())
            }
            Order::Executor(state) => {
                self.set_role(state.executor, state.epoch);
                socket.send(&ToAgent::Executor(state)).await
            }
            Order::Frame(frame) => socket.send(&frame).await,
            Order::Close(code) => Err(closed(code)),
        }
    }
}

/// Waits for a hint, from `at` on. One that comes before is not lost, nor if this is not waited for.
async fn hinted(hints: &Notify, at: Instant) {
    tokio::time::sleep_until(at).await;
    hints.notified().await;
}

fn open_head(envelope: &Envelope, agent: &Registered) -> Option<Head> {
    let verified = envelope
        .verify(PayloadType::Head, &[agent.receipt_key])
        .ok()?;
    let head: Head = json::from_slice(verified.payload, MAX_ENVELOPE_BYTES).ok()?;
    (head.version == VERSION && head.agent == agent.id).then_some(head)
}

/// Commands that the agent switched off or has another row for.
fn not_offered(hello: &Hello) -> Vec<String> {
    let offered = |name: &str, digest| {
        hello
            .commands
            .iter()
            .any(|row| row.name == name && row.digest == digest)
            && !hello.disabled.iter().any(|disabled| disabled == name)
    };
    let rows = Command::TABLE
        .iter()
        .filter(|row| !offered(row.name, row.digest()));
    rows.map(|row| row.name.to_owned()).collect()
}

fn quarantined(reason: &str) -> End {
    let message = format!("The agent is kept out until an operator decides: {reason}.");
    End::Close(ClosingCode::Quarantined, message)
}

fn closed(code: ClosingCode) -> End {
    let words = match code {
        ClosingCode::Replaced => "The agent connected again.",
        ClosingCode::Revoked => "The agent was removed. Enrol it again.",
        ClosingCode::Quarantined => "The agent is kept out until an operator decides.",
        ClosingCode::Restarting
        | ClosingCode::NotEnrolled
        | ClosingCode::TokenInvalid
        | ClosingCode::TokenSpent
        | ClosingCode::Protocol
        | ClosingCode::Busy => "The hub restarts. Come back.",
    };
    End::Close(code, words.to_owned())
}
