//! One connection, from the TCP handshake to the first frame: TLS, WebSocket, and who it is.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use storm_protocol::frame::{Closing, ClosingCode, MAX_FRAME_BYTES, ToAgent, ToHub};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async_with_config,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
        protocol::WebSocketConfig,
    },
};

use super::{Hub, agent, door::Entering, enrol, tls::Peer};
use crate::store::StoreError;

/// Seconds to the first frame.
const FIRST_FRAME_SECONDS: u64 = 10;
/// Seconds that a frame may take to leave.
const SEND_SECONDS: u64 = 10;
/// Bytes of a connection's read buffer; 10,000 connections hold one each.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// The path of the agents' WebSocket.
const PATH: &str = "/agent";

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
pub(super) struct Socket(Box<WebSocketStream<TlsStream<TcpStream>>>);

/// Serves a connection to its end. It is `entering` until it has been welcomed.
pub(super) async fn serve(hub: &Hub, stream: TcpStream, from: SocketAddr, entering: Entering) {
    // Commands are small and somebody waits for each.
    let _ = stream.set_nodelay(true);
    let opened = hub.door.run(handshake(hub.identity.acceptor(), stream));
    let (mut socket, peer) = match opened.await {
        Ok(opened) => opened,
        Err(error) => {
            tracing::debug!(%from, error = format!("{error:#}"), "no handshake");
            return;
        }
    };
    let end = match first_frame(&mut socket).await {
        Err(end) => end,
        Ok(first) => match (peer, first) {
            (None, ToHub::Enrol(enrol)) => {
                Box::pin(enrol::answer(hub, &mut socket, enrol, from)).await
            }
            (None, _) => End::Close(
                ClosingCode::NotEnrolled,
                "This agent has no certificate. Enrol it with a token first.".to_owned(),
            ),
            (Some(peer), ToHub::Hello(hello)) => {
                agent::serve(hub, &mut socket, peer, hello, from, entering).await
            }
            (Some(_), _) => End::protocol("The first frame of an enrolled agent is its hello."),
        },
    };
    if let End::Close(code, message) = end {
        hub.app.figures.closed(code);
        tracing::info!(%from, agent = peer.map(|peer| peer.agent.to_string()), ?code, message, "closing");
        let _ = socket
            .send(&ToAgent::Closing(Closing { code, message }))
            .await;
    }
    socket.close().await;
}

async fn handshake(
    acceptor: TlsAcceptor,
    stream: TcpStream,
) -> anyhow::Result<(Socket, Option<Peer>)> {
    let tls = acceptor.accept(stream).await?;
    let certificates = tls.get_ref().1.peer_certificates();
    let peer = certificates
        .and_then(|chain| chain.first())
        .map(Peer::of)
        .transpose()?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * MAX_FRAME_BYTES)
        .max_message_size(Some(MAX_FRAME_BYTES))
        .max_frame_size(Some(MAX_FRAME_BYTES));
    let socket = accept_hdr_async_with_config(tls, only_our_path, Some(config)).await?;
    Ok((Socket(Box::new(socket)), peer))
}

#[expect(clippy::result_large_err, reason = "the signature is tungstenite's")]
fn only_our_path(request: &Request, response: Response) -> Result<Response, ErrorResponse> {
    if request.uri().path() == PATH {
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(None);
    *refusal.status_mut() = StatusCode::NOT_FOUND;
    Err(refusal)
}

async fn first_frame(socket: &mut Socket) -> Result<ToHub, End> {
    let wait = Duration::from_secs(FIRST_FRAME_SECONDS);
    tokio::time::timeout(wait, socket.receive())
        .await
        .unwrap_or(Err(End::Gone))
}

impl Socket {
    /// The next frame. Safe to drop while waiting.
    pub(super) async fn receive(&mut self) -> Result<ToHub, End> {
        loop {
            let message = match self.0.next().await {
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
                Message::Text(text) => {
                    return ToHub::parse(text.as_bytes())
                        .map_err(|code| End::protocol(format!("A frame cannot be read: {code}.")));
                }
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(_) => return Err(End::Gone),
                Message::Binary(_) | Message::Frame(_) => {
                    return Err(End::protocol("Frames are text."));
                }
            }
        }
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

    async fn close(&mut self) {
        let _ =
            tokio::time::timeout(Duration::from_secs(SEND_SECONDS), (*self.0).close(None)).await;
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
