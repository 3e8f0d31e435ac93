//! What a cut CreateBucket leaves: a bucket that no name leads to and no key reaches. Found by
//! looking at all buckets, deleted only when it can be nobody's.

use std::{collections::HashSet, sync::Arc, time::Duration};

use storm_protocol::ident::{BucketId, Micros};

use super::Stop;
use crate::{
    engine::Run,
    garage::{AdminRequest, BucketInfo},
    journal::Owned,
};

/// Buckets on a page: recovery has time, and memory stays small.
const PAGE_BUCKETS: usize = 1000;
/// Seconds after which a nameless bucket must still be nameless: an S3 client's new bucket is so
/// for a moment.
const STILL_NAMELESS_SECONDS: u64 = 2;

/// Deletes the nameless, keyless, empty buckets that were made since the operation was taken.
/// Keeps every other CreateBucket of this agent away meanwhile.
pub(super) async fn sweep(run: &mut Run) -> Result<(), Stop> {
    let inner = Arc::clone(&run.inner);
    let _alone = inner.creates.write().await;
    let candidates = candidates(run).await?;
    if candidates.is_empty() {
        return Ok(());
    }
    let spoken_for = spoken_for(run).await?;
    run.pause(Duration::from_secs(STILL_NAMELESS_SECONDS))
        .await?;
    for id in candidates.into_iter().filter(|id| !spoken_for.contains(id)) {
        let owner = inner.journal.owner(&Owned::Bucket(id));
        let bucket: Option<BucketInfo> = run.find(AdminRequest::bucket(id)).await?;
        if !matches!(owner, Ok(None)) || !bucket.is_some_and(|bucket| bucket.is_orphan()) {
            continue;
        }
        tracing::warn!(bucket = %id, operation = %run.entry.operation, "deleting a bucket that a cut call left");
        if let Err(no) = run.change(AdminRequest::delete_bucket(id)).await?.result
            && !no.is("NoSuchBucket")
        {
            tracing::error!(%no, bucket = %id, "a bucket that a cut call left cannot be deleted");
        }
    }
    Ok(())
}

async fn candidates(run: &mut Run) -> Result<Vec<BucketId>, Stop> {
    let since = run.since();
    let mut found = Vec::new();
    let mut offset: Option<BucketId> = None;
    loop {
        let from = offset.map(|id| id.to_string());
        let read = |garage: crate::garage::GarageClient| {
            let from = from.clone();
            async move {
                garage
                    .list_buckets_info(from.as_deref(), PAGE_BUCKETS)
                    .await
            }
        };
        let page = run.read(read).await?;
        let last = page.last().map(|bucket| bucket.id);
        let whole = page.len() == PAGE_BUCKETS;
        let orphans = page
            .into_iter()
            .filter(|bucket| is_left_since(bucket, since));
        found.extend(orphans.map(|bucket| bucket.id));
        if !whole || last == offset {
            found.dedup();
            return Ok(found);
        }
        offset = last;
    }
}

/// Buckets that the names of unfinished operations lead to: such a bucket may not know its name
/// yet, and the operation gives it back.
async fn spoken_for(run: &mut Run) -> Result<HashSet<BucketId>, Stop> {
    let mut buckets = HashSet::new();
    for name in run.inner.creating() {
        let bucket: Option<BucketInfo> = run.find(AdminRequest::bucket_called(&name)).await?;
        buckets.extend(bucket.map(|bucket| bucket.id));
    }
    Ok(buckets)
}

fn is_left_since(bucket: &BucketInfo, since: Micros) -> bool {
    bucket.is_orphan() && bucket.created >= since
}
