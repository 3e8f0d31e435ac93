//! `bucket.clear`: lists the bucket's objects page by page and deletes those that were written before
//! the command was taken, several pages at a time; at last its unfinished uploads of before.
//!
//! What is done stands in the journal as the last key of the last page up to which all are done, so
//! running on from there, whatever was cut, misses nothing. Counts are what the journal knew: pages
//! that a killed process deleted after its last writing are counted by nobody.

use std::collections::VecDeque;

use storm_protocol::{command::BucketClear, error::Failure, ident::Micros, result::BucketCleared};
use tokio::task::{JoinError, JoinHandle};

use super::{
    Stop,
    job::{self, Job, Requests},
};
use crate::{
    engine::Run,
    garage::AdminRequest,
    s3::{Naming, Object, PAGE_OBJECTS},
};

/// Pages that are being deleted at the same time.
const PAGES_IN_FLIGHT: usize = 4;

/// A page that is being deleted.
struct Page {
    last: String,
    counts: Counts,
    deleting: JoinHandle<Result<(), Stop>>,
}

/// What a page comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    objects: u64,
    bytes: u64,
    kept: u64,
    unnamed: u64,
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
    let age = run.inner.now().0.saturating_sub(run.entry.accepted_at.0) / Micros::SECOND;
    let age = u64::try_from(age).unwrap_or(0);
    run.must(AdminRequest::cleanup_uploads(p.bucket, age))
        .await?;
    let state = job::state(run);
    if state.unnamed > 0 {
        let words = format!(
            "{} objects were deleted. {} stay whose keys hold control characters beside '.' or '..', \
             which no request of ours can name.",
            state.objects, state.unnamed
        );
        return Err(Stop::failed(Failure::JobBroken, words));
    }
    Ok(BucketCleared {
        bucket: p.bucket,
        objects: state.objects,
        bytes: state.bytes,
        kept: state.kept,
    })
}

async fn delete_all(run: &mut Run, job: &mut Job, pages: &mut VecDeque<Page>) -> Result<(), Stop> {
    let mut listed = job::state(run).cursor.clone();
    loop {
        let page = job
            .requests()
            .list("", listed.as_deref(), PAGE_OBJECTS)
            .await?;
        let Some(last) = page.objects.last() else {
            return Ok(());
        };
        let (last, before) = (last.key.clone(), run.entry.accepted_at);
        listed = Some(last.clone());
        let requests = job.requests().clone();
        pages.push_back(Page::delete(last, page.objects, before, requests));
        if pages.len() >= PAGES_IN_FLIGHT {
            one_done(run, job, pages).await?;
        }
        if !page.more {
            return Ok(());
        }
    }
}

/// Waits for the oldest page and counts it. Past one that failed nothing counts as done, but all are
/// waited for.
async fn one_done(run: &mut Run, job: &mut Job, pages: &mut VecDeque<Page>) -> Result<(), Stop> {
    let Some(page) = pages.pop_front() else {
        return Ok(());
    };
    let broken = |error: JoinError| Err(Stop::failed(Failure::JobBroken, error.to_string()));
    if let Err(stop) = page.deleting.await.unwrap_or_else(broken) {
        for page in pages.drain(..) {
            let _ = page.deleting.await;
        }
        return Err(stop);
    }
    let Page { last, counts, .. } = page;
    job.further(run, |state| {
        state.cursor = Some(last);
        state.objects += counts.objects;
        state.bytes += counts.bytes;
        state.kept += counts.kept;
        state.unnamed += counts.unnamed;
    })
    .await
}

impl Page {
    /// Begins to delete the objects that were written up to `before`, in a task of its own: the
    /// listing goes on meanwhile.
    fn delete(last: String, objects: Vec<Object>, before: Micros, requests: Requests) -> Self {
        let mut counts = Counts::default();
        let (mut many, mut single) = (Vec::with_capacity(objects.len()), Vec::new());
        for object in objects {
            if object.written_at > before {
                counts.kept += 1;
                continue;
            }
            match Naming::of(&object.key) {
                Naming::Xml => many.push(object.key),
                Naming::Path => single.push(object.key),
                Naming::Nothing => {
                    counts.unnamed += 1;
                    continue;
                }
            }
            counts.objects += 1;
            counts.bytes += object.bytes;
        }
        let deleting = tokio::spawn(async move {
            if !many.is_empty() {
                requests.delete(&many).await?;
            }
            for key in single {
                requests.delete_one(&key).await?;
            }
            Ok(())
        });
        Self {
            last,
            counts,
            deleting,
        }
    }
}
