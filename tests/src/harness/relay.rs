//! A TCP relay that can cut what it carries, or keep it back for a while or for ever, and neither end is told.

use std::{
    collections::BTreeSet,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

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

const BUFFER_BYTES: usize = 16 * 1024;

/// Numbers the connections of all relays in their order.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// The connections that are carried.
type Open = Arc<Mutex<BTreeSet<u64>>>;

/// A relay to one address.
pub struct Relay {
    open: Open,
    control: watch::Sender<Control>,
    accepting: JoinHandle<()>,
    /// Where it listens.
    pub address: SocketAddr,
}

#[derive(Debug, Clone, Copy, Default)]
struct Control {
    cuts: u64,
    held: bool,
    /// Connections whose numbers are lower carry nothing any more.
    forgotten: u64,
}

impl Relay {
    /// Listens, and carries what comes to `target`.
    pub async fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (control, controlled) = watch::channel(Control::default());
        let open = Open::default();
        let carried = Arc::clone(&open);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (open, control) = (Arc::clone(&carried), controlled.clone());
                tokio::spawn(async move {
                    let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
                    lock(&open).insert(number);
                    // A connection that ends badly is what this is for.
                    let ended = carry(client, target, number, control).await;
                    lock(&open).remove(&number);
                    ended
                });
            }
        });
        Ok(Self {
            open,
            control,
            accepting,
            address,
        })
    }

    /// Its address, where TLS is spoken.
    pub fn https(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The number of the newest connection that it carries, which grows over all relays.
    pub fn newest(&self) -> Option<u64> {
        lock(&self.open).last().copied()
    }

    /// Cuts all connections that there are.
    pub fn cut(&self) {
        self.control.send_modify(|control| control.cuts += 1);
    }

    /// Keeps back what comes, or lets it go.
    pub fn hold(&self, held: bool) {
        self.control.send_modify(|control| control.held = held);
    }

    /// Carries new connections only; those that there are stay silent, as when a firewall has forgotten them.
    pub fn forget(&self) {
        let forgotten = CONNECTIONS.load(Ordering::Relaxed);
        self.control.send_modify(|control| {
            (control.held, control.forgotten) = (false, forgotten);
        });
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn lock(open: &Open) -> std::sync::MutexGuard<'_, BTreeSet<u64>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn carry(
    client: TcpStream,
    target: SocketAddr,
    number: u64,
    control: watch::Receiver<Control>,
) -> io::Result<()> {
    let server = TcpStream::connect(target).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let born = (number, control.borrow().cuts);
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        pump(from_client, to_server, control.clone(), born),
        pump(from_server, to_client, control, born),
    )?;
    Ok(())
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut control: watch::Receiver<Control>,
    (number, born): (u64, u64),
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = tokio::select! {
            // An end that is gone is kept back like a byte.
            read = from.read(&mut buffer) => read.unwrap_or(0),
            _ = control.wait_for(|control| control.cuts != born) => return Err(cut()),
        };
        let gone = control.wait_for(|control| {
            control.cuts != born || !control.held && number >= control.forgotten
        });
        let cuts = gone.await.map_err(|_| cut())?.cuts;
        if cuts != born {
            return Err(cut());
        }
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(buffer.get(..read).unwrap_or_default()).await?;
    }
}

fn cut() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}
