//! `key.set_grant`: DenyBucketKey with the complement, then AllowBucketKey with the set, since both
//! act on the named rights alone. Always both again after an unknown outcome: what one side of
//! Garage shows proves nothing of the other.

use storm_protocol::{
    command::{KeyGrant, KeySetGrant},
    result::GrantSet,
};

use super::Stop;
use crate::{
    engine::Run,
    garage::{AdminRequest, Rights},
};

pub(super) async fn execute(run: &mut Run, p: &KeySetGrant) -> Result<GrantSet, Stop> {
    let grant = KeyGrant {
        bucket: p.bucket,
        read: p.read,
        write: p.write,
        owner: p.owner,
    };
    let rights = Rights::from(&grant);
    let key = p.key.as_str();
    if rights.complement().any() {
        run.must(AdminRequest::deny(p.bucket, key, rights.complement()))
            .await?;
    }
    if rights.any() {
        run.must(AdminRequest::allow(p.bucket, key, rights)).await?;
    }
    Ok(GrantSet {
        key: p.key.clone(),
        grant,
    })
}
