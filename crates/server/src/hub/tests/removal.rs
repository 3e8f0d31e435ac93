//! What an operator decides about an agent: its removal, and the end of a quarantine.

use storm_protocol::{
    api::OperationStatus,
    frame::{ClosingCode, KnownState, OperationState, ToAgent, ToHub},
};

use super::{
    KEY, create,
    double::{self, Double, Received, Running, Socket, closing_code},
    made,
};

/// Sends the next receipt of the agent and waits until it is kept.
async fn answer(agent: &mut Double, socket: &mut Socket, command: &Received, name: &str) -> u64 {
    let receipt = agent.receipt(command, made(name, KEY).1);
    agent.send(socket, &ToHub::Receipt(receipt)).await;
    agent.kept(socket).await
}

#[tokio::test]
async fn a_revoked_agent_is_cut_off_and_another_takes_its_role_after_a_rest() {
    let hub = Running::start().await;
    let world = &hub.world;
    let store = &world.app.store;
    let (old, mut socket) = hub.enrolled().await;
    let taken = world.ask(&world.customer, create("photos")).await;
    old.command(&hub, &mut socket).await;
    hub.until(taken, OperationStatus::Sent).await;

    let by = world.operator.user;
    assert!(
        store
            .revoke_agent(old.id(), by, world.app.clock.now())
            .await
            .unwrap()
    );
    assert!(
        !store
            .revoke_agent(old.id(), by, world.app.clock.now())
            .await
            .unwrap()
    );
    assert_eq!(closing_code(&mut socket).await, Some(ClosingCode::Revoked));
    let mut old = old;
    assert_eq!(old.connect(&hub).await.err(), Some(ClosingCode::Revoked));
    hub.until(taken, OperationStatus::Unknown).await;
    let region = store.region(&world.region).await.unwrap().unwrap();
    assert_eq!((region.executor, region.epoch), (None, 1));

    // Two executors are never at work together.
    let (next, mut socket) = hub.enrolled_in(&world.region).await;
    assert!(!next.executor);
    let waits = world.ask(&world.customer, create("videos")).await;
    world.clock.advance_seconds(121);
    match double::next(&mut socket).await {
        Some(ToAgent::Executor(state)) => assert_eq!((state.executor, state.epoch), (true, 2)),
        other => panic!("expected the role, got {other:?}"),
    }
    let command = next.command(&hub, &mut socket).await;
    assert_eq!(command.payload.operation, waits);
    assert_eq!(command.payload.audience.epoch, 2);
    let events = "SELECT COUNT(*) FROM security_events WHERE kind = 'agent_revoked'";
    assert_eq!(world.count(events).await, 1);
    hub.stop().await;
}

#[tokio::test]
async fn what_never_left_for_a_revoked_agent_is_signed_for_the_next() {
    let hub = Running::start().await;
    let world = &hub.world;
    let store = &world.app.store;
    let (agent, socket) = hub.enrolled().await;
    let id = world.ask(&world.customer, create("photos")).await;
    hub.until(id, OperationStatus::Sent).await;
    world.sql("UPDATE operations SET state = 'signed'").await;
    drop(socket);
    let now = world.app.clock.now();
    assert!(
        store
            .revoke_agent(agent.id(), world.operator.user, now)
            .await
            .unwrap()
    );
    hub.until(id, OperationStatus::Requested).await;
    hub.stop().await;
}

#[tokio::test]
async fn a_chain_that_went_back_goes_on_from_where_an_operator_accepts_it() {
    let hub = Running::start().await;
    let world = &hub.world;
    let store = &world.app.store;
    let (mut agent, mut socket) = hub.enrolled().await;
    let by = world.operator.user;
    let end = async || {
        let now = world.app.clock.now();
        store
            .end_quarantine(agent_id(&hub).await, by, now)
            .await
            .unwrap()
    };
    for name in ["first", "second"] {
        world.ask(&world.customer, create(name)).await;
        let command = agent.command(&hub, &mut socket).await;
        answer(&mut agent, &mut socket, &command, name).await;
    }
    assert!(!end().await);
    // Its disk came back from a backup.
    agent.chain.truncate(1);
    assert_eq!(
        agent.connect(&hub).await.err(),
        Some(ClosingCode::Quarantined)
    );
    assert!(end().await);
    assert!(!end().await);
    let mut socket = agent.connect(&hub).await.unwrap();
    let id = world.ask(&world.customer, create("third")).await;
    let command = agent.command(&hub, &mut socket).await;
    // The second place is taken again, in the agent's chain and in the account's.
    assert_eq!(answer(&mut agent, &mut socket, &command, "third").await, 2);
    hub.until(id, OperationStatus::Done).await;
    assert_eq!(
        world
            .count("SELECT COUNT(*) FROM receipts WHERE sequence = 2")
            .await,
        2
    );
    // Afterwards the hub compares as before.
    agent.chain.truncate(1);
    assert_eq!(
        agent.connect(&hub).await.err(),
        Some(ClosingCode::Quarantined)
    );
    let events = "SELECT COUNT(*) FROM security_events WHERE kind = 'quarantine_ended'";
    assert_eq!(world.count(events).await, 1);
    hub.stop().await;
}

#[tokio::test]
async fn a_chain_that_became_another_goes_on_behind_what_the_hub_has_not_seen() {
    let hub = Running::start().await;
    let world = &hub.world;
    let store = &world.app.store;
    let (mut agent, mut socket) = hub.enrolled().await;
    world.ask(&world.customer, create("first")).await;
    let command = agent.command(&hub, &mut socket).await;
    answer(&mut agent, &mut socket, &command, "first").await;
    // Its first receipt is another one now, and the second names that.
    agent.chain.clear();
    agent.receipt(&command, made("other", KEY).1);
    let second = agent.receipt(&command, made("first", KEY).1);
    agent
        .send(&mut socket, &ToHub::Receipt(second.clone()))
        .await;
    assert_eq!(
        closing_code(&mut socket).await,
        Some(ClosingCode::Quarantined)
    );
    // It comes again and says where its chain ends: that is what is accepted.
    assert_eq!(
        agent.connect(&hub).await.err(),
        Some(ClosingCode::Quarantined)
    );
    let (by, now) = (world.operator.user, world.app.clock.now());
    assert!(store.end_quarantine(agent.id(), by, now).await.unwrap());
    let mut socket = agent.connect(&hub).await.unwrap();
    // What was passed over is acknowledged and not taken in.
    agent.send(&mut socket, &ToHub::Receipt(second)).await;
    assert_eq!(agent.kept(&mut socket).await, 2);
    let id = world.ask(&world.customer, create("third")).await;
    let command = agent.command(&hub, &mut socket).await;
    let running = OperationState {
        operation: id,
        state: KnownState::Running,
    };
    agent.send(&mut socket, &ToHub::Accepted(running)).await;
    assert_eq!(answer(&mut agent, &mut socket, &command, "third").await, 3);
    hub.until(id, OperationStatus::Done).await;
    assert_eq!(world.count("SELECT COUNT(*) FROM receipts").await, 2);
    hub.stop().await;
}

/// The only agent.
async fn agent_id(hub: &Running) -> storm_protocol::ident::AgentId {
    hub.world.app.store.agents(("", ""), 2).await.unwrap()[0].id
}
