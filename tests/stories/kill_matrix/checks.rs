//! What has to be true when a command of the matrix has ended.

use anyhow::{Context as _, Result, bail, ensure};
use e2e::harness::{
    api::Credential,
    node_admin::{Contents, Rights},
    stack::Stack,
    wait,
};
use storm_protocol::{api::OperationAnswer, command::CommandResult, seal::OpenKey};

use super::{
    commands::{Fixture, Kind, QUOTA_BYTES, second_name},
    jobs,
};

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
        (Kind::BucketAddAlias, CommandResult::BucketAddAlias(_)) => {
            let second = second_name(&fixture.name);
            for name in [&fixture.name, &second] {
                let found = contents.bucket_named(name).map(|(id, _)| id);
                ensure!(found == Some(bucket), "{name} leads to {found:?}");
                check_access(stack, fixture.key()?, name, ALL_RIGHTS)?;
            }
            Ok(())
        }
        (Kind::BucketRemoveAlias, CommandResult::BucketRemoveAlias(_)) => {
            let second = second_name(&fixture.name);
            ensure!(
                contents.bucket_named(&second).is_none(),
                "the name is still on the bucket's side"
            );
            let call = format!("GetBucketInfo?globalAlias={second}");
            let led = stack.cluster.admin.get(&call).await;
            ensure!(led.is_err(), "the name still leads somewhere");
            check_access(stack, fixture.key()?, &fixture.name, ALL_RIGHTS)
        }
        (Kind::BucketRestore, CommandResult::BucketRestore(_)) => {
            let seen = contents.buckets.get(bucket).context("no such bucket")?;
            ensure!(
                seen.quota_bytes.is_none() && seen.quota_objects.is_none(),
                "{seen:?}"
            );
            let info = stack
                .cluster
                .admin
                .get(&format!("GetBucketInfo?id={bucket}"))
                .await?;
            let rules = info["lifecycleRules"].as_array().map_or(0, Vec::len);
            ensure!(rules == 1, "{info}");
            ensure!(contents.rights(bucket, fixture.key()?.id.as_str()) == ALL_RIGHTS);
            check_access(stack, fixture.key()?, &fixture.name, ALL_RIGHTS)
        }
        (Kind::BucketAdopt, CommandResult::BucketAdopt(_)) => {
            let seen = contents.buckets.get(bucket).context("no such bucket")?;
            ensure!(
                seen.aliases == [fixture.name.as_str()] && seen.quota_bytes == Some(QUOTA_BYTES),
                "{seen:?}"
            );
            let shown: serde_json::Value = stack.api.get(&format!("/buckets/{bucket}")).await?;
            ensure!(shown["name"] == *fixture.name, "{shown}");
            Ok(())
        }
        (Kind::BucketRelease, CommandResult::BucketRelease(_)) => {
            let seen = contents.buckets.get(bucket).context("no such bucket")?;
            ensure!(seen.keys.is_empty(), "{seen:?}");
            check_access(stack, fixture.key()?, &fixture.name, Rights::default())
        }
        (Kind::KeyRevokeLeaked, CommandResult::KeyRevokeLeaked(made)) => {
            let (key, old) = (
                stack.api.open(answer, seal, stack.root_key).await?,
                fixture.key()?,
            );
            ensure!(key.id == made.key && made.previous == old.id, "{made:?}");
            // Garage lists a deleted key as long as one of its nodes has not heard of the end.
            wait::until("the leaked key to leave Garage's list", async || {
                let contents = stack.cluster.admin.contents().await?;
                Ok((!contents.keys.contains_key(old.id.as_str())).then_some(()))
            })
            .await?;
            ensure!(contents.rights(bucket, key.id.as_str()) == ALL_RIGHTS);
            let seen = contents.keys.get(key.id.as_str()).context("no such key")?;
            ensure!(seen.expiration == fixture.expiration, "{seen:?}");
            check_access(stack, old, &fixture.name, Rights::default())?;
            check_access(stack, &key, &fixture.name, ALL_RIGHTS)
        }
        (Kind::KeyCreateTemporary, CommandResult::KeyCreateTemporary(made)) => {
            let key = stack.api.open(answer, seal, stack.root_key).await?;
            ensure!(key.id == made.key, "the secret is another key's");
            let seen = contents.keys.get(key.id.as_str()).context("no such key")?;
            ensure!(seen.expiration.is_some() && !seen.expired, "{seen:?}");
            let rights = Rights {
                owner: false,
                ..ALL_RIGHTS
            };
            ensure!(contents.rights(bucket, key.id.as_str()) == rights);
            let on_bucket = contents
                .buckets
                .get(bucket)
                .map_or(0, |seen| seen.keys.len());
            ensure!(on_bucket == 2, "{on_bucket} keys are on the bucket");
            check_access(stack, &key, &fixture.name, rights)
        }
        (Kind::KeySuspend, CommandResult::KeySuspend(_)) => {
            let key = fixture.key()?;
            let seen = contents
                .keys
                .get(key.id.as_str())
                .context("the key is gone")?;
            ensure!(seen.expired, "{seen:?}");
            ensure!(contents.rights(bucket, key.id.as_str()) == ALL_RIGHTS);
            check_access(stack, key, &fixture.name, Rights::default())?;
            let shown: serde_json::Value = stack.api.get(&format!("/keys/{}", key.id)).await?;
            ensure!(
                shown["suspended"] == true && shown["expires_at"].is_i64(),
                "the end that it had is forgotten: {shown}"
            );
            Ok(())
        }
        (Kind::BucketClear(objects), CommandResult::BucketClear(cleared)) => {
            jobs::check_cleared(stack, fixture, objects + 1, cleared, contents).await
        }
        (Kind::BucketMeasure(objects), CommandResult::BucketMeasurePrefix(measured)) => {
            jobs::check_measured(stack, fixture, objects + 1, measured, contents)
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
    if kind == Kind::KeyRevokeLeaked {
        bail!("a leaked key is never left as it was");
    }
    if matches!(kind, Kind::BucketClear(_) | Kind::BucketMeasure(_)) {
        bail!("a job goes on after a kill");
    }
    ensure!(
        keys_of(contents, kind.label(fixture)).is_empty(),
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
    let tools = stack.tools(key)?;
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
