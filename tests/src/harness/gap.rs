//! A network between two ends that can fall silent: nothing passes any more, and neither end is told.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// Bytes that are passed on at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// A relay to one address.
pub struct Gap {
    /// Where it listens.
    pub address: SocketAddr,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    silent: bool,
    /// How many connections were made.
    made: u64,
    /// Those up to this one are forgotten.
    forgotten: u64,
}

impl Gap {
    /// A relay to `target`, which passes everything on.
    pub async fn to(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (state, watched) = watch::channel(State::default());
        let making = state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                making.send_modify(|state| state.made += 1);
                let number = making.borrow().made;
                tokio::spawn(carry(client, target, number, watched.clone()));
            }
        });
        Ok(Self {
            address,
            state,
            accepting,
        })
    }

    /// Nothing passes from now on.
    pub fn fall_silent(&self) {
        self.state.send_modify(|state| state.silent = true);
    }

    /// Everything passes again, what was kept back first.
    pub fn speak(&self) {
        self.state.send_modify(|state| state.silent = false);
    }

    /// New connections pass again; those that there are stay silent, as when a firewall has forgotten them.
    pub fn forget(&self) {
        self.state.send_modify(|state| {
            (state.silent, state.forgotten) = (false, state.made);
        });
    }
}

impl Drop for Gap {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(client: TcpStream, target: SocketAddr, number: u64, state: watch::Receiver<State>) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(
        pass(from_client, to_server, number, state.clone()),
        pass(from_server, to_client, number, state),
    );
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    number: u64,
    mut state: watch::Receiver<State>,
) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        // An end that is gone is a byte, too, that the other one does not hear of.
        let count = from.read(&mut chunk).await.unwrap_or(0);
        let passes = state.wait_for(|state| !state.silent && state.forgotten < number);
        if passes.await.is_err() {
            return;
        }
        let bytes = chunk.get(..count).unwrap_or_default();
        if bytes.is_empty() || to.write_all(bytes).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
