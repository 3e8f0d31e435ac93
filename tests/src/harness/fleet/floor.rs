//! What bare TLS costs on this machine: handshakes of rustls with certificates on both sides, in memory,
//! one after the other on one thread, in that thread's processor time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rcgen::{CertificateParams, KeyPair};
use rustix::time::{ClockId, clock_gettime};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConnection, client::Resumption,
    server::NoServerSessionStorage, version::TLS13,
};
use rustls_pki_types::{PrivateKeyDer, ServerName};
use storm_protocol::{frame::HUB_SERVER_NAME, ident::AgentId};

use super::super::{now, random, tls};

/// Rounds in which neither side has anything to say any more are none.
const MAX_ROUNDS: usize = 10;

/// What handshakes cost.
#[derive(Debug, Clone, Copy)]
pub struct Handshakes {
    /// How many there were.
    pub count: u32,
    /// What the server's side took.
    pub server: Duration,
    /// What the client's side took.
    pub client: Duration,
}

/// Makes handshakes for this long.
pub fn handshakes(time: Duration) -> Result<Handshakes> {
    let authority = tls::Authority::new()?;
    let mut server = authority.server_config()?;
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    let (server, client) = (Arc::new(server), Arc::new(client(&authority)?));
    let name = ServerName::try_from(HUB_SERVER_NAME)?;
    let mut all = Handshakes {
        count: 0,
        server: Duration::ZERO,
        client: Duration::ZERO,
    };
    let began = Instant::now();
    while began.elapsed() < time {
        let mut ours = ServerConnection::new(Arc::clone(&server))?;
        let mut theirs = ClientConnection::new(Arc::clone(&client), name.clone())?;
        let mut wire = Vec::new();
        for _ in 0..MAX_ROUNDS {
            let clients = spent()?;
            theirs.process_new_packets()?;
            wire.clear();
            while theirs.wants_write() {
                theirs.write_tls(&mut wire)?;
            }
            all.client += spent()?.saturating_sub(clients);
            let servers = spent()?;
            feed(|bytes| ours.read_tls(bytes), &wire)?;
            ours.process_new_packets()?;
            wire.clear();
            while ours.wants_write() {
                ours.write_tls(&mut wire)?;
            }
            all.server += spent()?.saturating_sub(servers);
            if !theirs.is_handshaking() && !ours.is_handshaking() {
                break;
            }
            let clients = spent()?;
            feed(|bytes| theirs.read_tls(bytes), &wire)?;
            all.client += spent()?.saturating_sub(clients);
        }
        ours.peer_certificates().context("the client is unknown")?;
        all.count += 1;
    }
    Ok(all)
}

/// What this thread has run so far, whatever else the machine does.
fn spent() -> Result<Duration> {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Ok(Duration::new(
        time.tv_sec.try_into()?,
        time.tv_nsec.try_into()?,
    ))
}

fn feed(
    mut read: impl FnMut(&mut dyn std::io::Read) -> std::io::Result<usize>,
    mut bytes: &[u8],
) -> Result<()> {
    while !bytes.is_empty() {
        read(&mut bytes)?;
    }
    Ok(())
}

fn client(authority: &tls::Authority) -> Result<ClientConfig> {
    let key = KeyPair::generate()?;
    let request = CertificateParams::default().serialize_request(&key)?;
    let leaf = authority.issue(request.der(), AgentId::new(now(), random()?))?;
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.clone())?;
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let mut config = ClientConfig::builder_with_provider(tls::provider())
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![leaf, authority.certificate.clone()], private)?;
    config.resumption = Resumption::disabled();
    Ok(config)
}
