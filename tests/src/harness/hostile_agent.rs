//! An agent of the test's own that enrols with a real hub and then says whatever it likes.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use ed25519_dalek::SigningKey;
use futures_util::{SinkExt as _, StreamExt as _};
use rcgen::{CertificateParams, KeyPair};
use rustls::ClientConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use storm_protocol::{
    command,
    encoding::Base64,
    envelope::{Envelope, PayloadType, VERSION, VerifyKey},
    frame::{
        CommandRow, Enrol, Enrolled, HUB_SERVER_NAME, Hello, PROTOCOL_VERSION, ToAgent, ToHub,
    },
    ident::Digest,
    receipt::Head,
    seal::OpenKey,
    trust::EnrolToken,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{now, random, tls, wait};

/// The keys of an agent that is none.
pub struct HostileAgent {
    hub: String,
    tls_key: KeyPair,
    /// Signs its receipts.
    pub receipt_key: SigningKey,
    seal_key: OpenKey,
    /// What the hub gave it, once it has enrolled.
    pub enrolled: Option<Enrolled>,
}

/// Its socket.
pub struct Wire {
    socket: WebSocketStream<TlsStream<TcpStream>>,
}

impl HostileAgent {
    /// Fresh keys, for a hub at this address.
    pub fn new(hub_url: &str) -> Result<Self> {
        Ok(Self {
            hub: hub_url.trim_start_matches("https://").to_owned(),
            tls_key: KeyPair::generate()?,
            receipt_key: SigningKey::from_bytes(&random()?),
            seal_key: OpenKey::generate(),
            enrolled: None,
        })
    }

    /// Connects, with its certificate if it has one and wants to show it.
    pub async fn connect(&self, show_certificate: bool) -> Result<Wire> {
        let config = ClientConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(tls::AnyServer));
        let config = match (&self.enrolled, show_certificate) {
            (Some(enrolled), true) => {
                let chain = enrolled.certificate.chain.iter();
                let chain = chain
                    .map(|der| CertificateDer::from(der.0.clone()))
                    .collect();
                let key = PrivateKeyDer::try_from(self.tls_key.serialize_der());
                config.with_client_auth_cert(chain, key.map_err(anyhow::Error::msg)?)?
            }
            (Some(_) | None, _) => config.with_no_client_auth(),
        };
        let stream = TcpStream::connect(&self.hub).await?;
        let name = ServerName::try_from(HUB_SERVER_NAME)?;
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await?;
        let (socket, _) = client_async(format!("wss://{}/agent", self.hub), stream).await?;
        Ok(Wire { socket })
    }

    /// The frame with which it asks for an identity.
    pub fn enrol_frame(&self, token: &EnrolToken) -> Result<ToHub> {
        let request = CertificateParams::default().serialize_request(&self.tls_key)?;
        Ok(ToHub::Enrol(Enrol {
            version: PROTOCOL_VERSION,
            secret: Digest(token.secret),
            request: Base64(request.der().to_vec()),
            receipt_key: VerifyKey::of(&self.receipt_key),
            seal_key: self.seal_key.seal_key(),
            host: "hostile".to_owned(),
        }))
    }

    /// Enrols; gives the hub's refusal as its code when it refuses.
    pub async fn enrol(&mut self, token: &EnrolToken) -> Result<Option<String>> {
        let mut wire = self.connect(false).await?;
        wire.send(&self.enrol_frame(token)?).await?;
        match wire
            .next()
            .await?
            .context("the hub hangs up on an enrolment")?
        {
            ToAgent::Enrolled(enrolled) => {
                self.enrolled = Some(*enrolled);
                Ok(None)
            }
            ToAgent::Closing(closing) => {
                let code = serde_json::to_value(closing.code)?;
                Ok(Some(code.as_str().unwrap_or_default().to_owned()))
            }
            other => bail!("the hub answers an enrolment with {other:?}"),
        }
    }

    /// An honest introduction with an empty chain, to be spoilt.
    pub fn hello(&self) -> Result<Hello> {
        let enrolled = self.enrolled.as_ref().context("it has not enrolled")?;
        let head = Head {
            version: VERSION,
            agent: enrolled.agent,
            sequence: 0,
            digest: None,
            at: now(),
        };
        let row = |row: &command::Row| CommandRow {
            name: row.name.to_owned(),
            digest: row.digest(),
        };
        Ok(Hello {
            version: PROTOCOL_VERSION,
            agent_version: "0.0.0".to_owned(),
            clock: now(),
            commands: command::Command::TABLE.iter().map(row).collect(),
            disabled: vec![],
            head: Envelope::sign_json(PayloadType::Head, &head, &self.receipt_key)?,
            trust_serial: 1,
            epoch: 0,
            generation: 0,
            garage_version: None,
        })
    }
}

impl Wire {
    /// Sends a frame.
    pub async fn send(&mut self, frame: &ToHub) -> Result<()> {
        self.send_text(serde_json::to_string(frame)?).await
    }

    /// Sends these bytes as one text frame.
    pub async fn send_text(&mut self, text: String) -> Result<()> {
        Ok(self.socket.send(Message::text(text)).await?)
    }

    /// The hub's next frame; none when it has hung up, politely or not.
    pub async fn next(&mut self) -> Result<Option<ToAgent>> {
        loop {
            let waiting = tokio::time::timeout(wait::PATIENCE, self.socket.next());
            match waiting.await.context("the hub says nothing")? {
                Some(Ok(Message::Text(text))) => return Ok(Some(ToAgent::parse(text.as_bytes())?)),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(None),
                Some(Ok(_)) => {}
            }
        }
    }

    /// Reads on until the hub has hung up; gives the code of its farewell, if it said one.
    pub async fn farewell(&mut self) -> Result<Option<String>> {
        let mut code = None;
        while let Some(frame) = self.next().await? {
            if let ToAgent::Closing(closing) = frame {
                let said = serde_json::to_value(closing.code)?;
                code = said.as_str().map(str::to_owned);
            }
        }
        Ok(code)
    }
}
