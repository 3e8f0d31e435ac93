//! One simulated agent's WebSocket, dialled within the real agent's times.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use storm_protocol::frame::{HUB_SERVER_NAME, MAX_FRAME_BYTES, ToAgent, ToHub};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Bytes, Message, protocol::WebSocketConfig},
};

/// Until a step of dialling counts as failed: TCP, TLS, WebSocket.
const DIAL_STEP: Duration = Duration::from_secs(10);
/// Small: ten thousand of them are in one process.
const READ_BUFFER_BYTES: usize = 2 * 1024;

/// An open connection.
pub(super) struct Wire(WebSocketStream<TlsStream<TcpStream>>);

impl Wire {
    /// Connects to the hub.
    pub(super) async fn dial(
        address: std::net::SocketAddr,
        tls: Arc<ClientConfig>,
    ) -> Result<Self> {
        let stream = timeout(DIAL_STEP, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(HUB_SERVER_NAME)?;
        let connecting = TlsConnector::from(tls).connect(name, stream);
        let stream = timeout(DIAL_STEP, connecting).await??;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(2 * MAX_FRAME_BYTES)
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES));
        let request = format!("wss://{HUB_SERVER_NAME}/agent");
        let opening = client_async_with_config(request, stream, Some(config));
        let (socket, _) = timeout(DIAL_STEP, opening).await??;
        Ok(Self(socket))
    }

    /// Sends a frame.
    pub(super) async fn send(&mut self, frame: &ToHub) -> Result<()> {
        let text = serde_json::to_string(frame)?;
        Ok(self.0.send(Message::text(text)).await?)
    }

    /// Sends a ping.
    pub(super) async fn ping(&mut self) -> Result<()> {
        Ok(self.0.send(Message::Ping(Bytes::new())).await?)
    }

    /// The next frame; none for a ping or pong. May be dropped while it waits.
    pub(super) async fn next(&mut self) -> Result<Option<ToAgent>> {
        match self.0.next().await.context("the hub went away")?? {
            Message::Text(text) => Ok(Some(ToAgent::parse(text.as_bytes())?)),
            Message::Ping(_) | Message::Pong(_) => Ok(None),
            Message::Binary(_) | Message::Frame(_) | Message::Close(_) => bail!("the hub closes"),
        }
    }
}
