//! One WebSocket to the hub: dialling, TLS, frames in and out. Knows nothing of what frames mean.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use storm_protocol::frame::{HUB_SERVER_NAME, MAX_FRAME_BYTES, ToHub};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Bytes, Message,
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};
use url::Url;

use super::{Transient, hubs::Place};

/// Seconds until a hub that does not answer counts as not reached: TCP, TLS and WebSocket each.
pub(crate) const DIAL_TIMEOUT_SECONDS: u64 = 10;
/// Seconds until a frame that does not go out ends the connection.
pub(crate) const SEND_TIMEOUT_SECONDS: u64 = 30;
/// Bytes read from the socket at a time.
const READ_BUFFER_BYTES: usize = 8 * 1024;
/// Bytes collected before they are written to the socket: none, each frame goes at once.
const WRITE_BUFFER_BYTES: usize = 0;
/// Bytes that may wait to be written before the connection counts as broken.
const MAX_WRITE_BUFFER_BYTES: usize = 2 * MAX_FRAME_BYTES;
/// The hub's port when its address names none.
const DEFAULT_PORT: u16 = 443;
const PATH: &str = "/agent";

/// Where a hub is: an address that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HubAddress {
    host: String,
    port: u16,
}

impl HubAddress {
    /// Reads `https://HOST:PORT` or `wss://HOST:PORT`. The error is a sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let expected = || format!("'{text}' is no hub's address: expected https://HOST:PORT");
        let url = Url::parse(text).map_err(|_| expected())?;
        let plain = matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        match (url.scheme(), url.host_str()) {
            ("https" | "wss", Some(host)) if plain && !host.is_empty() => Ok(Self {
                host: host.trim_matches(['[', ']']).to_owned(),
                port: url.port().unwrap_or(DEFAULT_PORT),
            }),
            _ => Err(expected()),
        }
    }
}

impl HubAddress {
    /// As names are looked up.
    pub(super) fn host_and_port(&self) -> (&str, u16) {
        (self.host.as_str(), self.port)
    }
}

impl std::fmt::Display for HubAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "https://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "https://{}:{}", self.host, self.port)
        }
    }
}

/// An open WebSocket.
pub(crate) struct Link {
    socket: WebSocketStream<TlsStream<TcpStream>>,
}

/// What came in.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A frame's text.
    Frame(Bytes),
    /// A ping or pong.
    Sign,
}

impl Link {
    /// Connects to the hub, at whichever of its addresses answers.
    pub(crate) async fn dial(address: &HubAddress, tls: ClientConfig) -> Result<Self, Transient> {
        Self::open(address, TcpStream::connect(address.host_and_port()), tls).await
    }

    /// Connects to the hub at one of its addresses.
    pub(super) async fn dial_at(place: &Place, tls: ClientConfig) -> Result<Self, Transient> {
        Self::open(&place.hub, TcpStream::connect(place.at), tls).await
    }

    async fn open(
        address: &HubAddress,
        connecting: impl Future<Output = std::io::Result<TcpStream>>,
        tls: ClientConfig,
    ) -> Result<Self, Transient> {
        let stream = dial_step("the connection", async {
            connecting.await.map_err(|cause| Transient::NotReached {
                hub: address.to_string(),
                cause: cause.to_string(),
            })
        })
        .await?;
        // Frames are small and someone waits for each.
        let _ = stream.set_nodelay(true);
        let stream = dial_step("TLS", async {
            let name = ServerName::try_from(HUB_SERVER_NAME)
                .map_err(|error| Transient::Tls(error.to_string()))?;
            TlsConnector::from(Arc::new(tls))
                .connect(name, stream)
                .await
                .map_err(|error| Transient::Tls(error.to_string()))
        })
        .await?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES));
        let request = format!("wss://{HUB_SERVER_NAME}{PATH}");
        dial_step("the WebSocket", async {
            client_async_with_config(request, stream, Some(config))
                .await
                .map(|(socket, _)| Self { socket })
                .map_err(|error| Transient::Handshake(error.to_string()))
        })
        .await
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, frame: &ToHub) -> Result<(), Transient> {
        let text =
            serde_json::to_string(frame).map_err(|error| Transient::Broken(error.to_string()))?;
        if text.len() > MAX_FRAME_BYTES {
            return Err(Transient::Broken(format!(
                "a frame of {} bytes is more than the {MAX_FRAME_BYTES} that travel",
                text.len()
            )));
        }
        self.send_message(Message::text(text)).await
    }

    /// Sends a ping.
    pub(crate) async fn ping(&mut self) -> Result<(), Transient> {
        self.send_message(Message::Ping(Bytes::new())).await
    }

    /// Waits for what comes next. May be dropped while it waits.
    pub(crate) async fn receive(&mut self) -> Result<Incoming, Transient> {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => Ok(Incoming::Frame(text.into())),
            Some(Ok(Message::Binary(bytes))) => Ok(Incoming::Frame(bytes)),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(Incoming::Sign),
            Some(Ok(Message::Close(frame))) => Err(Transient::Broken(match frame {
                Some(frame) if !frame.reason.is_empty() => {
                    format!("the hub closed the connection: {}", frame.reason)
                }
                _ => "the hub closed the connection".to_owned(),
            })),
            Some(Err(error)) => Err(Transient::Broken(error.to_string())),
            None => Err(Transient::Broken("the hub went away".to_owned())),
        }
    }

    /// Says goodbye; whether it arrives does not matter.
    pub(crate) async fn close(mut self) {
        let frame = CloseFrame {
            code: CloseCode::Away,
            reason: "the agent stops".into(),
        };
        let _ = timeout(Duration::from_secs(1), self.socket.close(Some(frame))).await;
    }

    async fn send_message(&mut self, message: Message) -> Result<(), Transient> {
        let limit = Duration::from_secs(SEND_TIMEOUT_SECONDS);
        match timeout(limit, self.socket.send(message)).await {
            Ok(sent) => sent.map_err(|error| Transient::Broken(error.to_string())),
            Err(_) => Err(Transient::TooSlow(
                "a frame to the hub",
                SEND_TIMEOUT_SECONDS,
            )),
        }
    }
}

async fn dial_step<T>(
    step: &'static str,
    work: impl Future<Output = Result<T, Transient>>,
) -> Result<T, Transient> {
    match timeout(Duration::from_secs(DIAL_TIMEOUT_SECONDS), work).await {
        Ok(result) => result,
        Err(_) => Err(Transient::TooSlow(step, DIAL_TIMEOUT_SECONDS)),
    }
}

#[cfg(test)]
mod tests {
    use super::HubAddress;

    #[test]
    fn a_hubs_address_is_host_and_port_alone() {
        let shown = |text: &str| HubAddress::parse(text).map(|address| address.to_string());
        let hub = "https://hub.example.org:8443";
        assert_eq!(shown(hub).as_deref(), Ok(hub));
        assert_eq!(
            shown("wss://10.0.0.1/").as_deref(),
            Ok("https://10.0.0.1:443")
        );
        assert_eq!(
            shown("https://[::1]:8443").as_deref(),
            Ok("https://[::1]:8443")
        );
        for wrong in [
            "http://hub:8443",
            "hub:8443",
            "https://hub/path",
            "https://user@hub",
            "https://hub?x=1",
            "",
        ] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }
}
