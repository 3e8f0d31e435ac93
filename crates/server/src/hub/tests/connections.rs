//! Connections: their ends, and who takes the place of whom.

use storm_protocol::frame::ClosingCode;

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
