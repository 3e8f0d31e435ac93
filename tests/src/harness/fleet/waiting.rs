//! What a connection that waits holds in memory at least: TLS alone, after a handshake with certificates on
//! both sides, in memory.

use std::{process, sync::Arc};

use anyhow::{Context as _, Result};
use rustls::{ServerConnection, server::NoServerSessionStorage};

use super::{
    super::{meter::memory_mebibytes, tls},
    floor::{client, shake_hands},
};

/// Connections that are made before it is looked what there is.
const BEFORE: usize = 200;
/// Connections whose memory is looked at.
const CONNECTIONS: usize = 2_000;

/// KiB of one connection of rustls.
pub fn tls_kibibytes() -> Result<f64> {
    let authority = tls::Authority::new()?;
    let mut server = authority.server_config()?;
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    let (server, client) = (Arc::new(server), Arc::new(client(&authority)?));
    let open = || {
        let mut ours = ServerConnection::new(Arc::clone(&server))?;
        shake_hands(&mut ours, Arc::clone(&client))?;
        ours.peer_certificates().context("the client is unknown")?;
        // Waits for more: that there is nothing is no mistake.
        let _ = ours.read_tls(&mut Nothing);
        Ok(ours)
    };
    let mut held = (0..BEFORE).map(|_| open()).collect::<Result<Vec<_>>>()?;
    let before = memory_mebibytes(process::id(), "RssAnon")?;
    for _ in 0..CONNECTIONS {
        held.push(open()?);
    }
    let after = memory_mebibytes(process::id(), "RssAnon")?;
    Ok((after - before) * 1024.0 / CONNECTIONS as f64)
}

/// A peer that is silent.
struct Nothing;

impl std::io::Read for Nothing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::WouldBlock.into())
    }
}
