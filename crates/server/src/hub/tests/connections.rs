//! Connections: their ends, and who takes the place of whom.

use std::time::Duration;

use futures_util::StreamExt as _;
use storm_protocol::frame::{ClosingCode, HUB_SERVER_NAME, ToAgent, ToHub};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::protocol::frame::{
    Frame,
    coding::{Data, OpCode},
};

use super::double::{self, Running, closing_code};

/// The longest that the hub may take to end a connection.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_second_connection_of_an_agent_replaces_the_first() {
    let hub = Running::start().await;
    let (mut agent, mut first) = hub.enrolled().await;
    let _second = agent.connect(&hub).await.unwrap();
    assert_eq!(closing_code(&mut first).await, Some(ClosingCode::Replaced));
    assert_eq!(hub.world.count("SELECT connected FROM agents").await, 1);
    hub.stop().await;
    // The hub says that it restarts and nobody counts as connected with it.
}

#[tokio::test]
async fn stopping_says_goodbye_and_garbage_is_a_protocol_error() {
    let hub = Running::start().await;
    let (mut agent, mut socket) = hub.enrolled().await;
    double::send_text(
        &mut socket,
        "{\"type\":\"heartbeat\",\"body\":{\"clock\":1,\"clock\":2}}",
    )
    .await;
    assert_eq!(closing_code(&mut socket).await, Some(ClosingCode::Protocol));
    let mut socket = agent.connect(&hub).await.unwrap();
    hub.stop().await;
    assert_eq!(
        closing_code(&mut socket).await,
        Some(ClosingCode::Restarting)
    );
}

/// Text that no frame is.
const NO_FRAME: &str = "{}";

impl Running {
    /// An agent that is not connected, and the frame with which it begins.
    async fn introduction(&self) -> (double::Double, String) {
        let (agent, first) = self.enrolled().await;
        drop(first);
        let hello = ToHub::Hello(Box::new(agent.hello(&self.world)));
        (agent, serde_json::to_string(&hello).unwrap())
    }
}

/// A frame's bytes as a client sends them.
fn bytes_of(text: &str, code: Data, last: bool) -> Vec<u8> {
    let mut frame = Frame::message(text.to_owned(), OpCode::Data(code), last);
    frame.header_mut().mask = Some([1, 2, 3, 4]);
    let mut bytes = vec![];
    frame.format(&mut bytes).unwrap();
    bytes
}

/// Every byte is heard, however the first frame comes: what follows it in the same piece has its answer, too.
#[tokio::test]
async fn nothing_is_lost_that_comes_with_the_first_frame() {
    let hub = Running::start().await;
    let (agent, hello) = hub.introduction().await;
    let (begin, rest) = hello.split_at(hello.len() / 2);
    let (whole, next) = (
        bytes_of(&hello, Data::Text, true),
        bytes_of(NO_FRAME, Data::Text, true),
    );
    let ping = {
        let mut frame = Frame::ping("");
        frame.header_mut().mask = Some([0; 4]);
        let mut bytes = vec![];
        frame.format(&mut bytes).unwrap();
        bytes
    };
    let fragments = [
        bytes_of(begin, Data::Text, false),
        ping.clone(),
        bytes_of(rest, Data::Continue, true),
    ]
    .concat();
    // What leaves at once, and what follows once the hub has answered the introduction.
    let openings = [
        (whole.clone(), next.clone()),
        ([&*whole, &*next].concat(), vec![]),
        ([&*whole, &next[..1]].concat(), next[1..].to_vec()),
        (
            [&*whole, &next[..next.len() - 1]].concat(),
            next[next.len() - 1..].to_vec(),
        ),
        ([&*ping, &*whole].concat(), next.clone()),
        ([&*whole, &*ping].concat(), next.clone()),
        (fragments.clone(), next.clone()),
        ([&*fragments, &*next].concat(), vec![]),
    ];
    for (number, (at_once, later)) in openings.into_iter().enumerate() {
        let mut socket = hub.dial(Some(agent.certified())).await.unwrap();
        socket.get_mut().write_all(&at_once).await.unwrap();
        socket.get_mut().flush().await.unwrap();
        let answer = double::next(&mut socket).await;
        assert!(
            matches!(answer, Some(ToAgent::Welcome(_))),
            "{number}: {answer:?}"
        );
        socket.get_mut().write_all(&later).await.unwrap();
        socket.get_mut().flush().await.unwrap();
        assert_eq!(
            closing_code(&mut socket).await,
            Some(ClosingCode::Protocol),
            "{number}"
        );
    }
    hub.stop().await;
}

/// Each byte in a TLS record of its own.
#[tokio::test]
async fn the_first_frame_may_come_byte_by_byte() {
    let hub = Running::start().await;
    let (agent, hello) = hub.introduction().await;
    let mut socket = hub.dial(Some(agent.certified())).await.unwrap();
    for byte in bytes_of(&hello, Data::Text, true) {
        socket.get_mut().write_all(&[byte]).await.unwrap();
        socket.get_mut().flush().await.unwrap();
    }
    let answer = double::next(&mut socket).await;
    assert!(matches!(answer, Some(ToAgent::Welcome(_))), "{answer:?}");
    for byte in bytes_of(NO_FRAME, Data::Text, true) {
        socket.get_mut().write_all(&[byte]).await.unwrap();
        socket.get_mut().flush().await.unwrap();
    }
    assert_eq!(closing_code(&mut socket).await, Some(ClosingCode::Protocol));
    hub.stop().await;
}

/// A client that does not wait for the answer to its upgrade is refused at once: it is not answered in part.
#[tokio::test]
async fn a_frame_before_the_upgrade_is_answered_ends_the_connection() {
    let hub = Running::start().await;
    let (agent, hello) = hub.introduction().await;
    let mut tls = hub
        .dial_tls(double::Dial {
            certificate: Some(agent.certified()),
            ..double::Dial::default()
        })
        .await
        .unwrap();
    let request = format!(
        "GET /agent HTTP/1.1\r\nHost: {HUB_SERVER_NAME}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let early = [request.into_bytes(), bytes_of(&hello, Data::Text, true)].concat();
    tls.write_all(&early).await.unwrap();
    tls.flush().await.unwrap();
    let mut answer = vec![];
    // Ends with or without a goodbye of TLS.
    let ended = tokio::time::timeout(PATIENCE, tls.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "the hub waits for more");
    let answer = String::from_utf8_lossy(&answer);
    assert!(!answer.contains("welcome"), "{answer}");
    hub.until_count("SELECT connected FROM agents", 0).await;
    hub.stop().await;
}

/// The door's limit holds until the first frame has come, with a certificate and without, though there is an
/// upgrade, and pings and pieces come all the time.
#[tokio::test]
async fn who_never_introduces_himself_has_to_go() {
    let hub = Running::start().await;
    let (agent, hello) = hub.introduction().await;
    let silent = hub.dial(None);
    let chatty = hub.dial(Some(agent.certified()));
    let (mut silent, mut chatty) = (silent.await.unwrap(), chatty.await.unwrap());
    let text = bytes_of(&hello, Data::Text, true);
    let chat = async {
        let bytes = text.iter().take(text.len() - 1);
        for byte in bytes.cycle() {
            let wire = chatty.get_mut();
            if wire.write_all(&[*byte]).await.is_err() || wire.flush().await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (silence, chat) = tokio::join!(
        tokio::time::timeout(PATIENCE, silent.next()),
        tokio::time::timeout(PATIENCE, chat)
    );
    assert!(chat.is_ok() && silence.is_ok(), "still there");
    hub.stop().await;
}
