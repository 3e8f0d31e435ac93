//! The commands of the matrix: what each acts on, how it is asked for, and what has to be true when
//! it has ended.

use anyhow::{Context as _, Result, bail, ensure};
use e2e::harness::{
    api::Credential,
    node_admin::{Contents, Rights},
    stack::{REGION, Stack},
    tools::Tools,
    word,
};
use reqwest::Method;
use serde_json::{Value, json};
use storm_protocol::{api::OperationAnswer, command::CommandResult, seal::OpenKey};

const QUOTA_BYTES: u64 = 50_000_000;
const DAY_SECONDS: i64 = 24 * 3600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    BucketCreate,
    KeyCreate,
    KeySetGrant,
    KeyRotate,
    BucketDelete,
}

/// What a case acts on, made beforehand by an agent that does not die.
pub(super) struct Fixture {
    name: String,
    bucket: String,
    key: Option<Credential>,
    /// When that key ends, in Garage's words.
    expiration: Option<String>,
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
            let begun = tools(stack, fixture.key()?)?.status("POST", &begin, None)?;
            ensure!(begun == 200, "beginning an upload answers {begun}");
        }
        if kind == Kind::KeyRotate {
            fixture.take_a_key_that_ends(stack).await?;
        }
        Ok(fixture)
    }

    /// The key to rotate has an end, which its successor inherits.
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

    fn key(&self) -> Result<&Credential> {
        self.key.as_ref().context("this fixture has no key")
    }
}

impl Kind {
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
        }
    }
}

const ALL_RIGHTS: Rights = Rights {
    read: true,
    write: true,
    owner: true,
};
const READ_ONLY: Rights = Rights {
    read: true,
    write: false,
    owner: false,
};

/// Garage holds what the receipt says, and the secret works.
pub(super) async fn check_done(
    stack: &Stack,
    kind: Kind,
    fixture: &Fixture,
    answer: &OperationAnswer,
    result: &CommandResult,
    seal: &OpenKey,
    contents: &Contents,
) -> Result<()> {
    let bucket = fixture.bucket.as_str();
    match (kind, result) {
        (Kind::BucketCreate, CommandResult::BucketCreate(made)) => {
            let id = made.bucket.to_string();
            let (found, seen) = contents
                .bucket_named(&fixture.name)
                .context("no such bucket")?;
            ensure!(found == id, "the receipt names another bucket than Garage");
            ensure!(
                seen.quota_bytes == Some(QUOTA_BYTES),
                "the quota is {:?}",
                seen.quota_bytes
            );
            ensure!(
                seen.keys.len() == 1,
                "the bucket has {} keys",
                seen.keys.len()
            );
            let key = stack.api.open(answer, seal, stack.root_key).await?;
            ensure!(
                Some(&key.id) == made.key.as_ref(),
                "the secret is another key's"
            );
            ensure!(contents.rights(&id, key.id.as_str()) == ALL_RIGHTS);
            ensure!(
                keys_of(contents, &fixture.name) == [key.id.as_str()],
                "more keys than one"
            );
            check_access(stack, &key, &fixture.name, ALL_RIGHTS)
        }
        (Kind::KeyCreate, CommandResult::KeyCreate(made)) => {
            let key = stack.api.open(answer, seal, stack.root_key).await?;
            ensure!(key.id == made.key, "the secret is another key's");
            ensure!(contents.rights(bucket, key.id.as_str()) == READ_ONLY);
            let seen = contents.keys.get(key.id.as_str()).context("no such key")?;
            ensure!(seen.expiration.is_some() && !seen.expired, "{seen:?}");
            ensure!(
                keys_of(contents, &fixture.name) == [key.id.as_str()],
                "more keys than one"
            );
            check_access(stack, &key, &fixture.name, READ_ONLY)
        }
        (Kind::KeySetGrant, CommandResult::KeySetGrant(_)) => {
            let key = fixture.key()?;
            ensure!(contents.rights(bucket, key.id.as_str()) == READ_ONLY);
            check_access(stack, key, &fixture.name, READ_ONLY)
        }
        (Kind::KeyRotate, CommandResult::KeyRotate(made)) => {
            let key = stack.api.open(answer, seal, stack.root_key).await?;
            ensure!(key.id == made.key, "the secret is another key's");
            let old = fixture.key()?;
            ensure!(made.previous == old.id, "another key was replaced");
            ensure!(contents.rights(bucket, key.id.as_str()) == ALL_RIGHTS);
            let seen = contents
                .keys
                .get(old.id.as_str())
                .context("the old key is gone")?;
            let ends = seen
                .expiration
                .as_ref()
                .context("the old key does not end")?;
            ensure!(
                !seen.expired && Some(ends) < fixture.expiration.as_ref(),
                "{seen:?}"
            );
            let successor = contents.keys.get(key.id.as_str()).context("no such key")?;
            ensure!(successor.expiration == fixture.expiration, "{successor:?}");
            ensure!(
                keys_of(contents, &fixture.name) == [key.id.as_str()],
                "more keys than one"
            );
            check_access(stack, &key, &fixture.name, ALL_RIGHTS)?;
            check_access(stack, old, &fixture.name, ALL_RIGHTS)
        }
        (Kind::BucketDelete, CommandResult::BucketDelete(_)) => {
            ensure!(
                !contents.buckets.contains_key(bucket),
                "the bucket is still there"
            );
            let key = contents
                .keys
                .get(fixture.key()?.id.as_str())
                .context("the key is gone")?;
            ensure!(key.buckets.is_empty(), "{key:?}");
            Ok(())
        }
        (kind, other) => bail!("{kind:?} answered {other:?}"),
    }
}

/// A command that failed has left what was there before, and nothing else.
pub(super) fn check_taken_back(
    stack: &Stack,
    kind: Kind,
    fixture: &Fixture,
    contents: &Contents,
) -> Result<()> {
    ensure!(
        keys_of(contents, &fixture.name).is_empty(),
        "a key was left"
    );
    if kind == Kind::BucketCreate {
        ensure!(
            contents.bucket_named(&fixture.name).is_none(),
            "a bucket was left"
        );
        return Ok(());
    }
    let key = fixture.key()?;
    ensure!(contents.rights(&fixture.bucket, key.id.as_str()) == ALL_RIGHTS);
    let seen = contents
        .keys
        .get(key.id.as_str())
        .context("the key is gone")?;
    ensure!(
        seen.expiration == fixture.expiration,
        "the old key ends otherwise: {seen:?}"
    );
    check_access(stack, key, &fixture.name, ALL_RIGHTS)
}

/// The ids of the keys of this label.
fn keys_of<'a>(contents: &'a Contents, label: &str) -> Vec<&'a str> {
    let named = |name: &str| {
        name.split_once('/')
            .is_some_and(|(_, found)| found == label)
    };
    let keys = contents.keys.iter().filter(|(_, seen)| named(&seen.name));
    keys.map(|(id, _)| id.as_str()).collect()
}

/// What S3 itself says that the key may do.
fn check_access(stack: &Stack, key: &Credential, bucket: &str, rights: Rights) -> Result<()> {
    let tools = tools(stack, key)?;
    let body = stack.directory().join("body");
    std::fs::write(&body, "hello")?;
    let allowed = |yes: bool| if yes { 200 } else { 403 };
    let read = tools.status("GET", &format!("{bucket}?list-type=2"), None)?;
    ensure!(
        read == allowed(rights.read),
        "{rights:?}, but reading answers {read}"
    );
    let write = tools.status("PUT", &format!("{bucket}/object"), Some(&body))?;
    ensure!(
        write == allowed(rights.write),
        "{rights:?}, but writing answers {write}"
    );
    Ok(())
}

fn tools(stack: &Stack, key: &Credential) -> Result<Tools> {
    Tools::new(
        stack.directory(),
        &stack.cluster.s3_endpoint()?,
        key.id.as_str(),
        &key.secret,
    )
}
