use std::{sync::Arc, time::Duration};

use http::{Method, StatusCode};
use storm_protocol::command::{AgentPing, Command};

use super::{Figures, metrics, readyz, unready};
use crate::{app::App, testing::World};
use axum::{body::to_bytes, extract::State, response::IntoResponse as _};

/// More than any answer here has.
const MAX_BYTES: usize = 1024 * 1024;
/// Longer than any key of a trust document is valid.
const CENTURY_SECONDS: i64 = 100 * 366 * 24 * 3600;

async fn said(app: &App) -> (StatusCode, String) {
    readyz(State(Arc::new(app.clone()))).await
}

#[tokio::test]
async fn ready_says_which_part_is_not() {
    let world = World::new().await;
    let app = &world.app;
    // A process that is no hub lacks none.
    assert_eq!(said(app).await, (StatusCode::OK, "ready\n".to_owned()));
    app.figures.shut_hub();
    let (status, words) = said(app).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(words, "the agents' listener is not open yet\n");
    app.figures.open_hub();
    assert_eq!(said(app).await, (StatusCode::OK, "ready\n".to_owned()));

    world
        .sql(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT 9999, 'a newer one', success, checksum, 0 FROM _sqlx_migrations \
             WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)",
        )
        .await;
    let unready_now = unready(app).await;
    assert!(
        unready_now.len() == 1 && unready_now[0].contains("another version"),
        "{unready_now:?}"
    );
    world.sql("DELETE FROM _sqlx_migrations").await;
    assert_eq!(unready(app).await.len(), 1);

    world.clock.advance_seconds(CENTURY_SECONDS);
    let unready_now = unready(app).await;
    assert!(
        unready_now
            .iter()
            .any(|words| words.contains("no dispatch key")),
        "{unready_now:?}"
    );

    app.bus.stopping.cancel();
    let (status, words) = said(app).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(words.starts_with("draining"), "{words}");
}

#[tokio::test]
async fn figures_count_what_waits_and_name_nobody() {
    let world = World::new().await;
    let app = &world.app;
    let operation = world
        .ask(&world.customer, Command::AgentPing(AgentPing {}))
        .await;
    world.clock.advance_seconds(50);
    app.figures.answered(
        &Method::from_bytes(b"MADEUP").unwrap(),
        "/api/v1/buckets",
        StatusCode::OK,
        Duration::from_millis(2),
    );
    app.figures.problem("rate_limited");
    let response = metrics(State(Arc::new(app.clone()))).await.into_response();
    let bytes = to_bytes(response.into_body(), MAX_BYTES).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let has = |line: &str| text.lines().any(|there| there == line);
    assert!(has("storm_operations{state=\"requested\"} 1"), "{text}");
    assert!(has("storm_agents{region=\"home\"} 0"), "{text}");
    assert!(has("storm_agents_connected{region=\"home\"} 0"), "{text}");
    assert!(has("storm_database_up 1"), "{text}");
    assert!(has("storm_mails_waiting 0"), "{text}");
    assert!(
        has("storm_http_problems_total{code=\"rate_limited\"} 1"),
        "{text}"
    );
    let answered =
        "storm_http_requests_total{method=\"other\",route=\"/api/v1/buckets\",status=\"2xx\"} 1";
    assert!(has(answered), "{text}");
    let oldest = text
        .lines()
        .find_map(|line| line.strip_prefix("storm_oldest_operation_seconds{state=\"requested\"} "))
        .unwrap();
    assert!(oldest.parse::<f64>().unwrap() >= 50.0, "{oldest}");
    for name in [
        "process_cpu_seconds_total ",
        "process_resident_memory_bytes ",
        "process_open_fds ",
    ] {
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        assert!(value.unwrap().parse::<f64>().unwrap() > 0.0, "{name}");
    }
    // Nobody's id, and nothing of what they asked for.
    for id in [
        operation.to_string(),
        world.customer.account.to_string(),
        world.customer.user.to_string(),
    ] {
        assert!(!text.contains(&id), "{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn processes_count_apart_and_the_database_is_asked_once_a_second() {
    let world = World::new().await;
    let app = &world.app;
    app.figures.problem("busy");
    let other = Figures::new(&app.store);
    assert!(!other.text(app).await.contains("storm_http_problems_total"));

    let before = app.figures.text(app).await;
    world
        .ask(&world.customer, Command::AgentPing(AgentPing {}))
        .await;
    // However fast this machine is: the first answer stands until a second has passed since.
    let mut after = app.figures.text(app).await;
    while !after.contains("storm_operations{state=\"requested\"} 1\n") {
        tokio::time::sleep(Duration::from_millis(50)).await;
        after = app.figures.text(app).await;
    }
    assert!(!before.contains("storm_operations{"), "{before}");
}
