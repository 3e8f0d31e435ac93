//! TLS of the agents' listener: 1.3 alone, full handshakes, a certificate from the signer, and the
//! client's checked against the CA of the trust document.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::{Context as _, bail};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier},
    sign::CertifiedKey,
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use storm_protocol::{
    encoding::Base64,
    frame::{ClosingCode, HUB_SERVER_NAME},
    ident::{AgentId, Digest, Micros},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use x509_parser::extensions::GeneralName;

use super::certificates::ask;
use crate::{
    app::App,
    keys::{PublicTrust, spki_digest},
    store::certificates::{Answer, Asked},
};

/// Seconds between two certificates of the hub; each lasts 30 days.
const RENEW_SECONDS: u64 = 10 * 24 * 3600;
/// Seconds to wait when a new one could not be had.
const RETRY_SECONDS: u64 = 3600;
/// How often the signer may refuse a hub that starts.
const MAX_REFUSALS: u32 = 5;
/// Milliseconds until the signer is asked again; twice as many after each refusal.
const FIRST_REST_MILLISECONDS: u64 = 1_000;

/// The hub's certificate and what it accepts.
pub(super) struct Identity {
    certificate: Arc<Present>,
    acceptor: RwLock<TlsAcceptor>,
}

/// Who is at the other end, by their certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    /// The agent that the certificate names.
    pub(super) agent: AgentId,
    /// The digest of its key.
    pub(super) tls_key: Digest,
    /// When the certificate ends.
    pub(super) until: Micros,
}

/// The signer said no.
#[derive(Debug, thiserror::Error)]
#[error("the signer gives this hub no certificate: {message}")]
struct Refused {
    message: String,
    /// Whether it may say yes later.
    passing: bool,
}

impl Identity {
    /// Makes a key and has the signer certify it: waits for one that is not there yet, and gives up on one
    /// that refuses.
    pub(super) async fn obtain(app: &App) -> anyhow::Result<Self> {
        let mut refusals = 0;
        loop {
            let error = match Self::obtain_once(app).await {
                Ok(identity) => return Ok(identity),
                Err(error) => error,
            };
            if let Some(refused) = error.downcast_ref::<Refused>() {
                refusals += 1;
                if !refused.passing || refusals == MAX_REFUSALS {
                    bail!("{refused}: look at the signer's log, then start the hub again");
                }
            }
            tracing::warn!(
                error = format!("{error:#}"),
                "the hub has no certificate yet; it asks again"
            );
            let rest = FIRST_REST_MILLISECONDS << refusals;
            tokio::time::sleep(Duration::from_millis(rest)).await;
        }
    }

    async fn obtain_once(app: &App) -> anyhow::Result<Self> {
        let certificate = Arc::new(Present(RwLock::new(Arc::new(new_certificate(app).await?))));
        let trust = app.trust.borrow().clone();
        let acceptor = acceptor(&trust, &certificate)?;
        Ok(Self {
            certificate,
            acceptor: RwLock::new(acceptor),
        })
    }

    /// What a new connection meets.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// From now on, clients' certificates chain to the CAs of `trust`.
    pub(super) fn trust(&self, trust: &PublicTrust) -> anyhow::Result<()> {
        let new = acceptor(trust, &self.certificate)?;
        *self
            .acceptor
            .write()
            .unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Replaces the certificate long before it ends.
    pub(super) async fn keep_fresh(&self, app: &App, stop: &CancellationToken) {
        let mut wait = RENEW_SECONDS;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(wait)) => {}
            }
            match new_certificate(app).await {
                Ok(new) => {
                    *self
                        .certificate
                        .0
                        .write()
                        .unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                    wait = RENEW_SECONDS;
                }
                Err(error) => {
                    tracing::error!(
                        error = format!("{error:#}"),
                        "the hub's certificate was not renewed"
                    );
                    wait = RETRY_SECONDS;
                }
            }
        }
    }
}

impl Peer {
    /// Reads a certificate that the CA signed.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> anyhow::Result<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate)?;
        let names = parsed
            .subject_alternative_name()?
            .context("a certificate without a name")?;
        let mut agents = names
            .value
            .general_names
            .iter()
            .filter_map(|name| match name {
                GeneralName::URI(uri) => uri.strip_prefix("urn:storm:agent:"),
                _ => None,
            });
        let (Some(agent), None) = (agents.next(), agents.next()) else {
            bail!("a certificate that does not name one agent");
        };
        Ok(Self {
            agent: agent.parse()?,
            tls_key: spki_digest(certificate)?,
            until: Micros(parsed.validity().not_after.timestamp() * Micros::SECOND),
        })
    }
}

/// The certificate that new handshakes get.
#[derive(Debug)]
struct Present(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Present {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(
            &self.0.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

async fn new_certificate(app: &App) -> anyhow::Result<CertifiedKey> {
    let key = KeyPair::generate()?;
    let request =
        CertificateParams::new(vec![HUB_SERVER_NAME.to_owned()])?.serialize_request(&key)?;
    let asked = Asked::Hub {
        request: Base64(request.der().to_vec()),
    };
    let chain = match ask(app, &asked).await? {
        Answer::Certificate(certificate) => certificate.chain,
        Answer::Enrolled { .. } => bail!("the signer took the hub for an agent"),
        Answer::Refused { code, message } => {
            let passing = code == ClosingCode::Busy;
            bail!(Refused { message, passing })
        }
    };
    let chain = chain
        .into_iter()
        .map(|der| CertificateDer::from(der.0))
        .collect();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(CertifiedKey::from_der(
        chain,
        key,
        &aws_lc_rs::default_provider(),
    )?)
}

fn acceptor(trust: &PublicTrust, certificate: &Arc<Present>) -> anyhow::Result<TlsAcceptor> {
    let mut authorities = RootCertStore::empty();
    for authority in &trust.document.authorities {
        authorities.add(CertificateDer::from(authority.0.as_slice()))?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(Arc::clone(certificate) as Arc<dyn ResolvesServerCert>);
    // Each connection proves its key anew.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use storm_protocol::frame::ClosingCode;

    use super::Identity;
    use crate::{store::certificates::Answer, testing::World};

    #[tokio::test]
    async fn a_hub_that_is_refused_says_so_and_asks_once() {
        let world = World::new().await;
        let app = world.app.clone();
        let asking = tokio::spawn(async move { Identity::obtain(&app).await.map(drop) });
        let store = &world.app.store;
        let id = loop {
            if let Some((id, _)) = store.open_certificate_requests(1).await.unwrap().pop() {
                break id;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        };
        let answer = Answer::Refused {
            code: ClosingCode::Protocol,
            message: "The certificate request cannot be read.".to_owned(),
        };
        store.answer_certificate(&id, &answer).await.unwrap();
        let words = format!("{:#}", asking.await.unwrap().unwrap_err());
        assert!(words.contains("gives this hub no certificate"), "{words}");
        assert!(words.contains("cannot be read"), "{words}");
        let asked = "SELECT COUNT(*) FROM certificate_requests";
        assert_eq!(world.count(asked).await, 1);
    }
}
