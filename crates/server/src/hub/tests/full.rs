//! What is answered when as many certificate requests wait as may, or somebody asks without end.

use storm_protocol::{
    encoding::Base64,
    envelope::VerifyKey,
    frame::ClosingCode,
    ident::{AgentId, Micros},
    seal::OpenKey,
};

use super::double::{Double, Running};
use crate::{
    clock::random,
    store::certificates::{Asked, EnrolRequest, MAX_OPEN_REQUESTS, MAX_REQUESTS_OF_ONE},
    testing::{World, some_digest},
};

/// Writes down so many requests of a state by a token.
async fn fill(world: &World, state: &str, token: &str, times: i64) {
    world
        .sql(&format!(
            "INSERT INTO certificate_requests (id, kind, enrol_token, body, state, created_at) \
             WITH RECURSIVE numbers (number) AS \
             (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {times}) \
             SELECT '{state}-' || number, 'enrol', '{token}', '', '{state}', 0 FROM numbers"
        ))
        .await;
}

#[tokio::test]
async fn requests_that_wait_are_bounded_and_the_hubs_own_is_always_taken() {
    let world = World::new().await;
    let store = &world.app.store;
    let request = Base64(vec![]);
    let renew = Asked::Renew {
        agent: AgentId::new(Micros(0), random()),
        request: request.clone(),
    };
    let enrol = Asked::Enrol(EnrolRequest {
        token: some_digest("a token"),
        request: request.clone(),
        receipt_key: VerifyKey::of(&ed25519_dalek::SigningKey::from_bytes(&random())),
        seal_key: OpenKey::generate().seal_key(),
        host: "node".to_owned(),
        origin: "192.0.2.1".to_owned(),
    });
    let hub = Asked::Hub { request };
    fill(&world, "requested", "another token", MAX_OPEN_REQUESTS).await;
    let ask = async |id: &str, asked: &Asked| {
        let now = world.app.clock.now();
        store.ask_certificate(id, asked, now).await.unwrap()
    };
    assert!(!ask("1", &renew).await);
    assert!(!ask("2", &enrol).await);
    assert!(ask("3", &hub).await);
    // That one waits, too; two places make room for one.
    world
        .sql("UPDATE certificate_requests SET state = 'refused' WHERE id IN ('requested-1', 'requested-2')")
        .await;
    assert!(ask("4", &enrol).await);
    assert!(!ask("5", &renew).await);
}

#[tokio::test]
async fn who_asks_without_end_is_told_to_come_later_and_others_get_in() {
    let hub = Running::start().await;
    let token = hub.world.enrol_token(3600).await;
    let hash = token.hash().to_string();
    fill(&hub.world, "refused", &hash, MAX_REQUESTS_OF_ONE).await;
    let busy = Double::new().enrol(&hub, &token).await.err();
    assert_eq!(busy, Some(ClosingCode::Busy));
    let app = &hub.world.app;
    let figures = app.figures.text(app).await;
    assert!(
        figures.contains("storm_hub_closings_total{code=\"busy\"} 1\n"),
        "{figures}"
    );
    let kept = "SELECT COUNT(*) FROM certificate_requests WHERE kind = 'enrol'";
    assert_eq!(hub.world.count(kept).await, MAX_REQUESTS_OF_ONE);
    let other = hub.world.enrol_token(3600).await;
    assert!(Double::new().enrol(&hub, &other).await.is_ok());
    // With the days the requests are forgotten, and the token is good for its time.
    let later = hub.world.app.clock.now().plus_seconds(1);
    hub.world
        .app
        .store
        .drop_certificate_requests(later)
        .await
        .unwrap();
    assert!(Double::new().enrol(&hub, &token).await.is_ok());
    hub.stop().await;
}
