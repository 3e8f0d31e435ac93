//! The agents' chains of receipts, and who is kept out because of one.

use storm_protocol::{
    api::OperationStatus,
    frame::{ClosingCode, ToAgent, ToHub},
};

use super::{
    KEY, create,
    double::{self, Running, closing_code},
    made,
};
use crate::testing::some_digest;

#[tokio::test]
async fn a_forged_receipt_quarantines_the_agent() {
    let hub = Running::start().await;
    let (mut agent, mut socket) = hub.enrolled().await;
    let id = hub.world.ask(&hub.world.customer, create("photos")).await;
    let command = agent.command(&hub, &mut socket).await;
    let mut forged = agent.receipt(&command, made("photos", KEY).1);
    forged.receipt.signatures[0].sig.0[3] ^= 1;
    agent.send(&mut socket, &ToHub::Receipt(forged)).await;
    assert_eq!(
        closing_code(&mut socket).await,
        Some(ClosingCode::Quarantined)
    );
    assert_eq!(hub.world.count("SELECT COUNT(*) FROM receipts").await, 0);
    assert_ne!(
        hub.world
            .app
            .store
            .operation(id)
            .await
            .unwrap()
            .unwrap()
            .state,
        OperationStatus::Done
    );
    assert_eq!(
        agent.connect(&hub).await.err(),
        Some(ClosingCode::Quarantined)
    );
    let events = "SELECT COUNT(*) FROM security_events WHERE kind = 'agent_quarantined'";
    assert_eq!(hub.world.count(events).await, 1);
    hub.stop().await;
}

#[tokio::test]
async fn a_chain_that_went_back_or_changed_quarantines_and_one_ahead_is_asked_for() {
    for change in ["receipts = 5", "receipts = 1, head = ''"] {
        let hub = Running::start().await;
        let (mut agent, mut socket) = hub.enrolled().await;
        hub.world.ask(&hub.world.customer, create("photos")).await;
        let command = agent.command(&hub, &mut socket).await;
        let receipt = agent.receipt(&command, made("photos", KEY).1);
        agent.send(&mut socket, &ToHub::Receipt(receipt)).await;
        agent.kept(&mut socket).await;
        let change = change.replace("''", &format!("'{}'", some_digest("another")));
        hub.world.sql(&format!("UPDATE agents SET {change}")).await;
        assert_eq!(
            agent.connect(&hub).await.err(),
            Some(ClosingCode::Quarantined),
            "{change}"
        );
        hub.stop().await;
    }
    let hub = Running::start().await;
    let (mut agent, mut socket) = hub.enrolled().await;
    hub.world.ask(&hub.world.customer, create("photos")).await;
    let command = agent.command(&hub, &mut socket).await;
    let kept_back = agent.receipt(&command, made("photos", KEY).1);
    drop(socket);
    let mut socket = agent.connect(&hub).await.unwrap();
    match double::next(&mut socket).await {
        Some(ToAgent::ReceiptsWanted(wanted)) => assert_eq!(wanted.from, 1),
        other => panic!("expected a wish for receipts, got {other:?}"),
    }
    agent.send(&mut socket, &ToHub::Receipt(kept_back)).await;
    hub.until(command.payload.operation, OperationStatus::Done)
        .await;
    hub.stop().await;
}
