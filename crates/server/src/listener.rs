//! The web listener's connections: bounded in number, and each in the time for which it may hold its
//! place without asking or reading anything.

mod bind;
pub(crate) mod shares;

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo, response::Response};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::Sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service as _;

pub(crate) use self::bind::bind;
use self::shares::Shares;

/// Connections at the same time; more wait in the system's queue.
const MAX_CONNECTIONS: usize = 1024;
/// Those of one network; more are closed at once.
const MAX_CONNECTIONS_PER_NETWORK: usize = 256;
/// Seconds until a request's head has to be there, counted from the answer before it: an idle
/// connection is closed by that too.
const HEADER_TIMEOUT_SECONDS: u64 = 10;
/// Seconds for which a client may leave an answer unread.
const STALL_TIMEOUT_SECONDS: u64 = 30;
/// The largest head of a request, and what is read ahead of a body, in bytes. One that is whole in the read that
/// goes beyond it, which is no larger, is still taken.
pub(crate) const BUFFER_BYTES: usize = 32 * 1024;
/// Milliseconds to rest when the system has no more sockets to give.
const ACCEPT_REST_MILLISECONDS: u64 = 100;

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Connections at the same time.
    pub(crate) connections: usize,
    /// Those of one network.
    pub(crate) per_network: usize,
    /// Until a request's head is there.
    pub(crate) header: Duration,
    /// For which an answer may be left unread.
    pub(crate) stall: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: MAX_CONNECTIONS,
            per_network: MAX_CONNECTIONS_PER_NETWORK,
            header: Duration::from_secs(HEADER_TIMEOUT_SECONDS),
            stall: Duration::from_secs(STALL_TIMEOUT_SECONDS),
        }
    }
}

/// Serves `router` on `listener` until `stop`; then lets the requests that are open come to their end.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let shares = Shares::default();
    let connections = TaskTracker::new();
    loop {
        // The place comes first: whoever finds none waits outside and costs nothing here.
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accepted => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(ACCEPT_REST_MILLISECONDS)).await;
                continue;
            }
        };
        let Some(share) = shares.take(peer.ip(), bounds.per_network) else {
            tracing::debug!(%peer, "a network has too many connections");
            continue;
        };
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            let _held = (place, share);
            if let Err(error) = converse(stream, peer, router, bounds, stop).await {
                tracing::debug!(%peer, %error, "a connection ended");
            }
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    bounds: Bounds,
    stop: CancellationToken,
) -> hyper::Result<()> {
    let service = service_fn(move |request| answer(router.clone(), peer, request));
    let stream = Attended {
        stream,
        limit: bounds.stall,
        stalled: None,
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// Limits and origins go by the client's address, so the request carries it.
async fn answer(
    mut router: Router,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    router.call(request).await
}

/// A connection whose peer reads what it is sent, or loses it.
struct Attended {
    stream: TcpStream,
    limit: Duration,
    /// Runs while the peer takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Attended {
    fn attend<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let limit = self.limit;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Attended {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Attended {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.attend(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.attend(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, net::SocketAddr, time::Duration};

    use axum::{Router, body::Body, extract::ConnectInfo, routing::get};
    use futures_util::stream;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
        task::JoinHandle,
        time::timeout,
    };
    use tokio_util::sync::CancellationToken;

    use super::{Bounds, serve};

    /// Longer than anything here takes; whoever waits this long waits for ever.
    const FOR_EVER: Duration = Duration::from_secs(60);
    const SOON: Duration = Duration::from_millis(200);

    struct Served {
        address: SocketAddr,
        stop: CancellationToken,
        serving: JoinHandle<()>,
    }

    async fn start(bounds: Bounds) -> Served {
        let endless = || async {
            let more = stream::repeat(Ok::<_, Infallible>(vec![b'x'; 65_536]));
            Body::from_stream(more)
        };
        let router = Router::new()
            .route(
                "/peer",
                get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()),
            )
            .route("/endless", get(endless));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, router, bounds, stop.clone()));
        Served {
            address,
            stop,
            serving,
        }
    }

    /// One place, and short patience.
    fn narrow() -> Bounds {
        Bounds {
            connections: 1,
            header: SOON,
            stall: SOON,
            ..Bounds::default()
        }
    }

    async fn connect(served: &Served, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// All that comes until the server closes.
    async fn read_all(mut stream: TcpStream) -> String {
        let mut text = String::new();
        timeout(FOR_EVER, stream.read_to_string(&mut text))
            .await
            .expect("the server holds the connection for ever")
            .unwrap();
        text
    }

    /// A request that closes its connection, and its whole answer.
    async fn get_peer(served: &Served) -> String {
        let request = "GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        read_all(connect(served, request).await).await
    }

    #[tokio::test]
    async fn half_a_header_is_not_waited_for() {
        let served = start(Bounds {
            header: SOON,
            ..Bounds::default()
        })
        .await;
        let half = connect(&served, "GET /peer HTTP/1.1\r\nHost: x\r\nX-Half").await;
        assert_eq!(read_all(half).await, "");
    }

    #[tokio::test]
    async fn who_asks_nothing_gives_the_place_to_the_next() {
        let served = start(narrow()).await;
        let silent = connect(&served, "").await;
        let half = connect(&served, "GET /peer HTTP/1.1\r\nHost").await;
        let mut idle = connect(&served, "GET /peer HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let mut first = [0; 12];
        timeout(FOR_EVER, idle.read_exact(&mut first))
            .await
            .expect("the third in the queue is never served")
            .unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        let answer = get_peer(&served).await;
        assert!(answer.contains("127.0.0.1:"), "{answer}");
        drop((silent, half, idle));
    }

    #[tokio::test]
    async fn who_does_not_read_gives_the_place_to_the_next() {
        let served = start(narrow()).await;
        let deaf = connect(&served, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(get_peer(&served).await.starts_with("HTTP/1.1 200"));
        drop(deaf);
    }

    #[tokio::test]
    async fn a_long_head_is_refused() {
        let served = start(Bounds::default()).await;
        let mut request = "GET /peer HTTP/1.1\r\nHost: x\r\nX-Long: ".to_owned();
        request.extend(std::iter::repeat_n(
            'x',
            super::BUFFER_BYTES - request.len(),
        ));
        let answer = read_all(connect(&served, &request).await).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }

    #[tokio::test]
    async fn stopping_waits_for_whoever_is_being_answered() {
        let served = start(Bounds::default()).await;
        let mut reader = connect(&served, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let mut first = [0; 12];
        reader.read_exact(&mut first).await.unwrap();
        served.stop.cancel();
        // The one who is still reading is served on; then it leaves, and nobody is left.
        let mut more = vec![0; 1 << 20];
        reader.read_exact(&mut more).await.unwrap();
        assert!(!served.serving.is_finished());
        drop(reader);
        timeout(FOR_EVER, served.serving)
            .await
            .expect("it never stops")
            .unwrap();
    }
}
