//! Everything that can be set on a bucket, seen where it counts: in Garage, in a browser's preflight,
//! on the website. What Garage would misread never gets there.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    garage::WEB_DOMAIN,
    stack::Stack,
    tools::{Tools, succeed},
    word,
};
use reqwest::Method;
use serde_json::{Value, json};
use storm_protocol::{command::CommandResult, error::Failure};

struct Scene {
    stack: Stack,
    tools: Tools,
    name: String,
    bucket: String,
}

async fn scene() -> Result<Scene> {
    let stack = Stack::single().await?;
    let name = format!("photos-{}", word()?);
    let (answer, key) = stack.create_bucket(&name, None).await?;
    let bucket = answer.bucket.context("a new bucket has a row")?.id;
    Ok(Scene {
        tools: stack.tools(&key)?,
        stack,
        name,
        bucket: bucket.to_string(),
    })
}

impl Scene {
    fn path(&self, rest: &str) -> String {
        format!("/buckets/{}/{rest}", self.bucket)
    }

    async fn in_garage(&self) -> Result<Value> {
        let call = format!("GetBucketInfo?id={}", self.bucket);
        self.stack.cluster.admin.get(&call).await
    }

    /// The headers that a browser gets for the question whether a page of `origin` may PUT.
    fn preflight(&self, origin: &str) -> Result<String> {
        let mut curl = self.tools.curl()?;
        curl.args(["--request", "OPTIONS", "--include", "--header"])
            .arg(format!("Origin: {origin}"))
            .args(["--header", "Access-Control-Request-Method: PUT"])
            .arg(format!("{}/{}/object", self.tools.endpoint(), self.name));
        Ok(succeed(&mut curl)?.to_lowercase())
    }

    /// What the website shows, with its status on the last line.
    fn web_page(&self, path: &str) -> Result<String> {
        let port = self.stack.cluster.first()?.web_port;
        let mut curl = self.tools.curl()?;
        curl.args(["--write-out", "\n%{http_code}", "--header"])
            .arg(format!("Host: {}.{WEB_DOMAIN}", self.name))
            .arg(format!("http://127.0.0.1:{port}/{path}"));
        succeed(&mut curl)
    }

    fn put(&self, key: &str, text: &str) -> Result<()> {
        let file = self.stack.directory().join("upload");
        std::fs::write(&file, text)?;
        let status = self
            .tools
            .status("PUT", &format!("{}/{key}", self.name), Some(&file))?;
        ensure!(status == 200, "uploading {key} answers {status}");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cors_lifecycle_and_website_take_effect() -> Result<()> {
    let scene = scene().await?;
    let stack = &scene.stack;

    let before = scene.preflight("https://app.example.org")?;
    ensure!(before.starts_with("http/1.1 403"), "{before}");
    let rules = json!({ "rules": [{
        "id": "app", "allowed_origins": ["https://*.example.org"], "allowed_methods": ["GET", "PUT"],
        "allowed_headers": ["*"], "expose_headers": ["etag"], "max_age_seconds": 600,
    }] });
    stack
        .done(Method::PUT, &scene.path("cors"), Some(rules))
        .await?;
    let allowed = scene.preflight("https://app.example.org")?;
    ensure!(
        allowed.starts_with("http/1.1 200")
            && allowed.contains("access-control-allow-origin: https://app.example.org"),
        "{allowed}"
    );
    let foreign = scene.preflight("https://example.com")?;
    ensure!(foreign.starts_with("http/1.1 403"), "{foreign}");
    for (origin, expected) in [
        ("https://app.example.org", true),
        ("https://example.com", false),
    ] {
        let question = json!({ "origin": origin, "method": "PUT", "headers": ["content-type"] });
        let verdict: Value = stack
            .api
            .post(&scene.path("cors/check"), &question)
            .await?
            .read()?;
        ensure!(verdict["allowed"] == expected, "{origin}: {verdict}");
    }

    let rules = json!({ "rules": [
        { "id": "old logs", "enabled": true, "prefix": "logs/", "expire_after_days": 30, "size_greater_than": 10 },
        { "enabled": true, "abort_uploads_after_days": 3 },
    ] });
    stack
        .done(Method::PUT, &scene.path("lifecycle"), Some(rules))
        .await?;
    let found = scene.in_garage().await?;
    let expected = json!([
        { "ID": "old logs", "Status": "Enabled", "Expiration": { "Days": 30 },
          "Filter": { "And": { "Prefix": "logs/", "ObjectSizeGreaterThan": 10 } } },
        { "Status": "Enabled", "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 3 } },
    ]);
    ensure!(
        found["lifecycleRules"] == expected,
        "{}",
        found["lifecycleRules"]
    );
    ensure!(
        found["corsRules"][0]["ID"] == "app",
        "one setting took another away: {found}"
    );

    scene.put("index.html", "front page")?;
    scene.put("gone.html", "nothing here")?;
    ensure!(
        scene.web_page("")?.ends_with("404"),
        "a website before it was asked for"
    );
    let website =
        json!({ "website": { "index_document": "index.html", "error_document": "gone.html" } });
    stack
        .done(Method::PUT, &scene.path("website"), Some(website))
        .await?;
    ensure!(scene.web_page("")? == "front page\n200");
    ensure!(scene.web_page("no/such/page")? == "nothing here\n404");
    stack
        .done(
            Method::PUT,
            &scene.path("website"),
            Some(json!({ "website": null })),
        )
        .await?;
    ensure!(
        !scene.web_page("")?.contains("front page"),
        "the website is still on"
    );

    let settings: Value = stack.api.get(&scene.path("settings")).await?;
    ensure!(settings["drift"] == json!([]), "{settings}");
    let settings = &settings["wanted"];
    ensure!(
        settings["cors"][0]["id"] == "app" && settings["website"].is_null(),
        "{settings}"
    );
    ensure!(
        settings["lifecycle"]
            .as_array()
            .is_some_and(|rules| rules.len() == 2),
        "{settings}"
    );
    stack.agent.expect(&["audit", "verify"])?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_has_several_names_and_keeps_the_last() -> Result<()> {
    let scene = scene().await?;
    let stack = &scene.stack;
    scene.put("object", "hello")?;
    let second = format!("pictures-{}", word()?);
    let name = |name: &str| Some(json!({ "name": name }));
    stack
        .done(Method::POST, &scene.path("aliases"), name(&second))
        .await?;
    // Once more is the same.
    stack
        .done(Method::POST, &scene.path("aliases"), name(&second))
        .await?;
    ensure!(
        scene
            .tools
            .status("GET", &format!("{second}/object"), None)?
            == 200
    );

    let taken = format!("taken-{}", word()?);
    stack.create_bucket(&taken, None).await?;
    let failure = stack
        .failed(Method::POST, &scene.path("aliases"), name(&taken))
        .await?;
    ensure!(failure == Failure::NameTaken, "{failure:?}");

    let old = scene.path(&format!("aliases/{}", scene.name));
    stack.done(Method::DELETE, &old, None).await?;
    ensure!(
        scene
            .tools
            .status("GET", &format!("{}/object", scene.name), None)?
            != 200
    );
    ensure!(
        scene
            .tools
            .status("GET", &format!("{second}/object"), None)?
            == 200
    );
    let failure = stack.failed(Method::DELETE, &old, None).await?;
    ensure!(failure == Failure::NoSuchAlias, "{failure:?}");
    let last = scene.path(&format!("aliases/{second}"));
    let failure = stack.failed(Method::DELETE, &last, None).await?;
    ensure!(failure == Failure::LastAlias, "{failure:?}");
    stack.cluster.admin.contents().await?.check_whole()
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_uploads_go_by_age() -> Result<()> {
    let scene = scene().await?;
    for upload in ["one", "two"] {
        let begun =
            scene
                .tools
                .status("POST", &format!("{}/{upload}?uploads=", scene.name), None)?;
        ensure!(begun == 200, "beginning an upload answers {begun}");
    }
    let clean = async |seconds: u64| {
        let body = json!({ "older_than_seconds": seconds });
        let path = scene.path("cleanup-uploads");
        match scene.stack.done(Method::POST, &path, Some(body)).await? {
            CommandResult::BucketCleanupUploads(cleaned) => Ok(cleaned.uploads),
            other => anyhow::bail!("{other:?}"),
        }
    };
    ensure!(clean(3600).await? == 0, "young uploads went");
    ensure!(scene.in_garage().await?["unfinishedUploads"] == 2);
    ensure!(clean(0).await? == 2);
    ensure!(scene.in_garage().await?["unfinishedUploads"] == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_garage_would_misread_are_refused_before_they_are_signed() -> Result<()> {
    let scene = scene().await?;
    let calls = scene.stack.cluster.admin.calls_for_commands().await?;
    for (rest, body, named) in [
        (
            "lifecycle",
            json!({ "rules": [{ "enabled": true, "noncurrent_version_expiration": { "days": 1 } }] }),
            "noncurrent_version_expiration",
        ),
        (
            "lifecycle",
            json!({ "rules": [{ "enabled": true }] }),
            "rules[0]",
        ),
        (
            "lifecycle",
            json!({ "rules": [{ "enabled": true, "expire_after_days": 0 }] }),
            "expire_after_days",
        ),
        (
            "cors",
            json!({ "rules": [{ "allowed_origins": ["https://*.*.org"], "allowed_methods": ["GET"] }] }),
            "origin",
        ),
        (
            "cors",
            json!({ "rules": [{ "allowed_origins": ["*"], "allowed_methods": ["PATCH"] }] }),
            "PATCH",
        ),
        (
            "cors",
            json!({ "rules": [{ "allowed_origins": ["*"], "allowed_methods": [] }] }),
            "allowed_methods",
        ),
        (
            "website",
            json!({ "website": { "index_document": "a/b" } }),
            "index_document",
        ),
    ] {
        let answer = scene
            .stack
            .api
            .send(Method::PUT, &scene.path(rest), Some(&body), None)
            .await?;
        let status = answer.status.as_u16();
        ensure!((400..500).contains(&status), "{body} answered {status}");
        let words = answer.body["error"]["message"].as_str().unwrap_or_default();
        ensure!(words.contains(named), "{body}: {words}");
    }
    let since = scene.stack.cluster.admin.calls_for_commands().await?;
    ensure!(
        calls.get("UpdateBucket") == since.get("UpdateBucket"),
        "Garage was called"
    );
    Ok(())
}
