//! `key.set_grant`: DenyBucketKey with the complement, then AllowBucketKey with the set, since both
//! act on the named rights alone. Always both again after an unknown outcome: what one side of
//! Garage shows proves nothing of the other.

use storm_protocol::{
    command::{KeyGrant, KeySetGrant},
    ident::{AccessKeyId, BucketId},
    result::GrantSet,
};

use super::Stop;
use crate::{
    engine::{Run, Stopped},
    garage::{AdminRequest, Rejection, Rights},
};

pub(super) async fn execute(run: &mut Run, p: &KeySetGrant) -> Result<GrantSet, Stop> {
    let grant = KeyGrant {
        bucket: p.bucket,
        read: p.read,
        write: p.write,
        owner: p.owner,
    };
    set(run, p.bucket, &p.key, Rights::from(&grant))
        .await?
        .map_err(|no| Stop::from(&no))?;
    Ok(GrantSet {
        key: p.key.clone(),
        grant,
    })
}

/// Sets a key's rights on a bucket to exactly `rights`; the inner error is Garage's clear no.
pub(super) async fn set(
    run: &mut Run,
    bucket: BucketId,
    key: &AccessKeyId,
    rights: Rights,
) -> Stopped<Result<(), Rejection>> {
    let (key, others) = (key.as_str(), rights.complement());
    let deny = others
        .any()
        .then(|| AdminRequest::deny(bucket, key, others));
    let allow = rights
        .any()
        .then(|| AdminRequest::allow(bucket, key, rights));
    for request in deny.into_iter().chain(allow) {
        if let Err(no) = run.change(request).await?.result {
            return Ok(Err(no));
        }
    }
    Ok(Ok(()))
}
