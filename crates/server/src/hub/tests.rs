//! The hub against agents of the test's own making, over real TLS and WebSockets.

mod double;

use storm_protocol::{
    api::OperationStatus,
    command::{BucketCreate, Command, CommandResult},
    encoding::Base64,
    error::{Failure, Refusal},
    frame::{
        BucketState, ClosingCode, GrantState, Heartbeat, InventoryFrame, KeyState, KnownState,
        OperationState, ToAgent, ToHub,
    },
    ident::{AccessKeyId, BucketId, Micros, key_name},
    receipt::Outcome,
    result::BucketCreated,
    seal::Sealed,
};

use self::double::{Double, Running, closing_code};
use crate::{clock::random, testing::some_digest};

fn create(name: &str) -> Command {
    Command::BucketCreate(BucketCreate {
        bucket: name.parse().unwrap(),
        quota_bytes: None,
        quota_objects: None,
        abort_uploads_after_days: None,
        key: Some("first".parse().unwrap()),
    })
}

fn made(name: &str, key: &str) -> (BucketId, Outcome) {
    let bucket = BucketId(random());
    let created = BucketCreated {
        bucket,
        name: name.parse().unwrap(),
        key: Some(key.parse().unwrap()),
    };
    (bucket, Outcome::Done(CommandResult::BucketCreate(created)))
}

const KEY: &str = "GK0123456789abcdef01234567";

#[tokio::test]
async fn without_a_certificate_nothing_but_enrolment() {
    let hub = Running::start().await;
    let agent = Double::new();
    let mut socket = hub.dial(None).await.unwrap();
    agent
        .send(
            &mut socket,
            &ToHub::Hello(Box::new(agent.hello(&hub.world))),
        )
        .await;
    assert_eq!(
        closing_code(&mut socket).await,
        Some(ClosingCode::NotEnrolled)
    );
    let mut socket = hub.dial(None).await.unwrap();
    let beat = Heartbeat { clock: Micros(1) };
    agent.send(&mut socket, &ToHub::Heartbeat(beat)).await;
    assert_eq!(
        closing_code(&mut socket).await,
        Some(ClosingCode::NotEnrolled)
    );
    hub.stop().await;
}

#[tokio::test]
async fn only_tls_1_3_and_only_our_ca() {
    let hub = Running::start().await;
    let old = hub
        .dial_with(double::Dial {
            tls12: true,
            ..Default::default()
        })
        .await;
    let words = old.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(words.contains("ProtocolVersion"), "{words}");
    let stranger = double::certificate_of_another_ca();
    let dialled = hub.dial(Some(stranger)).await;
    // TLS 1.3 tells a client that its certificate was refused only at its first read.
    if let Ok(mut socket) = dialled {
        assert_eq!(double::next(&mut socket).await, None);
    }
    assert_eq!(hub.world.count("SELECT COUNT(*) FROM agents").await, 0);
    hub.stop().await;
}

#[tokio::test]
async fn a_token_is_bound_to_the_first_key_and_spent_by_connecting() {
    let hub = Running::start().await;
    let token = hub.world.enrol_token(3600).await;
    let mut agent = Double::new();
    let first = agent.enrol(&hub, &token).await.unwrap();
    let again = agent.enrol(&hub, &token).await.unwrap();
    assert_eq!(first.agent, again.agent);
    assert_eq!(first.certificate, again.certificate);
    assert_eq!(first.root_key.id(), token.root_key);
    assert_eq!(
        Double::new().enrol(&hub, &token).await.err(),
        Some(ClosingCode::TokenSpent)
    );
    let events = "SELECT COUNT(*) FROM security_events WHERE kind = 'enrol_refused'";
    assert_eq!(hub.world.count(events).await, 1);
    // The right owner is not shut out by that.
    agent.enrol(&hub, &token).await.unwrap();
    let socket = agent.connect(&hub).await.unwrap();
    drop(socket);
    assert_eq!(
        agent.enrol(&hub, &token).await.err(),
        Some(ClosingCode::TokenSpent)
    );
    let region = hub
        .world
        .app
        .store
        .region(&hub.world.region)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((region.executor, region.epoch), (Some(first.agent), 1));
    hub.stop().await;
}

#[tokio::test]
async fn unknown_and_expired_tokens_let_nobody_in() {
    let hub = Running::start().await;
    let mut unknown = hub.world.enrol_token(3600).await;
    unknown.secret[0] ^= 1;
    let expired = hub.world.enrol_token(-1).await;
    for token in [unknown, expired] {
        assert_eq!(
            Double::new().enrol(&hub, &token).await.err(),
            Some(ClosingCode::TokenInvalid)
        );
    }
    assert_eq!(hub.world.count("SELECT COUNT(*) FROM agents").await, 0);
    hub.stop().await;
}

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
    let stranger = storm_protocol::ident::AccountId::new(now, random());
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
async fn inventory_finds_owners_and_what_is_gone_and_keeps_known_owners() {
    let hub = Running::start().await;
    let (agent, mut socket) = hub.enrolled().await;
    let account = hub.world.customer.account;
    let key: AccessKeyId = KEY.parse().unwrap();
    let (owned, known, gone) = (BucketId(random()), BucketId(random()), BucketId(random()));
    for (id, account, seen) in [(known, hub.world.operator.account, 0), (gone, account, 0)] {
        hub.world
            .sql(&format!(
                "INSERT INTO buckets (id, region, account, created_at, seen_at) \
                 VALUES ('{id}', 'home', '{account}', 0, {seen})"
            ))
            .await;
    }
    let bucket = |id, name: &str| BucketState {
        bucket: id,
        aliases: vec![name.parse().unwrap()],
        bytes: 10,
        objects: 2,
        unfinished_bytes: 0,
        unfinished_uploads: 0,
        quota_bytes: None,
        quota_objects: None,
        website: false,
        grants: vec![GrantState {
            key: key.clone(),
            read: true,
            write: true,
            owner: true,
        }],
        created_at: Micros(5),
    };
    let part = |last, buckets, keys| InventoryFrame {
        generation: 3,
        whole: true,
        last,
        buckets,
        buckets_gone: vec![],
        keys,
        keys_gone: vec![],
    };
    let label = "laptop".parse().unwrap();
    let named = |id: &AccessKeyId, name: String| KeyState {
        key: id.clone(),
        name,
        created_at: Some(Micros(5)),
        expires_at: None,
    };
    let foreign: AccessKeyId = "GK0123456789abcdef01234569".parse().unwrap();
    let keys = vec![
        named(&key, key_name(account, &label)),
        named(&foreign, "somebody's/key\u{7}".into()),
    ];
    agent
        .send(
            &mut socket,
            &ToHub::Inventory(part(false, vec![bucket(owned, "photos")], vec![])),
        )
        .await;
    agent
        .send(
            &mut socket,
            &ToHub::Inventory(part(true, vec![bucket(known, "videos")], keys)),
        )
        .await;
    match double::next(&mut socket).await {
        Some(ToAgent::InventoryKept(kept)) => assert_eq!(kept.generation, 3),
        other => panic!("expected an acknowledgement, got {other:?}"),
    }
    let world = &hub.world;
    let count = |what: String| async move { world.count(&what).await };
    let of = |id, account| {
        format!(
            "SELECT COUNT(*) FROM buckets WHERE id = '{id}' AND account = '{account}' AND gone_at IS NULL AND bytes = 10"
        )
    };
    assert_eq!(count(of(owned, account)).await, 1);
    assert_eq!(count(of(known, hub.world.operator.account)).await, 1);
    assert_eq!(
        count(format!(
            "SELECT COUNT(*) FROM buckets WHERE id = '{gone}' AND gone_at > 0"
        ))
        .await,
        1
    );
    assert_eq!(
        count(format!(
            "SELECT COUNT(*) FROM keys WHERE id = '{key}' AND label = 'laptop'"
        ))
        .await,
        1
    );
    assert_eq!(
        count(
            "SELECT COUNT(*) FROM keys WHERE account IS NULL AND label = 'somebody''s-key-'".into()
        )
        .await,
        1
    );
    assert_eq!(count("SELECT generation FROM agents".into()).await, 3);
    hub.stop().await;
}

#[tokio::test]
async fn a_renewed_key_replaces_the_old_one_when_it_is_used() {
    let hub = Running::start().await;
    let (mut agent, mut socket) = hub.enrolled().await;
    let before = agent.certified();
    agent.renew(&mut socket).await;
    // Both work until the new one was used.
    let renewed = agent.certified();
    agent.use_certificate(before.clone());
    drop(agent.connect(&hub).await.unwrap());
    agent.use_certificate(renewed);
    drop(agent.connect(&hub).await.unwrap());
    agent.use_certificate(before);
    assert_eq!(agent.connect(&hub).await.err(), Some(ClosingCode::Revoked));
    hub.stop().await;
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
