//! Taking an address to listen on.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

/// Listens on `address`, or says what is in the way; `key` is where it is configured.
pub(crate) async fn bind(address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{address} is in use by another program: stop that one, or set {key} to a free address"
        ),
        io::ErrorKind::PermissionDenied => anyhow::anyhow!(
            "{address} needs more rights than this user has: set {key} to a port from 1024 on"
        ),
        _ => anyhow::anyhow!("cannot listen on {address} ({error}): set {key} to an address of this machine"),
    })
}
