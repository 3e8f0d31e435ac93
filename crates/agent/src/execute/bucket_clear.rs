//! `bucket.clear`: lists the bucket's objects page by page and deletes those that were written before
//! the command was taken, several pages at a time; at last its unfinished uploads of before.
//!
//! Before a page's deletion begins, the journal says so and counts it. What is done stands there as the
//! last key of the last page up to which all are done, so running on from there, whatever was cut,
//! misses nothing and counts nothing twice. Objects that somebody else deletes or overwrites after
//! they were counted stay counted: they are gone.

mod stretch;

use std::{collections::VecDeque, sync::Arc};

use storm_protocol::{command::BucketClear, error::Failure, ident::Micros, result::BucketCleared};
use tokio::task::{JoinError, JoinHandle};

use self::stretch::{Going, Left, Stretch};
use super::{
    Stop, in_whole_millis,
    job::{self, Job},
};
use crate::{engine::Run, garage::AdminRequest, s3::PAGE_OBJECTS};

/// Pages that are being deleted at the same time.
const PAGES_IN_FLIGHT: usize = 4;

/// A page that is being deleted.
struct Page {
    last: String,
    going: Going,
    deleting: JoinHandle<Result<Left, Stop>>,
}

pub(super) async fn execute(run: &mut Run, p: &BucketClear) -> Result<BucketCleared, Stop> {
    let ended = clear(run, p).await;
    job::close(run, ended).await
}

async fn clear(run: &mut Run, p: &BucketClear) -> Result<BucketCleared, Stop> {
    let mut job = Job::open(run, p.bucket, true).await?;
    let mut pages = VecDeque::new();
    let mut deleted = delete_all(run, &mut job, &mut pages).await;
    // What is on its way comes to its end: no deletion outlives the receipt, and all are counted.
    while !pages.is_empty() {
        deleted = deleted.and(one_done(run, &mut job, &mut pages).await);
    }
    deleted?;
    run.finish_job()?;
    delete_uploads(run, p).await?;
    let state = job::state(run);
    let objects = state.objects + state.begun_objects;
    if state.unnamed > 0 {
        let words = format!(
            "{objects} objects were deleted. {} stay whose keys hold control characters beside '.' or \
             '..', which no request of ours can name.",
            state.unnamed
        );
        return Err(Stop::failed(Failure::JobBroken, words));
    }
    Ok(BucketCleared {
        bucket: p.bucket,
        objects,
        bytes: state.bytes + state.begun_bytes,
        kept: state.kept,
    })
}

async fn delete_all(run: &mut Run, job: &mut Job, pages: &mut VecDeque<Page>) -> Result<(), Stop> {
    // Listings tell the millisecond in which an object was written: of the last one nobody knows.
    let before = in_whole_millis(run.taken_at());
    let mut listed = job::state(run).cursor.clone();
    loop {
        let requests = job.requests();
        let page = requests.list("", listed.as_deref(), PAGE_OBJECTS).await?;
        let Some(last) = page.objects.last().map(|object| object.key.clone()) else {
            return Ok(());
        };
        let after = listed.replace(last.clone());
        let state = job::state(run);
        let counted = state.begun_to.as_deref();
        let (stretch, going) = Stretch::new(after, last.clone(), before, page.objects, counted);
        begin(run, &last, going).await?;
        let deleting = tokio::spawn(stretch.delete(requests.clone()));
        pages.push_back(Page {
            last,
            going,
            deleting,
        });
        if pages.len() >= PAGES_IN_FLIGHT {
            one_done(run, job, pages).await?;
        }
        if !page.more {
            return Ok(());
        }
    }
}

/// Writes down that everything up to `last` is about to be deleted, unless it was before.
async fn begin(run: &mut Run, last: &str, going: Going) -> Result<(), Stop> {
    let state = job::state(run);
    if state.begun_to.as_deref().is_some_and(|begun| begun >= last) {
        return Ok(());
    }
    state.begun_to = Some(last.to_owned());
    state.begun_objects += going.objects;
    state.begun_bytes += going.bytes;
    run.write_job().await
}

/// Waits for the oldest page and counts it. Past one that failed nothing counts as done, but all are
/// waited for.
async fn one_done(run: &mut Run, job: &mut Job, pages: &mut VecDeque<Page>) -> Result<(), Stop> {
    let Some(page) = pages.pop_front() else {
        return Ok(());
    };
    let broken = |error: JoinError| Err(Stop::failed(Failure::JobBroken, error.to_string()));
    let left = match page.deleting.await.unwrap_or_else(broken) {
        Ok(left) => left,
        Err(stop) => {
            for page in pages.drain(..) {
                let _ = page.deleting.await;
            }
            return Err(stop);
        }
    };
    let Page { last, going, .. } = page;
    job.further(run, |state| {
        state.cursor = Some(last);
        state.objects += going.objects;
        state.bytes += going.bytes;
        state.begun_objects -= going.objects;
        state.begun_bytes -= going.bytes;
        state.kept += left.kept;
        state.unnamed += left.unnamed;
    })
    .await
}

/// Deletes the unfinished uploads of before: their age is told in whole seconds, and one more for the
/// way, so that none goes that was begun after.
async fn delete_uploads(run: &mut Run, p: &BucketClear) -> Result<(), Stop> {
    let (inner, taken_at) = (Arc::clone(&run.inner), run.taken_at());
    let request = || {
        let passed = inner.now().0.saturating_sub(taken_at.0).max(0);
        let seconds = u64::try_from(passed / Micros::SECOND).unwrap_or(0);
        AdminRequest::cleanup_uploads(p.bucket, seconds + 2)
    };
    let answer = run.change_anew(request).await?;
    answer.result.map(drop).map_err(|no| Stop::from(&no))
}
