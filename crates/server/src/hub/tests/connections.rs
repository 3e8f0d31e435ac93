//! Connections: their ends, and who takes the place of whom.

use futures_util::SinkExt as _;
use storm_protocol::frame::{ClosingCode, ToHub};
use tokio_tungstenite::tungstenite::{
    Bytes, Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use super::double::{self, Running, closing_code};

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

/// What follows the first frame at once would be lost with its buffer, so the hub does not go on.
#[tokio::test]
async fn nothing_is_said_before_the_hub_has_answered() {
    let hub = Running::start().await;
    let (agent, first) = hub.enrolled().await;
    drop(first);
    let hello = ToHub::Hello(Box::new(agent.hello(&hub.world)));
    let hello = serde_json::to_string(&hello).unwrap();
    let (begin, rest) = hello.split_at(hello.len() / 2);
    let piece = |text: &str, code, last| {
        Message::Frame(Frame::message(text.to_owned(), OpCode::Data(code), last))
    };
    let openings = [
        vec![Message::text(&hello), Message::text("{}")],
        vec![Message::Ping(Bytes::new()), Message::text(&hello)],
        vec![
            piece(begin, Data::Text, false),
            piece(rest, Data::Continue, true),
        ],
    ];
    for opening in openings {
        let mut socket = hub.dial(Some(agent.certified())).await.unwrap();
        for message in opening {
            // They leave together.
            socket.feed(message).await.unwrap();
        }
        socket.flush().await.unwrap();
        assert_eq!(closing_code(&mut socket).await, Some(ClosingCode::Protocol));
    }
    hub.stop().await;
}
