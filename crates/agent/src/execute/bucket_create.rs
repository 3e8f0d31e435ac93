//! `bucket.create`: ImportKey, CreateBucket, UpdateBucket, AllowBucketKey.
//!
//! The global alias is what recovery goes by: a bucket that it leads to is ours when it was made
//! since the operation was taken, no other key is on it and the journal has not given it to an
//! operation that ended. Of what another agent began this journal knows nothing but what keys' names
//! say, so there the bucket has to be empty besides; that no operation which is known to have ended
//! made it, the control plane sees to before it asks again.

use storm_protocol::{
    command::{BucketCreate, Resource},
    error::Failure,
    ident::{AccessKeyId, AccountId, BucketId, Micros, key_name},
    result::BucketCreated,
    rules::LifecycleRule,
};

use super::{Stop, new_key, orphans};
use crate::{
    engine::{Attempt, Backoff, Run},
    garage::{self, AdminRequest, BucketInfo, BucketUpdate, Quotas, Rights},
    journal::{Owned, OwnerChange},
};

/// Times that a name may be taken and lead nowhere before it counts as held by a bucket that is no
/// more.
const MAX_DANGLING_ROUNDS: u32 = 6;

pub(super) async fn execute(run: &mut Run, p: &BucketCreate) -> Result<BucketCreated, Stop> {
    let mut made = Made::default();
    match make(run, p, &mut made).await {
        Ok(bucket) => {
            let account = run.account();
            run.owners
                .push(OwnerChange::Set(Owned::Bucket(bucket), account));
            run.touched.push(Resource::Bucket(bucket));
            if let Some(key) = &made.key {
                run.owners
                    .push(OwnerChange::Set(Owned::Key(key.clone()), account));
                run.touched.push(Resource::Key(key.clone()));
            }
            Ok(BucketCreated {
                bucket,
                name: p.bucket.clone(),
                key: made.key,
            })
        }
        Err(Stop::Halted) => Err(Stop::Halted),
        Err(failed) => {
            give_up(run, &made).await?;
            Err(failed)
        }
    }
}

/// What stands in Garage so far.
#[derive(Debug, Default)]
struct Made {
    key: Option<AccessKeyId>,
    bucket: Option<BucketId>,
}

async fn make(run: &mut Run, p: &BucketCreate, made: &mut Made) -> Result<BucketId, Stop> {
    if let Some(label) = &p.key {
        let name = key_name(run.account(), label);
        made.key = Some(new_key::ensure(run, &name).await?);
    }
    let bucket = make_bucket(run, p).await?;
    made.bucket = Some(bucket);
    let quotas = Quotas {
        bytes: p.quota_bytes,
        objects: p.quota_objects,
    };
    if quotas.bytes.is_some() || quotas.objects.is_some() || p.abort_uploads_after_days.is_some() {
        let rule = p.abort_uploads_after_days.map(LifecycleRule::abort_uploads);
        let update = BucketUpdate {
            quotas: Some(quotas),
            lifecycle: rule.as_ref().map(std::slice::from_ref),
            ..BucketUpdate::default()
        };
        run.must(AdminRequest::update_bucket(bucket, &update))
            .await?;
    }
    if let Some(key) = &made.key {
        run.must(AdminRequest::allow(bucket, key.as_str(), Rights::ALL))
            .await?;
    }
    if run.is_uncertain() {
        tidy(run).await?;
    }
    Ok(bucket)
}

async fn make_bucket(run: &mut Run, p: &BucketCreate) -> Result<BucketId, Stop> {
    let mut backoff = Backoff::default();
    let mut look_first = run.may_be_begun();
    let mut dangling = 0;
    loop {
        if look_first {
            let bucket: Option<BucketInfo> =
                run.find(AdminRequest::bucket_called(&p.bucket)).await?;
            if let Some(bucket) = bucket {
                if !is_ours(run, &bucket).await? {
                    return Err(Stop::because(Failure::NameTaken));
                }
                // The bucket's own side may not know its name yet.
                let alias = AdminRequest::add_alias(bucket.id, p.bucket.as_str());
                match run.change(alias).await?.result {
                    Ok(_) => return Ok(bucket.id),
                    Err(no) if no.is("NoSuchBucket") => {}
                    Err(no) => return Err(Stop::from(&no)),
                }
            }
        }
        match run.attempt(AdminRequest::create_bucket(&p.bucket)).await? {
            Attempt::Answered(Ok(body)) => {
                match garage::parse::<BucketInfo>("CreateBucket", &body) {
                    Ok(bucket) => return Ok(bucket.id),
                    Err(error) => tracing::error!(%error, "CreateBucket answered unreadably"),
                }
            }
            Attempt::Answered(Err(no)) if no.is("BucketAlreadyExists") => {
                if !look_first {
                    return Err(Stop::because(Failure::NameTaken));
                }
                dangling += 1;
            }
            Attempt::Answered(Err(no)) => return Err(Stop::from(&no)),
            Attempt::Unclear => {}
        }
        if dangling >= MAX_DANGLING_ROUNDS {
            let words = format!(
                "The name {} is held by a bucket that is no more. On a storage node run: garage \
                 repair --yes aliases",
                p.bucket
            );
            return Err(Stop::failed(Failure::GarageRefused, words));
        }
        look_first = true;
        run.pause(backoff.next()).await?;
    }
}

/// Takes back what was made, unless Garage was never reached.
async fn give_up(run: &mut Run, made: &Made) -> Result<(), Stop> {
    if !run.may_have_left() {
        return Ok(());
    }
    if let Some(bucket) = made.bucket
        && let Err(no) = run
            .change(AdminRequest::delete_bucket(bucket))
            .await?
            .result
        && !no.is("NoSuchBucket")
    {
        tracing::error!(%no, %bucket, "a bucket that was given up cannot be deleted");
    }
    // Made or not: a cut ImportKey may have come through.
    if run.entry.key.is_some() {
        let key = run.key_id();
        new_key::delete(run, &key).await?;
    }
    if run.is_uncertain() {
        tidy(run).await?;
    }
    Ok(())
}

/// Removes what calls of unknown outcome may have left beside the way.
async fn tidy(run: &mut Run) -> Result<(), Stop> {
    orphans::sweep(run).await?;
    new_key::delete_given_up(run).await
}

async fn is_ours(run: &Run, bucket: &BucketInfo) -> Result<bool, Stop> {
    let owner = loop {
        match run.inner.journal.owner(&Owned::Bucket(bucket.id)) {
            Ok(owner) => break owner,
            Err(error) => {
                tracing::error!(%error, "the owner of a bucket cannot be read; trying again");
                run.pause(Backoff::default().next()).await?;
            }
        }
    };
    let tries = 0..=run.tries();
    let keys: Vec<_> = match run.entry.key {
        Some(_) => tries
            .map(|n| AccessKeyId::derive(run.entry.operation, n))
            .collect(),
        None => vec![],
    };
    if run.entry.begun_elsewhere {
        return Ok(judge_of_another(
            bucket,
            &keys,
            owner,
            run.account(),
            run.since(),
        ));
    }
    Ok(judge(bucket, &keys, owner, run.account(), run.since()))
}

/// Whether the bucket under our name is the one that this operation made before it was cut.
fn judge(
    bucket: &BucketInfo,
    our_keys: &[AccessKeyId],
    owner: Option<AccountId>,
    account: AccountId,
    since: Micros,
) -> bool {
    // An operation that ended has given its bucket an owner. The inventory can have learnt ours
    // from our own key alone.
    let unclaimed = owner.is_none() || (owner == Some(account) && !bucket.keys.is_empty());
    bucket.created >= since && only_ours(bucket, our_keys) && unclaimed
}

/// Whether the bucket under our name is the one that another agent made for this operation, or that
/// we have made since for it. An inventory may have learnt its owner from a key of the operation that
/// is deleted by now.
fn judge_of_another(
    bucket: &BucketInfo,
    our_keys: &[AccessKeyId],
    owner: Option<AccountId>,
    account: AccountId,
    since: Micros,
) -> bool {
    let unclaimed = owner.is_none_or(|owner| owner == account);
    bucket.created >= since && only_ours(bucket, our_keys) && unclaimed && bucket.is_empty()
}

fn only_ours(bucket: &BucketInfo, our_keys: &[AccessKeyId]) -> bool {
    bucket.keys.iter().all(|key| {
        our_keys
            .iter()
            .any(|ours| ours.as_str() == key.access_key_id)
    })
}

#[cfg(test)]
mod tests {
    use storm_protocol::ident::{AccessKeyId, AccountId, Micros, OperationId};

    use super::judge;
    use crate::garage::BucketInfo;

    fn bucket(created: &str, keys: &[&AccessKeyId]) -> BucketInfo {
        let keys: Vec<_> = keys
            .iter()
            .map(|key| {
                serde_json::json!({
                    "accessKeyId": key, "name": "n", "bucketLocalAliases": [],
                    "permissions": { "read": true, "write": true, "owner": true },
                })
            })
            .collect();
        let info = serde_json::json!({
            "id": "00".repeat(32), "created": created, "globalAliases": ["photos"], "keys": keys,
            "websiteAccess": false, "objects": 0, "bytes": 0, "unfinishedUploads": 0,
            "unfinishedMultipartUploads": 0, "unfinishedMultipartUploadBytes": 0,
            "quotas": { "maxSize": null, "maxObjects": null }, "somethingNewer": [1],
        });
        serde_json::from_value(info).unwrap()
    }

    #[test]
    fn a_bucket_is_ours_when_made_since_with_no_other_key_and_claimed_by_nobody() {
        let operation = OperationId::new(Micros(0), [1; 10]);
        let (ours, other) = (
            AccessKeyId::derive(operation, 0),
            AccessKeyId::derive(OperationId::new(Micros(0), [2; 10]), 0),
        );
        let (me, them) = (
            AccountId::new(Micros(0), [3; 10]),
            AccountId::new(Micros(0), [4; 10]),
        );
        let since = Micros(1_767_225_600_000_000); // 2026-01-01
        let (young, old) = ("2026-01-01T00:00:00Z", "2025-12-31T23:59:59.999Z");
        let keys = [ours.clone()];
        let is = |info: &BucketInfo, owner| judge(info, &keys, owner, me, since);

        assert!(is(&bucket(young, &[]), None));
        assert!(is(&bucket(young, &[&ours]), None));
        assert!(is(&bucket(young, &[&ours]), Some(me)));
        assert!(!is(&bucket(old, &[]), None), "made before the operation");
        assert!(!is(&bucket(young, &[&other]), None), "another key is on it");
        assert!(
            !is(&bucket(young, &[&ours, &other]), None),
            "another key is on it too"
        );
        assert!(
            !is(&bucket(young, &[]), Some(them)),
            "an ended operation made it"
        );
        assert!(
            !is(&bucket(young, &[]), Some(me)),
            "an ended operation of ours made it"
        );
        assert!(
            !is(&bucket(young, &[&ours]), Some(them)),
            "the journal knows better"
        );
        assert!(
            !judge(&bucket(young, &[&ours]), &[], None, me, since),
            "we make no key"
        );
    }
}
