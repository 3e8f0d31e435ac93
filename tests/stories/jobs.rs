//! Long work: clearing and measuring buckets. It goes on over kills of the agent and of the control
//! plane, can be cancelled, says how far it is, and leaves no key behind.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{agent::Start, api::Credential, stack::Stack, tools::succeed, wait, word};
use reqwest::Method;
use serde_json::{Value, json};
use storm_protocol::{
    api::{OperationAnswer, OperationStatus},
    command::CommandResult,
    error::Failure,
    ident::OperationId,
    receipt::Outcome,
};

/// Objects in a bucket that is to be cleared: several pages of a listing.
const OBJECTS: usize = 3_300;
/// Bytes of each object.
const OBJECT_BYTES: usize = 11;

struct Scene {
    stack: Stack,
    key: Credential,
    name: String,
    bucket: String,
}

impl Scene {
    /// A bucket with many small objects.
    async fn filled() -> Result<Self> {
        let stack = Stack::single().await?;
        let name = format!("archive-{}", word()?);
        let (answer, key) = stack.create_bucket(&name, None).await?;
        let bucket = answer
            .bucket
            .context("a new bucket has a row")?
            .id
            .to_string();
        let scene = Self {
            stack,
            key,
            name,
            bucket,
        };
        let folder = scene.stack.directory().join("objects");
        for index in 0..OBJECTS {
            let place = folder.join(if index % 3 == 0 {
                "logs"
            } else {
                "films/a b+c"
            });
            std::fs::create_dir_all(&place)?;
            std::fs::write(
                place.join(format!("{index:05}]&.txt")),
                [b'x'; OBJECT_BYTES],
            )?;
        }
        let tools = scene.stack.tools(&scene.key)?;
        tools.upload(&folder, &scene.name)?;
        Ok(scene)
    }

    fn path(&self, rest: &str) -> String {
        format!("/buckets/{}/{rest}", self.bucket)
    }

    async fn objects(&self) -> Result<u64> {
        let call = format!("GetBucketInfo?id={}", self.bucket);
        let info = self.stack.cluster.admin.get(&call).await?;
        info["objects"].as_u64().context("no count of objects")
    }

    /// What the bucket holds, as S3 lists it.
    fn left(&self) -> Result<String> {
        let mut rclone = self.stack.tools(&self.key)?.rclone()?;
        rclone.args(["lsf", "--recursive", &format!("storm:{}", self.name)]);
        succeed(&mut rclone)
    }

    /// Asks for a job and does not wait for its end.
    async fn begin(&self, rest: &str) -> Result<OperationId> {
        let answer = self
            .stack
            .api
            .send(Method::POST, &self.path(rest), None, None)
            .await?;
        let answer: OperationAnswer = answer.read()?;
        Ok(answer.operation.id)
    }

    async fn ended(&self, id: OperationId) -> Result<OperationAnswer> {
        wait::until("the job to end", async || {
            let answer = self.stack.api.operation(id).await?;
            Ok(answer.operation.state.is_final().then_some(answer))
        })
        .await
    }

    /// Waits until some objects are gone; says how many are left.
    async fn under_way(&self) -> Result<u64> {
        wait::until("the clearing to be under way", async || {
            let left = self.objects().await?;
            Ok((left < OBJECTS as u64).then_some(left))
        })
        .await
    }

    /// No key is left but the one that the bucket was made with.
    async fn no_key_left(&self) -> Result<()> {
        let contents = self.stack.cluster.admin.contents().await?;
        contents.check_whole()?;
        let keys: Vec<_> = contents.keys.keys().collect();
        ensure!(keys == [self.key.id.as_str()], "{keys:?}");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clearing_survives_kills_of_agent_and_control_plane() -> Result<()> {
    let mut scene = Scene::filled().await?;
    let id = scene.begin("clear").await?;
    scene.under_way().await?;
    scene.stack.agent.kill()?;
    // Written while nobody deletes: younger than the command, so it stays.
    let file = scene.stack.directory().join("upload");
    std::fs::write(&file, "young")?;
    let tools = scene.stack.tools(&scene.key)?;
    ensure!(tools.status("PUT", &format!("{}/zzz-young", scene.name), Some(&file))? == 200);
    scene.stack.server.kill()?;
    scene.stack.agent.start(&Start::default())?;
    scene.stack.server.start().await?;
    scene.stack.api = scene.stack.server.api().await?;
    let answer = scene.ended(id).await?;
    let Some(Outcome::Done(CommandResult::BucketClear(cleared))) = &answer.operation.outcome else {
        anyhow::bail!("{:?}", answer.operation.outcome)
    };
    ensure!(
        (cleared.objects, cleared.kept) == (OBJECTS as u64, 1),
        "{cleared:?}"
    );
    ensure!(
        cleared.bytes == cleared.objects * OBJECT_BYTES as u64,
        "{cleared:?}"
    );
    let left = scene.left()?;
    ensure!(left == "zzz-young\n", "only the young object stays: {left}");
    scene.no_key_left().await?;
    scene
        .stack
        .api
        .verified_receipt(&answer.operation, scene.stack.root_key)
        .await?;
    scene.stack.agent.expect(&["audit", "verify"])?;

    // Now it can be emptied whole, and deleted.
    let cleared = scene
        .stack
        .done(Method::POST, &scene.path("clear"), None)
        .await?;
    let CommandResult::BucketClear(cleared) = cleared else {
        anyhow::bail!("{cleared:?}")
    };
    ensure!(
        (cleared.objects, cleared.bytes, cleared.kept) == (1, 5, 0),
        "{cleared:?}"
    );
    scene
        .stack
        .done(Method::DELETE, &format!("/buckets/{}", scene.bucket), None)
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_is_measured_and_a_clearing_cancelled() -> Result<()> {
    let scene = Scene::filled().await?;
    let logs = OBJECTS.div_ceil(3) as u64;
    for (prefix, most, objects, complete) in [
        ("logs/", None, logs, true),
        ("films/a b+c/", None, OBJECTS as u64 - logs, true),
        ("", Some(1_500), 1_500, false),
        ("nothing/", None, 0, true),
    ] {
        let body = json!({ "prefix": prefix, "max_objects": most });
        let measured = scene
            .stack
            .done(Method::POST, &scene.path("measure"), Some(body))
            .await?;
        let CommandResult::BucketMeasurePrefix(measured) = measured else {
            anyhow::bail!("{measured:?}")
        };
        ensure!(
            (measured.objects, measured.bytes, measured.complete)
                == (objects, objects * OBJECT_BYTES as u64, complete),
            "{prefix}: {measured:?}"
        );
    }
    scene.no_key_left().await?;

    // Whichever comes first, the cancel and the job say the same.
    let id = scene.begin("clear").await?;
    scene.under_way().await?;
    let cancel = async || {
        let path = format!("/operations/{id}/cancel");
        scene.stack.api.send(Method::POST, &path, None, None).await
    };
    let answer = cancel().await?;
    let ended = scene.ended(id).await?;
    match ended.operation.outcome {
        Some(Outcome::Failed { code, .. }) => {
            ensure!(code == Failure::Cancelled, "{code:?}");
            ensure!(answer.status.is_success(), "it was cancelled: {answer:?}");
        }
        // It was quicker than the cancel.
        Some(Outcome::Done(_)) => {
            ensure!(answer.status.as_u16() == 409, "it is done: {answer:?}");
            ensure!(scene.left()?.is_empty(), "it is done, and not all is gone");
        }
        other => anyhow::bail!("{other:?}"),
    }
    scene.no_key_left().await?;
    let again = cancel().await?;
    ensure!(
        again.status.as_u16() == 409,
        "a job that has ended was cancelled: {again:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_an_absent_agent_is_visible_and_can_be_cancelled() -> Result<()> {
    let mut stack = Stack::single().await?;
    let (answer, _) = stack.create_bucket("photos", None).await?;
    let bucket = answer.bucket.context("a new bucket has a row")?.id;
    stack.agent.kill()?;
    stack.disconnected().await?;
    let quota = |bytes: u64| json!({ "quota_bytes": bytes, "quota_objects": null });
    let path = format!("/buckets/{bucket}/quota");
    let ask = async |stack: &Stack, bytes: u64| -> Result<OperationAnswer> {
        let body = quota(bytes);
        stack
            .api
            .send(Method::PUT, &path, Some(&body), None)
            .await?
            .read()
    };
    let (stays, goes) = tokio::try_join!(ask(&stack, 111_000_000), ask(&stack, 222_000_000))?;
    for waiting in [&stays.operation, &goes.operation] {
        ensure!(waiting.state == OperationStatus::Requested, "{waiting:?}");
        let until = waiting
            .gives_up_at
            .context("it does not say until when it waits")?;
        ensure!(
            until == waiting.requested_at.plus_seconds(600),
            "{waiting:?}"
        );
    }
    let cancelled: Value = stack
        .api
        .send(
            Method::POST,
            &format!("/operations/{}/cancel", goes.operation.id),
            None,
            None,
        )
        .await?
        .read()?;
    ensure!(cancelled.to_string().contains("cancelled"), "{cancelled}");
    stack.agent.start(&Start::default())?;
    wait::until("what waited to be done", async || {
        let answer = stack.api.operation(stays.operation.id).await?;
        Ok((answer.operation.state == OperationStatus::Done).then_some(()))
    })
    .await?;
    let contents = stack.cluster.admin.contents().await?;
    let (_, seen) = contents.bucket_named("photos").context("no bucket")?;
    ensure!(seen.quota_bytes == Some(111_000_000), "{seen:?}");
    let cancelled = stack.api.operation(goes.operation.id).await?;
    ensure!(
        cancelled.operation.state == OperationStatus::Cancelled,
        "{cancelled:?}"
    );
    ensure!(cancelled.operation.attempt == 0, "it was signed");
    Ok(())
}
