//! Clients that are no clients: what comes over a bare socket is answered or cut off, within a bound, and
//! keeps nobody else out. Times here are only ever bounds that the server has to keep.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::Site;
use crate::{
    auth::Gate,
    listener::{BUFFER_BYTES, Bounds, serve},
    router,
};

/// Whoever waits this long waits for ever.
const FOR_EVER: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_millis(300);
const HEAD: &str = "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    _site: Site,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The whole web tier on a socket, with little patience.
async fn start(connections: usize) -> Served {
    let site = Site::new().await;
    let gate = Gate::with_times(site.app.clone(), SOON, SOON);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let bounds = Bounds {
        connections,
        header: SOON,
        ..Bounds::default()
    };
    tokio::spawn(serve(listener, router::through(gate), bounds, stop.clone()));
    Served {
        address,
        stop,
        _site: site,
    }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// All that is answered to `parts`, until the server closes.
    async fn say(&self, parts: &[&[u8]]) -> String {
        let mut stream = self.connect().await;
        for part in parts {
            // It may have been cut off before the end.
            if stream.write_all(part).await.is_err() {
                break;
            }
        }
        heard(stream).await
    }

    /// Whether somebody else is served.
    async fn serves(&self) -> bool {
        let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        self.say(&[request]).await.starts_with("HTTP/1.1 200")
    }
}

/// What comes until the server closes; it has to.
async fn heard(mut stream: TcpStream) -> String {
    let mut bytes = vec![];
    // A reset is an end, too.
    let _ = timeout(FOR_EVER, stream.read_to_end(&mut bytes))
        .await
        .expect("the server holds the connection for ever");
    String::from_utf8(bytes).unwrap()
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or_default()
}

/// The code of a problem that we answered with.
fn code(answer: &str) -> String {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let problem: Value = serde_json::from_str(body).unwrap();
    problem["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn heads_that_are_too_much_are_refused() {
    let served = start(16).await;
    let many: String = (0..200)
        .map(|number| format!("X-{number}: y\r\n"))
        .collect();
    let many = format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n");
    assert_eq!(status(&served.say(&[many.as_bytes()]).await), "431");
    for begun in [
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ",
        "GET /healthz/",
    ] {
        // No more than what is read: what is left unread would take the answer back.
        let full = begun.to_owned() + &"y".repeat(BUFFER_BYTES - begun.len());
        assert_eq!(status(&served.say(&[full.as_bytes()]).await), "431");
        let endless = begun.to_owned() + &"y".repeat(64 * BUFFER_BYTES);
        let answer = served.say(&[endless.as_bytes()]).await;
        assert!(matches!(status(&answer), "" | "431"), "{answer}");
    }
    // Two lengths are how a request is smuggled past a proxy.
    let two = format!("{HEAD}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{{}}");
    assert_eq!(status(&served.say(&[two.as_bytes()]).await), "400");
    for noise in ["\0\0\0\0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let answer = served.say(&[noise.as_bytes()]).await;
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
    assert!(served.serves().await);
}

#[tokio::test]
async fn a_head_that_trickles_in_is_cut_off() {
    let served = start(16).await;
    let (mut reader, mut writer) = served.connect().await.into_split();
    let trickle = tokio::spawn(async move {
        let begun = writer
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
            .await;
        begun.unwrap();
        while writer.write_all(b"X-A: b\r\n").await.is_ok() {
            sleep(SOON / 10).await;
        }
    });
    let mut bytes = vec![];
    let _ = timeout(FOR_EVER, reader.read_to_end(&mut bytes))
        .await
        .expect("every new header buys more time");
    assert!(!bytes.starts_with(b"HTTP/1.1 2"));
    // The one who trickles hears of it, too.
    timeout(FOR_EVER, trickle).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_body_that_trickles_in_is_refused() {
    let served = start(16).await;
    for head in [
        format!("{HEAD}Content-Length: 60000\r\n\r\n"),
        format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"),
    ] {
        let is_chunked = head.contains("chunked");
        let (mut reader, mut writer) = served.connect().await.into_split();
        let trickle = tokio::spawn(async move {
            writer.write_all(head.as_bytes()).await.unwrap();
            let part: &[u8] = if is_chunked { b"1\r\n \r\n" } else { b" " };
            while writer.write_all(part).await.is_ok() {
                sleep(SOON / 10).await;
            }
        });
        let mut bytes = vec![];
        let _ = timeout(FOR_EVER, reader.read_to_end(&mut bytes))
            .await
            .expect("every new byte buys more time");
        let answer = String::from_utf8(bytes).unwrap();
        assert_eq!(
            (status(&answer), code(&answer).as_str()),
            ("408", "too_slow")
        );
        timeout(FOR_EVER, trickle).await.unwrap().unwrap();
    }
    // A length is a promise alone: nothing is set aside for it, and it is not waited for.
    let liar = format!("{HEAD}Content-Length: 9000000000000000\r\n\r\n");
    assert_eq!(status(&served.say(&[liar.as_bytes()]).await), "408");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_with_and_without_its_length() {
    let served = start(16).await;
    let body = vec![b' '; 300 * 1024];
    let close = "Connection: close\r\n";
    let with = format!("{HEAD}{close}Content-Length: {}\r\n\r\n", body.len());
    let answer = served.say(&[with.as_bytes(), &body]).await;
    assert_eq!(
        (status(&answer), code(&answer).as_str()),
        ("413", "too_large")
    );
    let without = format!(
        "{HEAD}{close}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        body.len()
    );
    let answer = served
        .say(&[without.as_bytes(), &body, b"\r\n0\r\n\r\n"])
        .await;
    assert_eq!(
        (status(&answer), code(&answer).as_str()),
        ("413", "too_large")
    );
    // Without an end it is cut off.
    let (mut reader, mut writer) = served.connect().await.into_split();
    let endless = tokio::spawn(async move {
        let head = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
        writer.write_all(head.as_bytes()).await.unwrap();
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        while writer.write_all(&chunk).await.is_ok() {}
    });
    let mut bytes = vec![];
    let _ = timeout(FOR_EVER, reader.read_to_end(&mut bytes))
        .await
        .expect("an endless body is read for ever");
    timeout(FOR_EVER, endless).await.unwrap().unwrap();
    assert!(served.serves().await);
}

#[tokio::test]
async fn many_who_ask_nothing_keep_nobody_out() {
    let served = start(8).await;
    let mut idle = vec![];
    for number in 0..64 {
        let mut stream = served.connect().await;
        let begun: &[u8] = match number % 3 {
            0 => b"",
            1 => b"GET /healthz HT",
            _ => b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        };
        stream.write_all(begun).await.unwrap();
        idle.push(stream);
    }
    assert!(served.serves().await);
    // Each of them was given up in its turn, those that were answered, too.
    for (number, stream) in idle.into_iter().enumerate() {
        let answer = heard(stream).await;
        assert_eq!(
            answer.starts_with("HTTP/1.1 200"),
            number % 3 == 2,
            "{answer}"
        );
    }
}
