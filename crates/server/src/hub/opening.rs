//! A connection's opening: TLS, WebSocket and the first frame. It is over before the connection gets its
//! place among thousands that wait, and leaves nothing behind that only it needed.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use storm_protocol::frame::{MAX_FRAME_BYTES, ToHub};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async_with_config,
    tungstenite::{
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
        protocol::{WebSocketConfig, frame::FrameHeader},
    },
};
use tokio_util::io::InspectReader;

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
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let counted = InspectReader::new(tls, move |bytes: &[u8]| {
        counter.fetch_add(bytes.len(), Ordering::Relaxed);
    });
    let opening = config(OPENING_READ_BYTES);
    let mut socket = accept_hdr_async_with_config(counted, only_our_path, Some(opening)).await?;
    // A client that sends more than its request before the answer is refused, so none of a frame is in it.
    read.store(0, Ordering::Relaxed);
    let first = first_frame(&mut socket, &read).await;
    // The introduction's buffer goes with this socket.
    let tls = socket.into_inner().into_inner();
    Ok(Opened {
        socket: Socket::over(tls, config(READ_BYTES)).await,
        peer,
        first,
    })
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

/// The first frame, which has to be all that was `read`: the rest would be lost with the buffer.
async fn first_frame<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    read: &AtomicUsize,
) -> Result<ToHub, End> {
    let text = next_text(socket).await?;
    let header = FrameHeader {
        mask: Some([0; 4]),
        ..FrameHeader::default()
    };
    // A header is never shorter than this, so an equal count leaves nothing over.
    let alone = header.len(text.len() as u64) + text.len();
    if read.load(Ordering::Relaxed) != alone {
        return Err(End::protocol(
            "The first frame comes alone and in one piece, and nothing after it before its answer.",
        ));
    }
    parse(&text)
}
