//! What sweeps bring about: adoption, drift, what vanished, and strays.

use storm_protocol::{
    api::{OperationStatus, Setting},
    command::{
        BucketAdopt, BucketDelete, BucketRelease, BucketSetQuota, Command, CommandResult,
        RawCommand,
    },
    envelope::Via,
    error::Failure,
    frame::{BucketState, GrantState, InventoryFrame, KeyState, LocalAliasState, ToAgent, ToHub},
    ident::{AccessKeyId, BucketId, Limit, Micros, UserId, key_name},
    receipt::Outcome,
    result::{BucketAdopted, BucketDeleted, BucketReleased, BucketRestored},
};

use super::{
    KEY, create,
    double::{self, Double, Received, Running, Socket},
    made,
};
use crate::{
    app::Change,
    clock::random,
    reconcile,
    store::{settings::Sight, strays::StrayId},
};

/// Longer than a difference has to stand.
const STANDS_SECONDS: i64 = 21;

/// A hub, its agent, and a generation for the next sweep.
struct Scene {
    hub: Running,
    agent: Double,
    socket: Socket,
    generation: u64,
}

impl Scene {
    async fn new() -> Self {
        let hub = Running::start().await;
        let (agent, socket) = hub.enrolled().await;
        Self {
            hub,
            agent,
            socket,
            generation: 0,
        }
    }

    /// A bucket of the customer's, made through us, with its first key.
    async fn bucket(&mut self) -> BucketId {
        let world = &self.hub.world;
        let id = world.ask(&world.customer, create("photos")).await;
        let command = self.command().await;
        let (bucket, outcome) = made("photos", KEY);
        self.answer(&command, outcome).await;
        self.hub.until(id, OperationStatus::Done).await;
        bucket
    }

    async fn command(&mut self) -> Received {
        self.agent.command(&self.hub, &mut self.socket).await
    }

    async fn answer(&mut self, command: &Received, outcome: Outcome) {
        let receipt = self.agent.receipt(command, outcome);
        let frame = ToHub::Receipt(receipt);
        self.agent.send(&mut self.socket, &frame).await;
        self.agent.kept(&mut self.socket).await;
    }

    /// A sweep that has seen these changes.
    async fn sweep(&mut self, buckets: Vec<BucketState>, keys: Vec<KeyState>, gone: &[BucketId]) {
        self.generation += 1;
        let frame = ToHub::Inventory(InventoryFrame {
            generation: self.generation,
            whole: false,
            last: true,
            buckets,
            buckets_gone: gone.to_vec(),
            keys,
            keys_gone: vec![],
        });
        self.agent.send(&mut self.socket, &frame).await;
        match double::next(&mut self.socket).await {
            Some(ToAgent::InventoryKept(kept)) => assert_eq!(kept.generation, self.generation),
            other => panic!("expected an acknowledgement, got {other:?}"),
        }
    }

    async fn pass(&self) {
        reconcile::pass(&self.hub.world.app).await.unwrap();
    }

    async fn wait_and_pass(&self, seconds: i64) {
        self.hub.world.clock.advance_seconds(seconds);
        self.pass().await;
    }

    async fn drift(&self, bucket: BucketId) -> Vec<Setting> {
        let world = &self.hub.world;
        let (account, store) = (world.customer.account, &world.app.store);
        let settings = store.bucket_settings(&world.region, bucket, account, Sight::Own(account));
        let drift = settings.await.unwrap().drift;
        let shown = store.bucket(account, bucket).await.unwrap().unwrap().drift;
        assert_eq!(shown, !drift.is_empty());
        drift
    }

    async fn operations(&self, command: &str) -> i64 {
        let question = format!("SELECT COUNT(*) FROM operations WHERE command = '{command}'");
        self.hub.world.count(&question).await
    }

    fn customers_key(&self) -> KeyState {
        KeyState {
            key: key(),
            name: key_name(self.hub.world.customer.account, &"first".parse().unwrap()),
            created_at: Some(Micros(5)),
            expires_at: None,
            create_buckets: true,
        }
    }
}

fn key() -> AccessKeyId {
    KEY.parse().unwrap()
}

/// A bucket as it was made, with all rights for the customer's key.
fn state(bucket: BucketId) -> BucketState {
    BucketState {
        bucket,
        aliases: vec!["photos".parse().unwrap()],
        bytes: 0,
        objects: 0,
        unfinished_bytes: 0,
        unfinished_uploads: 0,
        quota_bytes: None,
        quota_objects: None,
        website: None,
        cors: vec![],
        lifecycle: vec![],
        other_rules: false,
        grants: vec![GrantState {
            key: key(),
            read: true,
            write: true,
            owner: true,
        }],
        local_aliases: vec![],
        created_at: Micros(5),
    }
}

/// A bucket as a key makes it over S3.
fn over_s3(bucket: BucketId) -> BucketState {
    BucketState {
        aliases: vec![],
        local_aliases: vec![LocalAliasState {
            key: key(),
            name: "made-over-s3".parse().unwrap(),
        }],
        ..state(bucket)
    }
}

fn adoption(raw: &RawCommand) -> BucketAdopt {
    match raw.parse().unwrap() {
        Command::BucketAdopt(adopt) => adopt,
        other => panic!("expected an adoption, got {other:?}"),
    }
}

fn adopted(adopt: &BucketAdopt) -> Outcome {
    Outcome::Done(CommandResult::BucketAdopt(BucketAdopted {
        bucket: adopt.bucket,
        account: adopt.account,
        name: adopt.name.clone(),
        quota_bytes: adopt.quota_bytes,
        quota_objects: adopt.quota_objects,
    }))
}

#[tokio::test]
async fn a_bucket_that_appears_is_adopted_once_and_again_after_a_failure() {
    let mut scene = Scene::new().await;
    let bucket = BucketId(random());
    let keys = vec![scene.customers_key()];
    scene.sweep(vec![over_s3(bucket)], keys, &[]).await;
    scene.pass().await;
    scene.pass().await;
    let command = scene.command().await;
    let adopt = adoption(&command.payload.command);
    let account = scene.hub.world.customer.account;
    assert_eq!((adopt.bucket, adopt.account), (bucket, account));
    assert_eq!(adopt.name, Some("made-over-s3".parse().unwrap()));
    let actor = &command.payload.actor;
    assert_eq!((actor.user, actor.via), (UserId::SYSTEM, Via::System));
    assert!(actor.operator && actor.account == account);

    let failed = Outcome::Failed {
        code: Failure::GarageUnavailable,
        message: String::new(),
    };
    scene.answer(&command, failed).await;
    // Seen to have failed; not asked at once.
    scene.wait_and_pass(11).await;
    scene.pass().await;
    assert_eq!(scene.operations("bucket.adopt").await, 1);
    scene.wait_and_pass(61).await;
    assert_eq!(scene.operations("bucket.adopt").await, 2);
    let command = scene.command().await;
    let adopt = adoption(&command.payload.command);
    scene.answer(&command, adopted(&adopt)).await;
    let store = &scene.hub.world.app.store;
    let shown = store.bucket(account, bucket).await.unwrap().unwrap();
    assert_eq!(shown.name, Some("made-over-s3".parse().unwrap()));

    // Neither sweeps nor time bring it about again.
    scene.sweep(vec![over_s3(bucket)], vec![], &[]).await;
    scene.wait_and_pass(24 * 3600).await;
    assert_eq!(scene.operations("bucket.adopt").await, 2);
    scene.hub.stop().await;
}

#[tokio::test]
async fn what_the_account_is_just_making_is_not_adopted() {
    let mut scene = Scene::new().await;
    let world = &scene.hub.world;
    let id = world.ask(&world.customer, create("photos")).await;
    let command = scene.command().await;
    // The agent has begun, and a sweep came in between.
    let (bucket, outcome) = made("photos", KEY);
    let keys = vec![scene.customers_key()];
    scene.sweep(vec![state(bucket)], keys, &[]).await;
    scene.pass().await;
    assert_eq!(scene.operations("bucket.adopt").await, 0);
    scene.answer(&command, outcome).await;
    scene.hub.until(id, OperationStatus::Done).await;
    scene.wait_and_pass(3600).await;
    assert_eq!(scene.operations("bucket.adopt").await, 0);
    scene.hub.stop().await;
}

#[tokio::test]
async fn drift_shows_once_it_has_stood_and_is_restored_or_accepted() {
    let mut scene = Scene::new().await;
    let bucket = scene.bucket().await;
    let (region, account) = {
        let world = &scene.hub.world;
        (world.region.clone(), world.customer.account)
    };
    // Nobody had an opinion on CORS; the quota and the rights are another matter.
    let mut found = state(bucket);
    found.quota_bytes = Limit::new(99);
    found.grants[0].write = false;
    found.cors =
        serde_json::from_str(r#"[{"allowed_origins":["*"],"allowed_methods":["GET"]}]"#).unwrap();
    scene.sweep(vec![found.clone()], vec![], &[]).await;
    scene.pass().await;
    assert_eq!(scene.drift(bucket).await, []);
    scene.wait_and_pass(STANDS_SECONDS).await;
    assert_eq!(scene.drift(bucket).await, [Setting::Quota, Setting::Grants]);
    let store = &scene.hub.world.app.store;
    let drifting = store.buckets_drifting(account, None, "", 10).await.unwrap();
    assert_eq!(drifting.len(), 1);

    let sight = Sight::Own(account);
    let restoration = store.restoration(&region, bucket, sight).await.unwrap();
    assert!(!restoration.other_rules && !restoration.only_foreign);
    let restore = restoration.command;
    assert_eq!((restore.quota_bytes, &restore.cors), (None, &found.cors));
    assert!(restore.grants.len() == 1 && restore.grants[0].write);
    let world = &scene.hub.world;
    let id = world
        .ask(&world.customer, Command::BucketRestore(restore))
        .await;
    let command = scene.command().await;
    let done = Outcome::Done(CommandResult::BucketRestore(BucketRestored { bucket }));
    scene.answer(&command, done).await;
    scene.hub.until(id, OperationStatus::Done).await;
    assert_eq!(scene.drift(bucket).await, []);
    // What was found was sent along, and is no opinion now.
    found.quota_bytes = None;
    found.grants[0].write = true;
    found.cors = vec![];
    scene.sweep(vec![found.clone()], vec![], &[]).await;
    scene.wait_and_pass(STANDS_SECONDS).await;
    assert_eq!(scene.drift(bucket).await, []);

    found.quota_bytes = Limit::new(7);
    found.grants.clear();
    scene.sweep(vec![found], vec![], &[]).await;
    scene.wait_and_pass(STANDS_SECONDS).await;
    assert_eq!(scene.drift(bucket).await, [Setting::Quota, Setting::Grants]);
    let world = &scene.hub.world;
    let (store, now) = (&world.app.store, world.app.clock.now());
    store.accept_found(&region, bucket, now).await.unwrap();
    assert_eq!(scene.drift(bucket).await, []);
    let settings = store.bucket_settings(&region, bucket, account, sight);
    let wanted = settings.await.unwrap().wanted;
    assert_eq!((wanted.quota_bytes, wanted.grants), (Limit::new(7), vec![]));
    scene.hub.stop().await;
}

#[tokio::test]
async fn a_command_at_work_is_no_drift() {
    let mut scene = Scene::new().await;
    let bucket = scene.bucket().await;
    let quota = Command::BucketSetQuota(BucketSetQuota {
        bucket,
        quota_bytes: Limit::new(5),
        quota_objects: None,
    });
    let world = &scene.hub.world;
    world.ask(&world.customer, quota).await;
    let command = scene.command().await;
    // The cluster has it before the receipt is here.
    let mut found = state(bucket);
    found.quota_bytes = Limit::new(5);
    scene.sweep(vec![found], vec![], &[]).await;
    scene.wait_and_pass(STANDS_SECONDS).await;
    assert_eq!(scene.drift(bucket).await, []);
    // It was not ours: the command failed, and what was found stands.
    let failed = Outcome::Failed {
        code: Failure::GarageRefused,
        message: String::new(),
    };
    scene.answer(&command, failed).await;
    scene.pass().await;
    assert_eq!(scene.drift(bucket).await, [Setting::Quota]);
    scene.hub.stop().await;
}

#[tokio::test]
async fn rights_of_keys_of_others_are_counted_and_not_named() {
    let mut scene = Scene::new().await;
    let bucket = scene.bucket().await;
    let (region, account) = {
        let world = &scene.hub.world;
        (world.region.clone(), world.customer.account)
    };
    let foreign: AccessKeyId = "GK00000000000000000000beef".parse().unwrap();
    let mut found = state(bucket);
    found.other_rules = true;
    found.grants.push(GrantState {
        key: foreign.clone(),
        read: true,
        write: false,
        owner: false,
    });
    scene.sweep(vec![found], vec![], &[]).await;
    scene.wait_and_pass(STANDS_SECONDS).await;
    assert_eq!(scene.drift(bucket).await, [Setting::Grants]);
    let store = &scene.hub.world.app.store;
    for (sight, named) in [(Sight::Own(account), 0), (Sight::All, 1)] {
        let settings = store.bucket_settings(&region, bucket, account, sight);
        let settings = settings.await.unwrap();
        assert_eq!(settings.foreign_keys, 1);
        assert_eq!(settings.found.grants.len(), 1 + named);
        assert_eq!(settings.wanted.grants.len(), 1);
        let restoration = store.restoration(&region, bucket, sight).await.unwrap();
        assert!(restoration.other_rules);
        assert_eq!(restoration.only_foreign, named == 0);
        assert_eq!(restoration.command.grants.len(), named);
        // Whoever asks for it all the same has to run the platform.
        let mut restore = restoration.command;
        restore.grants = vec![storm_protocol::command::BucketGrant {
            key: foreign.clone(),
            read: false,
            write: false,
            owner: false,
        }];
        let world = &scene.hub.world;
        let actor = match sight {
            Sight::Own(_) => &world.customer,
            Sight::All => &world.operator,
        };
        let id = world.ask(actor, Command::BucketRestore(restore)).await;
        match sight {
            Sight::Own(_) => scene.hub.until(id, OperationStatus::Refused).await,
            Sight::All => scene.hub.until(id, OperationStatus::Sent).await,
        };
    }
    scene.hub.stop().await;
}

#[tokio::test]
async fn what_vanishes_is_marked_until_it_is_back_or_was_our_doing() {
    let mut scene = Scene::new().await;
    let bucket = scene.bucket().await;
    let vanished = async |scene: &Scene, seconds: i64| {
        let world = &scene.hub.world;
        let now = world.app.clock.now().plus_seconds(seconds);
        let account = world.customer.account;
        let found = world.app.store.buckets_vanished(account, None, "", 10, now);
        found.await.unwrap().len()
    };
    scene.sweep(vec![], vec![], &[bucket]).await;
    assert_eq!(vanished(&scene, 0).await, 1);
    assert_eq!(vanished(&scene, 91 * 24 * 3600).await, 0);
    scene.sweep(vec![state(bucket)], vec![], &[]).await;
    assert_eq!(vanished(&scene, 0).await, 0);

    let delete = Command::BucketDelete(BucketDelete { bucket });
    let world = &scene.hub.world;
    let id = world.ask(&world.customer, delete).await;
    let command = scene.command().await;
    // A sweep misses it before the receipt is here.
    scene.sweep(vec![], vec![], &[bucket]).await;
    assert_eq!(vanished(&scene, 0).await, 1);
    let done = Outcome::Done(CommandResult::BucketDelete(BucketDeleted { bucket }));
    scene.answer(&command, done).await;
    scene.hub.until(id, OperationStatus::Done).await;
    assert_eq!(vanished(&scene, 0).await, 0);
    scene.hub.stop().await;
}

#[tokio::test]
async fn what_is_being_released_is_not_adopted() {
    let mut scene = Scene::new().await;
    let bucket = BucketId(random());
    let keys = vec![scene.customers_key()];
    scene.sweep(vec![over_s3(bucket)], keys, &[]).await;
    let world = &scene.hub.world;
    let release = Command::BucketRelease(BucketRelease { bucket });
    let id = world.ask(&world.operator, release).await;
    let command = scene.command().await;
    // The agent would take both, and the adoption last.
    scene.pass().await;
    let refused =
        "SELECT COUNT(*) FROM operations WHERE command = 'bucket.adopt' AND state = 'refused'";
    scene.hub.until_count(refused, 1).await;
    let done = Outcome::Done(CommandResult::BucketRelease(BucketReleased {
        bucket,
        keys: 1,
    }));
    scene.answer(&command, done).await;
    scene.hub.until(id, OperationStatus::Done).await;
    scene.wait_and_pass(3600).await;
    assert_eq!(scene.operations("bucket.adopt").await, 1);
    let question = "SELECT COUNT(*) FROM buckets WHERE account IS NULL";
    assert_eq!(scene.hub.world.count(question).await, 1);
    scene.hub.stop().await;
}

#[tokio::test]
async fn a_released_bucket_is_a_stray_until_it_is_adopted() {
    let mut scene = Scene::new().await;
    let bucket = scene.bucket().await;
    let world = &scene.hub.world;
    let mut changes = world.app.bus.listen();
    let release = Command::BucketRelease(BucketRelease { bucket });
    let id = world.ask(&world.operator, release).await;
    let command = scene.command().await;
    let done = Outcome::Done(CommandResult::BucketRelease(BucketReleased {
        bucket,
        keys: 1,
    }));
    scene.answer(&command, done).await;
    scene.hub.until(id, OperationStatus::Done).await;
    let account = scene.hub.world.customer.account;
    // Whose it was hears of it.
    while changes.recv().await.unwrap() != Change::Bucket(Some(account), bucket) {}
    // A sweep that began before shows the rights that it had.
    scene.sweep(vec![state(bucket)], vec![], &[]).await;
    scene.pass().await;
    let strays = async |scene: &Scene, ignored: Option<bool>| {
        let store = &scene.hub.world.app.store;
        let from = [String::new(), String::new()];
        store.strays(None, ignored, &from, 10).await.unwrap()
    };
    let listed = strays(&scene, None).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].bucket, Some(bucket));
    assert_eq!(listed[0].claimed_by, [account]);

    let world = &scene.hub.world;
    let stray = StrayId::Bucket(bucket);
    let store = &world.app.store;
    let ignored = store.ignore_stray(&stray, true).await.unwrap().unwrap();
    assert!(ignored.ignored);
    assert_eq!(strays(&scene, Some(false)).await, []);
    assert_eq!(strays(&scene, Some(true)).await.len(), 1);
    let adopt = BucketAdopt {
        bucket,
        account,
        name: None,
        quota_bytes: Limit::new(9),
        quota_objects: None,
    };
    let id = world
        .ask(&world.operator, Command::BucketAdopt(adopt.clone()))
        .await;
    let command = scene.command().await;
    scene.answer(&command, adopted(&adopt)).await;
    scene.hub.until(id, OperationStatus::Done).await;
    assert_eq!(strays(&scene, None).await, []);
    let store = &scene.hub.world.app.store;
    let shown = store.bucket(account, bucket).await.unwrap().unwrap();
    assert_eq!(shown.quota_bytes, Limit::new(9));
    assert_eq!(store.ignore_stray(&stray, true).await.unwrap(), None);
    scene.hub.stop().await;
}
