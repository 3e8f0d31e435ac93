//! `bucket.set_quota`: UpdateBucket with both limits; the same again is the same.

use storm_protocol::{command::BucketSetQuota, result::QuotaSet};

use super::Stop;
use crate::{
    engine::Run,
    garage::{AdminRequest, Quotas},
};

pub(super) async fn execute(run: &mut Run, p: &BucketSetQuota) -> Result<QuotaSet, Stop> {
    let quotas = Quotas {
        bytes: p.quota_bytes,
        objects: p.quota_objects,
    };
    run.must(AdminRequest::update_bucket(p.bucket, quotas, None))
        .await?;
    Ok(QuotaSet { bucket: p.bucket })
}
