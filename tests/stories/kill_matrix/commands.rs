//! The commands of the matrix: what each acts on and how it is asked for.

use anyhow::{Context as _, Result, ensure};
use e2e::harness::{
    api::Credential,
    stack::{REGION, Stack},
    word,
};
use reqwest::Method;
use serde_json::{Value, json};
use storm_protocol::seal::OpenKey;

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
    KeyRevokeLeaked,
    KeyCreateTemporary,
    KeySuspend,
}

/// What a case acts on, made beforehand by an agent that does not die.
pub(super) struct Fixture {
    pub(super) name: String,
    pub(super) bucket: String,
    pub(super) key: Option<Credential>,
    /// When that key ends, in Garage's words.
    pub(super) expiration: Option<String>,
}

impl Fixture {
    /// Makes what a command of this kind acts on.
    pub(super) async fn make(stack: &Stack, kind: Kind) -> Result<Self> {
        let name = format!("bucket-{}", word()?);
        if kind == Kind::BucketCreate {
            return Ok(Self {
                name,
                bucket: String::new(),
                key: None,
                expiration: None,
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
        };
        if kind == Kind::BucketDelete {
            // Deleting has to take an unfinished upload along.
            let begin = format!("{}/part?uploads=", fixture.name);
            let begun = stack.tools(fixture.key()?)?.status("POST", &begin, None)?;
            ensure!(begun == 200, "beginning an upload answers {begun}");
        }
        if kind == Kind::BucketRemoveAlias {
            let body = json!({ "name": second_name(&fixture.name) });
            let path = format!("/buckets/{}/aliases", fixture.bucket);
            stack.done(Method::POST, &path, Some(body)).await?;
        }
        if matches!(
            kind,
            Kind::KeyRotate | Kind::KeyRevokeLeaked | Kind::KeySuspend
        ) {
            fixture.take_a_key_that_ends(stack).await?;
        }
        Ok(fixture)
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
        }
    }
}

/// The further name of a bucket that has this one.
pub(super) fn second_name(name: &str) -> String {
    format!("{name}-too")
}
