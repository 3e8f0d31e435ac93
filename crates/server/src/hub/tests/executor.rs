//! The executor's role: moved by the old one's signed release, and what a lost one leaves behind.

use storm_protocol::{
    api::OperationStatus,
    command::{Command, CommandResult, ExecutorRelease},
    error::{Failure, Refusal},
    frame::{ExecutorState, ToAgent, ToHub},
    ident::{AgentId, OperationId},
    receipt::Outcome,
    result::ExecutorReleased,
};

use super::{
    KEY, create,
    double::{self, Double, Received, Running, Socket},
    made,
};
use crate::store::{
    lost::Lost,
    operations::{Cancelled, Requested},
    succession::{Move, Moving},
};

/// Asks for the role to move.
async fn ask_to_move(hub: &Running, from: AgentId, epoch: u64, to: AgentId) -> Option<OperationId> {
    let world = &hub.world;
    let new = world.request(
        &world.operator,
        Command::ExecutorRelease(ExecutorRelease {}),
    );
    let id = new.id;
    let role = Move { from, epoch, to };
    let moving = world.app.store.request_release(new, role).await.unwrap();
    world.app.bus.signer.notify_one();
    match moving {
        Moving::Asked(requested) => {
            assert!(matches!(*requested, Requested::New(new) if new.id == id));
            Some(id)
        }
        Moving::Underway => None,
    }
}

/// The agent gives up its role of `epoch`.
async fn release(agent: &mut Double, socket: &mut Socket, command: &Received, epoch: u64) {
    let outcome = Outcome::Done(CommandResult::ExecutorRelease(ExecutorReleased { epoch }));
    let receipt = agent.receipt(command, outcome);
    agent.send(socket, &ToHub::Receipt(receipt)).await;
    agent.kept(socket).await;
}

async fn role(socket: &mut Socket) -> ExecutorState {
    loop {
        match double::next(socket).await {
            Some(ToAgent::Executor(state)) => return state,
            Some(ToAgent::Command(_)) => {}
            other => panic!("expected the role, got {other:?}"),
        }
    }
}

async fn executor(hub: &Running) -> (Option<AgentId>, u64) {
    let world = &hub.world;
    let region = world.app.store.region(&world.region).await.unwrap();
    let region = region.unwrap();
    (region.executor, region.epoch)
}

const fn state(executor: bool, epoch: u64) -> ExecutorState {
    ExecutorState { executor, epoch }
}

#[tokio::test]
async fn a_signed_release_moves_the_role_and_what_never_left_goes_to_the_next() {
    let hub = Running::start().await;
    let world = &hub.world;
    let (mut old, mut socket) = hub.enrolled().await;
    let (next, mut others) = hub.enrolled_in(&world.region).await;
    let id = ask_to_move(&hub, old.id(), 1, next.id()).await.unwrap();
    let command = old.command(&hub, &mut socket).await;
    assert_eq!(command.payload.operation, id);
    // One at a time.
    assert_eq!(ask_to_move(&hub, old.id(), 1, next.id()).await, None);
    // What comes meanwhile the old one refuses, and it is signed for the next.
    let waits = world.ask(&world.customer, create("photos")).await;
    let refused = old.command(&hub, &mut socket).await;
    let code = Refusal::OldEpoch;
    let message = code.sentence().to_owned();
    let receipt = old.receipt(&refused, Outcome::Refused { code, message });
    old.send(&mut socket, &ToHub::Receipt(receipt)).await;
    old.kept(&mut socket).await;
    // Signed once more, and too old to be handed out by now.
    let signed_at = world.app.clock.now().plus_seconds(-56).0;
    world
        .sql(&format!(
            "UPDATE operations SET state = 'signed', signed_at = {signed_at} WHERE id = '{waits}'"
        ))
        .await;
    release(&mut old, &mut socket, &command, 1).await;
    assert_eq!(executor(&hub).await, (Some(next.id()), 2));
    hub.until(id, OperationStatus::Done).await;
    assert_eq!(role(&mut socket).await, state(false, 2));
    assert_eq!(role(&mut others).await, state(true, 2));
    let events = "SELECT COUNT(*) FROM security_events WHERE kind = 'executor_moved'";
    assert_eq!(world.count(events).await, 1);
    let command = next.command(&hub, &mut others).await;
    assert_eq!(command.payload.operation, waits);
    assert!(command.payload.attempt > 1);
    assert_eq!(command.payload.audience.epoch, 2);
    hub.stop().await;
}

#[tokio::test]
async fn a_release_moves_no_role_that_the_agent_has_not() {
    let hub = Running::start().await;
    let (mut old, mut socket) = hub.enrolled().await;
    let (mut next, mut others) = hub.enrolled_in(&hub.world.region).await;
    let id = ask_to_move(&hub, old.id(), 1, next.id()).await.unwrap();
    let command = old.command(&hub, &mut socket).await;
    // Another agent's word, and another epoch's.
    release(&mut next, &mut others, &command, 1).await;
    assert_eq!(executor(&hub).await, (Some(old.id()), 1));
    hub.world
        .sql(&format!(
            "UPDATE operations SET state = 'sent', receipt = NULL WHERE id = '{id}'"
        ))
        .await;
    release(&mut old, &mut socket, &command, 7).await;
    assert_eq!(executor(&hub).await, (Some(old.id()), 1));
    hub.stop().await;
}

#[tokio::test]
async fn a_role_whose_taker_is_gone_is_given_away() {
    let hub = Running::start().await;
    let world = &hub.world;
    let (mut old, mut socket) = hub.enrolled().await;
    let (next, _others) = hub.enrolled_in(&world.region).await;
    ask_to_move(&hub, old.id(), 1, next.id()).await.unwrap();
    let command = old.command(&hub, &mut socket).await;
    let (by, now) = (world.operator.user, world.app.clock.now());
    let store = &world.app.store;
    assert!(store.revoke_agent(next.id(), by, now).await.unwrap());
    release(&mut old, &mut socket, &command, 1).await;
    // The only one that is left.
    loop {
        let told = role(&mut socket).await;
        if told == state(true, 2) {
            break;
        }
        assert_eq!(told, state(false, 1));
    }
    assert_eq!(executor(&hub).await, (Some(old.id()), 2));
    hub.stop().await;
}

#[tokio::test]
async fn revoking_either_agent_cancels_a_release_that_has_not_left() {
    for revoke_old in [true, false] {
        let hub = Running::start().await;
        let world = &hub.world;
        let (old, socket) = hub.enrolled().await;
        let (next, _others) = hub.enrolled_in(&world.region).await;
        let (old, next) = (old.id(), next.id());
        drop(socket);
        hub.until_count("SELECT COUNT(*) FROM agents WHERE connected = 1", 1)
            .await;
        let id = ask_to_move(&hub, old, 1, next).await.unwrap();
        let (by, now) = (world.operator.user, world.app.clock.now());
        let gone = if revoke_old { old } else { next };
        assert!(world.app.store.revoke_agent(gone, by, now).await.unwrap());
        hub.until(id, OperationStatus::Cancelled).await;
        hub.stop().await;
    }
}

#[tokio::test]
async fn what_a_lost_agent_had_taken_is_asked_of_the_next() {
    let hub = Running::start().await;
    let world = &hub.world;
    let store = &world.app.store;
    let (old, mut socket) = hub.enrolled().await;
    let (mut next, mut others) = hub.enrolled_in(&world.region).await;
    let taken = world.ask(&world.customer, create("photos")).await;
    let first = old.command(&hub, &mut socket).await;
    let release = ask_to_move(&hub, old.id(), 1, next.id()).await.unwrap();
    old.command(&hub, &mut socket).await;
    let by = world.operator.user;
    let lose = async || {
        let now = world.app.clock.now();
        let give_up_at = now.plus_seconds(600);
        let lost = store.agent_lost(old.id(), by, now, give_up_at).await;
        lost.unwrap()
    };
    assert!(matches!(lose().await, Lost::NotRevoked));
    let now = world.app.clock.now();
    assert!(store.revoke_agent(old.id(), by, now).await.unwrap());
    hub.until(taken, OperationStatus::Unknown).await;
    // Longer than anything waits by itself.
    world.clock.advance_seconds(3600);
    let Lost::Now {
        asked_again,
        ended,
        changes,
    } = lose().await
    else {
        panic!("it is revoked")
    };
    assert_eq!((asked_again, ended, changes.len()), (1, 1, 2));
    let ended = hub.until(release, OperationStatus::Failed).await;
    assert!(
        matches!(
            ended.outcome,
            Some(Outcome::Failed {
                code: Failure::AgentLost,
                ..
            })
        ),
        "{ended:?}"
    );
    let again = loop {
        match double::next(&mut others).await {
            Some(ToAgent::Executor(_)) => break next.command(&hub, &mut others).await,
            Some(_) => {}
            None => panic!("the connection is gone"),
        }
    };
    assert_eq!(again.payload.operation, taken);
    assert_eq!(again.payload.attempt, first.payload.attempt + 1);
    let receipt = next.receipt(&again, made("photos", KEY).1);
    next.send(&mut others, &ToHub::Receipt(receipt)).await;
    next.kept(&mut others).await;
    let done = hub.until(taken, OperationStatus::Done).await;
    assert_eq!(done.agent, Some(next.id()));
    let Lost::Now {
        asked_again, ended, ..
    } = lose().await
    else {
        panic!("it is revoked")
    };
    assert_eq!((asked_again, ended), (0, 0), "once more changes nothing");
    hub.stop().await;
}

#[tokio::test]
async fn nobody_says_that_nothing_was_done_of_what_a_lost_agent_had() {
    for cancelled in [true, false] {
        let hub = Running::start().await;
        let world = &hub.world;
        let store = &world.app.store;
        let (old, mut socket) = hub.enrolled().await;
        let id = world.ask(&world.customer, create("photos")).await;
        old.command(&hub, &mut socket).await;
        let (by, now) = (world.operator.user, world.app.clock.now());
        assert!(store.revoke_agent(old.id(), by, now).await.unwrap());
        let give_up_at = now.plus_seconds(600);
        store
            .agent_lost(old.id(), by, now, give_up_at)
            .await
            .unwrap();
        if cancelled {
            let cancelled = store.cancel_operation(id, now).await.unwrap();
            assert!(matches!(cancelled, Some(Cancelled::Now(_))));
        } else {
            world.clock.advance_seconds(601);
        }
        let ended = hub.until(id, OperationStatus::Failed).await;
        assert!(
            matches!(
                ended.outcome,
                Some(Outcome::Failed {
                    code: Failure::AgentLost,
                    ..
                })
            ),
            "{ended:?}"
        );
        hub.stop().await;
    }
}

#[tokio::test]
async fn a_name_that_another_account_has_by_now_is_not_asked_for_again() {
    let hub = Running::start().await;
    let world = &hub.world;
    let (mut agent, mut socket) = hub.enrolled().await;
    let first = world.ask(&world.customer, create("photos")).await;
    agent.command(&hub, &mut socket).await;
    let second = world.ask(&world.operator, create("photos")).await;
    let command = agent.command(&hub, &mut socket).await;
    let receipt = agent.receipt(&command, made("photos", KEY).1);
    agent.send(&mut socket, &ToHub::Receipt(receipt)).await;
    agent.kept(&mut socket).await;
    hub.until(second, OperationStatus::Done).await;
    world
        .sql(&format!(
            "UPDATE operations SET state = 'requested', signed_at = 0 WHERE id = '{first}'"
        ))
        .await;
    world.app.bus.signer.notify_one();
    let ended = hub.until(first, OperationStatus::Failed).await;
    assert!(
        matches!(
            ended.outcome,
            Some(Outcome::Failed {
                code: Failure::NameTaken,
                ..
            })
        ),
        "{ended:?}"
    );
    hub.stop().await;
}
