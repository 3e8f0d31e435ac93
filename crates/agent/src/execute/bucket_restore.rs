//! `bucket.restore`: UpdateBucket with every value as a whole, then each key's rights, so that the same
//! again is the same.

use storm_protocol::{command::BucketRestore, result::BucketRestored};

use super::{Stop, key_set_grant};
use crate::{
    engine::Run,
    garage::{AdminRequest, BucketUpdate, Quotas, Rights},
};

pub(super) async fn execute(run: &mut Run, p: &BucketRestore) -> Result<BucketRestored, Stop> {
    let update = BucketUpdate {
        quotas: Some(Quotas {
            bytes: p.quota_bytes,
            objects: p.quota_objects,
        }),
        cors: Some(&p.cors),
        lifecycle: Some(&p.lifecycle),
        website: Some(p.website.as_ref()),
    };
    run.must(AdminRequest::update_bucket(p.bucket, &update))
        .await?;
    for grant in &p.grants {
        let set = key_set_grant::set(run, p.bucket, &grant.key, Rights::from(grant));
        match set.await? {
            Ok(()) => {}
            // Deleted meanwhile: it has no right any more.
            Err(no) if no.is("NoSuchAccessKey") => {}
            Err(no) => return Err(Stop::from(&no)),
        }
    }
    Ok(BucketRestored { bucket: p.bucket })
}
