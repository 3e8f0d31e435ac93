//! Who gets in: TLS, certificates and enrolment tokens.

use std::sync::Arc;

use storm_protocol::{
    encoding::Base64,
    frame::{ClosingCode, Heartbeat, ToAgent, ToHub},
    ident::Micros,
};

use super::double::{self, Double, Running, closing_code};
use crate::keys::PublicTrust;

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
    let (stranger, _) = double::certificate_of_another_ca();
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
async fn a_key_that_was_renewed_after_the_backup_is_good() {
    let hub = Running::start().await;
    let (mut agent, mut socket) = hub.enrolled().await;
    let (world, before) = (&hub.world, agent.certified());
    world
        .sql("CREATE TABLE backup AS SELECT tls_key, certificate_expires_at FROM agents")
        .await;
    world.clock.advance_seconds(600);
    agent.renew(&mut socket).await;
    drop(socket);
    world
        .sql(
            "UPDATE agents SET renewed_tls_key = NULL, tls_key = (SELECT tls_key FROM backup), \
             certificate_expires_at = (SELECT certificate_expires_at FROM backup)",
        )
        .await;
    drop(agent.connect(&hub).await.unwrap());
    // From then on the one before is not.
    agent.use_certificate(before);
    assert_eq!(agent.connect(&hub).await.err(), Some(ClosingCode::Revoked));
    hub.stop().await;
}

#[tokio::test]
async fn a_new_trust_document_is_in_force_at_once() {
    let hub = Running::start().await;
    let (_, mut socket) = hub.enrolled().await;
    let (stranger, other) = double::certificate_of_another_ca();
    let mut trust = PublicTrust::clone(&hub.world.app.trust.borrow());
    // Of the envelope nothing is read here; its document is another one.
    trust
        .document
        .authorities
        .push(Base64(other.as_ref().to_vec()));
    hub.world.trust.send_replace(Arc::new(trust.clone()));
    assert!(matches!(
        double::next(&mut socket).await,
        Some(ToAgent::Trust(_))
    ));
    // The other CA's certificates are heard now, though not this one.
    let mut dialled = hub.dial(Some(stranger)).await.unwrap();
    let nobody = Double::new();
    let hello = ToHub::Hello(Box::new(nobody.hello(&hub.world)));
    nobody.send(&mut dialled, &hello).await;
    assert_eq!(closing_code(&mut dialled).await, Some(ClosingCode::Revoked));
    // Who came by a CA that is gone has to come anew.
    trust.document.authorities.remove(0);
    hub.world.trust.send_replace(Arc::new(trust));
    assert_eq!(
        closing_code(&mut socket).await,
        Some(ClosingCode::Restarting)
    );
    hub.stop().await;
}

#[tokio::test]
async fn a_connection_ends_with_its_certificate() {
    let hub = Running::start().await;
    let (agent, mut socket) = hub.enrolled().await;
    hub.world.clock.advance_seconds(89 * 24 * 3600);
    let beat = ToHub::Heartbeat(Heartbeat { clock: Micros(1) });
    agent.send(&mut socket, &beat).await;
    assert!(matches!(
        double::next(&mut socket).await,
        Some(ToAgent::HeartbeatSeen(_))
    ));
    hub.world.clock.advance_seconds(2 * 24 * 3600);
    agent.send(&mut socket, &beat).await;
    assert_eq!(
        closing_code(&mut socket).await,
        Some(ClosingCode::Restarting)
    );
    hub.stop().await;
}
