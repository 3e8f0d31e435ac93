//! `bucket.add_alias` and `bucket.remove_alias`: further names of a bucket, all global. What a name
//! leads to is looked at before each sending: after an unclear one Garage may answer that there is
//! nothing to remove, or may have let go on one side alone.

use storm_protocol::{
    command::{BucketAddAlias, BucketRemoveAlias},
    error::Failure,
    ident::{BucketId, BucketName},
    result::{AliasAdded, AliasRemoved},
};

use super::Stop;
use crate::{
    engine::{Attempt, Backoff, Run},
    garage::{AdminRequest, BucketInfo},
};

pub(super) async fn add(run: &mut Run, p: &BucketAddAlias) -> Result<AliasAdded, Stop> {
    if !give(run, p.bucket, &p.name).await? {
        return Err(Stop::because(Failure::NameTaken));
    }
    Ok(AliasAdded {
        bucket: p.bucket,
        name: p.name.clone(),
    })
}

/// Gives a bucket a name; `false` when another bucket has it.
pub(super) async fn give(run: &mut Run, bucket: BucketId, name: &BucketName) -> Result<bool, Stop> {
    if leads_elsewhere(run, bucket, name).await? {
        return Ok(false);
    }
    // Also when it leads here already: after a cut the bucket's own side may not know the name.
    let request = AdminRequest::add_alias(bucket, name.as_str());
    match run.change(request).await?.result {
        Ok(_) => Ok(true),
        // Taken in between, by other hands than ours.
        Err(_) if leads_elsewhere(run, bucket, name).await? => Ok(false),
        Err(no) => Err(Stop::from(&no)),
    }
}

async fn leads_elsewhere(run: &mut Run, bucket: BucketId, name: &BucketName) -> Result<bool, Stop> {
    let found: Option<BucketInfo> = run.find(AdminRequest::bucket_called(name)).await?;
    Ok(found.is_some_and(|found| found.id != bucket))
}

pub(super) async fn remove(run: &mut Run, p: &BucketRemoveAlias) -> Result<AliasRemoved, Stop> {
    let mut backoff = Backoff::default();
    loop {
        let bucket: Option<BucketInfo> = run.find(AdminRequest::bucket(p.bucket)).await?;
        let bucket = bucket.ok_or_else(|| Stop::because(Failure::NoSuchBucket))?;
        let led: Option<BucketInfo> = run.find(AdminRequest::bucket_called(&p.name)).await?;
        let leads_here = led.is_some_and(|led| led.id == p.bucket);
        match judge(&bucket, p.name.as_str(), leads_here, run.is_uncertain()) {
            Next::Done => {
                return Ok(AliasRemoved {
                    bucket: p.bucket,
                    name: p.name.clone(),
                });
            }
            Next::Refuse(why) => return Err(Stop::because(why)),
            Next::Rejoin => {
                run.must(AdminRequest::add_alias(p.bucket, p.name.as_str()))
                    .await?;
            }
            Next::Send => {
                let request = AdminRequest::remove_alias(p.bucket, p.name.as_str());
                match run.attempt(request).await? {
                    Attempt::Answered(Ok(_)) => {
                        return Ok(AliasRemoved {
                            bucket: p.bucket,
                            name: p.name.clone(),
                        });
                    }
                    Attempt::Answered(Err(no)) => return Err(Stop::from(&no)),
                    Attempt::Unclear => run.pause(backoff.next()).await?,
                }
            }
        }
    }
}

/// What to do about a name that is to go.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// It is gone on both sides.
    Done,
    /// It cannot go.
    Refuse(Failure),
    /// A cut call has let go on one side alone: Garage removes only what both sides know.
    Rejoin,
    /// Take it away.
    Send,
}

fn judge(bucket: &BucketInfo, name: &str, leads_here: bool, uncertain: bool) -> Next {
    let listed = bucket.global_aliases.iter().any(|alias| alias == name);
    match (listed, leads_here) {
        (false, false) if uncertain => Next::Done,
        (false, false) => Next::Refuse(Failure::NoSuchAlias),
        (true, true) => {
            let local = bucket
                .keys
                .iter()
                .any(|key| !key.bucket_local_aliases.is_empty());
            if bucket.global_aliases.len() == 1 && !local {
                Next::Refuse(Failure::LastAlias)
            } else {
                Next::Send
            }
        }
        (true, false) | (false, true) => Next::Rejoin,
    }
}

#[cfg(test)]
mod tests {
    use storm_protocol::error::Failure;

    use super::{Next, judge};
    use crate::garage::BucketInfo;

    fn bucket(aliases: &[&str]) -> BucketInfo {
        let info = serde_json::json!({
            "id": "00".repeat(32), "created": "2026-01-01T00:00:00Z", "globalAliases": aliases,
            "keys": [], "websiteAccess": false, "objects": 0, "bytes": 0, "unfinishedUploads": 0,
            "unfinishedMultipartUploadBytes": 0, "quotas": { "maxSize": null, "maxObjects": null },
        });
        serde_json::from_value(info).unwrap()
    }

    #[test]
    fn a_name_goes_from_both_sides_and_the_last_one_stays() {
        let (two, one, none) = (bucket(&["a", "b"]), bucket(&["a"]), bucket(&[]));
        assert_eq!(judge(&two, "b", true, false), Next::Send);
        assert_eq!(
            judge(&one, "a", true, false),
            Next::Refuse(Failure::LastAlias)
        );
        assert_eq!(
            judge(&one, "b", false, false),
            Next::Refuse(Failure::NoSuchAlias)
        );
        assert_eq!(judge(&one, "b", false, true), Next::Done);
        // A cut call left one side: it is put back first, on whichever side it is missing.
        assert_eq!(judge(&one, "b", true, true), Next::Rejoin);
        assert_eq!(judge(&two, "b", false, true), Next::Rejoin);
        assert_eq!(judge(&none, "a", true, true), Next::Rejoin);
    }
}
