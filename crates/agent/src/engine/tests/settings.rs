//! What is set on buckets and keys, read back from Garage.

use serde_json::json;
use storm_protocol::{
    command::{
        BucketSetCors, BucketSetLifecycle, BucketSetWebsite, Command, CommandResult, KeyResume,
        KeySetExpiry, KeySuspend,
    },
    error::Failure,
    frame::SUSPENDED_UNTIL,
    ident::{AccessKeyId, BucketId, Micros},
    rules::{CorsRule, LifecycleRule, Website},
};

use super::{
    acceptance::create,
    commands::{created, new_key},
    support::{Asker, Bench},
};
use crate::garage::{AdminRequest, BucketInfo, rules};

async fn info(bench: &Bench, bucket: BucketId) -> BucketInfo {
    let garage = &bench.engine.0.garage;
    garage.ask(AdminRequest::bucket(bucket)).await.unwrap()
}

#[tokio::test]
async fn every_rule_comes_back_as_it_was_set() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    let bucket = created(&bench.run(&asker, create("photos", None)).await).bucket;

    let cors: Vec<CorsRule> = serde_json::from_value(json!([
        { "allowed_origins": ["*"], "allowed_methods": ["GET", "HEAD", "PUT", "POST", "DELETE"] },
        { "id": "one app", "allowed_origins": ["https://*.example.org", "http://localhost:5173"],
          "allowed_methods": ["PUT"], "allowed_headers": ["*", "x-amz-*"],
          "expose_headers": ["etag", "x-amz-meta-a"], "max_age_seconds": 0 },
    ]))
    .unwrap();
    let command = Command::BucketSetCors(BucketSetCors {
        bucket,
        rules: cors.clone(),
    });
    assert!(matches!(
        bench.run(&asker, command).await.result(),
        CommandResult::BucketSetCors(_)
    ));
    let lifecycle: Vec<LifecycleRule> = serde_json::from_value(json!([
        { "enabled": true, "expire_after_days": 1 },
        { "id": "old", "enabled": false, "prefix": "logs/\u{e4} +&", "expire_on": "2028-02-29" },
        { "enabled": true, "size_greater_than": 0, "size_less_than": 9007199254740991_u64,
          "expire_after_days": 3650 },
        { "enabled": true, "prefix": "", "abort_uploads_after_days": 3650 },
    ]))
    .unwrap();
    let command = Command::BucketSetLifecycle(BucketSetLifecycle {
        bucket,
        rules: lifecycle.clone(),
    });
    bench.run(&asker, command).await.result();
    let website: Website = serde_json::from_value(json!({
        "index_document": "index.html", "error_document": "errors/404.html",
    }))
    .unwrap();
    let command = |website| Command::BucketSetWebsite(BucketSetWebsite { bucket, website });
    bench
        .run(&asker, command(Some(website.clone())))
        .await
        .result();

    let found = info(&bench, bucket).await;
    let read = rules::read_cors(&found.cors_rules.unwrap());
    assert!(!read.other && read.rules == cors, "{read:?}");
    let read = rules::read_lifecycle(&found.lifecycle_rules.unwrap());
    assert!(!read.other && read.rules == lifecycle, "{read:?}");
    let (read, other) = rules::read_website(&found.website_config.unwrap());
    assert!(found.website_access && !other && read == Some(website));

    bench.run(&asker, command(None)).await.result();
    let rules = vec![];
    bench
        .run(
            &asker,
            Command::BucketSetCors(BucketSetCors { bucket, rules }),
        )
        .await
        .result();
    let found = info(&bench, bucket).await;
    assert!(!found.website_access && found.cors_rules.unwrap_or_default().is_empty());
    assert_eq!(found.lifecycle_rules.map(|rules| rules.len()), Some(4));
}

async fn end_of(bench: &Bench, key: &AccessKeyId) -> Option<Micros> {
    let garage = &bench.engine.0.garage;
    garage.key(key.as_str()).await.unwrap().unwrap().expiration
}

async fn suspend(bench: &Bench, asker: &Asker, key: &AccessKeyId) -> Option<Micros> {
    let command = Command::KeySuspend(KeySuspend { key: key.clone() });
    match bench.run(asker, command).await.result() {
        CommandResult::KeySuspend(suspended) => suspended.expires_at,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_suspended_key_is_told_by_garage_alone_and_its_end_by_the_receipt() {
    let bench = Bench::start().await;
    let asker = bench.asker();
    let key = new_key(&bench.run(&asker, create("photos", Some("k"))).await);
    assert_eq!(suspend(&bench, &asker, &key).await, None);
    assert!(end_of(&bench, &key).await.unwrap() <= SUSPENDED_UNTIL);

    let later = Micros(4_102_444_800_000_000);
    let resume = |expires_at| {
        let key = key.clone();
        Command::KeyResume(KeyResume { key, expires_at })
    };
    bench.run(&asker, resume(Some(later))).await.result();
    assert_eq!(end_of(&bench, &key).await, Some(later));
    assert_eq!(suspend(&bench, &asker, &key).await, Some(later));
    // What it had is not known twice.
    assert_eq!(suspend(&bench, &asker, &key).await, None);
    bench.run(&asker, resume(None)).await.result();
    assert_eq!(end_of(&bench, &key).await, None);

    // The receipt says what Garage keeps: whole milliseconds.
    let command = Command::KeySetExpiry(KeySetExpiry {
        key: key.clone(),
        expires_at: Some(Micros(later.0 + 999)),
    });
    match bench.run(&asker, command).await.result() {
        CommandResult::KeySetExpiry(set) => assert_eq!(set.expires_at, Some(later)),
        other => panic!("{other:?}"),
    }
    assert_eq!(end_of(&bench, &key).await, Some(later));
    // Nobody's key is not ours to suspend, unless we run the platform.
    let absent = Command::KeySuspend(KeySuspend {
        key: "GK000000000000000000000000".parse().unwrap(),
    });
    let mut operator = asker;
    operator.actor.operator = true;
    let failure = bench.run(&operator, absent).await.failure();
    assert_eq!(failure, Failure::NoSuchKey);
}
