//! Pages.

use ::http::StatusCode;
use ed25519_dalek::SigningKey;
use serde_json::Value;
use sqlx::Row as _;
use storm_protocol::envelope::{Envelope, PayloadType};

use super::{BUCKET, KEY, Site};
use crate::{clock::random, store::sql};

/// All items of a list, read page by page.
async fn all(site: &Site, path: &str, field: &str, limit: usize) -> Vec<String> {
    all_of(site, &site.viewer, path, field, limit).await
}

async fn all_of(site: &Site, who: &str, path: &str, field: &str, limit: usize) -> Vec<String> {
    let mut found = vec![];
    let mut cursor: Option<String> = None;
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let next = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let (status, page) = site
            .get(who, &format!("{path}{joint}limit={limit}{next}"))
            .await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        found.extend(
            items
                .iter()
                .map(|item| item[field].as_str().unwrap().to_owned()),
        );
        match &page["next_cursor"] {
            Value::String(text) => {
                assert_eq!(items.len(), limit);
                cursor = Some(text.clone());
            }
            _ => return found,
        }
    }
}

#[tokio::test]
async fn buckets_named_and_nameless() {
    let site = Site::new().await;
    for number in 0..120 {
        site.add_bucket(
            &format!("{number:064x}"),
            Some(&format!("b-{:03}", (number * 37) % 120)),
        )
        .await;
    }
    for number in 200..230 {
        site.add_bucket(&format!("{number:064x}"), None).await;
    }
    let whole = all(&site, "/api/v1/buckets", "id", 1000).await;
    assert_eq!(whole.len(), 151);
    let (_, page) = site.get(&site.viewer, "/api/v1/buckets?limit=1000").await;
    let names: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["name"].as_str())
        .collect();
    assert_eq!(names.len(), 121);
    assert!(names.is_sorted());
    // 121 ends a page exactly where the nameless begin.
    for limit in [7, 100, 120, 121, 122, 150, 151] {
        assert_eq!(
            all(&site, "/api/v1/buckets", "id", limit).await,
            whole,
            "{limit}"
        );
    }
    assert_eq!(
        all(&site, "/api/v1/buckets?region=home", "id", 50).await,
        whole
    );
    assert_eq!(
        all(&site, "/api/v1/buckets?region=elsewhere", "id", 50)
            .await
            .len(),
        0
    );
    assert_eq!(
        all(&site, "/api/v1/buckets?name=photos", "id", 50).await,
        [BUCKET]
    );
    site.sql("UPDATE buckets SET gone_at = 1 WHERE name = 'photos'")
        .await;
    assert_eq!(
        all(&site, "/api/v1/buckets?name=photos", "id", 50)
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn the_largest_buckets_first() {
    let site = Site::new().await;
    for number in 1..60 {
        let id = format!("{number:064x}");
        site.add_bucket(&id, Some(&format!("b-{number:03}"))).await;
        // Several of one size, and some of none that is known.
        let bytes = match number {
            1..=5 => "NULL".to_owned(),
            _ => (number % 7 * 1000).to_string(),
        };
        site.sql(&format!(
            "UPDATE buckets SET bytes = {bytes} WHERE id = '{id}'"
        ))
        .await;
    }
    let path = "/api/v1/buckets?largest=true";
    let (_, page) = site.get(&site.viewer, &format!("{path}&limit=1000")).await;
    let sizes: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| std::cmp::Reverse(item["bytes"].as_i64()))
        .collect();
    assert_eq!(sizes.len(), 60);
    assert!(sizes.is_sorted());
    let whole = all(&site, path, "id", 1000).await;
    for limit in [1, 7, 59, 60] {
        assert_eq!(all(&site, path, "id", limit).await, whole, "{limit}");
    }
    let both = format!("{path}&drift=true");
    let (status, _) = site.get(&site.viewer, &both).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let strange = format!("{path}&cursor=WyJhIiwiYiJd");
    let (status, _) = site.get(&site.viewer, &strange).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn keys_with_their_rights() {
    let site = Site::new().await;
    for number in 0..130 {
        let id = format!("GK{number:024x}");
        site.add_key(&id, "many").await;
        site.sql(&format!(
            "INSERT INTO grants VALUES ('home', '{BUCKET}', '{id}', 1, 0, 0)"
        ))
        .await;
    }
    let whole = all(&site, "/api/v1/keys", "id", 1000).await;
    assert_eq!(whole.len(), 131);
    assert!(whole.is_sorted());
    assert_eq!(all(&site, "/api/v1/keys", "id", 50).await, whole);
    assert_eq!(
        all(
            &site,
            &format!("/api/v1/buckets/{BUCKET}/grants"),
            "key",
            50
        )
        .await,
        whole
    );
    let (_, page) = site.get(&site.viewer, "/api/v1/keys").await;
    for key in page["items"].as_array().unwrap() {
        assert_eq!(key["grants"][0]["bucket"].as_str(), Some(BUCKET));
        assert_eq!(key["grants"].as_array().unwrap().len(), 1);
    }
    let (_, key) = site.get(&site.viewer, &format!("/api/v1/keys/{KEY}")).await;
    assert_eq!(
        (&key["grants"][0]["write"], &key["grants"][0]["owner"]),
        (&true.into(), &false.into())
    );
}

#[tokio::test]
async fn operations_newest_first() {
    let site = Site::new().await;
    for number in 0..25 {
        site.clock.forward(1);
        let body = serde_json::json!({"name": format!("bucket-{number}")});
        assert_eq!(
            site.post(&site.member, "/api/v1/buckets", body).await.0,
            StatusCode::ACCEPTED
        );
    }
    let whole = all(&site, "/api/v1/operations", "id", 1000).await;
    assert_eq!(whole.len(), 25);
    assert!(whole.iter().rev().is_sorted());
    assert_eq!(
        all(&site, "/api/v1/operations?state=requested", "id", 10).await,
        whole
    );
    assert_eq!(
        all(&site, "/api/v1/operations?state=done", "id", 10)
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn a_large_fleet_by_pages() {
    let site = Site::new().await;
    let signed = Envelope::sign_json(
        PayloadType::Agent,
        &serde_json::json!({}),
        &SigningKey::from_bytes(&random()),
    );
    let statement = serde_json::to_string(&signed.unwrap()).unwrap();
    let (mut regions, mut agents) = (vec!["home".to_owned()], vec![]);
    for number in 0..12 {
        // Ids do not come in the order of the regions.
        let (region, at) = (format!("r-{number:02}"), (number * 5) % 12);
        site.sql(&format!(
            "INSERT INTO regions (name, s3_endpoint, s3_region, created_at)
             VALUES ('{region}', 'http://127.0.0.1:1', 'garage', 0)"
        ))
        .await;
        for node in 0..3 {
            let id = format!("01900000-0000-7000-8000-{at:08}000{node}");
            site.sql(&format!(
                "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, created_at)
                 VALUES ('{id}', '{region}', 'node', '{id}', 'x', 'x', '{statement}', 0)"
            ))
            .await;
            agents.push(id);
        }
        regions.push(region);
    }
    for limit in [1, 5, 12, 13, 36, 100] {
        let path = "/api/v1/agents";
        assert_eq!(
            all_of(&site, &site.operator, path, "id", limit).await,
            agents
        );
        assert_eq!(all(&site, "/api/v1/regions", "name", limit).await, regions);
    }
    for _ in 0..7 {
        let body = serde_json::json!({ "region": "home" });
        let (status, made) = site
            .post(&site.operator, "/api/v1/agents/enrol-tokens", body)
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
    }
    let mut tokens = vec![];
    for limit in [1, 3, 7, 8] {
        let path = "/api/v1/agents/enrol-tokens";
        tokens.push(all_of(&site, &site.operator, path, "id", limit).await);
    }
    assert!(
        tokens
            .iter()
            .all(|page| *page == tokens[0] && page.len() == 7)
    );
    assert!(tokens[0].is_sorted_by(|newer, older| newer > older));
}

#[tokio::test]
async fn a_page_of_many_buckets_comes_by_the_index() {
    let site = Site::new().await;
    let mut reader = site.app.store.read().await.unwrap();
    let page = "SELECT id FROM buckets WHERE account = 'a' AND gone_at IS NULL
                AND (name, id) > ('b', 'c') ORDER BY name, id LIMIT 5";
    let (explain, column) = if sql::is_postgres(&reader) {
        // Few rows would be sorted rather than looked up.
        let set = sqlx::raw_sql("SET enable_seqscan = off; SET enable_sort = off");
        set.execute(&mut *reader).await.unwrap();
        ("EXPLAIN", "QUERY PLAN")
    } else {
        ("EXPLAIN QUERY PLAN", "detail")
    };
    let plan = sqlx::query(sqlx::AssertSqlSafe(format!("{explain} {page}")))
        .fetch_all(&mut *reader)
        .await
        .unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.get(column)).collect();
    assert!(
        plan.iter().any(|step| step.contains("buckets_by_account")),
        "{plan:?}"
    );
    assert!(
        !plan
            .iter()
            .any(|step| step.contains("Sort") || step.contains("B-TREE")),
        "{plan:?}"
    );
}

#[tokio::test]
async fn requests_by_hour_and_by_day() {
    let site = Site::new().await;
    let path = format!("/api/v1/buckets/{BUCKET}/requests");
    let (_, nothing) = site.get(&site.viewer, &path).await;
    assert_eq!(
        nothing,
        serde_json::json!({"configured": false, "points": []})
    );

    // The clock stands at the beginning of an hour.
    let now = site.app.clock.now().0;
    let hour = 3_600_000_000;
    site.sql(
        "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, created_at, \
         traffic_sequence) VALUES ('a', 'home', 'node', '', '', '', '', 0, 1)",
    )
    .await;
    for (step, at, requests) in [
        (3600, now - 25 * hour, 1),
        (3600, now - 2 * hour, 2),
        (86400, now - now.rem_euclid(24 * hour), 3),
    ] {
        site.sql(&format!(
            "INSERT INTO traffic VALUES ('{}', '{BUCKET}', {step}, {at}, 'read', 2, {requests}, 4, 5)",
            site.account
        ))
        .await;
    }
    let (_, day) = site.get(&site.viewer, &path).await;
    let point = |at: i64, requests: u64| {
        serde_json::json!({
            "at": at, "method": "read", "status": 2, "requests": requests, "received_bytes": 4, "sent_bytes": 5,
        })
    };
    let points = serde_json::json!([point(now - 2 * hour, 2)]);
    assert_eq!(
        day,
        serde_json::json!({"configured": true, "points": points})
    );
    // A step counts whole, wherever in it the time begins.
    let from = now - 25 * hour + 1;
    let (_, more) = site.get(&site.viewer, &format!("{path}?from={from}")).await;
    assert_eq!(more["points"].as_array().unwrap().len(), 2);
    let (_, none) = site
        .get(&site.viewer, &format!("{path}?from={from}&to={}", from + 1))
        .await;
    assert_eq!(none["points"].as_array().unwrap().len(), 1);
    let (_, days) = site.get(&site.viewer, &format!("{path}?step=day")).await;
    assert_eq!(days["points"][0]["requests"], 3);
    for wrong in [
        "from=0",
        "step=minute",
        "from=x",
        "since=1",
        "from=-9223372036854775808&to=9223372036854775807",
    ] {
        let (status, body) = site.get(&site.viewer, &format!("{path}?{wrong}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {body}");
    }
    let (status, _) = site.get(&site.stranger, &path).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
