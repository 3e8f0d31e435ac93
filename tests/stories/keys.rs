//! What happens to a key in its life, as S3 itself sees it: made with a tier, renamed, extended,
//! suspended and resumed, leaked and replaced, or short-lived from the start.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    api::Credential,
    node_admin::Rights,
    now,
    stack::{REGION, Stack},
    wait, word,
};
use reqwest::Method;
use serde_json::{Value, json};
use storm_protocol::{command::CommandResult, seal::OpenKey};

const DAY_SECONDS: i64 = 24 * 3600;

struct Scene {
    stack: Stack,
    name: String,
    bucket: String,
}

async fn scene() -> Result<Scene> {
    let stack = Stack::single().await?;
    let name = format!("photos-{}", word()?);
    let (answer, _) = stack.create_bucket(&name, None).await?;
    let bucket = answer.bucket.context("a new bucket has a row")?.id;
    Ok(Scene {
        stack,
        name,
        bucket: bucket.to_string(),
    })
}

impl Scene {
    async fn key(
        &self,
        label: &str,
        rights: Rights,
        expires_at: Option<i64>,
    ) -> Result<Credential> {
        let Rights { read, write, owner } = rights;
        let grant = json!({ "bucket": self.bucket, "read": read, "write": write, "owner": owner });
        let body = json!({
            "region": REGION, "label": label, "expires_at": expires_at, "grants": [grant],
        });
        self.stack.create_key("/keys", body).await
    }

    /// The statuses of a listing and of an upload.
    fn access(&self, key: &Credential) -> Result<(u16, u16)> {
        let tools = self.stack.tools(key)?;
        let file = self.stack.directory().join("upload");
        std::fs::write(&file, "hello")?;
        let read = tools.status("GET", &format!("{}?list-type=2", self.name), None)?;
        let write = tools.status("PUT", &format!("{}/object", self.name), Some(&file))?;
        Ok((read, write))
    }

    async fn shown(&self, key: &Credential) -> Result<Value> {
        self.stack.api.get(&format!("/keys/{}", key.id)).await
    }
}

const WRITER: Rights = Rights {
    read: true,
    write: true,
    owner: false,
};
const READER: Rights = Rights {
    read: true,
    write: false,
    owner: false,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_renamed_extended_suspended_and_resumed() -> Result<()> {
    let scene = scene().await?;
    let stack = &scene.stack;
    let ends = now().plus_seconds(DAY_SECONDS).0 / 1_000_000 * 1_000_000;
    let key = scene.key("laptop", WRITER, Some(ends)).await?;
    ensure!(scene.access(&key)? == (200, 200));
    let path = |rest: &str| format!("/keys/{}/{rest}", key.id);

    stack
        .done(
            Method::PUT,
            &path("label"),
            Some(json!({ "label": "old laptop" })),
        )
        .await?;
    ensure!(scene.shown(&key).await?["label"] == "old laptop");
    let contents = stack.cluster.admin.contents().await?;
    let name = &contents
        .keys
        .get(key.id.as_str())
        .context("the key is gone")?
        .name;
    ensure!(*name == format!("{}/old laptop", stack.account), "{name}");

    let later = ends + DAY_SECONDS * 1_000_000;
    stack
        .done(
            Method::PUT,
            &path("expiry"),
            Some(json!({ "expires_at": later })),
        )
        .await?;
    ensure!(scene.shown(&key).await?["expires_at"] == later);
    let past = json!({ "expires_at": now().plus_seconds(-60) });
    let answer = stack
        .api
        .send(Method::PUT, &path("expiry"), Some(&past), None)
        .await?;
    ensure!(answer.status.is_client_error(), "{answer:?}");

    stack.done(Method::POST, &path("suspend"), None).await?;
    ensure!(scene.access(&key)? == (403, 403), "a suspended key works");
    let shown = scene.shown(&key).await?;
    ensure!(
        shown["suspended"] == true && shown["expires_at"] == later,
        "{shown}"
    );
    // Suspended twice is suspended, and the end that it had is not forgotten.
    stack.done(Method::POST, &path("suspend"), None).await?;
    stack.done(Method::POST, &path("resume"), None).await?;
    ensure!(
        scene.access(&key)? == (200, 200),
        "a resumed key does not work"
    );
    let shown = scene.shown(&key).await?;
    ensure!(
        shown["suspended"] == false && shown["expires_at"] == later,
        "{shown}"
    );

    stack
        .done(
            Method::PUT,
            &path("expiry"),
            Some(json!({ "expires_at": null })),
        )
        .await?;
    ensure!(scene.shown(&key).await?["expires_at"].is_null());
    ensure!(scene.access(&key)? == (200, 200));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_key_is_gone_at_once_and_replaced_with_the_same_rights() -> Result<()> {
    let scene = scene().await?;
    let stack = &scene.stack;
    let leaked = scene.key("website", READER, None).await?;
    ensure!(scene.access(&leaked)? == (200, 403));
    let seal = OpenKey::generate();
    let path = format!("/keys/{}/revoke-leaked", leaked.id);
    let body = json!({ "label": null, "seal_to": seal.seal_key() });
    let answer = stack.settle_post(&path, &body).await?;
    let fresh = stack.api.open(&answer, &seal, stack.root_key).await?;
    ensure!(fresh.id != leaked.id && fresh.secret != leaked.secret);
    ensure!(scene.access(&leaked)? == (403, 403), "the leaked key works");
    ensure!(
        scene.access(&fresh)? == (200, 403),
        "the new key has other rights"
    );
    ensure!(scene.shown(&fresh).await?["label"] == "website");
    let gone = stack
        .api
        .send(Method::GET, &format!("/keys/{}", leaked.id), None, None)
        .await?;
    ensure!(gone.status.as_u16() == 404, "{gone:?}");
    stack.cluster.admin.contents().await?.check_whole()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_key_ends_by_itself() -> Result<()> {
    let scene = scene().await?;
    let stack = &scene.stack;
    let body = json!({ "bucket": scene.bucket, "write": false, "valid_seconds": 6 });
    let key = stack.create_key("/keys/temporary", body).await?;
    ensure!(scene.access(&key)? == (200, 403), "a key for reading");
    let shown = scene.shown(&key).await?;
    ensure!(shown["temporary"] == true, "{shown}");
    wait::until("the key to end", async || {
        Ok((scene.access(&key)? == (403, 403)).then_some(()))
    })
    .await?;
    let too_long = json!({
        "bucket": scene.bucket, "write": true, "valid_seconds": 43_201,
        "seal_to": OpenKey::generate().seal_key(),
    });
    let answer = stack.api.post("/keys/temporary", &too_long).await?;
    ensure!(answer.status.is_client_error(), "{answer:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_several_buckets_may_make_more_of_them() -> Result<()> {
    let scene = scene().await?;
    let stack = &scene.stack;
    let second = format!("films-{}", word()?);
    let (answer, _) = stack.create_bucket(&second, None).await?;
    let second_id = answer.bucket.context("a new bucket has a row")?.id;
    let grants = json!([
        { "bucket": scene.bucket, "read": true, "write": true, "owner": true },
        { "bucket": second_id, "read": true, "write": false, "owner": false },
    ]);
    let body = json!({
        "region": REGION, "label": "terraform", "expires_at": null, "create_buckets": true,
        "grants": grants,
    });
    let key = stack.create_key("/keys", body).await?;
    let tools = stack.tools(&key)?;
    ensure!(tools.status("GET", &format!("{second}?list-type=2"), None)? == 200);
    let made = format!("made-over-s3-{}", word()?);
    ensure!(
        tools.status("PUT", &made, None)? == 200,
        "it may not make buckets"
    );

    // Rotation takes the permission along.
    let seal = OpenKey::generate();
    let rotate = json!({ "label": null, "grace_seconds": 0, "seal_to": seal.seal_key() });
    let answer = stack
        .settle_post(&format!("/keys/{}/rotate", key.id), &rotate)
        .await?;
    ensure!(
        matches!(
            answer.operation.outcome,
            Some(storm_protocol::receipt::Outcome::Done(
                CommandResult::KeyRotate(_)
            ))
        ),
        "{:?}",
        answer.operation.outcome
    );
    let turned = stack.api.open(&answer, &seal, stack.root_key).await?;
    let more = format!("more-over-s3-{}", word()?);
    ensure!(stack.tools(&turned)?.status("PUT", &more, None)? == 200);
    Ok(())
}
