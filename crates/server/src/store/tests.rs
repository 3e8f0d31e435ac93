//! The store's own promises, on a database in a temporary directory.

use std::time::Duration;

use storm_protocol::{
    api::OperationStatus,
    command::{AgentPing, BucketClear, BucketCreate, BucketMeasurePrefix, Command},
    ident::{AgentId, BucketId, Micros},
    seal::OpenKey,
};

use super::{
    Durability, Store, StoreError, Writing, audit,
    operations::{MAX_OPEN_JOBS_PER_ACCOUNT, MAX_OPEN_OPERATIONS_PER_ACCOUNT, Requested},
    security::SecurityEvent,
    sql,
};
use crate::{
    auth::secret::StoredSecret,
    clock::random,
    mail::Mail,
    testing::{World, database, some_digest},
};

fn create(name: &str) -> Command {
    Command::BucketCreate(BucketCreate {
        bucket: name.parse().unwrap(),
        quota_bytes: None,
        quota_objects: None,
        abort_uploads_after_days: None,
        key: None,
    })
}

#[tokio::test]
async fn one_idempotency_key_is_one_operation() {
    let world = World::new().await;
    let store = &world.app.store;
    let ask = |actor, name: &str| {
        let mut new = world.request(actor, create(name));
        new.idempotency_key = Some("once".to_owned());
        // Where the secret goes is not compared: the first stands.
        new.seal_to = Some(OpenKey::generate().seal_key());
        store.request_operation(new)
    };
    let Requested::New(first) = ask(&world.customer, "photos").await.unwrap() else {
        panic!()
    };
    assert_eq!(
        (first.state, first.attempt),
        (OperationStatus::Requested, 0)
    );
    let Requested::Same(again) = ask(&world.customer, "photos").await.unwrap() else {
        panic!()
    };
    assert_eq!(first, again);
    assert!(matches!(
        ask(&world.customer, "videos").await.unwrap(),
        Requested::Other
    ));
    // Another person's key is another key.
    assert!(matches!(
        ask(&world.operator, "videos").await.unwrap(),
        Requested::New(_)
    ));
    assert_eq!(store.operation(first.id).await.unwrap(), Some(first));
}

#[tokio::test]
async fn requests_at_the_same_time_under_one_key_make_one_operation() {
    let world = World::new().await;
    let ask = || {
        let mut new = world.request(&world.customer, Command::AgentPing(AgentPing {}));
        new.idempotency_key = Some("once".to_owned());
        world.app.store.request_operation(new)
    };
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    let made = [a, b, c]
        .into_iter()
        .filter(|r| matches!(r, Ok(Requested::New(_))))
        .count();
    assert_eq!(made, 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM operations").await, 1);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let world = World::new().await;
    world
        .sql(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'from the future', TRUE, '', 0)",
        )
        .await;
    let again = Store::open(world.place.clone()).await;
    assert!(matches!(again.err(), Some(StoreError::Schema(_))));
}

#[tokio::test]
async fn sealed_secrets_are_dropped_after_their_time() {
    let world = World::new().await;
    let id = world.ask(&world.customer, create("photos")).await;
    world
        .sql("UPDATE operations SET state = 'done', sealed = '{}', sealed_at = 1000, finished_at = 9000")
        .await;
    assert_eq!(world.app.store.drop_sealed(Micros(1000)).await.unwrap(), 0);
    assert_eq!(world.app.store.drop_sealed(Micros(1001)).await.unwrap(), 1);
    assert_eq!(world.app.store.operation_sealed(id).await.unwrap(), None);
}

#[tokio::test]
async fn durability_is_the_transactions_own() {
    let world = World::new().await;
    for durability in [
        Durability::Process,
        Durability::Machine,
        Durability::Machine,
        Durability::Process,
    ] {
        let mut transaction = world.app.store.write(durability).await.unwrap();
        let waits = waits_for_disk(&mut transaction).await;
        assert_eq!(waits, durability == Durability::Machine);
    }
}

/// Whether the commit of a change waits until it is on disk.
async fn waits_for_disk(change: &mut Writing) -> bool {
    if sql::is_postgres(change) {
        let set: String = sqlx::query_scalar("SHOW synchronous_commit")
            .fetch_one(&mut **change)
            .await
            .unwrap();
        set == "on"
    } else {
        let set: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&mut **change)
            .await
            .unwrap();
        set == 2
    }
}

#[tokio::test]
async fn the_only_region_is_the_only_one() {
    let world = World::new().await;
    let store = &world.app.store;
    assert_eq!(
        store.only_region().await.unwrap().map(|region| region.name),
        Some(world.region.clone())
    );
    let second = storm_protocol::api::CreateRegionRequest {
        name: "away".parse().unwrap(),
        s3_endpoint: "https://s3.example".to_owned(),
        s3_region: "away".to_owned(),
        website_domain: None,
    };
    assert!(store.create_region(&second, Micros(1)).await.unwrap());
    assert!(!store.create_region(&second, Micros(1)).await.unwrap());
    assert_eq!(store.only_region().await.unwrap(), None);
    assert_eq!(store.regions().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_change_that_is_cut_off_leaves_nothing_behind() {
    let world = World::new().await;
    let store = &world.app.store;
    let count = "SELECT COUNT(*) FROM accounts";
    let before = world.count(count).await;
    // Cut off at each point where it waits.
    for polls in 0..8 {
        let change = async {
            let mut change = store.write(Durability::Process).await.unwrap();
            sqlx::query("INSERT INTO accounts VALUES ('cut', 'off', 0)")
                .execute(&mut *change)
                .await
                .unwrap();
            std::future::pending::<()>().await;
        };
        let mut change = Box::pin(change);
        for _ in 0..polls {
            let _ = futures_util::poll!(change.as_mut());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(change);
        let mut next = store.write(Durability::Machine).await.unwrap();
        assert!(waits_for_disk(&mut next).await, "after {polls} polls");
        next.commit().await.unwrap();
        assert_eq!(world.count(count).await, before, "after {polls} polls");
    }
}

#[tokio::test]
async fn what_was_not_committed_is_gone_before_the_next_change() {
    let world = World::new().await;
    let store = &world.app.store;
    let mut change = store.write(Durability::Process).await.unwrap();
    sqlx::query("INSERT INTO accounts VALUES ('not', 'meant', 0)")
        .execute(&mut *change)
        .await
        .unwrap();
    drop(change);
    let mut one = store.write_one(Durability::Machine).await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM accounts WHERE id = 'not'")
        .fetch_one(&mut *one)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_account_has_so_many_operations_open_and_no_more() {
    let world = World::new().await;
    let store = &world.app.store;
    let ask = |actor, key: Option<&str>| {
        let mut new = world.request(actor, Command::AgentPing(AgentPing {}));
        new.idempotency_key = key.map(str::to_owned);
        store.request_operation(new)
    };
    for number in 0..MAX_OPEN_OPERATIONS_PER_ACCOUNT {
        let key = (number == 0).then_some("first");
        let asked = ask(&world.customer, key).await.unwrap();
        assert!(matches!(asked, Requested::New(_)));
    }
    let many = ask(&world.customer, None).await.unwrap();
    assert!(matches!(many, Requested::TooMany));
    let many = ask(&world.customer, Some("another")).await.unwrap();
    assert!(matches!(many, Requested::TooMany));
    // What was asked before is answered, and others are not held up.
    let same = ask(&world.customer, Some("first")).await.unwrap();
    assert!(matches!(same, Requested::Same(_)));
    let other = ask(&world.operator, None).await.unwrap();
    assert!(matches!(other, Requested::New(_)));
    world
        .sql("UPDATE operations SET state = 'unknown' WHERE idempotency_key = 'first'")
        .await;
    let again = ask(&world.customer, None).await.unwrap();
    assert!(matches!(again, Requested::New(_)));
}

#[tokio::test]
async fn an_account_has_so_many_jobs_open_and_short_commands_pass_them() {
    let world = World::new().await;
    let store = &world.app.store;
    let bucket = BucketId([1; 32]);
    let clear = || Command::BucketClear(BucketClear { bucket });
    let ask = |actor, command| store.request_operation(world.request(actor, command));
    for _ in 0..MAX_OPEN_JOBS_PER_ACCOUNT {
        let asked = ask(&world.customer, clear()).await.unwrap();
        assert!(matches!(asked, Requested::New(_)));
    }
    let measure = Command::BucketMeasurePrefix(BucketMeasurePrefix {
        bucket,
        prefix: "".parse().unwrap(),
        max_objects: 1,
    });
    for job in [clear(), measure] {
        assert!(job.row().job);
        let asked = ask(&world.customer, job).await.unwrap();
        assert!(matches!(asked, Requested::TooMany));
    }
    let ping = Command::AgentPing(AgentPing {});
    let asked = ask(&world.customer, ping).await.unwrap();
    assert!(matches!(asked, Requested::New(_)));
    let other = ask(&world.operator, clear()).await.unwrap();
    assert!(matches!(other, Requested::New(_)));
}

#[tokio::test]
async fn security_events_are_bounded_in_age_and_number() {
    let world = World::new().await;
    let store = &world.app.store;
    for at in 1..=10 {
        let event = SecurityEvent {
            kind: "sign_in_failed",
            subject: "somebody",
            origin: None,
            detail: "",
        };
        store.note_security_event(event, Micros(at)).await.unwrap();
    }
    assert_eq!(store.drop_security_events(Micros(4), 100).await.unwrap(), 3);
    assert_eq!(store.drop_security_events(Micros(4), 5).await.unwrap(), 2);
    assert_eq!(world.count("SELECT MIN(at) FROM security_events").await, 6);
}

#[tokio::test]
async fn the_platform_itself_is_no_person() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(database(dir.path()).await).await.unwrap();
    assert!(!store.has_users().await.unwrap());
    assert!(store.user_by_email("system").await.unwrap().is_none());
    assert!(!store.reset_password("system", "x").await.unwrap());
}

#[tokio::test]
async fn an_agent_s_trouble_and_trust_are_its_own() {
    let world = World::new().await;
    let store = &world.app.store;
    let agents = [
        AgentId::new(Micros(1), random()),
        AgentId::new(Micros(2), random()),
    ];
    for id in agents {
        world
            .sql(&format!(
                "INSERT INTO agents (id, region, host, receipt_key, seal_key, tls_key, statement, created_at) \
                 VALUES ('{id}', 'home', 'node', '', '', '', '', 1)"
            ))
            .await;
    }
    store
        .agent_in_trouble(agents[0], Some("disk_full"))
        .await
        .unwrap();
    store.agent_keeps_trust(agents[0], 7).await.unwrap();
    let said = |what: &str| format!("SELECT COUNT(*) FROM agents WHERE {what}");
    let troubled = said("trouble = 'disk_full'");
    assert_eq!(world.count(&troubled).await, 1);
    assert_eq!(world.count(&said("trust_serial = 7")).await, 1);
    store.agent_in_trouble(agents[0], None).await.unwrap();
    assert_eq!(world.count(&troubled).await, 0);
}

#[tokio::test]
async fn a_second_factor_that_an_operator_takes_away_is_gone_with_all_sessions() {
    let world = World::new().await;
    let (store, user) = (&world.app.store, world.customer.user);
    let mail = Mail {
        to: "c@example.org".to_owned(),
        subject: "s".to_owned(),
        text: "t".to_owned(),
        html: "h".to_owned(),
    };
    let entry = audit::Entry {
        act: "user.reset_second_factor".to_owned(),
        user: Some(user),
        ..audit::Entry::default()
    };
    let reset = async || {
        store
            .reset_second_factor(user, &mail, &entry)
            .await
            .unwrap()
    };
    assert!(!reset().await, "there is nothing to take away");
    assert!(store.begin_totp(user, "sealed", Micros(1)).await.unwrap());
    let codes = [StoredSecret(some_digest("code"))];
    let confirmed = store.confirm_totp(user, ("sealed", 1), &codes, None, (&mail, Micros(2)));
    assert!(confirmed.await.unwrap());
    assert!(reset().await);
    for table in ["totp_factors", "recovery_codes"] {
        assert_eq!(
            world.count(&format!("SELECT COUNT(*) FROM {table}")).await,
            0,
            "{table}"
        );
    }
    let told = "SELECT COUNT(*) FROM audit_events WHERE act = 'user.reset_second_factor'";
    assert_eq!(world.count(told).await, 1);
    // Once for the app that was added, once for what was taken.
    assert_eq!(world.count("SELECT COUNT(*) FROM mails").await, 2);
}
