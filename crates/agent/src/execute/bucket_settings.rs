//! `bucket.set_quota`, `bucket.set_cors`, `bucket.set_lifecycle` and `bucket.set_website`: UpdateBucket with each value as a whole, so that the same again is the same.

use storm_protocol::{
    command::{BucketSetCors, BucketSetLifecycle, BucketSetQuota, BucketSetWebsite},
    result::{CorsSet, LifecycleSet, QuotaSet, WebsiteSet},
};

use super::Stop;
use crate::{
    engine::Run,
    garage::{AdminRequest, BucketUpdate, Quotas},
};

pub(super) async fn set_quota(run: &mut Run, p: &BucketSetQuota) -> Result<QuotaSet, Stop> {
    let quotas = Quotas {
        bytes: p.quota_bytes,
        objects: p.quota_objects,
    };
    let update = BucketUpdate {
        quotas: Some(quotas),
        ..BucketUpdate::default()
    };
    run.must(AdminRequest::update_bucket(p.bucket, &update))
        .await?;
    Ok(QuotaSet { bucket: p.bucket })
}

pub(super) async fn set_cors(run: &mut Run, p: &BucketSetCors) -> Result<CorsSet, Stop> {
    let update = BucketUpdate {
        cors: Some(&p.rules),
        ..BucketUpdate::default()
    };
    run.must(AdminRequest::update_bucket(p.bucket, &update))
        .await?;
    Ok(CorsSet { bucket: p.bucket })
}

pub(super) async fn set_lifecycle(
    run: &mut Run,
    p: &BucketSetLifecycle,
) -> Result<LifecycleSet, Stop> {
    let update = BucketUpdate {
        lifecycle: Some(&p.rules),
        ..BucketUpdate::default()
    };
    run.must(AdminRequest::update_bucket(p.bucket, &update))
        .await?;
    Ok(LifecycleSet { bucket: p.bucket })
}

pub(super) async fn set_website(run: &mut Run, p: &BucketSetWebsite) -> Result<WebsiteSet, Stop> {
    let update = BucketUpdate {
        website: Some(p.website.as_ref()),
        ..BucketUpdate::default()
    };
    run.must(AdminRequest::update_bucket(p.bucket, &update))
        .await?;
    Ok(WebsiteSet { bucket: p.bucket })
}
