//! The pinned CA of an enrolment, against real TLS servers.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use storm_protocol::{
    encoding::Base64,
    frame::{Certificate, HUB_SERVER_NAME},
    ident::{AgentId, Micros},
};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::{identity::Keys, state::StateDir};

/// A CA of a test.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// Makes a CA.
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a CA"))
    }

    /// Its certificate.
    pub(crate) fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    fn key(&self) -> Digest {
        authority_key_digest(&self.der()).expect("a certificate")
    }

    fn server(&self, name: &str, chain: &[&Self]) -> Arc<rustls::ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = params.signed_by(&key, &self.0).expect("a certificate");
        let mut certificates = vec![leaf.der().clone()];
        certificates.extend(chain.iter().map(|ca| CertificateDer::from(ca.der())));
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = rustls::ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .expect("TLS 1.3")
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .expect("a server");
        Arc::new(config)
    }
}

/// Whether an agent that expects the CA key `pinned` accepts `server`.
async fn accepts(server: Arc<rustls::ServerConfig>, pinned: Digest) -> bool {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let _ = tokio_rustls::TlsAcceptor::from(server).accept(stream).await;
    });
    let config = enrol_config(pinned).expect("a configuration");
    let name = ServerName::try_from(HUB_SERVER_NAME).expect("a name");
    let stream = TcpStream::connect(address).await.expect("a server");
    let connected = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await;
    serving.abort();
    connected.is_ok()
}

#[tokio::test]
async fn only_a_chain_to_the_pinned_authority_is_accepted() {
    let ours = Authority::new("ours");
    let other = Authority::new("other");
    let hub = HUB_SERVER_NAME;

    assert!(accepts(ours.server(hub, &[&ours]), ours.key()).await);
    // Another CA; another CA that sends ours along; a chain without the CA; another name.
    assert!(!accepts(other.server(hub, &[&other]), ours.key()).await);
    assert!(!accepts(other.server(hub, &[&ours]), ours.key()).await);
    assert!(!accepts(ours.server(hub, &[]), ours.key()).await);
    assert!(!accepts(ours.server("hub.example.org", &[&ours]), ours.key()).await);
    // The same name on a CA, with another key.
    let twin = Authority::new("ours");
    assert!(!accepts(twin.server(hub, &[&twin]), ours.key()).await);
}

#[test]
fn a_certificate_for_another_key_or_agent_is_not_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = StateDir::create(&folder.path().join("a")).expect("a state");
    let keys = Keys::load_or_make(&state).expect("keys");
    let other_state = StateDir::create(&folder.path().join("b")).expect("a state");
    let other_keys = Keys::load_or_make(&other_state).expect("keys");
    let agent = AgentId::new(Micros(1_000_000), [1; 10]);
    let other_agent = AgentId::new(Micros(1_000_000), [2; 10]);

    let authority = Authority::new("ca");
    let mut params = CertificateParams::default();
    let name = format!("urn:storm:agent:{agent}")
        .try_into()
        .expect("a URI");
    params.subject_alt_names.push(SanType::URI(name));
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2026, 4, 1);
    let pair = keys.tls.pair().expect("a key");
    let leaf = params
        .signed_by(&pair, &authority.0)
        .expect("a certificate");
    let sent = Certificate {
        chain: vec![Base64(leaf.der().to_vec()), Base64(authority.der())],
    };

    assert!(ClientCertificate::take(&sent, &other_keys.tls, agent).is_err());
    assert!(ClientCertificate::take(&sent, &keys.tls, other_agent).is_err());
    let taken = ClientCertificate::take(&sent, &keys.tls, agent).expect("it is ours");
    taken.keep(&state).expect("kept");
    let read = ClientCertificate::load(&state).expect("read");
    assert_eq!(read.chain(), taken.chain());
    // 90 days: renewed after 60.
    assert_eq!(
        read.renew_at().0,
        read.not_after().plus_seconds(-30 * 24 * 3600).0
    );
    let trust = TrustDocument {
        version: 1,
        serial: 1,
        issued_at: Micros(1),
        authorities: vec![Base64(authority.der())],
        keys: vec![],
    };
    assert!(channel_config(&trust, &read, &keys.tls).is_ok());
    assert!(channel_config(&trust, &read, &other_keys.tls).is_err());
}
