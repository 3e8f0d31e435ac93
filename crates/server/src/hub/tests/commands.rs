//! Commands on their way to an agent, and the receipts that answer them.

use storm_protocol::{
    api::OperationStatus,
    encoding::Base64,
    error::{Failure, Refusal},
    frame::{KnownState, OperationState, ToAgent, ToHub},
    ident::AccountId,
    receipt::Outcome,
    seal::Sealed,
};

use super::{
    KEY, create,
    double::{self, Running},
    made,
};
use crate::clock::random;

#[tokio::test]
async fn a_command_goes_out_and_its_receipt_brings_everything_up_to_date() {
    let hub = Running::start().await;
    let (mut agent, mut socket) = hub.enrolled().await;
    let id = hub.world.ask(&hub.world.customer, create("photos")).await;
    let command = agent.command(&hub, &mut socket).await;
    assert_eq!(command.payload.operation, id);
    let running = OperationState {
        operation: id,
        state: KnownState::Running,
    };
    agent.send(&mut socket, &ToHub::Accepted(running)).await;
    hub.until(id, OperationStatus::Accepted).await;

    let (bucket, outcome) = made("photos", KEY);
    let receipt = agent.receipt(&command, outcome.clone());
    agent
        .send(&mut socket, &ToHub::Receipt(receipt.clone()))
        .await;
    assert_eq!(agent.kept(&mut socket).await, 1);
    let operation = hub.until(id, OperationStatus::Done).await;
    assert_eq!(operation.outcome, Some(outcome));
    assert_eq!(operation.receipt, Some(receipt.receipt.clone()));
    let account = hub.world.customer.account;
    let owned =
        format!("SELECT COUNT(*) FROM buckets WHERE id = '{bucket}' AND account = '{account}'");
    assert_eq!(hub.world.count(&owned).await, 1);
    let grants = format!(
        "SELECT COUNT(*) FROM grants WHERE bucket = '{bucket}' AND key = '{KEY}' AND owner = 1"
    );
    assert_eq!(hub.world.count(&grants).await, 1);
    let label = format!("SELECT COUNT(*) FROM keys WHERE id = '{KEY}' AND label = 'first'");
    assert_eq!(hub.world.count(&label).await, 1);

    // The same receipt again changes nothing and is acknowledged again.
    agent.send(&mut socket, &ToHub::Receipt(receipt)).await;
    assert_eq!(agent.kept(&mut socket).await, 1);
    assert_eq!(hub.world.count("SELECT COUNT(*) FROM receipts").await, 1);
    let chain = hub
        .world
        .app
        .store
        .receipts_of_account(account, None, 0, 10)
        .await
        .unwrap();
    assert_eq!(chain.len(), 1);
    hub.stop().await;
}

#[tokio::test]
async fn a_transient_refusal_is_signed_afresh_and_a_final_one_is_not() {
    let hub = Running::start().await;
    let (mut agent, mut socket) = hub.enrolled().await;
    let id = hub.world.ask(&hub.world.customer, create("photos")).await;
    let first = agent.command(&hub, &mut socket).await;
    let busy = Outcome::Refused {
        code: Refusal::Busy,
        message: "full".to_owned(),
    };
    let receipt = agent.receipt(&first, busy);
    agent.send(&mut socket, &ToHub::Receipt(receipt)).await;
    assert_eq!(agent.kept(&mut socket).await, 1);
    let second = agent.command(&hub, &mut socket).await;
    assert_eq!((second.payload.operation, second.payload.attempt), (id, 2));
    let disabled = Outcome::Refused {
        code: Refusal::DisabledCommand,
        message: "off".to_owned(),
    };
    let receipt = agent.receipt(&second, disabled);
    agent.send(&mut socket, &ToHub::Receipt(receipt)).await;
    hub.until(id, OperationStatus::Refused).await;
    hub.stop().await;
}

#[tokio::test]
async fn what_was_sent_before_a_break_is_asked_about_first() {
    let hub = Running::start().await;
    let (mut agent, mut socket) = hub.enrolled().await;
    let lost = hub.world.ask(&hub.world.customer, create("photos")).await;
    agent.command(&hub, &mut socket).await;
    hub.until(lost, OperationStatus::Sent).await;
    drop(socket);
    let mut socket = agent.connect(&hub).await.unwrap();
    let asked = match double::next(&mut socket).await {
        Some(ToAgent::Query(ids)) => ids,
        other => panic!("expected a query, got {other:?}"),
    };
    assert_eq!(asked, vec![lost]);
    let unknown = OperationState {
        operation: lost,
        state: KnownState::Unknown,
    };
    agent.send(&mut socket, &ToHub::States(vec![unknown])).await;
    let again = agent.command(&hub, &mut socket).await;
    assert_eq!((again.payload.operation, again.payload.attempt), (lost, 2));
    let failed = Outcome::Failed {
        code: Failure::NameTaken,
        message: "taken".to_owned(),
    };
    let receipt = agent.receipt(&again, failed);
    agent.send(&mut socket, &ToHub::Receipt(receipt)).await;
    hub.until(lost, OperationStatus::Failed).await;
    hub.stop().await;
}

#[tokio::test]
async fn receipts_of_what_was_not_asked_here_become_operations_of_known_accounts() {
    let hub = Running::start().await;
    let (mut agent, mut socket) = hub.enrolled().await;
    let now = hub.world.app.clock.now();
    let offline = agent.offline(&hub.world, hub.world.customer.account, now);
    let receipt = agent.receipt(&offline, made("archive", KEY).1);
    agent.send(&mut socket, &ToHub::Receipt(receipt)).await;
    assert_eq!(agent.kept(&mut socket).await, 1);
    let operation = hub
        .until(offline.payload.operation, OperationStatus::Done)
        .await;
    assert_eq!(operation.actor.account, hub.world.customer.account);
    let stranger = AccountId::new(now, random());
    let unknown = agent.offline(&hub.world, stranger, now);
    let receipt = agent.receipt(&unknown, made("strange", "GK0123456789abcdef01234568").1);
    agent.send(&mut socket, &ToHub::Receipt(receipt)).await;
    assert_eq!(agent.kept(&mut socket).await, 2);
    let store = &hub.world.app.store;
    assert!(
        store
            .operation(unknown.payload.operation)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        store
            .receipts_of_agent(agent.id(), 0, 10)
            .await
            .unwrap()
            .len(),
        2
    );
    hub.stop().await;
}

#[tokio::test]
async fn a_sealed_secret_is_kept_until_it_is_acknowledged_and_only_when_it_is_the_receipts() {
    let hub = Running::start().await;
    let (mut agent, mut socket) = hub.enrolled().await;
    let secret = |bytes: &[u8]| Sealed {
        key: KEY.parse().unwrap(),
        encapsulated: Base64(vec![1; 32]),
        ciphertext: Base64(bytes.to_vec()),
    };
    let store = &hub.world.app.store;
    for (name, swap) in [("photos", false), ("videos", true)] {
        let began = hub.world.app.clock.now();
        let id = hub.world.ask(&hub.world.customer, create(name)).await;
        let command = agent.command(&hub, &mut socket).await;
        let mut receipt = agent.sealed_receipt(&command, made(name, KEY).1, Some(secret(b"right")));
        if swap {
            receipt.sealed = Some(secret(b"wrong"));
        }
        agent.send(&mut socket, &ToHub::Receipt(receipt)).await;
        agent.kept(&mut socket).await;
        hub.until(id, OperationStatus::Done).await;
        let kept = store.operation_sealed(id).await.unwrap();
        // Counted from when it came here, whatever the agent's clock says.
        let come = format!("SELECT COALESCE(sealed_at, 0) FROM operations WHERE id = '{id}'");
        assert_eq!(hub.world.count(&come).await > began.0, !swap);
        assert_eq!(kept, (!swap).then(|| secret(b"right")));
        assert!(
            store
                .acknowledge_secret(id, hub.world.app.clock.now())
                .await
                .unwrap()
        );
        assert_eq!(store.operation_sealed(id).await.unwrap(), None);
    }
    let acknowledged = "SELECT COUNT(*) FROM keys WHERE acknowledged_at IS NOT NULL";
    assert_eq!(hub.world.count(acknowledged).await, 1);
    hub.stop().await;
}

#[tokio::test]
async fn what_was_taken_to_be_sent_and_never_left_is_asked_about_too() {
    let hub = Running::start().await;
    let (mut agent, socket) = hub.enrolled().await;
    let world = &hub.world;
    drop(socket);
    hub.until_count("SELECT connected FROM agents", 0).await;
    let id = world.ask(&world.customer, create("photos")).await;
    // As a crash between the claim and the socket leaves it.
    let (agent_id, now) = (agent.id(), world.app.clock.now().0);
    world
        .sql(&format!(
            "UPDATE operations SET state = 'sent', agent = '{agent_id}', attempt = 1, signed_at = {now}"
        ))
        .await;
    let mut socket = agent.connect(&hub).await.unwrap();
    match double::next(&mut socket).await {
        Some(ToAgent::Query(ids)) => assert_eq!(ids, vec![id]),
        other => panic!("expected a query, got {other:?}"),
    }
    let unknown = OperationState {
        operation: id,
        state: KnownState::Unknown,
    };
    agent.send(&mut socket, &ToHub::States(vec![unknown])).await;
    let command = agent.command(&hub, &mut socket).await;
    assert_eq!(
        (command.payload.operation, command.payload.attempt),
        (id, 2)
    );
    hub.stop().await;
}
