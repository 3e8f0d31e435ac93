//! The commands of the matrix: what each acts on and how it is asked for.

use std::cell::Cell;

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    api::Credential,
    stack::{REGION, Stack},
    wait, word,
};
use reqwest::Method;
use serde_json::{Value, json};
use storm_protocol::{ident::AccountId, seal::OpenKey};

use super::jobs::{self, JOB_KEY};

pub(super) const QUOTA_BYTES: u64 = 50_000_000;
const DAY_SECONDS: i64 = 24 * 3600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    BucketCreate,
    KeyCreate,
    KeySetGrant,
    KeyRotate,
    BucketDelete,
    BucketAddAlias,
    BucketRemoveAlias,
    BucketRestore,
    BucketAdopt,
    BucketRelease,
    KeyRevokeLeaked,
    KeyCreateTemporary,
    KeySuspend,
    /// Of a bucket with so many objects and one.
    BucketClear(usize),
    /// Of a bucket with so many objects and one.
    BucketMeasure(usize),
}

/// What a case acts on, made beforehand by an agent that does not die.
pub(super) struct Fixture {
    pub(super) name: String,
    pub(super) bucket: String,
    pub(super) key: Option<Credential>,
    /// When that key ends, in Garage's words.
    pub(super) expiration: Option<String>,
    /// Whether the bucket got an object after the command was taken.
    pub(super) young: Cell<bool>,
    account: AccountId,
}

impl Fixture {
    /// Makes what a command of this kind acts on.
    pub(super) async fn make(stack: &Stack, kind: Kind) -> Result<Self> {
        let name = format!("bucket-{}", word()?);
        if matches!(kind, Kind::BucketCreate | Kind::BucketAdopt) {
            // What is adopted was made by other hands.
            let bucket = match kind {
                Kind::BucketAdopt => stray(stack, &name).await?,
                _ => String::new(),
            };
            return Ok(Self {
                name,
                bucket,
                key: None,
                expiration: None,
                young: Cell::default(),
                account: stack.account,
            });
        }
        let (answer, key) = stack.create_bucket(&name, None).await?;
        let bucket = answer
            .bucket
            .context("a new bucket has a row")?
            .id
            .to_string();
        let mut fixture = Self {
            name,
            bucket,
            key: Some(key),
            expiration: None,
            young: Cell::default(),
            account: stack.account,
        };
        if let Kind::BucketClear(objects) | Kind::BucketMeasure(objects) = kind {
            jobs::fill(stack, &fixture, objects)?;
        }
        if matches!(kind, Kind::BucketDelete | Kind::BucketClear(_)) {
            // It has to take an unfinished upload along.
            let begin = format!("{}/part?uploads=", fixture.name);
            let begun = stack.tools(fixture.key()?)?.status("POST", &begin, None)?;
            ensure!(begun == 200, "beginning an upload answers {begun}");
        }
        if kind == Kind::BucketRemoveAlias {
            let body = json!({ "name": second_name(&fixture.name) });
            let path = format!("/buckets/{}/aliases", fixture.bucket);
            stack.done(Method::POST, &path, Some(body)).await?;
        }
        if kind == Kind::BucketRestore {
            fixture.change_behind_us(stack).await?;
        }
        if matches!(
            kind,
            Kind::KeyRotate | Kind::KeyRevokeLeaked | Kind::KeySuspend
        ) {
            fixture.take_a_key_that_ends(stack).await?;
        }
        Ok(fixture)
    }

    /// Somebody changes the bucket behind our back; the control plane hears of it.
    async fn change_behind_us(&self, stack: &Stack) -> Result<()> {
        let admin = &stack.cluster.admin;
        let change = json!({ "quotas": { "maxSize": 99, "maxObjects": 7 }, "lifecycleRules": [] });
        admin
            .post(&format!("UpdateBucket?id={}", self.bucket), &change)
            .await?;
        let deny = json!({
            "bucketId": self.bucket, "accessKeyId": self.key()?.id,
            "permissions": { "read": false, "write": true, "owner": false },
        });
        admin.post("DenyBucketKey", &deny).await?;
        refresh(stack).await?;
        let path = format!("/buckets/{}/settings", self.bucket);
        wait::until("the control plane to hear of it", async || {
            let settings: Value = stack.api.get(&path).await?;
            let (found, key) = (&settings["found"], self.key()?.id.as_str());
            let grants = found["grants"].as_array().context("no grants")?;
            let denied = grants
                .iter()
                .any(|grant| grant["key"] == key && grant["write"] == false);
            let heard = found["quota_bytes"] == 99 && found["lifecycle"] == json!([]) && denied;
            Ok(heard.then_some(()))
        })
        .await
    }

    /// The key to replace has an end, which its successor inherits.
    async fn take_a_key_that_ends(&mut self, stack: &Stack) -> Result<()> {
        let seal = OpenKey::generate();
        let grant = json!({ "bucket": self.bucket, "read": true, "write": true, "owner": true });
        let body = json!({
            "region": REGION, "label": "old", "grants": [grant], "seal_to": seal.seal_key(),
            "expires_at": e2e::harness::now().plus_seconds(DAY_SECONDS),
        });
        let answer = stack.settle_post("/keys", &body).await?;
        let key = stack.api.open(&answer, &seal, stack.root_key).await?;
        let contents = stack.cluster.admin.contents().await?;
        let seen = contents.keys.get(key.id.as_str()).context("no such key")?;
        self.expiration = Some(seen.expiration.clone().context("the key has no end")?);
        self.key = Some(key);
        Ok(())
    }

    pub(super) fn key(&self) -> Result<&Credential> {
        self.key.as_ref().context("this fixture has no key")
    }
}

impl Kind {
    /// The label of the key that the command makes.
    pub(super) fn label(self, fixture: &Fixture) -> &str {
        match self {
            // It keeps the label of the one that it replaces.
            Self::KeyRevokeLeaked => "old",
            Self::BucketClear(_) | Self::BucketMeasure(_) => JOB_KEY,
            _ => &fixture.name,
        }
    }

    /// Method, path and body of the request.
    pub(super) fn request(
        self,
        fixture: &Fixture,
        seal: &OpenKey,
    ) -> (Method, String, Option<Value>) {
        let Fixture { name, bucket, .. } = fixture;
        let key = fixture.key.as_ref().map_or("", |key| key.id.as_str());
        let seal_to = seal.seal_key();
        match self {
            Self::BucketCreate => {
                let body = json!({
                    "region": REGION, "name": name, "quota_bytes": QUOTA_BYTES, "quota_objects": null,
                    "key": name, "seal_to": seal_to,
                });
                (Method::POST, "/buckets".to_owned(), Some(body))
            }
            Self::KeyCreate => {
                let grant =
                    json!({ "bucket": bucket, "read": true, "write": false, "owner": false });
                let body = json!({
                    "region": REGION, "label": name, "grants": [grant], "seal_to": seal_to,
                    "expires_at": e2e::harness::now().plus_seconds(DAY_SECONDS),
                });
                (Method::POST, "/keys".to_owned(), Some(body))
            }
            Self::KeySetGrant => {
                let body = json!({ "read": true, "write": false, "owner": false });
                (
                    Method::PUT,
                    format!("/buckets/{bucket}/grants/{key}"),
                    Some(body),
                )
            }
            Self::KeyRotate => {
                let body = json!({ "label": name, "grace_seconds": 3600, "seal_to": seal_to });
                (Method::POST, format!("/keys/{key}/rotate"), Some(body))
            }
            Self::BucketDelete => (Method::DELETE, format!("/buckets/{bucket}"), None),
            Self::BucketAddAlias => {
                let body = json!({ "name": second_name(name) });
                (
                    Method::POST,
                    format!("/buckets/{bucket}/aliases"),
                    Some(body),
                )
            }
            Self::BucketRemoveAlias => {
                let second = second_name(name);
                (
                    Method::DELETE,
                    format!("/buckets/{bucket}/aliases/{second}"),
                    None,
                )
            }
            Self::BucketRestore => (Method::POST, format!("/buckets/{bucket}/restore"), None),
            Self::BucketAdopt => {
                let body = json!({
                    "account": fixture.account, "name": null, "quota_bytes": QUOTA_BYTES,
                    "quota_objects": null,
                });
                (Method::POST, format!("/buckets/{bucket}/adopt"), Some(body))
            }
            Self::BucketRelease => (Method::POST, format!("/buckets/{bucket}/release"), None),
            Self::KeyRevokeLeaked => {
                let body = json!({ "label": null, "seal_to": seal_to });
                (
                    Method::POST,
                    format!("/keys/{key}/revoke-leaked"),
                    Some(body),
                )
            }
            Self::KeyCreateTemporary => {
                let body = json!({
                    "bucket": bucket, "write": true, "valid_seconds": 3600, "seal_to": seal_to,
                });
                (Method::POST, "/keys/temporary".to_owned(), Some(body))
            }
            Self::KeySuspend => (Method::POST, format!("/keys/{key}/suspend"), None),
            Self::BucketClear(_) => (Method::POST, format!("/buckets/{bucket}/clear"), None),
            Self::BucketMeasure(_) => {
                let path = format!("/buckets/{bucket}/measure");
                (Method::POST, path, Some(json!({})))
            }
        }
    }
}

/// A bucket that somebody makes without us; the control plane hears of it.
async fn stray(stack: &Stack, name: &str) -> Result<String> {
    let bucket = stack.cluster.admin.create_bucket(name).await?;
    refresh(stack).await?;
    wait::until("the stray to be listed", async || {
        let page: Value = stack.api.get("/strays?limit=1000").await?;
        let strays = page["items"].as_array().context("no items")?;
        Ok(strays
            .iter()
            .any(|stray| stray["bucket"] == *bucket)
            .then_some(()))
    })
    .await?;
    Ok(bucket)
}

async fn refresh(stack: &Stack) -> Result<()> {
    let path = format!("/regions/{REGION}/refresh");
    stack.done(Method::POST, &path, None).await?;
    Ok(())
}

/// The further name of a bucket that has this one.
pub(super) fn second_name(name: &str) -> String {
    format!("{name}-too")
}
