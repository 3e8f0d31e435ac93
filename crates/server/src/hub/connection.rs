//! One connection, from the TCP handshake to its end, and how frames travel on it.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use storm_protocol::{
    frame::{Closing, ClosingCode, ToAgent, ToHub},
    ident::AgentId,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, Utf8Bytes},
};

use super::{
    Hub,
    agent::Session,
    door::Entering,
    enrol,
    opening::{Counted, Opened, open},
    registry::Joined,
};
use crate::store::StoreError;

/// Seconds that a frame may take to leave.
const SEND_SECONDS: u64 = 10;

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum End {
    /// The other end is gone, or silent.
    Gone,
    /// The hub closes, and says why.
    Close(ClosingCode, String),
}

impl End {
    /// The hub closes for a reason that is the other end's fault.
    pub(super) fn protocol(message: impl Into<String>) -> Self {
        Self::Close(ClosingCode::Protocol, message.into())
    }
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a connection ends because the database did not answer");
        Self::Close(
            ClosingCode::Restarting,
            "The hub cannot store anything now. Come back later.".to_owned(),
        )
    }
}

/// The WebSocket of a connection. Boxed: it is large, and is passed on.
pub(super) struct Socket(Box<WebSocketStream<Counted>>);

/// Serves a connection to its end. It is `entering` until it has been welcomed.
///
/// What is large and soon over has its room for as long as it lasts: ten thousand of these wait at the same time.
pub(super) async fn serve(hub: &Hub, stream: TcpStream, from: SocketAddr, entering: Entering) {
    let Some((mut socket, mut session, joined)) =
        Box::pin(come_in(hub, stream, from, entering)).await
    else {
        return;
    };
    let end = session.run(&mut socket, joined).await;
    Box::pin(socket.end(hub, from, Some(session.agent.id), end)).await;
}

/// From the TCP handshake to the welcome, for which it holds its place at the door; `None`: it has ended on
/// the way.
async fn come_in<'a>(
    hub: &'a Hub,
    stream: TcpStream,
    from: SocketAddr,
    _entering: Entering,
) -> Option<(Socket, Box<Session<'a>>, Joined)> {
    // Commands are small and somebody waits for each.
    let _ = stream.set_nodelay(true);
    hub.door.turn().await;
    let opening = open(hub.identity.acceptor(), stream);
    let Opened {
        mut socket,
        peer,
        first,
    } = match hub.door.run(opening).await {
        Ok(opened) => opened,
        Err(error) => {
            tracing::debug!(%from, error = format!("{error:#}"), "no handshake");
            return None;
        }
    };
    let end = match (peer, first) {
        (_, Err(end)) => end,
        (None, Ok(ToHub::Enrol(enrol))) => enrol::answer(hub, &mut socket, enrol, from).await,
        (None, Ok(_)) => End::Close(
            ClosingCode::NotEnrolled,
            "This agent has no certificate. Enrol it with a token first.".to_owned(),
        ),
        (Some(peer), Ok(ToHub::Hello(hello))) => {
            match Session::enter(hub, &mut socket, peer, &hello, from).await {
                Ok((session, joined)) => return Some((socket, Box::new(session), joined)),
                Err(end) => end,
            }
        }
        (Some(_), Ok(_)) => End::protocol("The first frame of an enrolled agent is its hello."),
    };
    socket
        .end(hub, from, peer.map(|peer| peer.agent), end)
        .await;
    None
}

/// The next frame's text. Safe to drop while waiting.
pub(super) async fn next_text<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
) -> Result<Utf8Bytes, End> {
    loop {
        let message = match socket.next().await {
            None => return Err(End::Gone),
            Some(Err(tokio_tungstenite::tungstenite::Error::Capacity(_))) => {
                return Err(End::protocol("A frame is larger than 256 KiB."));
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "a connection broke");
                return Err(End::Gone);
            }
            Some(Ok(message)) => message,
        };
        match message {
            Message::Text(text) => return Ok(text),
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Close(_) => return Err(End::Gone),
            Message::Binary(_) | Message::Frame(_) => {
                return Err(End::protocol("Frames are text."));
            }
        }
    }
}

/// Reads a frame.
pub(super) fn parse(text: &Utf8Bytes) -> Result<ToHub, End> {
    ToHub::parse(text.as_bytes())
        .map_err(|code| End::protocol(format!("A frame cannot be read: {code}.")))
}

impl Socket {
    pub(super) fn of(socket: WebSocketStream<Counted>) -> Self {
        Self(Box::new(socket))
    }

    /// The next frame. Safe to drop while waiting.
    pub(super) async fn receive(&mut self) -> Result<ToHub, End> {
        parse(&next_text(&mut *self.0).await?)
    }

    /// Sends one frame.
    pub(super) async fn send(&mut self, frame: &ToAgent) -> Result<(), End> {
        let text = serde_json::to_string(frame).map_err(|error| {
            tracing::error!(%error, "a frame cannot be written");
            End::Gone
        })?;
        let sent = self.0.send(Message::text(text));
        match tokio::time::timeout(Duration::from_secs(SEND_SECONDS), sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    /// Says why, if the hub closes, and closes.
    async fn end(mut self, hub: &Hub, from: SocketAddr, agent: Option<AgentId>, end: End) {
        if let End::Close(code, message) = end {
            hub.app.figures.closed(code);
            let agent = agent.map(|agent| agent.to_string());
            tracing::info!(%from, agent, ?code, message, "closing");
            let _ = self
                .send(&ToAgent::Closing(Closing { code, message }))
                .await;
        }
        let closing = (*self.0).close(None);
        let _ = tokio::time::timeout(Duration::from_secs(SEND_SECONDS), closing).await;
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::net::TcpStream;

    use super::{Entering, Hub, serve};

    /// Bytes that a connection's task may take, without optimisation; 10,000 of them are there at the same time.
    const MAX_TASK_BYTES: usize = 11 * 1024;

    fn bytes_of<F>(_: impl FnOnce(&'static Hub, TcpStream, SocketAddr, Entering) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_connection_that_waits_is_small() {
        let bytes = bytes_of(serve);
        assert!(bytes <= MAX_TASK_BYTES, "{bytes} bytes");
    }
}
