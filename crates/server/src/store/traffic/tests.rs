//! Counts of requests, on a database in a temporary directory.

use storm_protocol::{
    frame::{MethodClass, TrafficFrame, TrafficSum},
    ident::{AccountId, AgentId, BucketId, Micros},
};

use super::{MAX_FIGURE, Step, TrafficOf};
use crate::{clock::random, testing::World};

const HOUR: i64 = 3600;

/// A world with an agent in `home` and a bucket of the customer's called photos.
struct Scene {
    world: World,
    agent: AgentId,
    bucket: BucketId,
    /// The beginning of the minute.
    now: Micros,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let now = Step::Minute.begin(world.app.clock.now());
        let agent = AgentId::new(now, random());
        world
            .sql(&format!(
                "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, created_at) \
                 VALUES ('{agent}', 'home', 'node', '', '', '', '', 0)"
            ))
            .await;
        let scene = Self {
            bucket: BucketId(random()),
            world,
            agent,
            now,
        };
        let account = scene.world.customer.account;
        scene.add(scene.bucket, account, "photos", 0, None).await;
        scene
    }

    async fn add(
        &self,
        id: BucketId,
        account: AccountId,
        name: &str,
        created_at: i64,
        gone_at: Option<i64>,
    ) {
        let gone = gone_at.map_or("NULL".to_owned(), |at| at.to_string());
        self.world
            .sql(&format!(
                "INSERT INTO buckets (id, region, account, name, aliases, created_at, gone_at) \
                 VALUES ('{id}', 'home', '{account}', '{name}', '[\"{name}\"]', {created_at}, {gone})"
            ))
            .await;
    }

    fn sum(&self, bucket: &str, seconds: i64, requests: u64) -> TrafficSum {
        TrafficSum {
            minute: self.now.plus_seconds(seconds),
            bucket: bucket.parse().unwrap(),
            method: MethodClass::Read,
            status: 2,
            requests,
            received_bytes: requests,
            sent_bytes: requests.saturating_mul(10),
        }
    }

    async fn keep(&self, sequence: u64, sums: Vec<TrafficSum>) -> u64 {
        let frame = TrafficFrame { sequence, sums };
        let (store, region) = (&self.world.app.store, &self.world.region);
        let kept = store.keep_traffic(self.agent, region, &frame, self.now);
        kept.await.unwrap()
    }

    /// Requests and bytes sent of each step, whatever the time.
    async fn points(&self, of: TrafficOf, step: Step) -> Vec<(Micros, u64, u64)> {
        let store = &self.world.app.store;
        let points = store.traffic(of, step, Micros(0), Micros(i64::MAX));
        let points = points.await.unwrap().into_iter();
        points
            .map(|point| (point.at, point.requests, point.sent_bytes))
            .collect()
    }

    /// Requests to its bucket.
    fn its(&self) -> TrafficOf {
        bucket(self.world.customer.account, self.bucket)
    }

    async fn requests(&self, of: TrafficOf) -> u64 {
        let days = self.points(of, Step::Day).await;
        days.iter().map(|(_, requests, _)| requests).sum()
    }
}

fn bucket(account: AccountId, bucket: BucketId) -> TrafficOf {
    TrafficOf {
        account,
        bucket: Some(bucket),
    }
}

fn all(account: AccountId) -> TrafficOf {
    TrafficOf {
        account,
        bucket: None,
    }
}

#[tokio::test]
async fn sums_are_added_up_by_minute_hour_and_day_for_bucket_and_account() {
    let scene = Scene::new().await;
    let sums = vec![
        scene.sum("photos", 0, 1),
        scene.sum("photos", -60, 2),
        scene.sum("photos", -2 * HOUR, 3),
    ];
    assert_eq!(scene.keep(1, sums).await, 1);
    // A line that was logged late adds to its minute.
    assert_eq!(scene.keep(2, vec![scene.sum("photos", -60, 5)]).await, 2);
    for of in [scene.its(), all(scene.world.customer.account)] {
        let minutes = scene.points(of, Step::Minute).await;
        assert_eq!(
            minutes,
            [
                (scene.now.plus_seconds(-2 * HOUR), 3, 30),
                (scene.now.plus_seconds(-60), 7, 70),
                (scene.now, 1, 10),
            ]
        );
        for step in [Step::Hour, Step::Day] {
            let points = scene.points(of, step).await;
            assert!(points.iter().all(|(at, ..)| step.begin(*at) == *at));
            let sum = |point: &(Micros, u64, u64)| (point.1, point.2);
            let (requests, sent): (Vec<_>, Vec<_>) = points.iter().map(sum).unzip();
            assert_eq!(requests.iter().sum::<u64>(), 11, "{step:?}");
            assert_eq!(sent.iter().sum::<u64>(), 110, "{step:?}");
        }
    }
}

#[tokio::test]
async fn a_frame_counts_once() {
    let scene = Scene::new().await;
    let bucket = scene.its();
    let region = &scene.world.region;
    let store = &scene.world.app.store;
    assert!(!store.counts_requests(region).await.unwrap());
    assert_eq!(scene.keep(1, vec![]).await, 1);
    assert!(store.counts_requests(region).await.unwrap());
    for _ in 0..3 {
        assert_eq!(scene.keep(7, vec![scene.sum("photos", 0, 1)]).await, 7);
    }
    // An agent that has forgotten where it was hears it.
    assert_eq!(scene.keep(2, vec![scene.sum("photos", 0, 1)]).await, 7);
    assert_eq!(scene.requests(bucket).await, 1);
    assert_eq!(scene.keep(8, vec![scene.sum("photos", 0, 1)]).await, 8);
    assert_eq!(scene.requests(bucket).await, 2);
}

#[tokio::test]
async fn what_leads_nowhere_is_dropped() {
    let scene = Scene::new().await;
    let away = scene.world.add_region("away").await;
    let elsewhere = BucketId(random());
    scene
        .world
        .sql(&format!(
            "INSERT INTO buckets (id, region, name, aliases, created_at) \
             VALUES ('{elsewhere}', '{away}', 'theirs', '[\"theirs\"]', 0)"
        ))
        .await;
    let strange = TrafficSum {
        status: 9,
        ..scene.sum("photos", 0, 1)
    };
    let sums = vec![
        scene.sum("nobodys", 0, 1),
        scene.sum("theirs", 0, 1),
        scene.sum(&elsewhere.to_string(), 0, 1),
        scene.sum("photos", -50 * HOUR, 1),
        scene.sum("photos", 3600, 1),
        strange,
        scene.sum("photos", -48 * HOUR, 1),
        scene.sum("photos", 60, 1),
    ];
    assert_eq!(scene.keep(1, sums).await, 1);
    assert_eq!(scene.requests(scene.its()).await, 2);
    let all = scene
        .world
        .count("SELECT SUM(requests) FROM traffic WHERE step = 60 AND bucket <> ''");
    assert_eq!(all.await, 2);
}

#[tokio::test]
async fn a_bucket_is_found_by_id_by_each_of_its_names_and_by_a_name_that_it_had() {
    let scene = Scene::new().await;
    let (customer, operator) = (scene.world.customer.account, scene.world.operator.account);
    let (old, new) = (BucketId(random()), BucketId(random()));
    let moved = scene.now.plus_seconds(-HOUR);
    scene.add(old, customer, "videos", 0, Some(moved.0)).await;
    scene.add(new, operator, "videos", moved.0, None).await;
    let further = format!(
        "UPDATE buckets SET aliases = '[\"photos\",\"pictures\"]' WHERE id = '{}'",
        scene.bucket
    );
    scene.world.sql(&further).await;
    let sums = vec![
        scene.sum(&scene.bucket.to_string(), 0, 1),
        scene.sum("photos", 0, 2),
        scene.sum("pictures", 0, 4),
        scene.sum("videos", -2 * HOUR, 8),
        scene.sum("videos", 0, 16),
    ];
    scene.keep(1, sums).await;
    for (of, requests) in [
        (scene.its(), 7),
        (bucket(customer, old), 8),
        (bucket(operator, new), 16),
        (all(customer), 15),
        (all(operator), 16),
    ] {
        assert_eq!(scene.requests(of).await, requests, "{of:?}");
    }
}

#[tokio::test]
async fn whoever_has_a_bucket_later_does_not_learn_of_its_requests_before() {
    let scene = Scene::new().await;
    let (customer, operator) = (scene.world.customer.account, scene.world.operator.account);
    scene.keep(1, vec![scene.sum("photos", 0, 1)]).await;
    for (owner, sequence) in [("NULL".to_owned(), 2), (format!("'{operator}'"), 3)] {
        let id = scene.bucket;
        let change = format!("UPDATE buckets SET account = {owner} WHERE id = '{id}'");
        scene.world.sql(&change).await;
        scene.keep(sequence, vec![scene.sum("photos", 0, 10)]).await;
    }
    for (account, requests) in [(customer, 1), (operator, 10)] {
        for of in [bucket(account, scene.bucket), all(account)] {
            assert_eq!(scene.requests(of).await, requests, "{of:?}");
        }
    }
}

#[tokio::test]
async fn no_figure_grows_out_of_a_number() {
    let scene = Scene::new().await;
    for sequence in 1..4 {
        scene
            .keep(sequence, vec![scene.sum("photos", 0, u64::MAX)])
            .await;
    }
    assert_eq!(scene.requests(scene.its()).await, MAX_FIGURE);
}

#[tokio::test]
async fn minutes_and_hours_are_forgotten_in_their_time_and_days_are_not() {
    let scene = Scene::new().await;
    let bucket = scene.its();
    scene.keep(1, vec![scene.sum("photos", 0, 1)]).await;
    let store = &scene.world.app.store;
    let left = async |hours: i64| {
        let later = scene.now.plus_seconds(hours * HOUR);
        store.drop_old_traffic(later).await.unwrap();
        (
            scene.points(bucket, Step::Minute).await.len(),
            scene.points(bucket, Step::Hour).await.len(),
            scene.points(bucket, Step::Day).await.len(),
        )
    };
    assert_eq!(left(48).await, (1, 1, 1));
    assert_eq!(left(49).await, (0, 1, 1));
    assert_eq!(left(90 * 24 - 1).await, (0, 1, 1));
    assert_eq!(left(91 * 24).await, (0, 0, 1));
    assert_eq!(left(10_000 * 24).await, (0, 0, 1));
}
