//! The life of an account, as its people and S3 itself see it: suspended and resumed, closed and that
//! cancelled, closed to the end over a kill of the control plane.

use std::{fs, os::unix::fs::PermissionsExt as _};

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    api::{Api, Credential},
    mails::link_to,
    stack::{REGION, Stack},
    tools::said,
    wait, word,
};
use reqwest::Method;
use serde_json::{Value, json};
use storm_protocol::{
    api::{BucketPage, KeyPage, OperationStatus},
    command::CommandResult,
    receipt::Outcome,
    seal::OpenKey,
};

const PASSWORD: &str = "a fine long password";

/// A platform, and a customer with a bucket.
struct Scene {
    stack: Stack,
    ann: Api,
    account: String,
    name: String,
}

impl Scene {
    async fn new(closing_days: u16) -> Result<Self> {
        let mut stack = Stack::single().await?;
        stack.server.kill()?;
        let mut text = fs::read_to_string(&stack.server.config)?;
        text.push_str(&format!("[accounts]\nclosing_days = {closing_days}\n"));
        fs::write(&stack.server.config, text)?;
        stack.server.start().await?;
        stack.connected().await?;
        let request = json!({ "name": "Acme", "owner": "ann@example.org" });
        let made = stack.api.post("/accounts", &request).await?;
        ensure!(made.status == 201, "{made:?}");
        let account: Value = made.read()?;
        let account = account["id"].as_str().context("an id")?.to_owned();
        let ann = Self::accepted(&stack).await?;
        let name = format!("photos-{}", word()?);
        let scene = Self {
            stack,
            ann,
            account,
            name,
        };
        let body = json!({ "region": REGION, "name": scene.name });
        scene.settled(Method::POST, "/buckets", Some(body)).await?;
        Ok(scene)
    }

    /// Ann answers the invitation that she got by e-mail.
    async fn accepted(stack: &Stack) -> Result<Api> {
        let mails = stack.server.data().join("mail");
        let link = wait::until("the e-mail", async || link_to(&mails, "ann@example.org")).await?;
        let file = stack.directory().join("ann.password");
        fs::write(&file, PASSWORD)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        let home = stack.directory().join("ann");
        fs::create_dir(&home)?;
        let cli = e2e::harness::cli::Cli::new(&home.join("config.toml"), &home);
        let file = file.to_str().context("a path in UTF-8")?;
        cli.text(&["invitation", "accept", &link, "--password-file", file])?;
        Api::sign_in(&stack.server.web_url, "ann@example.org", PASSWORD).await
    }

    /// What Ann asks for, done.
    async fn settled(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<storm_protocol::api::OperationAnswer> {
        let answer = self
            .ann
            .settle(method, path, body.as_ref(), &word()?)
            .await?;
        ensure!(
            answer.operation.state == OperationStatus::Done,
            "{answer:?}"
        );
        Ok(answer)
    }

    async fn key(&self, label: &str) -> Result<Credential> {
        let bucket = self.bucket().await?;
        let open = OpenKey::generate();
        let grant = json!({ "bucket": bucket, "read": true, "write": true, "owner": false });
        let body = json!({
            "region": REGION, "label": label, "grants": [grant], "seal_to": open.seal_key(),
        });
        let answer = self.settled(Method::POST, "/keys", Some(body)).await?;
        let Some(Outcome::Done(CommandResult::KeyCreate(_))) = &answer.operation.outcome else {
            anyhow::bail!("no key: {answer:?}");
        };
        self.ann.open(&answer, &open, self.stack.root_key).await
    }

    async fn bucket(&self) -> Result<String> {
        let page: BucketPage = self.ann.get("/buckets").await?;
        Ok(page.items.first().context("a bucket")?.id.to_string())
    }

    async fn by_operator(&self, what: &str, body: Value) -> Result<()> {
        let path = format!("/accounts/{}/{what}", self.account);
        let answer = self.stack.api.post(&path, &body).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(())
    }

    /// The subjects of all e-mails.
    fn subjects(&self) -> Result<Vec<String>> {
        let mut subjects = vec![];
        for entry in fs::read_dir(self.stack.server.data().join("mail"))? {
            let text = fs::read_to_string(entry?.path())?;
            let subject = text.lines().find_map(|line| line.strip_prefix("Subject: "));
            subjects.extend(subject.map(str::to_owned));
        }
        Ok(subjects)
    }

    /// Whether rclone can list the bucket with a key.
    fn lists(&self, key: &Credential) -> Result<bool> {
        let tools = self.stack.tools(key)?;
        let mut rclone = tools.rclone()?;
        rclone.args(["lsf", &format!("storm:{}", self.name), "--retries", "1"]);
        let listed = rclone.output()?;
        if !listed.status.success() {
            ensure!(said(&listed).contains("403"), "{}", said(&listed));
        }
        Ok(listed.status.success())
    }

    async fn until_lists(&self, key: &Credential, expected: bool) -> Result<()> {
        let what = if expected {
            "rclone lists"
        } else {
            "rclone is refused"
        };
        wait::until(what, async || {
            Ok((self.lists(key)? == expected).then_some(()))
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_account_is_shut_out_and_resumed_as_it_was() -> Result<()> {
    let scene = Scene::new(30).await?;
    let (works, asleep) = (scene.key("works").await?, scene.key("asleep").await?);
    let path = format!("/keys/{}/suspend", asleep.id);
    scene.settled(Method::POST, &path, None).await?;
    ensure!(scene.lists(&works)? && !scene.lists(&asleep)?);

    scene
        .by_operator("suspend", json!({ "reason": "The bill is not paid." }))
        .await?;
    scene.until_lists(&works, false).await?;
    let own: Value = scene.ann.get("/account").await?;
    ensure!(own["state_reason"] == "The bill is not paid.", "{own}");
    let resume = format!("/keys/{}/resume", works.id);
    let refused = scene.ann.post(&resume, &json!({})).await?;
    ensure!(
        refused.status == 403 && refused.code() == "account_suspended",
        "{refused:?}"
    );

    scene.by_operator("resume", json!({})).await?;
    scene.until_lists(&works, true).await?;
    ensure!(!scene.lists(&asleep)?, "a key that Ann had suspended works");
    let page: KeyPage = scene.ann.get("/keys").await?;
    let suspended = page.items.iter().filter(|key| key.suspended).count();
    ensure!(suspended == 1, "{page:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_goes_on_after_a_kill_and_leaves_nothing() -> Result<()> {
    let mut scene = Scene::new(0).await?;
    let key = scene.key("works").await?;
    let tools = scene.stack.tools(&key)?;
    let file = scene.stack.directory().join("upload");
    fs::write(&file, "hello")?;
    for object in 0..20 {
        let put = tools.status("PUT", &format!("{}/{object}", scene.name), Some(&file))?;
        ensure!(put == 200, "{put}");
    }
    scene.by_operator("close", json!({})).await?;
    let path = format!("/accounts/{}", scene.account);
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    let account: Value = scene.stack.api.get(&path).await?;
    ensure!(account["state"] == "closing", "killed too late: {account}");
    for _ in 0..3 {
        scene.stack.server.kill()?;
        scene.stack.server.start().await?;
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    }
    wait::until("the account is closed", async || {
        let account: Value = scene.stack.api.get(&path).await?;
        Ok((account["state"] == "closed").then_some(()))
    })
    .await?;
    let contents = scene.stack.cluster.admin.contents().await?;
    ensure!(
        contents.bucket_named(&scene.name).is_none(),
        "the bucket is there"
    );
    ensure!(
        !contents.keys.contains_key(key.id.as_str()),
        "the key is there"
    );
    ensure!(scene.ann.whoami().await.is_err(), "Ann is still in");
    let account: Value = scene.stack.api.get(&path).await?;
    ensure!(account["name"] == "Acme", "{account}");
    wait::until("both e-mails", async || {
        let told = scene.subjects()?;
        let count = |end: &str| told.iter().filter(|subject| subject.ends_with(end)).count();
        ensure!(
            count("is being closed") <= 1 && count("is closed") <= 1,
            "{told:?}"
        );
        Ok((count("is being closed") == 1 && count("is closed") == 1).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_closing_keeps_the_data_and_not_the_keys() -> Result<()> {
    let scene = Scene::new(1).await?;
    let key = scene.key("works").await?;
    let tools = scene.stack.tools(&key)?;
    let file = scene.stack.directory().join("upload");
    fs::write(&file, "hello")?;
    ensure!(tools.status("PUT", &format!("{}/kept", scene.name), Some(&file))? == 200);
    let closed = scene.ann.post("/account/close", &json!({})).await?;
    ensure!(closed.status == 200, "{closed:?}");
    scene.until_lists(&key, false).await?;
    let cancelled = scene.ann.post("/account/cancel-close", &json!({})).await?;
    ensure!(cancelled.status == 200, "{cancelled:?}");
    let fresh = scene.key("fresh").await?;
    let tools = scene.stack.tools(&fresh)?;
    ensure!(tools.status("GET", &format!("{}/kept", scene.name), None)? == 200);
    ensure!(!scene.lists(&key)?, "the old key works");
    Ok(())
}
