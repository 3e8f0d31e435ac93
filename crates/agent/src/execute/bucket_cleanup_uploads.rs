//! `bucket.cleanup_uploads`: CleanupIncompleteUploads. Repeated after an unclear answer it removes
//! what is left, so the count is that of the last sending.

use storm_protocol::{command::BucketCleanupUploads, error::Failure, result::UploadsCleaned};

use super::Stop;
use crate::{
    engine::Run,
    garage::{self, AdminRequest, UploadsDeleted},
};

pub(super) async fn execute(
    run: &mut Run,
    p: &BucketCleanupUploads,
) -> Result<UploadsCleaned, Stop> {
    let request = AdminRequest::cleanup_uploads(p.bucket, p.older_than_seconds);
    let body = run.must(request).await?;
    let deleted: UploadsDeleted = garage::parse("CleanupIncompleteUploads", &body)
        .map_err(|error| Stop::failed(Failure::GarageRefused, error.to_string()))?;
    Ok(UploadsCleaned {
        bucket: p.bucket,
        uploads: deleted.uploads_deleted,
    })
}
