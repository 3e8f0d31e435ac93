//! What the signer signs and what it refuses, against a real database.

mod access;
mod limits;

use storm_protocol::{
    api::OperationStatus,
    command::{AgentPing, BucketCreate, BucketDelete, ClusterHealthCommand, Command, KeyDelete},
    envelope::{Actor, CommandPayload, Envelope, PayloadType},
    error::Refusal,
    ident::{AccountId, BucketId, Micros, OperationId, UserId},
    receipt::Outcome,
    trust::KeyRole,
};

use super::{
    Signer,
    commands::{IN_FLIGHT_PER_ACCOUNT, SIGNATURES_PER_ACCOUNT_AND_SECOND},
};
use crate::{
    clock::random,
    store::{operations::Cancelled, signing::Share},
    testing::World,
};

const AGENT: &str = "019a0000-0000-7000-8000-000000000001";
/// The hub that holds it.
const HUB: &str = "hub-a";

/// A signer, and an executor that counts as connected.
async fn start() -> (World, Signer) {
    let world = World::new().await;
    let signer = Signer::open(&world.app, &world.files).unwrap();
    world
        .sql(&format!(
            "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, connected, \
             created_at) VALUES ('{AGENT}', 'home', 'h', 'x', 'x', 'x', '{{}}', 1, 0)"
        ))
        .await;
    world
        .sql(&format!(
            "INSERT INTO hub_agents VALUES ('{AGENT}', '{HUB}')"
        ))
        .await;
    world
        .sql(&format!(
            "UPDATE regions SET executor = '{AGENT}', epoch = 7"
        ))
        .await;
    (world, signer)
}

fn ping() -> Command {
    Command::AgentPing(AgentPing {})
}

fn delete(bucket: BucketId) -> Command {
    Command::BucketDelete(BucketDelete { bucket })
}

fn create(name: &str) -> Command {
    Command::BucketCreate(BucketCreate {
        bucket: name.parse().unwrap(),
        quota_bytes: None,
        quota_objects: None,
        abort_uploads_after_days: None,
        key: None,
    })
}

async fn status(world: &World, id: OperationId) -> OperationStatus {
    world.app.store.operation(id).await.unwrap().unwrap().state
}

async fn refusal(world: &World, id: OperationId) -> Option<Refusal> {
    match world
        .app
        .store
        .operation(id)
        .await
        .unwrap()
        .unwrap()
        .outcome
    {
        Some(Outcome::Refused { code, .. }) => Some(code),
        _ => None,
    }
}

async fn insert_bucket(world: &World, account: AccountId) -> BucketId {
    let id = BucketId(random());
    world
        .sql(&format!(
            "INSERT INTO buckets (id, region, account, created_at) VALUES ('{id}', 'home', '{account}', 0)"
        ))
        .await;
    id
}

#[tokio::test]
async fn what_is_signed_is_what_was_asked_for_the_executor_now() {
    let (world, mut signer) = start().await;
    let id = world.ask(&world.customer, create("photos")).await;
    signer.pass().await.unwrap();
    assert_eq!(status(&world, id).await, OperationStatus::Signed);

    let now = world.app.clock.now();
    let agent = AGENT.parse().unwrap();
    let sent = world
        .app
        .store
        .claim_commands(agent, HUB, now, 10)
        .await
        .unwrap();
    let envelope: &Envelope = &sent[0].envelope;
    let keys = world
        .app
        .trust
        .borrow()
        .document
        .keys(KeyRole::Dispatch, now);
    let verified = envelope.verify(PayloadType::Command, &keys).unwrap();
    let payload = CommandPayload::parse(verified.payload).unwrap();
    assert_eq!(payload.operation, id);
    assert_eq!(payload.attempt, 1);
    assert_eq!(payload.audience.agent.to_string(), AGENT);
    assert_eq!(
        (payload.audience.region.as_str(), payload.audience.epoch),
        ("home", 7)
    );
    assert_eq!(payload.actor, world.customer);
    assert_eq!(payload.expires_at, payload.issued_at.plus_seconds(60));
    assert_eq!(payload.command.parse().unwrap(), create("photos"));
}

#[tokio::test]
async fn nothing_is_signed_for_an_executor_that_is_away_or_kept_out() {
    let (world, mut signer) = start().await;
    for away in ["connected = 0", "quarantined = 'why'", "revoked_at = 1"] {
        world.sql(&format!("UPDATE agents SET {away}")).await;
        let id = world.ask(&world.customer, ping()).await;
        signer.pass().await.unwrap();
        assert_eq!(
            status(&world, id).await,
            OperationStatus::Requested,
            "{away}"
        );
        world
            .sql("UPDATE agents SET connected = 1, quarantined = NULL, revoked_at = NULL")
            .await;
    }
    signer.pass().await.unwrap();
    assert_eq!(
        world
            .count("SELECT COUNT(*) FROM operations WHERE state = 'signed'")
            .await,
        3
    );
}

#[tokio::test]
async fn an_operation_that_nobody_took_expires_and_says_so() {
    let (world, mut signer) = start().await;
    world.sql("UPDATE agents SET connected = 0").await;
    let id = world.ask(&world.customer, ping()).await;
    world.clock.advance_seconds(599);
    signer.pass().await.unwrap();
    assert_eq!(status(&world, id).await, OperationStatus::Requested);
    world.clock.advance_seconds(2);
    world.sql("UPDATE agents SET connected = 1").await;
    signer.pass().await.unwrap();
    assert_eq!(status(&world, id).await, OperationStatus::Expired);
    assert_eq!(refusal(&world, id).await, Some(Refusal::Expired));
}

#[tokio::test]
async fn strangers_viewers_and_false_operators_are_refused() {
    let (world, mut signer) = start().await;
    let now = world.app.clock.now();
    let other_account = Actor {
        account: world.operator.account,
        ..world.customer.clone()
    };
    let false_operator = Actor {
        operator: true,
        ..world.customer.clone()
    };
    let mut ids = vec![];
    for actor in [&other_account, &false_operator] {
        ids.push(world.ask(actor, create("photos")).await);
    }
    world
        .sql(&format!(
            "UPDATE members SET role = 'viewer' WHERE \"user\" = '{}'",
            world.customer.user
        ))
        .await;
    ids.push(world.ask(&world.customer, create("photos")).await);
    let question = Command::ClusterHealthCommand(ClusterHealthCommand {});
    let reads = world.ask(&world.customer, question).await;
    signer.pass().await.unwrap();
    for id in ids {
        assert_eq!(status(&world, id).await, OperationStatus::Refused);
        assert_eq!(refusal(&world, id).await, Some(Refusal::NotYours));
    }
    assert_eq!(status(&world, reads).await, OperationStatus::Signed);
    // A user that does not exist cannot even be written down.
    let nobody = Actor {
        user: UserId::new(now, random()),
        ..world.customer.clone()
    };
    assert!(
        world
            .app
            .store
            .request_operation(world.request(&nobody, ping()))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn another_accounts_things_are_refused_operators_aside() {
    let (world, mut signer) = start().await;
    let mine = insert_bucket(&world, world.customer.account).await;
    let theirs = insert_bucket(&world, world.operator.account).await;
    let unknown_key = "GK0123456789abcdef01234567".parse().unwrap();
    let fine = world.ask(&world.customer, delete(mine)).await;
    let refused = [
        world.ask(&world.customer, delete(theirs)).await,
        world.ask(&world.customer, delete(BucketId(random()))).await,
        world
            .ask(
                &world.customer,
                Command::KeyDelete(KeyDelete { key: unknown_key }),
            )
            .await,
    ];
    let by_operator = world.ask(&world.operator, delete(mine)).await;
    signer.pass().await.unwrap();
    assert_eq!(status(&world, fine).await, OperationStatus::Signed);
    assert_eq!(status(&world, by_operator).await, OperationStatus::Signed);
    for id in refused {
        assert_eq!(refusal(&world, id).await, Some(Refusal::NotYours));
    }
}

#[tokio::test]
async fn what_the_agent_does_not_offer_is_refused_at_once() {
    let (world, mut signer) = start().await;
    world
        .sql("UPDATE agents SET not_offered = '[\"bucket.create\"]'")
        .await;
    let id = world.ask(&world.customer, create("photos")).await;
    signer.pass().await.unwrap();
    assert_eq!(refusal(&world, id).await, Some(Refusal::DisabledCommand));
}

#[tokio::test]
async fn a_secret_needs_a_key_to_seal_it_to() {
    let (world, mut signer) = start().await;
    let mut command = BucketCreate {
        bucket: "photos".parse().unwrap(),
        quota_bytes: None,
        quota_objects: None,
        abort_uploads_after_days: None,
        key: None,
    };
    command.key = Some("first".parse().unwrap());
    let mut new = world.request(&world.customer, Command::BucketCreate(command));
    new.seal_to = None;
    let id = new.id;
    world.app.store.request_operation(new).await.unwrap();
    signer.pass().await.unwrap();
    assert_eq!(refusal(&world, id).await, Some(Refusal::SealKeyRequired));
}

#[tokio::test]
async fn parameters_that_the_whitelist_does_not_take_are_refused() {
    let (world, mut signer) = start().await;
    let id = world.ask(&world.customer, ping()).await;
    for (set, code) in [
        ("parameters = '{\"more\":1}'", Refusal::BadParameters),
        (
            "command = 'shell.run', parameters = '{}'",
            Refusal::UnknownCommand,
        ),
    ] {
        world
            .sql(&format!(
                "UPDATE operations SET state = 'requested', outcome = NULL, {set}"
            ))
            .await;
        signer.pass().await.unwrap();
        assert_eq!(refusal(&world, id).await, Some(code));
    }
}

#[tokio::test]
async fn one_account_gets_its_share_of_a_second_and_keeps_nobody_waiting() {
    let (world, mut signer) = start().await;
    let share = i64::from(SIGNATURES_PER_ACCOUNT_AND_SECOND);
    for _ in 0..share + 20 {
        world.ask(&world.customer, ping()).await;
    }
    let other = world.ask(&world.operator, ping()).await;
    let second = world.app.clock.now().0 / 1_000_000;
    signer.pass().await.unwrap();
    assert_eq!(status(&world, other).await, OperationStatus::Signed);
    let signed = world
        .count("SELECT COUNT(*) FROM operations WHERE state = 'signed'")
        .await
        - 1;
    if world.app.clock.now().0 / 1_000_000 == second {
        assert_eq!(signed, share);
    }
    world.clock.advance_seconds(1);
    signer.pass().await.unwrap();
    assert_eq!(
        world
            .count("SELECT COUNT(*) FROM operations WHERE state = 'requested'")
            .await,
        0
    );
}

#[tokio::test]
async fn cancelled_is_never_signed_and_signed_is_never_cancelled() {
    let (world, mut signer) = start().await;
    let store = &world.app.store;
    let first = world.ask(&world.customer, ping()).await;
    let now = world.app.clock.now();
    assert!(matches!(
        store.cancel_operation(first, now).await.unwrap(),
        Some(Cancelled::Now(_))
    ));
    let second = world.ask(&world.customer, ping()).await;
    signer.pass().await.unwrap();
    assert_eq!(status(&world, first).await, OperationStatus::Cancelled);
    assert!(matches!(
        store.cancel_operation(second, now).await.unwrap(),
        Some(Cancelled::TooLate(_))
    ));
    let unknown = OperationId::new(now, random());
    assert!(
        store
            .cancel_operation(unknown, now)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_second_signature_rests_first() {
    let (world, mut signer) = start().await;
    let id = world.ask(&world.customer, ping()).await;
    signer.pass().await.unwrap();
    let agent = AGENT.parse().unwrap();
    let now = world.app.clock.now();
    world
        .app
        .store
        .claim_commands(agent, HUB, now, 10)
        .await
        .unwrap();
    let back = world
        .app
        .store
        .operation_unknown(id, agent, 1)
        .await
        .unwrap();
    assert!(back.is_some());
    signer.pass().await.unwrap();
    assert_eq!(status(&world, id).await, OperationStatus::Requested);
    world.clock.advance_seconds(1);
    signer.pass().await.unwrap();
    let operation = world.app.store.operation(id).await.unwrap().unwrap();
    assert_eq!(
        (operation.state, operation.attempt),
        (OperationStatus::Signed, 2)
    );
    // An answer about the first attempt says nothing about the second.
    assert!(
        world
            .app
            .store
            .operation_unknown(id, agent, 1)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn what_is_handed_out_goes_once_and_what_is_not_is_signed_afresh() {
    let (world, mut signer) = start().await;
    let store = &world.app.store;
    let agent = AGENT.parse().unwrap();
    let open = async || {
        let all = Micros(i64::MAX);
        store.unanswered_operations(agent, all, 10).await.unwrap()
    };
    let taken = world.ask(&world.customer, ping()).await;
    // Ids of one millisecond are in no order.
    world.clock.advance_seconds(1);
    let left = world.ask(&world.customer, create("photos")).await;
    signer.pass().await.unwrap();
    assert_eq!(store.agents_with_commands(HUB).await.unwrap(), vec![agent]);
    // Nobody has seen it yet, so there is nothing to ask about.
    assert!(open().await.is_empty());
    let now = world.app.clock.now();
    // Another hub neither hears of it nor gets it.
    assert!(
        store
            .agents_with_commands("hub-b")
            .await
            .unwrap()
            .is_empty()
    );
    let strange = store.claim_commands(agent, "hub-b", now, 10).await;
    assert!(strange.unwrap().is_empty());
    let first = store.claim_commands(agent, HUB, now, 1).await.unwrap();
    assert_eq!(first[0].id, taken);
    assert_eq!(status(&world, taken).await, OperationStatus::Sent);
    assert_eq!(open().await, vec![(taken, 1)]);

    world.clock.advance_seconds(61);
    let now = world.app.clock.now();
    assert!(
        store
            .claim_commands(agent, HUB, now, 10)
            .await
            .unwrap()
            .is_empty()
    );
    signer.pass().await.unwrap();
    let operation = store.operation(left).await.unwrap().unwrap();
    assert_eq!(
        (operation.state, operation.attempt),
        (OperationStatus::Signed, 2)
    );
    assert_eq!(status(&world, taken).await, OperationStatus::Sent);
    let now = world.app.clock.now();
    let second = store.claim_commands(agent, HUB, now, 10).await.unwrap();
    assert_eq!(
        second.iter().map(|it| it.id).collect::<Vec<_>>(),
        vec![left]
    );
    assert!(store.agents_with_commands(HUB).await.unwrap().is_empty());
}

/// Requests in an account of their own.
async fn flood(world: &World, requests: u32) -> Actor {
    // Later than all that was asked before: ids of one instant come in any order.
    world.clock.advance_seconds(1);
    let now = world.app.clock.now();
    let account = AccountId::new(now, random());
    let user = world.operator.user;
    for text in [
        format!("INSERT INTO accounts VALUES ('{account}', 'flood', 0)"),
        format!("INSERT INTO members VALUES ('{account}', '{user}', 'member')"),
    ] {
        world.sql(&text).await;
    }
    let actor = Actor {
        account,
        ..world.operator.clone()
    };
    for _ in 0..requests {
        world.ask(&actor, ping()).await;
    }
    actor
}

#[tokio::test]
async fn many_that_ask_for_much_keep_nobody_waiting() {
    let (world, _) = start().await;
    let (first, second) = (flood(&world, 5).await, flood(&world, 5).await);
    world.clock.advance_seconds(1);
    world.ask(&world.customer, ping()).await;
    let share = Share {
        at_once: 5,
        in_flight: 5,
    };
    let now = world.app.clock.now();
    let turn = world.app.store.operations_to_sign(now, share, 4).await;
    let accounts: Vec<_> = turn
        .unwrap()
        .iter()
        .map(|pending| pending.actor.account)
        .collect();
    let expected = [
        first.account,
        second.account,
        world.customer.account,
        first.account,
    ];
    assert_eq!(accounts, expected);
}

#[tokio::test]
async fn an_account_has_so_many_in_flight_and_no_more() {
    let (world, mut signer) = start().await;
    let most = i64::from(IN_FLIGHT_PER_ACCOUNT);
    let actor = flood(&world, IN_FLIGHT_PER_ACCOUNT + 10).await;
    for _ in 0..4 {
        signer.pass().await.unwrap();
        world.clock.advance_seconds(1);
    }
    let signed = "SELECT COUNT(*) FROM operations WHERE state = 'signed'";
    assert_eq!(world.count(signed).await, most);
    // Others, and others' regions, are not held up by that; one that ends makes room.
    let other = world.ask(&world.customer, ping()).await;
    world
        .sql(&format!(
            "UPDATE operations SET state = 'done' WHERE id = \
             (SELECT MIN(id) FROM operations WHERE account = '{}' AND state = 'signed')",
            actor.account
        ))
        .await;
    signer.pass().await.unwrap();
    assert_eq!(status(&world, other).await, OperationStatus::Signed);
    assert_eq!(world.count(signed).await, most + 1);
}

#[tokio::test]
async fn a_clock_that_was_set_back_lets_nothing_rest_until_it_is_there_again() {
    let (world, mut signer) = start().await;
    world.clock.advance_seconds(3600);
    let id = world.ask(&world.customer, ping()).await;
    signer.pass().await.unwrap();
    assert_eq!(status(&world, id).await, OperationStatus::Signed);
    // The agent, whose clock is right, refuses what is dated in its future.
    let refused = format!("UPDATE operations SET state = 'requested' WHERE id = '{id}'");
    world.sql(&refused).await;
    signer.pass().await.unwrap();
    assert_eq!(status(&world, id).await, OperationStatus::Requested);
    world.clock.advance_seconds(-3600);
    signer.pass().await.unwrap();
    assert_eq!(status(&world, id).await, OperationStatus::Signed);
}
