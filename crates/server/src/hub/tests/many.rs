//! Several hubs on one database, none of which hears the other's words.

use std::time::Duration;

use storm_protocol::{
    api::OperationStatus,
    command::{AgentPing, Command},
    frame::{ClosingCode, ToAgent, ToHub},
};

use super::double::{Running, closing_code, next};
use crate::{hub::agent::SEND_WITHIN_SECONDS, store::Durability};

fn ping() -> Command {
    Command::AgentPing(AgentPing {})
}

/// Which hub holds how many agents.
fn held_by(hub: &str) -> String {
    format!(
        "SELECT COUNT(*) FROM agents a JOIN hub_agents h ON h.agent = a.id WHERE a.connected = 1 AND h.hub = '{hub}'"
    )
}

#[tokio::test]
async fn an_agent_belongs_to_the_hub_that_let_it_in_last() {
    let hubs = Running::start_hubs(2).await;
    let first_id = hubs.hub_id().await;
    let (mut agent, mut first) = hubs.enrolled().await;
    hubs.until_count(&held_by(&first_id), 1).await;
    hubs.turn_to(1);
    let second_id = hubs.hub_id().await;
    let mut second = agent.connect(&hubs).await.unwrap();
    assert!(agent.executor);
    // Nobody told the first one: it looks.
    assert_eq!(closing_code(&mut first).await, Some(ClosingCode::Replaced));
    // Its leave takes nothing from the second.
    assert_eq!(hubs.world.count(&held_by(&second_id)).await, 1);
    let id = hubs.world.ask(&hubs.world.customer, ping()).await;
    let command = agent.command(&hubs, &mut second).await;
    assert_eq!(command.payload.operation, id);
    hubs.stop().await;
}

#[tokio::test]
async fn a_hub_that_was_taken_for_dead_sends_nothing_and_begins_again() {
    let hubs = Running::start_hubs(2).await;
    let id = hubs.hub_id().await;
    let (mut agent, mut socket) = hubs.enrolled().await;
    let asked = hubs.world.ask(&hubs.world.customer, ping()).await;
    agent.command(&hubs, &mut socket).await;
    // As if it had slept: the others' last look, and its row is gone before it writes again.
    let dead = loop {
        let beats = hubs.world.app.store.beats().await.unwrap();
        let beat = beats.into_iter().find(|beat| beat.hub == id).unwrap();
        if hubs.world.app.store.end_hub(&beat).await.unwrap() == Some(1) {
            break id;
        }
    };
    let connected = "SELECT COUNT(*) FROM agents WHERE connected = 1";
    assert_eq!(hubs.world.count(connected).await, 0);
    // A signed command waits for it, and it still holds the socket.
    let signed = format!(
        "UPDATE operations SET state = 'signed', signed_at = {} WHERE id = '{asked}'",
        hubs.world.app.clock.now().0
    );
    hubs.world.sql(&signed).await;
    hubs.world.app.bus.hand_out(agent.id());
    // It tries and is refused, or sees first that it holds nobody any more.
    match next(&mut socket).await {
        Some(ToAgent::Closing(closing)) => assert!(
            matches!(
                closing.code,
                ClosingCode::Restarting | ClosingCode::Replaced
            ),
            "{closing:?}"
        ),
        other => panic!("expected the end, got {other:?}"),
    }
    let store = &hubs.world.app.store;
    let now = hubs.world.app.clock.now();
    let taken = store.claim_commands(agent.id(), &dead, now, 10).await;
    assert!(taken.unwrap().is_empty());
    let operation = store.operation(asked).await.unwrap().unwrap();
    assert_eq!(operation.state, OperationStatus::Signed);
    // Under another id.
    let again = hubs.hub_id().await;
    assert_ne!(again, dead);
    let mut socket = agent.connect(&hubs).await.unwrap();
    let command = agent.command(&hubs, &mut socket).await;
    assert_eq!(command.payload.operation, asked);
    assert_eq!(hubs.world.count(&held_by(&again)).await, 1);
    hubs.stop().await;
}

/// A process may sleep between taking commands and sending them; the lock of all changes stands for it here.
#[tokio::test]
async fn what_was_taken_too_long_ago_is_not_sent_and_is_asked_about() {
    let hubs = Running::start_hubs(2).await;
    let (mut agent, mut socket) = hubs.enrolled().await;
    let (world, id) = (&hubs.world, agent.id());
    let asked = world.ask(&world.customer, ping()).await;
    agent.command(&hubs, &mut socket).await;
    let mut held = world.app.store.write(Durability::Process).await.unwrap();
    sqlx::query("UPDATE operations SET state = 'signed', signed_at = $1 WHERE id = $2")
        .bind(world.app.clock.now().0)
        .bind(asked.to_string())
        .execute(&mut *held)
        .await
        .unwrap();
    world.app.bus.hand_out(id);
    for _ in 0..=SEND_WITHIN_SECONDS {
        tokio::time::sleep(Duration::from_secs(1)).await;
        // Lest the server takes it for a process that sleeps.
        sqlx::query("SELECT 1").execute(&mut *held).await.unwrap();
    }
    held.commit().await.unwrap();
    match next(&mut socket).await {
        Some(ToAgent::Closing(closing)) => assert_eq!(closing.code, ClosingCode::Restarting),
        other => panic!("expected the end, got {other:?}"),
    }
    let operation = world.app.store.operation(asked).await.unwrap().unwrap();
    assert_eq!(operation.state, OperationStatus::Sent);
    hubs.turn_to(1);
    let mut socket = agent.connect(&hubs).await.unwrap();
    match next(&mut socket).await {
        Some(ToAgent::Query(operations)) => assert_eq!(operations, [asked]),
        other => panic!("expected a question, got {other:?}"),
    }
    hubs.stop().await;
}

#[tokio::test]
async fn roles_and_hints_reach_an_agent_at_another_hub() {
    let hubs = Running::start_hubs(2).await;
    let (first, mut here) = hubs.enrolled().await;
    hubs.turn_to(1);
    hubs.hub_id().await;
    let region = hubs.world.region.clone();
    let (second, mut there) = hubs.enrolled_in(&region).await;
    assert!(!second.executor);
    let moved = format!(
        "UPDATE regions SET executor = '{}', epoch = epoch + 1 WHERE name = '{region}'",
        second.id()
    );
    hubs.world.sql(&moved).await;
    match next(&mut there).await {
        Some(ToAgent::Executor(state)) => assert!(state.executor),
        other => panic!("expected the role, got {other:?}"),
    }
    match next(&mut here).await {
        Some(ToAgent::Executor(state)) => assert!(!state.executor),
        other => panic!("expected the end of the role, got {other:?}"),
    }
    first.send(&mut here, &ToHub::Moved).await;
    assert!(matches!(next(&mut there).await, Some(ToAgent::Moved)));
    hubs.stop().await;
}
