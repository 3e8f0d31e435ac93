//! Free ports: below the range that the system gives to outgoing connections, each given once.

use std::{
    collections::HashSet,
    net::TcpListener,
    sync::{Mutex, PoisonError},
};

use anyhow::{Result, bail};

/// Ports to choose from: none that an outgoing connection takes by chance.
const FIRST_PORT: u16 = 12_000;
const LAST_PORT: u16 = 31_999;
/// Ports tried before giving up.
const MAX_TRIES: usize = 1000;

static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// A port on the loopback address that nobody listens on and that no one else in this process got.
pub fn free_port() -> Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    for _ in 0..MAX_TRIES {
        let random = u16::from_le_bytes(super::random()?);
        let port = FIRST_PORT + random % (LAST_PORT - FIRST_PORT);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && given.insert(port) {
            return Ok(port);
        }
    }
    bail!("no free port between {FIRST_PORT} and {LAST_PORT}")
}
