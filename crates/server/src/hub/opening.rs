//! A connection's opening: TLS, WebSocket and the first frame. It is over before the connection gets its
//! place among thousands that wait, and leaves nothing behind that only it needed.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use storm_protocol::frame::{MAX_FRAME_BYTES, ToHub};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async_with_config,
    tungstenite::{
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
        protocol::{Role, WebSocketConfig, frame::FrameHeader},
    },
};

use super::{
    connection::{End, Socket, next_text, parse},
    tls::Peer,
};

/// Bytes that are read at a time while a connection opens: an agent's introduction is some KiB long.
const OPENING_READ_BYTES: usize = 8 * 1024;
/// The same afterwards, and what is kept for it: a heartbeat fits, and what is larger makes more room. Ten
/// thousand connections hold one each.
const READ_BYTES: usize = 512;
/// The path of the agents' WebSocket.
const PATH: &str = "/agent";

/// A connection that has opened.
pub(super) struct Opened {
    pub(super) socket: Socket,
    /// Who is there, by their certificate; `None`: without one.
    pub(super) peer: Option<Peer>,
    /// What they said first.
    pub(super) first: Result<ToHub, End>,
}

/// Opens a connection.
///
/// Errors: the other end speaks neither TLS nor WebSocket as it has to.
pub(super) async fn open(acceptor: TlsAcceptor, stream: TcpStream) -> anyhow::Result<Opened> {
    let tls = acceptor.accept(stream).await?;
    let certificates = tls.get_ref().1.peer_certificates();
    let peer = certificates
        .and_then(|chain| chain.first())
        .map(Peer::of)
        .transpose()?;
    let opening = config(OPENING_READ_BYTES);
    let mut socket =
        accept_hdr_async_with_config(Counted::new(tls), only_our_path, Some(opening)).await?;
    // A client that sends more than its request before the answer is refused, so none of a frame is in it.
    let before = socket.get_ref().read;
    let text = next_text(&mut socket).await;
    let read = socket.get_ref().read.wrapping_sub(before);
    let alone = text
        .as_ref()
        .is_ok_and(|text| read == bytes_alone(text.len()));
    if alone {
        // The introduction's buffer, which nothing else is in, goes with this socket.
        let config = Some(config(READ_BYTES));
        socket = WebSocketStream::from_raw_socket(socket.into_inner(), Role::Server, config).await;
    }
    Ok(Opened {
        socket: Socket::of(socket),
        peer,
        first: text.and_then(|text| parse(&text)),
    })
}

/// What a client's frame with so much text takes by itself. No header is shorter, so whoever has read no more
/// has read nothing after it.
fn bytes_alone(text: usize) -> usize {
    let header = FrameHeader {
        mask: Some([0; 4]),
        ..FrameHeader::default()
    };
    header.len(text as u64) + text
}

fn config(read_bytes: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(read_bytes)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * MAX_FRAME_BYTES)
        .max_message_size(Some(MAX_FRAME_BYTES))
        .max_frame_size(Some(MAX_FRAME_BYTES))
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

/// TLS that counts what was read of it.
pub(super) struct Counted {
    tls: TlsStream<TcpStream>,
    read: usize,
}

impl Counted {
    const fn new(tls: TlsStream<TcpStream>) -> Self {
        Self { tls, read: 0 }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let done = Pin::new(&mut self.tls).poll_read(context, buffer);
        self.read = self.read.wrapping_add(buffer.filled().len() - before);
        done
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(context)
    }
}
