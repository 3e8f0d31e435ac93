//! `bucket.measure_prefix`: lists the objects under a prefix and counts them. It changes nothing but
//! its own key, and goes on where the journal says.

use storm_protocol::{command::BucketMeasurePrefix, result::PrefixMeasured};

use super::{
    Stop,
    job::{self, Job},
};
use crate::{engine::Run, s3::PAGE_OBJECTS};

pub(super) async fn execute(
    run: &mut Run,
    p: &BucketMeasurePrefix,
) -> Result<PrefixMeasured, Stop> {
    let ended = measure(run, p).await;
    job::close(run, ended).await
}

async fn measure(run: &mut Run, p: &BucketMeasurePrefix) -> Result<PrefixMeasured, Stop> {
    let mut job = Job::open(run, p.bucket, false).await?;
    if !p.prefix.as_str().is_empty() {
        // Of a part, nobody knows how much it is.
        let state = job::state(run);
        (state.total_objects, state.total_bytes) = (None, None);
    }
    loop {
        let state = job::state(run);
        let left = p.max_objects.saturating_sub(state.objects);
        let after = state.cursor.clone();
        // One more than is counted tells whether there are more.
        let most = usize::try_from(left.saturating_add(1))
            .map_or(PAGE_OBJECTS, |most| most.min(PAGE_OBJECTS));
        let mut page = job
            .requests()
            .list(p.prefix.as_str(), after.as_deref(), most)
            .await?;
        let counted = usize::try_from(left).unwrap_or(usize::MAX);
        let last_page = page.objects.is_empty() || !page.more;
        let complete = last_page && page.objects.len() <= counted;
        page.objects.truncate(counted);
        let full = page.objects.len() == counted;
        let bytes: u64 = page.objects.iter().map(|object| object.bytes).sum();
        let objects = page.objects.len() as u64;
        let last = page.objects.pop().map(|object| object.key);
        job.further(run, |state| {
            state.cursor = last.or_else(|| state.cursor.take());
            state.objects += objects;
            state.bytes += bytes;
        })
        .await?;
        if complete || full {
            let state = job::state(run);
            return Ok(PrefixMeasured {
                bucket: p.bucket,
                prefix: p.prefix.clone(),
                objects: state.objects,
                bytes: state.bytes,
                complete,
            });
        }
    }
}
